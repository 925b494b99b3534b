"""Bytes from the disk: the content of a file, unpacked, and its digest."""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bptrain.errors import DataError, Problem
from bptrain.formats.base import format_of
from bptrain.formats.foreign import HEAD_OF_FILE, TAIL_OF_FILE, refuse_foreign
from bptrain.formats.packing import (
    HEAD,
    Packing,
    packing_of,
    refuse_foreign_zip,
    unpacked,
    unpacking,
    without_packing,
)
from bptrain.formats.problems import UndeclaredConvention, nearest


@contextmanager
def reading(path: Path, key: str) -> Iterator[None]:
    """Turns whatever the system says about a file into a DataError; `key` is the config key that named it."""
    try:
        yield
    except FileNotFoundError:
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        message = f"no such file: {path}"
        close = nearest(path.name, siblings)
        raise DataError(_about(path, key, "file_not_found", message, close)) from None
    except IsADirectoryError:
        message = f"{path} is a directory; name a file in it"
        raise DataError(_about(path, key, "is_a_directory", message)) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise DataError(_about(path, key, "unreadable_file", message)) from None


@contextmanager
def reading_arrays(path: Path, key: str, packed: bool = False) -> Iterator[BinaryIO]:
    """The file, opened for NumPy, unpacked if it may be `packed`; whatever NumPy or the system says about it becomes a
    DataError.
    """
    try:
        with reading(path, key), path.open("rb") as file:  # np.load leaves a file that it cannot read open
            packing = _packing(file, path) if packed else None
            refuse_foreign(file.read(HEAD_OF_FILE), b"", path, arrays=True)
            file.seek(0)
            yield file if packing is None else io.BytesIO(unpacked(packing, file, path))
    except DataError:
        raise
    except Exception as error:  # what NumPy raises for a malformed file is not documented
        if "pickle" in str(error):
            message = "the file holds Python objects, which are never loaded; save plain numbers or strings"
            raise DataError(Problem("object_array", message, file=str(path))) from None
        message = f"the file is damaged or not what its name says ({error})"
        raise DataError(Problem("damaged_file", message, file=str(path))) from None


def _about(path: Path, key: str, code: str, message: str, suggestion: str | None = None) -> Problem:
    """A problem at the config key that names the file, or at the file itself where no config does."""
    return Problem(code, message, path=key, file="" if key else str(path), suggestion=suggestion)


def read_bytes(path: Path, key: str) -> bytes:
    """The content, unpacked where it is packed."""
    with reading(path, key), path.open("rb") as file:
        packing = _packing(file, path)
        data = file.read() if packing is None else unpacked(packing, file, path)
    refuse_foreign(data, data[-TAIL_OF_FILE:], path)
    return data


def read_text(path: Path, key: str, encoding: str | None = None) -> str:
    """The content as text, without a byte order mark, in UTF-8 unless that mark or `encoding` says otherwise.

    Raises DataError with the line of what is not in that encoding.
    """
    data = read_bytes(path, key)
    found = encoding or encoding_of(data)
    try:
        return data.decode(found).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = f"byte 0x{data[error.start]:02x} is not {found.upper()}"
    except UnicodeError as error:  # of encodings whose errors name no place
        line, byte = 1, f"the text is not {found.upper()} ({error})"
    if encoding is not None:
        message = f"{byte}, which data.encoding declares"
        raise DataError(Problem("not_utf8", message, file=str(path), line=line))
    one, other = likely_encodings(data)
    message = f"{byte}; save the file as UTF-8, or declare data.encoding: {one} (or {other})"
    why = f"the file is not UTF-8 (line {line}); where letters come out wrong: {other}"
    raise UndeclaredConvention(
        Problem("not_utf8", message, file=str(path), line=line), "encoding", one, why
    ) from None


MARKS = (  # byte order marks
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(head: bytes) -> str:
    """The encoding by the byte order mark: UTF-16, UTF-32, or else UTF-8."""
    return next((name for mark, name in MARKS if head.startswith(mark)), "utf-8")


def likely_encodings(data: bytes) -> tuple[str, str]:
    """The encodings in which bytes that are not UTF-8 are probably written, the likelier one first."""
    if data[1:HEAD_OF_FILE:2].count(0) > min(len(data), HEAD_OF_FILE) // 4:
        return "utf-16-le", "utf-16-be"
    if data[:HEAD_OF_FILE:2].count(0) > min(len(data), HEAD_OF_FILE) // 4:
        return "utf-16-be", "utf-16-le"
    in_windows = any(0x80 <= byte <= 0x9F for byte in set(data))  # which latin-1 has no letters for
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        in_windows = False
    return ("cp1252", "latin-1") if in_windows else ("latin-1", "cp1252")


def read_head(path: Path, key: str) -> tuple[bytes, bool]:
    """The first bytes of the content, unpacked, and whether they are all of it. Raises DataError for foreign files."""
    tail = b""
    with reading(path, key), path.open("rb") as file:
        packing = _packing(file, path)
        if packing is None:
            head = file.read(HEAD_OF_FILE)
            whole = not file.read(1)
            file.seek(max(0, file.seek(0, io.SEEK_END) - TAIL_OF_FILE))
            tail = file.read()
        else:
            with unpacking(path):
                pieces = packing.pieces(file, str(path))
                head = next(pieces, b"")
                whole = len(head) <= HEAD_OF_FILE and not next(pieces, b"")
    refuse_foreign(head, tail, path)
    return head[:HEAD_OF_FILE], whole


def _packing(file: BinaryIO, path: Path) -> Packing | None:
    """How a file is packed, by its first bytes. Raises DataError where the name says otherwise."""
    packing = packing_of(file.read(HEAD))
    size = file.tell()
    file.seek(0)
    named = without_packing(path.name) != path.name.lower()
    if packing is None and named:
        bare = path.name[: len(without_packing(path.name))]
        what = f"not packed: rename it to {bare}" if size else "empty: get it again"
        message = f"the name ends in {path.suffix}, but the file is {what}"
        raise DataError(Problem("damaged_file", message, file=str(path)))
    if packing is not None and not named and format_of(path.name) is not None:
        if packing.suffix == ".zip":
            with unpacking(path):
                refuse_foreign_zip(file, path)
        message = f"this is {packing.name}: rename it to {path.name}{packing.suffix}"
        raise DataError(Problem("packed_file", message, file=str(path)))
    return packing


def digest(path: Path, key: str) -> str:
    """The SHA-256 of a file as it lies on the disk, in hex."""
    import hashlib

    with reading(path, key), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
