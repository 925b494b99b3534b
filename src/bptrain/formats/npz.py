"""NPZ: named arrays, as np.savez writes them."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bptrain.errors import DataError, Problem
from bptrain.formats.array_header import (
    PIECE,
    damaged,
    in_memory,
    mapped,
    read_header,
    read_in_pieces,
    refuse_other_size,
)
from bptrain.formats.base import Format, NamedArrays, RoomForBytes, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import reading
from bptrain.formats.foreign import HEAD_OF_FILE, refuse_foreign
from bptrain.formats.incoming import Incoming
from bptrain.formats.packing import MOST_UNPACKED, of_the_system
from bptrain.formats.problems import some_of

if TYPE_CHECKING:
    import zipfile

    from bptrain.parts.types import Array

SUFFIX = ".npy"
ROWS = 1 << 13  # of each array, of an archive that is read piece by piece
ENTRY = 30  # bytes before the name in an entry of a zip archive (APPNOTE 4.3.7)
ENTRY_LENGTHS = 26  # where the lengths of the name and of what follows it stand


@formats.add("npz")
def npz() -> Format:
    """Several NumPy arrays, each with a name."""
    return Format("arrays", (".npz",), read_npz, pieces=npz_pieces)


def read_npz(path: Path, key: str, conventions: Conventions) -> NamedArrays:
    """The names of the arrays, each of which is read when it is asked for. Raises DataError, then too."""

    def get(name: str, room: RoomForBytes = in_memory) -> "Array":
        with opened(path, key) as archive:
            return _read(archive, name + SUFFIX, path, room)

    def get_in(name: str, room: RoomForBytes) -> "Array":
        array = _mapped(path, key, name)
        if array is None:
            return get(name, room)
        with opened(path, key) as archive, archive.open(name + SUFFIX) as file:
            while file.read(PIECE):  # to its end, so that its checksum is compared
                pass
        return array

    with opened(path, key) as archive:
        members = archive.namelist()
        names = [name.removesuffix(SUFFIX) for name in members if name.endswith(SUFFIX)]
        if not names:
            beside = f", but {some_of(members, 5)}" if members else ""
            message = f"the archive holds no array{beside}: save arrays with np.savez"
            raise DataError(Problem("no_array", message, file=str(path)))
        return NamedArrays(tuple(dict.fromkeys(names)), get, get_in)


def npz_pieces(coming: Incoming, key: str, conventions: Conventions, rows: int) -> Iterator[NamedArrays]:
    """The same, so many rows of each array at a time, as long as one that is asked for has some.

    An array that is not packed is mapped; any other is in memory as a whole from when it is asked for.
    """
    if coming.is_pipe:
        raise coming.needs_its_end("an archive of arrays")
    path = coming.path
    asked: dict[str, Array] = {}
    found = read_npz(path, key, conventions)

    def get(begin: int, name: str) -> "Array":
        if name not in asked:
            array = _mapped(path, key, name)
            asked[name] = found.get(name) if array is None else array
        array = asked[name]
        return array[begin : begin + rows] if array.ndim else array

    begin = 0
    rows = min(rows, ROWS)
    while begin == 0 or any(array.ndim and begin < len(array) for array in asked.values()):
        yield NamedArrays(found.names, partial(get, begin))
        begin += rows


def _mapped(path: Path, key: str, name: str) -> "Array | None":
    """An array that lies in the archive as it is; None for one that is packed. Raises DataError where it is damaged."""
    import zipfile

    with opened(path, key) as archive:
        info = archive.getinfo(name + SUFFIX)
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            return None
        what = f"the array {name}"
        with archive.open(info) as file:
            header = read_header(file, path, what)
        refuse_other_size(header, info.file_size - header.length, path, what)
    with path.open("rb") as raw:
        raw.seek(info.header_offset + ENTRY_LENGTHS)
        begin = info.header_offset + ENTRY + sum(struct.unpack("<HH", raw.read(4)))
    return mapped(path, header._replace(length=begin + header.length))


@contextmanager
def opened(path: Path, key: str) -> Iterator["zipfile.ZipFile"]:
    """The archive. Raises DataError where it is damaged, is none, or holds objects."""
    import zipfile
    import zlib

    with reading(path, key), path.open("rb") as file:
        refuse_foreign(file.read(HEAD_OF_FILE), b"", path, arrays=True)
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive
        except (
            EOFError, LookupError, NotImplementedError, OSError, ValueError, struct.error, zipfile.BadZipFile,
            zlib.error,
        ) as error:  # fmt: skip
            if of_the_system(error):
                raise
            raise damaged(path, error) from None


def _read(archive: "zipfile.ZipFile", member: str, path: Path, room: RoomForBytes) -> "Array":
    """One array. Raises DataError where it is none, or packed in another way, or unpacked more than the cap."""
    import zipfile

    info = archive.getinfo(member)
    what = f"the array {member.removesuffix(SUFFIX)}"
    if info.flag_bits & 1:
        raise DataError(Problem("encrypted", f"{what} is encrypted", file=str(path)))
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile unpacks the other methods without a bound on what comes out
        message = f"{what} is not packed with deflate: save the arrays with np.savez"
        raise DataError(Problem("zip_method", message, file=str(path)))
    if info.compress_type == zipfile.ZIP_DEFLATED and info.file_size > MOST_UNPACKED:
        message = (
            f"{what} holds more than {MOST_UNPACKED:,} bytes when it is unpacked: if that is right, save it with "
            "np.savez, which does not pack"
        )
        raise DataError(Problem("too_large", message, file=str(path)))
    with archive.open(info) as file:
        header = read_header(file, path, what)
        refuse_other_size(header, info.file_size - header.length, path, what)
        return read_in_pieces(file, header, path, what, room)
