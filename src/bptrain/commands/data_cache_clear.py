"""What `bptrain data cache clear` does: converted data goes, but never what is being written or is not bptrain's."""

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.data_cache_list import list_cache
from bptrain.config.resolved import resolve_path
from bptrain.data.converted.changes import EntryInUseError, ForeignFileError, remove, storing
from bptrain.data.converted.entries import ListedEntry
from bptrain.errors import UsageError

SHORTEST = 4  # digits of a key that name an entry
DAY = 86_400.0  # seconds


class ClearedEntry(NamedTuple):
    """Converted data that was deleted, or would be."""

    key: str
    data: str | None  # what it was made of, where that is known
    bytes: int


class SparedEntry(NamedTuple):
    """Converted data that was to go, and stays."""

    key: str
    reason: str


class CacheClearing(NamedTuple):
    """What was deleted, and what was not."""

    cache: Path
    dry_run: bool
    deleted: list[ClearedEntry]
    spared: list[SparedEntry]

    @property
    def bytes(self) -> int:
        """What was freed, or would be."""
        return sum(entry.bytes for entry in self.deleted)

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return {
            "cache": str(self.cache),
            "dry_run": self.dry_run,
            "deleted": [entry._asdict() for entry in self.deleted],
            "spared": [entry._asdict() for entry in self.spared],
            "bytes": self.bytes,
        }


def clear_cache(
    wanted: Sequence[str] = (),
    everything: bool = False,
    unused: float | None = None,
    cache: Path | None = None,
    dry_run: bool = False,
) -> Iterator[ClearedEntry | CacheClearing]:
    """Deletes converted data and yields each entry, and last the summary.

    `wanted` are beginnings of keys, or data files; `unused` are the days for which an entry was not used. Raises
    UsageError where nothing is named, or something that is not there; StorageError.
    """
    if (bool(wanted), everything, unused is not None).count(True) != 1:
        raise UsageError(
            "say what is to go: one or more of `bptrain data cache list`, or --unused DAYS, or --all"
        )
    found = list_cache(cache)
    chosen = found.entries
    if unused is not None:
        chosen = [entry for entry in chosen if entry.used < time.time() - unused * DAY]
    elif wanted:
        chosen = [entry for word in wanted for entry in named(word, found.entries)]
    deleted: list[ClearedEntry] = []
    spared: list[SparedEntry] = []
    for entry in {entry.place: entry for entry in chosen}.values():
        try:
            if not dry_run:
                with storing(found.cache):
                    remove(found.cache, entry)
        except (ForeignFileError, EntryInUseError) as error:
            spared.append(SparedEntry(entry.key, str(error)))
            continue
        deleted.append(ClearedEntry(entry.key, source_of(entry), entry.size))
        yield deleted[-1]
    yield CacheClearing(found.cache, dry_run, deleted, spared)


def source_of(entry: ListedEntry) -> str | None:
    """What an entry was made of."""
    return None if entry.record is None else entry.record.source


def named(word: str, entries: Sequence[ListedEntry]) -> list[ListedEntry]:
    """The entries that a word names: by the beginning of a key, or by a data file. Raises UsageError for none."""
    path = str(resolve_path(word, Path()))
    found = [entry for entry in entries if source_of(entry) in (word, path)]
    if not found and len(word) >= SHORTEST and re.fullmatch(r"[0-9a-f]+", word):  # so nothing unfinished
        found = [entry for entry in entries if entry.key.startswith(word)]
    if not found:
        raise UsageError(f"no converted data of {word}: `bptrain data cache list` shows what there is")
    return found
