"""What was deleted by `bptrain data cache clear`."""

from bptrain.commands.data_cache_clear import CacheClearing, ClearedEntry
from bptrain.console.data_cache_list import short_key
from bptrain.console.runs_prune import size_of
from bptrain.console.terminal.screen import Screen


def show_cleared(screen: Screen, entry: ClearedEntry, dry_run: bool) -> None:
    """A line as soon as an entry is deleted."""
    what = f"  {entry.data}" if entry.data else ""
    screen.result(
        f"{'would delete' if dry_run else 'deleted'} {short_key(entry.key)}{what}  {size_of(entry.bytes)}"
    )


def show_clearing(screen: Screen, done: CacheClearing) -> None:
    """The sum, and why others stay."""
    count = len(done.deleted)
    what = f"{count} {'entry' if count == 1 else 'entries'} {'would be ' if done.dry_run else ''}deleted"
    screen.result(f"{done.cache}: {what}, {size_of(done.bytes)}")
    for entry in done.spared:
        screen.note(f"kept {short_key(entry.key)}: {entry.reason}")
