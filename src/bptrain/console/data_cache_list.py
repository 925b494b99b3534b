"""The table of converted data."""

from datetime import datetime

from bptrain.commands.data_cache_list import CacheList
from bptrain.console.runs_prune import size_of
from bptrain.console.terminal.screen import Screen
from bptrain.data.converted.entries import KEY, OK, ListedEntry

COLUMNS = ("entry", "data", "rows", "size", "used")
DIGITS = 8  # of a key, which `clear` takes


def show_cache(screen: Screen, found: CacheList) -> None:
    """Each entry, and why one is not used; last what all of them take."""
    if found.entries:
        screen.table("", COLUMNS, [cells_of_entry(entry) for entry in found.entries])
    for entry in found.entries:
        if entry.state != OK:
            screen.note(f"{short_key(entry.key)} is not used: {entry.reason}")
    count = len(found.entries)
    what = (
        "nothing is kept"
        if not count
        else f"{count} {'entry' if count == 1 else 'entries'}, {size_of(found.bytes)}"
    )
    screen.result(f"{found.cache}: {what}")


def short_key(key: str) -> str:
    """The first digits of a key; of what is not finished yet, its whole name."""
    return key[:DIGITS] if KEY.fullmatch(key) else key


def cells_of_entry(entry: ListedEntry) -> list[str]:
    """An entry as a row of the table."""
    record = entry.record
    data = entry.state if record is None else record.source
    rows = "-" if record is None else f"{sum(record.rows.values()):,}"
    used = datetime.fromtimestamp(entry.used).astimezone()
    return [short_key(entry.key), data, rows, size_of(entry.size), f"{used:%Y-%m-%d %H:%M}"]
