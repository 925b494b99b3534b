"""Packed files: gzip, bzip2, xz, and zip archives of one file, told by their first bytes and unpacked up to a cap.

The cap is on what comes out, which is counted as it comes: a few packed bytes may stand for any number of others.
"""

import errno
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.foreign import refuse_foreign_archive
from bptrain.formats.problems import some_of

if TYPE_CHECKING:
    import zipfile

MOST_UNPACKED = 1 << 30  # bytes that come out of a packed file, at most
PIECE = 1 << 20  # bytes that come out at a time
XZ_MEMORY = 256 << 20  # bytes that unpacking xz may take beside; its strongest preset takes 65 MiB
OF_ZIPFILE = (NotImplementedError, ValueError, struct.error)  # what zipfile raises for a damaged archive, too
HEAD = 10  # bytes that tell how a file is packed

Pieces = Iterator[bytes]


class Packing(NamedTuple):
    """A way in which files are packed."""

    name: str  # "a gzip file"
    suffix: str
    magic: re.Pattern[bytes]  # of the first bytes
    pieces: Callable[[BinaryIO, str], Pieces]  # (an opened file, its name) to its content


def packing_of(head: bytes) -> Packing | None:
    """How a file that begins with these bytes is packed; None: it is not."""
    return next((each for each in PACKINGS if each.magic.match(head)), None)


def without_packing(name: str) -> str:
    """A name in lower case without .gz, .bz2, .xz or .zip."""
    lower = name.lower()
    return next((lower.removesuffix(p.suffix) for p in PACKINGS if lower.endswith(p.suffix)), lower)


def unpacked(packing: Packing, file: BinaryIO, path: Path) -> bytes:
    """The content of a packed file. Raises DataError where it is damaged, cut short, or more than the cap."""
    return b"".join(unpacked_pieces(packing, file, path))


def unpacked_pieces(packing: Packing, file: BinaryIO, path: Path) -> Pieces:
    """The same piece by piece."""
    size = 0
    with unpacking(path):
        for piece in packing.pieces(file, str(path)):
            size += len(piece)
            if size > MOST_UNPACKED:
                message = (
                    f"the file holds more than {MOST_UNPACKED:,} bytes when it is unpacked, and no more are unpacked "
                    "here: if that is right, unpack it and name the unpacked file"
                )
                raise DataError(Problem("too_large", message, file=str(path)))
            yield piece


def of_the_system(error: BaseException) -> bool:
    """Whether an error is the system's about a file, and not a library's about its content.

    A library that follows a damaged place to before the file's begin is told that the argument is invalid.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


@contextmanager
def unpacking(path: Path) -> Iterator[None]:
    """Turns whatever the unpacking modules say about a file into a DataError."""
    import lzma
    import zipfile
    import zlib

    try:
        yield
    except (EOFError, OSError, zlib.error, lzma.LZMAError, *OF_ZIPFILE, zipfile.BadZipFile) as error:
        if of_the_system(error):
            raise
        message = f"the file is damaged or cut short ({error}); get it again"
        raise DataError(Problem("damaged_file", message, file=str(path))) from None


def _gzip(file: BinaryIO, name: str) -> Pieces:
    import gzip

    with gzip.GzipFile(fileobj=file) as content:
        while piece := content.read(PIECE):
            yield piece


def _bzip2(file: BinaryIO, name: str) -> Pieces:
    import bz2

    return _streams(file, bz2.BZ2Decompressor)


def _xz(file: BinaryIO, name: str) -> Pieces:
    import lzma

    return _streams(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MEMORY))


def _streams(file: BinaryIO, make: Callable[[], Any]) -> Pieces:
    """The content of one packed stream after the other, as the tools that write several threads' streams leave them."""
    packed = file.read(PIECE)
    while packed:
        stream = make()
        while not stream.eof:
            if stream.needs_input and not packed:
                packed = file.read(PIECE)
                if not packed:
                    raise EOFError("the end is missing")
            yield stream.decompress(packed, PIECE)
            packed = b""
        packed = stream.unused_data or file.read(PIECE)


def _zip(file: BinaryIO, name: str) -> Pieces:
    import zipfile

    with zipfile.ZipFile(file) as archive:
        member = _only_member(archive, name)
        with archive.open(member) as content:
            while piece := content.read(PIECE):
                yield piece


def refuse_foreign_zip(file: BinaryIO, path: Path) -> None:
    """Raises DataError where a zip archive is a spreadsheet or the like."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        refuse_foreign_archive(archive.namelist(), path)


def _only_member(archive: "zipfile.ZipFile", name: str) -> "zipfile.ZipInfo":
    """The one file of an archive, beside folders and what macOS adds. Raises DataError for any other number."""
    import zipfile

    listed = archive.infolist()
    refuse_foreign_archive([one.filename for one in listed], Path(name))
    members = [one for one in listed if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        have = some_of((one.filename for one in members), 5)
        message = (
            f"the zip archive holds {len(members)} files ({have}): unpack it and name the file that is meant"
            if members
            else "the zip archive holds no file"
        )
        raise DataError(Problem("zip_members", message, file=name))
    (member,) = members
    if member.flag_bits & 1:
        message = f"{member.filename} in the zip archive is encrypted: unpack it with its password"
        raise DataError(Problem("encrypted", message, file=name))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile unpacks the other methods without a bound on what comes out
        message = f"{member.filename} in the zip archive is not packed with deflate: unpack it, or pack it so"
        raise DataError(Problem("zip_method", message, file=name))
    return member


PACKINGS = (
    Packing("a gzip file", ".gz", re.compile(rb"\x1f\x8b"), _gzip),
    Packing("a bzip2 file", ".bz2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), _bzip2),
    Packing("an xz file", ".xz", re.compile(rb"\xfd7zXZ\0"), _xz),
    Packing("a zip archive", ".zip", re.compile(rb"PK(\x03\x04|\x05\x06)"), _zip),
)
