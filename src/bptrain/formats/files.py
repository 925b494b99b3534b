"""Bytes from the disk: the content of a file, unpacked, and its digest."""

import codecs
import io
import re
import stat
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
from bptrain.formats.text_bytes import TextBytes, text_bytes_of, text_bytes_of_file


@contextmanager
def reading(path: Path, key: str) -> Iterator[None]:
    """Turns whatever the system says about a file into a DataError; `key` is the config key that named it.

    Devices and pipes are refused, since data is read more than once, and to its end.
    """
    with system_errors(path, key):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise not_a_file(path, key)
        yield


def not_a_file(path: Path, key: str) -> DataError:
    """That a path is that of a device or a pipe."""
    message = f"{path} is a device or a pipe, which is no file to read twice: save its content to a file"
    return DataError(_about(path, key, "not_a_file", message))


@contextmanager
def system_errors(path: Path, key: str) -> Iterator[None]:
    """The same as `reading`, of whatever the path is."""
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
    except MemoryError as error:
        why = f" ({str(error).rstrip('.')})" if str(error) else ""
        message = f"{path} takes more memory than there is{why}: split it into smaller files"
        raise DataError(_about(path, key, "too_large", message)) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise DataError(_about(path, key, "unreadable_file", message)) from None


def _about(path: Path, key: str, code: str, message: str, suggestion: str | None = None) -> Problem:
    """A problem at the config key that names the file, or at the file itself where no config does."""
    return Problem(code, message, path=key, file="" if key else str(path), suggestion=suggestion)


def packed_content(file: BinaryIO, path: Path) -> bytes | None:
    """The content of a packed file; None for a file that is not packed. Raises DataError."""
    packing = _packing(file, path)
    return None if packing is None else unpacked(packing, file, path)


def read_bytes(path: Path, key: str) -> bytes:
    """The content, unpacked where it is packed."""
    with reading(path, key), path.open("rb") as file:
        packing = _packing(file, path)
        data = file.read() if packing is None else unpacked(packing, file, path)
    refuse_foreign(data, data[-TAIL_OF_FILE:], path)
    return data


def read_text_bytes(path: Path, key: str) -> TextBytes:
    """The same in an array with room around it."""
    with reading(path, key), path.open("rb") as file:
        packing = _packing(file, path)
        if packing is None:
            content = text_bytes_of_file(file, path.stat().st_size)
        else:
            content = text_bytes_of(unpacked(packing, file, path))
    begin, end = content.begin, content.end
    head, tail = (
        content.part(begin, min(begin + HEAD_OF_FILE, end)),
        content.part(max(begin, end - TAIL_OF_FILE), end),
    )
    refuse_foreign(head, tail, path)
    return content


def read_text(path: Path, key: str, encoding: str | None = None) -> str:
    """The content as text, without a byte order mark, in UTF-8 unless that mark or `encoding` says otherwise.

    Raises DataError with the line of what is not in that encoding.
    """
    data = read_bytes(path, key)
    try:
        text = data.decode(encoding or encoding_of(data)).removeprefix("\ufeff")
    except UnicodeError as error:
        raise not_decoded(error, data, path, encoding) from None
    if "\0" in text:
        raise nul_byte(text, data, path, encoding)
    return text


def not_decoded(
    error: UnicodeError, data: bytes, path: Path, declared: str | None, line: int = 1
) -> DataError:
    """That bytes are not in the encoding that a config declares, or else in UTF-8; they begin on this line."""
    name = (declared or encoding_of(data)).upper()
    if isinstance(error, UnicodeDecodeError):
        line += error.object[: error.start].count(b"\n")
        byte = f"byte 0x{error.object[error.start]:02x} is not {name}"
    else:  # of encodings whose errors name no place
        byte = f"the text is not {name} ({error})"
    if declared is not None:
        message = f"{byte}, which data.encoding declares"
        return DataError(Problem("not_utf8", message, file=str(path), line=line))
    one, other = likely_encodings(data)
    message = f"{byte}; save the file as UTF-8, or declare data.encoding: {one} (or {other})"
    why = f"the file is not UTF-8 (line {line}); where letters come out wrong: {other}"
    return UndeclaredConvention(Problem("not_utf8", message, file=str(path), line=line), "encoding", one, why)


def nul_byte(text: str, data: bytes, path: Path, declared: str | None, line: int = 1) -> DataError:
    """That a text, which begins on this line, has a NUL byte; in UTF-16 every other byte is one."""
    likely = likely_encodings(data)[0]
    in_utf16 = likely.startswith("utf-16")
    cure = f"declare data.encoding: {likely}" if in_utf16 else "the file is damaged, or no table"
    line += text.count("\n", 0, text.index("\0"))
    message = f"this line has a NUL byte, which no text has: {cure}"
    problem = Problem("nul_byte", message, file=str(path), line=line)
    if not in_utf16 or declared is not None:
        return DataError(problem)
    return UndeclaredConvention(problem, "encoding", likely, "the file has a NUL byte beside each letter")


CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")  # characters that no text has
MARKS = (  # byte order marks
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


UTF8 = "utf-8"


def encoding_of(head: bytes) -> str:
    """The encoding by the byte order mark: UTF-16, UTF-32, or else UTF-8."""
    return next((name for mark, name in MARKS if head.startswith(mark)), UTF8)


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


def looks_like_utf8(text: str, encoding: str) -> bool:
    """Whether a text that was read in another encoding has letters that are all UTF-8 in its bytes."""
    if text.isascii() or codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return False
    lines = (line for line in text[:HEAD_OF_FILE].split("\n") if not line.isascii())
    try:
        return bool([line.encode(encoding).decode("utf-8") for line in lines])
    except UnicodeError:
        return False


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
    head = file.read(HEAD)
    file.seek(0)
    return packing_as_named(head, path, file)


def packing_as_named(head: bytes, path: Path, file: BinaryIO | None = None) -> Packing | None:
    """How a file that begins so is packed; `file` where its end can be looked at, too.

    Raises DataError where the name says otherwise.
    """
    packing = packing_of(head)
    named = without_packing(path.name) != path.name.lower()
    if packing is None and named:
        bare = path.name[: len(without_packing(path.name))]
        what = f"not packed: rename it to {bare}" if head else "empty: get it again"
        message = f"the name ends in {path.suffix}, but the file is {what}"
        raise DataError(Problem("damaged_file", message, file=str(path)))
    if packing is not None and not named and format_of(path.name) is not None:
        if packing.suffix == ".zip" and file is not None:
            with unpacking(path):
                refuse_foreign_zip(file, path)
        message = f"this is {packing.name}: rename it to {path.name}{packing.suffix}"
        raise DataError(Problem("packed_file", message, file=str(path)))
    return packing


def refuse_text(path: Path, key: str, name: str) -> None:
    """Raises DataError for a text that the config declares to be of a format without text, of this name."""
    with reading(path, key), path.open("rb") as file:
        head = file.read(HEAD_OF_FILE)
    refuse_head_of_text(head, path, name)


def refuse_head_of_text(head: bytes, path: Path, name: str) -> None:
    """The same for a file that begins with these bytes."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return
    if any(sign.isprintable() for sign in text) and not CONTROL.search(text):
        message = f"this is a text, and not {name}, as data.format says: remove that key, or declare data.format: csv"
        raise DataError(Problem("foreign_file", message, file=str(path)))


def digest(path: Path, key: str) -> str:
    """The SHA-256 of a file as it lies on the disk, in hex."""
    import hashlib

    with reading(path, key), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
