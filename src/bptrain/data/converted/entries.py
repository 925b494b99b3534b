"""Looking for converted data: the entry of a key, and all entries of a directory. Nothing is written here."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bptrain.data.converted.array_files import OLD, ArrayForm, map_array
from bptrain.data.converted.entry_record import (
    ARRAYS,
    SPLITS,
    EntryRecord,
    OtherVersionError,
    notes_from_json,
    unsealed,
)
from bptrain.data.prepared import Prepared, ReadingNotes
from bptrain.parts.types import Array

RECORD = "prepared.json"
KEY = re.compile(r"[0-9a-f]{32}")  # the name of an entry
ASKED = re.compile(r"asked\.[0-9a-f]{32}\.json")
UNFINISHED = re.compile(r"\.(?:new|[0-9a-f]{32})\.[0-9a-f]{16}\.tmp")  # and while it is written or deleted
LOCK = ".lock"
MOST_TEXT = 2**28  # bytes of prepared.json
OURS = frozenset({RECORD, LOCK, *(f"{split}.{field}" for split in SPLITS for field in ARRAYS)})

OK, OTHER_VERSION, DAMAGED, UNFINISHED_STATE = "ok", "other version", "damaged", "unfinished"


class DamagedEntryError(Exception):
    """An entry is there and cannot be used."""


class KeptData(NamedTuple):
    """A data set whose arrays are mapped from an entry."""

    prepared: Prepared
    record: EntryRecord
    place: Path


class ListedEntry(NamedTuple):
    """An entry of a directory, whatever its state."""

    place: Path
    state: str
    size: int  # bytes of its files
    used: float  # when it was used last, in seconds since 1970
    record: EntryRecord | None = None  # None where it cannot be read
    reason: str = ""  # why it is not used

    @property
    def key(self) -> str:
        """Its name, which is no key while it is written or deleted."""
        return self.place.name


def find(cache: Path, key: str) -> KeptData | None:
    """The data set of an entry, mapped; None where there is none.

    Sizes and the digest of prepared.json are checked. The numbers of the arrays are not: to read them all is what an
    entry is there to save. Raises DamagedEntryError.
    """
    place = cache / key
    try:
        record = read_record(place)

        def mapped(split: str, field: str, form: ArrayForm) -> Array:
            return map_array(place / f"{split}.{field}", form)

        prepared = record.prepared(mapped)
    except FileNotFoundError:
        if not os.path.lexists(place):  # it may have been deleted just now
            return None
        raise DamagedEntryError("files are missing") from None
    except OSError as error:
        raise DamagedEntryError(error.strerror or str(error)) from None
    except ValueError as error:
        raise DamagedEntryError(str(error)) from None
    with suppress(OSError):  # of a cache that others may read alone
        os.utime(place)
    return KeptData(prepared, record, place)


def asked_file(asked: str) -> str:
    """The name of the file about what was asked for."""
    return f"asked.{asked}.json"


def find_asked(cache: Path, asked: str) -> tuple[str, ReadingNotes] | None:
    """The key of the data that was asked for before, and what was noted then; None where nobody has. Raises OSError."""
    for key in sorted(os.listdir(cache)):
        if KEY.fullmatch(key):
            with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
                return key, notes_from_json(unsealed(read_file(cache / key / asked_file(asked))))
    return None


def read_file(path: Path) -> bytes:
    """The text of a file of an entry, but not through a link. Raises OSError, and ValueError for a large one."""
    with os.fdopen(os.open(path, OLD), "rb") as file:
        text = file.read(MOST_TEXT + 1)
    if len(text) > MOST_TEXT:
        raise ValueError(f"{path.name} is too large")
    return text


def read_record(place: Path) -> EntryRecord:
    """What an entry says of itself. Raises OSError; ValueError, of which OtherVersionError is one."""
    if place.is_symlink():
        raise ValueError("it is a symbolic link")
    return EntryRecord.from_bytes(read_file(place / RECORD))


def listed(cache: Path) -> list[ListedEntry]:
    """The entries of a directory, those used last first; none where it is not there. Raises OSError."""
    try:
        names = sorted(os.listdir(cache))
    except FileNotFoundError:
        return []
    found = [entry for name in names for entry in _listed(cache / name)]
    return sorted(found, key=lambda entry: -entry.used)


def _listed(place: Path) -> Iterator[ListedEntry]:
    """The entry at a place, where there is one: what has another name is somebody else's, and so is a link."""
    unfinished = UNFINISHED.fullmatch(place.name) is not None
    if not (unfinished or KEY.fullmatch(place.name)) or place.is_symlink() or not place.is_dir():
        return
    try:
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(place))
        used = place.stat().st_mtime
    except FileNotFoundError:  # it is being deleted
        return
    if unfinished:
        yield ListedEntry(
            place, UNFINISHED_STATE, size, used, reason="it is being written, or a fit was killed"
        )
        return
    try:
        record = read_record(place)
        for split, forms in record.forms.items():
            for field, form in forms.items():
                found = (place / f"{split}.{field}").lstat().st_size
                if found != form.size:
                    raise ValueError(f"{split}.{field} has {found:,} bytes and should have {form.size:,}")
        yield ListedEntry(place, OK, size, used, record)
    except OtherVersionError as error:
        yield ListedEntry(place, OTHER_VERSION, size, used, reason=str(error))
    except (OSError, ValueError) as error:
        yield ListedEntry(place, DAMAGED, size, used, reason=str(error))
