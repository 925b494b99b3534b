"""What was deleted by `bptrain runs prune`."""

from bptrain.commands.runs_prune import BEST, IN_USE, PrunedRun, Pruning
from bptrain.console.terminal.screen import Screen


def show_pruned(screen: Screen, run: PrunedRun, dry_run: bool) -> None:
    """A line as soon as a run is deleted."""
    screen.result(f"{'would delete' if dry_run else 'deleted'} {run.run}  {size_of(run.bytes)}")


def show_pruning(screen: Screen, done: Pruning) -> None:
    """The sum, and why others stay."""
    size = size_of(sum(run.bytes for run in done.deleted))
    what = "would be deleted" if done.dry_run else "deleted"
    screen.result(
        f"{count(len(done.deleted))} {what}, {size}; {done.kept} {'stay' if done.dry_run else 'left'}"
    )
    for reason in (BEST, IN_USE):
        those = [run.run for run in done.spared if run.reason == reason]
        if those:
            screen.note(f"kept, since {'each' if those[1:] else 'it'} is {reason}: {', '.join(those)}")
    for run in done.spared:
        if run.reason not in (BEST, IN_USE):
            screen.note(f"kept {run.run}: {run.reason}")


def count(runs: int) -> str:
    """A number of runs in words."""
    return f"{runs} run{'' if runs == 1 else 's'}"


def size_of(size: int) -> str:
    """Bytes in the unit that shows two or three digits."""
    for unit, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= of:
            return f"{size / of:.1f} {unit}"
    return f"{size} bytes"
