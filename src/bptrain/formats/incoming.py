"""Bytes that come in: a file or a pipe that is read once, from its first byte to its last, and what they say as text.

Only the first bytes may be looked at before they are read, so that a pipe does as well as a file.
"""

import codecs
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, format_of, formats, says_nothing
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import (
    UTF8,
    encoding_of,
    not_a_file,
    not_decoded,
    nul_byte,
    packing_as_named,
    refuse_head_of_text,
    system_errors,
)
from bptrain.formats.foreign import HEAD_OF_FILE, TAIL_OF_FILE, refuse_foreign
from bptrain.formats.packing import HEAD, unpacked_pieces
from bptrain.formats.recognition import told_by_head, unknown_name

STDIN = Path("standard input")  # what messages call it
AT_A_TIME = 1 << 20  # bytes that are read at a time
TOLD_BY_MAGIC = {"npy": b"\x93NUMPY", "arrow": b"\xff\xff\xff\xff"}  # of a pipe, whose name says nothing


class ByteStream:
    """Bytes that are read once, of which the first ones can be looked at before."""

    closed = False  # as a file says it; whoever opened the file closes it

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read  # at least one byte, as many as are asked for or not, unless no more are left
        self._ahead, self._at = b"", 0  # what was read and not yet taken: the bytes from a place on
        self._place = 0

    def close(self) -> None:
        """Nothing."""

    def tell(self) -> int:
        """How many bytes were taken."""
        return self._place

    def peek(self, size: int) -> bytes:
        """The first bytes of what is left; fewer only where no more are left."""
        parts, there = [self._ahead[self._at :]], len(self._ahead) - self._at
        while there < size and (more := self._read(AT_A_TIME)):
            parts.append(more)
            there += len(more)
        self._ahead, self._at = b"".join(parts), 0
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        """So many bytes; fewer only where no more are left. All of them where none are asked for."""
        if size < 0:
            self._ahead, self._at = (
                self._ahead[self._at :] + b"".join(iter(partial(self._read, AT_A_TIME), b"")),
                0,
            )
            size = len(self._ahead)
        parts = [self._ahead[self._at : self._at + size]]
        self._at += len(parts[0])
        there = len(parts[0])
        while there < size and (more := self._read(size - there)):
            self._ahead, self._at = more, size - there
            parts.append(more[: self._at])
            there += len(parts[-1])
        self._place += there
        return b"".join(filter(None, parts))  # of one part that is this part, and no copy


class Incoming:
    """The content of a file or a pipe, unpacked where it is packed."""

    def __init__(self, file: BinaryIO, path: Path, key: str, conventions: Conventions, is_pipe: bool) -> None:
        self.file, self.path, self.key, self.is_pipe = file, path, key, is_pipe
        self.conventions = conventions
        raw = ByteStream(file.read)
        said = self._said()
        packing = None
        if said is None or said.gz:
            packing = packing_as_named(raw.peek(HEAD), path, None if is_pipe else file)
        self.is_packed = packing is not None
        self.content = raw
        if packing is not None and is_pipe and packing.suffix == ".zip":
            raise self.needs_its_end("a zip archive")
        if packing is not None:
            if not is_pipe:
                file.seek(0)
            pieces = filter(None, unpacked_pieces(packing, cast(BinaryIO, raw) if is_pipe else file, path))
            self.content = ByteStream(lambda size: next(pieces, b""))

    @property
    def is_mapped(self) -> bool:
        """Whether any place of the content can be read: of a file that is not packed."""
        return not (self.is_pipe or self.is_packed)

    def needs_its_end(self, what: str) -> DataError:
        """That a format is read from its end, which a pipe has not."""
        message = f"{what} is read from its end, and {self.path} is a pipe: save its content to a file"
        return DataError(Problem("not_a_file", message, file=str(self.path)))

    def refuse_foreign(self, arrays: bool = False) -> None:
        """Raises DataError for files of a known kind that is none of ours."""
        head = self.content.peek(HEAD_OF_FILE)
        tail = head[:TAIL_OF_FILE] if b"\0" in head else b""  # of files that begin as they end
        refuse_foreign(head, tail, self.path, arrays)

    def _said(self) -> Format | None:
        """The format that is declared, or that the name says."""
        if self.conventions.format is not None:
            return formats.get(self.conventions.format)()
        if format_of(self.path.name) is None and self.conventions.delimiter is not None:
            return formats.get("csv")()
        return format_of(self.path.name)

    def format(self) -> Format:
        """The format: as declared, by the name, or by the content. Raises DataError where none of them says."""
        head = self.content.peek(HEAD_OF_FILE + 1)
        whole, head = len(head) <= HEAD_OF_FILE, head[:HEAD_OF_FILE]
        said, declared = self._said(), self.conventions.format
        if said is not None:
            if declared is not None and (said.holds != "table" or said.extra):
                refuse_head_of_text(head, self.path, declared)
            return said
        if self.is_pipe:
            for name, magic in TOLD_BY_MAGIC.items():
                if head.startswith(magic):
                    return formats.get(name)()
            if head.startswith((b"PAR1", b"ARROW1")) and b"\0" in head:
                raise self.needs_its_end("Parquet, as the file format of Arrow,")
        self.refuse_foreign()
        if not says_nothing(self.path.name):
            raise unknown_name(self.path, self.key)
        return told_by_head(head, whole, self.path, self.key, self.conventions)


@contextmanager
def incoming(source: Path | BinaryIO, key: str, conventions: Conventions) -> Iterator[Incoming]:
    """A file, a named pipe, or an opened stream such as the standard input, whose name says nothing.

    Raises DataError for what cannot be read, devices among it; so does reading from it.
    """
    if not isinstance(source, Path):
        with system_errors(STDIN, key):
            yield Incoming(source, STDIN, key, conventions, True)
        return
    with system_errors(source, key):
        mode = source.stat().st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise not_a_file(source, key)
        with source.open("rb") as file:
            is_pipe = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            yield Incoming(file, source, key, conventions, is_pipe)


def byte_blocks(coming: Incoming, declared: str | None, size: int) -> Iterator[bytes]:
    """The content in UTF-8, about so many bytes at a time, which `text_of` makes a text. Raises DataError."""
    encoding = declared or encoding_of(coming.content.peek(4))
    if codecs.lookup(encoding).name != UTF8:
        yield from (text.encode() for text in text_blocks(coming, declared, size))
        return
    coming.refuse_foreign()
    begin = coming.content.read(size).removeprefix(codecs.BOM_UTF8)
    yield from filter(None, [begin])
    while data := coming.content.read(size):
        yield data


def text_of(data: bytes, coming: Incoming, declared: str | None, line: int) -> str:
    """The text of whole lines in UTF-8, of which the first has this number. Raises DataError with the line."""
    try:
        text = data.decode()
    except UnicodeError as error:
        raise not_decoded(error, data, coming.path, declared, line) from None
    if "\0" in text:
        raise nul_byte(text, data, coming.path, declared, line)
    return text


def text_blocks(coming: Incoming, declared: str | None, size: int) -> Iterator[str]:
    """The content as `read_text` has it, about so many characters at a time. Raises DataError with the line."""
    coming.refuse_foreign()
    encoding = declared or encoding_of(coming.content.peek(4))
    decoder = codecs.getincrementaldecoder(encoding)()
    line, is_first = 1, True
    while True:
        data = coming.content.read(size)
        try:
            text = decoder.decode(data, not data)
        except UnicodeError as error:
            raise not_decoded(error, data, coming.path, declared, line) from None
        if is_first:
            text, is_first = text.removeprefix("\ufeff"), not text
        if "\0" in text:
            raise nul_byte(text, data, coming.path, declared, line)
        line += data.count(b"\n")
        if text:
            yield text
        if not data:
            return
