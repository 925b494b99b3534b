"""What `bptrain data cache list` finds: the converted data that is kept, and what of it is used no more."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.caches import cache_directory
from bptrain.data.converted.entries import ListedEntry, listed
from bptrain.errors import StorageError


class CacheList(NamedTuple):
    """The entries of a directory of converted data."""

    cache: Path
    entries: list[ListedEntry]  # those used last first

    @property
    def bytes(self) -> int:
        """What all of them take on the disk."""
        return sum(entry.size for entry in self.entries)

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return {
            "cache": str(self.cache),
            "bytes": self.bytes,
            "entries": [entry_record(entry) for entry in self.entries],
        }


def list_cache(cache: Path | None = None) -> CacheList:
    """The converted data in a directory, by default that of the user. Raises StorageError."""
    place = cache_directory("data") if cache is None else cache.absolute()
    try:
        return CacheList(place, listed(place))
    except OSError as error:
        raise StorageError(f"could not read {place}: {error.strerror or error}") from error


def entry_record(entry: ListedEntry) -> dict[str, Any]:
    """An entry in JSON; what is not known of one that cannot be read is null."""
    return {
        "key": entry.key,
        "state": entry.state,
        "reason": entry.reason or None,
        "data": None if entry.record is None else entry.record.source,
        "rows": None if entry.record is None else entry.record.rows,
        "bytes": entry.size,
        "used": datetime.fromtimestamp(entry.used, UTC).isoformat(timespec="seconds"),
        "path": str(entry.place),
    }
