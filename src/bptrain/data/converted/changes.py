"""Adding and deleting converted data, so that a kill at any point leaves no entry that looks whole and is not.

An entry is written under another name, flushed to the disk, and renamed; before it is deleted it gets such a name
again. Who writes one holds the lock in it, so that what a killed process has left is told from what is being written.
Data that is mapped can be deleted: its files go when the last process that has mapped them ends.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.converted.array_files import ArrayForm, write_array
from bptrain.data.converted.entries import (
    ASKED,
    LOCK,
    OURS,
    RECORD,
    UNFINISHED,
    DamagedEntryError,
    KeptData,
    ListedEntry,
    asked_file,
    find,
)
from bptrain.data.converted.entry_record import EntryRecord, arrays_of, sealed
from bptrain.data.prepared import Prepared, ReadingNotes, Rows
from bptrain.data.storage import no_room
from bptrain.temporary import NEW, flush_directory, is_left_over, written_beside


class ForeignFileError(Exception):
    """Something is in an entry that no entry has."""


class EntryInUseError(Exception):
    """An entry is being written."""


class EntryRoom(NamedTuple):
    """A new directory for an entry, and the lock that holds it."""

    directory: Path
    lock: Any


def kept_under(
    cache: Path, key: str, room: EntryRoom, prepared: Prepared, source: str, asked: str | None
) -> KeptData:
    """Writes a data set into its room, which takes its place as an entry, or that of a damaged one.

    Where it is there by now, that is taken. `asked` is the hash of a config for which the schema was found. Raises
    OSError, and DamagedEntryError where what was written cannot be read.
    """
    write_entry(room.directory, prepared, source)
    with only_one(cache):
        found = None
        with suppress(DamagedEntryError):
            found = find(cache, key)
        if found is None:
            room.lock.release()  # nobody else looks now, and Windows renames nothing that is open
            put_in_place(room.directory, cache / key)
            found = find(cache, key)
            assert found is not None
        if asked is not None:
            notes = ReadingNotes(prepared.notes, prepared.warnings)
            with written_beside(found.place / asked_file(asked)) as file:
                file.write(sealed(notes._asdict()))
        return found


def in_memory(prepared: Prepared) -> Prepared:
    """The same data set with its arrays in memory."""
    splits: dict[str, Rows] = {}
    for name, rows in prepared.splits.items():
        copies: dict[str, Any] = {field: np.array(array) for field, array in arrays_of(rows)}
        splits[name] = rows._replace(**copies)
    return prepared._replace(splits=splits)


@contextmanager
def storing(cache: Path) -> Iterator[None]:
    """Turns an OSError, or an entry that cannot be read although it was just written, into a StorageError."""
    try:
        yield
    except OSError as error:
        raise no_room(cache, error) from error
    except DamagedEntryError as error:
        raise no_room(cache, f"it cannot be read back ({error})") from error


@contextmanager
def new_entry(cache: Path) -> Iterator[EntryRoom]:
    """Room for an entry, which goes when the block ends, unless it has become one. Raises OSError."""
    made = cache / f".new.{os.urandom(8).hex()}.tmp"
    lock = lock_in(made)
    try:
        with only_one(cache):
            for left in left_over(cache):
                with suppress(PermissionError):  # another user's
                    remove_aside(left)
            made.mkdir()
            lock.acquire()
        yield EntryRoom(made, lock)
    finally:
        lock.release()
        with suppress(ForeignFileError, FileNotFoundError):
            remove_aside(made)


def write_entry(made: Path, prepared: Prepared, source: str) -> None:
    """Writes the arrays and then the record of an entry, through to the disk. Raises OSError."""
    forms: dict[str, dict[str, ArrayForm]] = {}
    for split, rows in prepared.splits.items():
        forms[split] = {
            field: write_array(made / f"{split}.{field}", array) for field, array in arrays_of(rows)
        }
    record = EntryRecord.of(prepared, source, forms)
    with os.fdopen(os.open(made / RECORD, NEW, 0o666), "wb") as file:
        file.write(record.to_bytes())
        file.flush()
        os.fsync(file.fileno())
    flush_directory(made)


def put_in_place(made: Path, place: Path) -> None:
    """Renames a whole entry; what is at its place is damaged, and goes. Raises OSError."""
    if os.path.lexists(place):
        aside = place.with_name(f".{place.name}.{os.urandom(8).hex()}.tmp")
        place.rename(aside)
        if aside.is_symlink():
            aside.unlink()
        else:
            with suppress(ForeignFileError, NotADirectoryError):  # then it stays, under this name
                remove_aside(aside)
    made.rename(place)
    flush_directory(place.parent)


def remove(cache: Path, entry: ListedEntry) -> None:
    """Deletes an entry. Raises ForeignFileError, EntryInUseError, and OSError."""
    with only_one(cache):
        refuse_foreign_files(entry.place)
        aside = entry.place
        if UNFINISHED.fullmatch(aside.name) is None:
            aside = cache / f".{entry.key}.{os.urandom(8).hex()}.tmp"
            entry.place.rename(aside)
            flush_directory(cache)
        elif is_held(aside):
            raise EntryInUseError("it is being written")
        remove_aside(aside)


def left_over(cache: Path) -> Iterator[Path]:
    """The directories that killed processes have left; whoever asks is the `only_one`. Raises OSError."""
    for name in sorted(os.listdir(cache)):
        place = cache / name
        if UNFINISHED.fullmatch(name) and place.is_dir() and not place.is_symlink() and not is_held(place):
            with suppress(ForeignFileError):
                refuse_foreign_files(place)
                yield place


def remove_aside(place: Path) -> None:
    """Deletes a directory with the files of an entry. Raises ForeignFileError, and OSError."""
    refuse_foreign_files(place)
    for name in sorted(os.listdir(place), key=lambda name: name != RECORD):  # without it nothing looks whole
        (place / name).unlink(missing_ok=True)
    place.rmdir()


def refuse_foreign_files(place: Path) -> None:
    """Raises ForeignFileError where something else is in an entry than the files of one."""
    with os.scandir(place) as entries:
        for entry in entries:
            ours = entry.name in OURS or ASKED.fullmatch(entry.name)
            is_file = entry.is_file(follow_symlinks=False)
            if not (is_file and ours) and not is_left_over(Path(entry.path), ASKED.pattern):
                raise ForeignFileError(f"{entry.path} is not bptrain's")


def is_held(place: Path) -> bool:
    """Whether a process writes an entry; whoever asks is the `only_one`."""
    from filelock import Timeout

    if (place / LOCK).is_symlink() or not (place / LOCK).is_file():
        return False
    lock = lock_in(place)
    try:
        lock.acquire(timeout=0)
    except (Timeout, PermissionError):  # the latter of another user's
        return True
    lock.release()
    return False


def only_one(cache: Path) -> AbstractContextManager[Any]:
    """Holds a directory of entries for this process while it looks, places or deletes; others go on converting."""
    found: AbstractContextManager[Any] = lock_in(cache)
    return found


def lock_in(directory: Path) -> Any:
    """The lock of a directory. Raises OSError where it is a link: to take it would empty another file."""
    from filelock import FileLock

    if (directory / LOCK).is_symlink():
        raise OSError(errno.ELOOP, f"{directory / LOCK} is a symbolic link")
    return FileLock(directory / LOCK)
