"""What a text of rows says of itself: how its cells are separated, its columns, and its rows where they are plain."""

import codecs
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.conventions import Conventions
from bptrain.formats.csv_rows import Records
from bptrain.formats.files import UTF8, encoding_of, looks_like_utf8
from bptrain.formats.foreign import is_json
from bptrain.formats.header_row import TableColumns, columns_by_name, columns_by_place
from bptrain.formats.packing import HEAD
from bptrain.formats.plain_rows import NotATable, can_be_plain, plain_rows
from bptrain.formats.separators import LEAST_HEAD, LINES, Separation, csv_reader, separation_of
from bptrain.formats.text_bytes import TextBytes, text_bytes_of
from bptrain.formats.text_columns import ColumnTexts, PlainRows

if TYPE_CHECKING:
    from bptrain.parts.types import Array

LONG_HEADER = 1 << 20  # characters, in which the first rows end


def separated(text: str, conventions: Conventions, delimiter: str, file: str) -> Separation:
    """How the cells of a text are separated. Raises DataError where it is no table, or cannot be read so."""
    if is_json(text):
        message = "this is JSON: write one object on each line, and name the file .jsonl"
        raise DataError(Problem("foreign_file", message, file=file, line=1))
    found = separation_of(text, conventions, delimiter, file)
    if found.delimiter in (conventions.quote, conventions.comment):
        role = "quote" if found.delimiter == conventions.quote else "comment"
        message = f"data.{role} is {found.delimiter!r}, which separates the cells: declare data.delimiter"
        raise DataError(Problem("delimiter", message, file=file))
    return found


def no_rows(file: str) -> DataError:
    """That there is nothing below the header."""
    return DataError(Problem("no_rows", "the file has a header but no rows", file=file))


def columns_of(
    records: "Records | PlainTable",
    by_place: Sequence[Sequence[str]],
    conventions: Conventions,
    file: str,
    key: str,
) -> TableColumns:
    """The columns of a table, by its header where it has one. Raises DataError for a header that is none."""
    if conventions.header is False:
        return columns_by_place(records.width, conventions, file, key)
    head, lines = records.head, records.lines
    return columns_by_name(records.header, head, by_place, conventions, file, key, lines)


def notes_of(
    found: Separation, columns: TableColumns, conventions: Conventions, file: str
) -> tuple[str, ...]:
    """What was decided about how a table is written."""
    notes = [found.note] if found.note else []
    notes += columns.notes
    if conventions.encoding is not None and looks_like_utf8(found.text, conventions.encoding):
        notes.append(
            f"reading: {file} looks like UTF-8, but is read as data.encoding says: {conventions.encoding}"
        )
    return tuple(notes)


class PlainTable(NamedTuple):
    """The same, of a table that is cut by array operations."""

    header: list[str]
    head: int
    rows: PlainRows
    lines: "Array"

    @property
    def width(self) -> int:
        """Cells of a row."""
        return self.rows.width

    def columns(self) -> list[ColumnTexts]:
        """The cells by columns."""
        return [ColumnTexts(self.rows, k) for k in range(self.width)]


def plain_table_of(
    content: TextBytes, conventions: Conventions, delimiter: str, file: str
) -> tuple[Separation, PlainTable] | None:
    """A table in UTF-8 by its bytes, and how it is separated, which its head tells; None where the text must be read.

    That is also where there is something to say of it.
    """
    if conventions.encoding is not None or conventions.comment is not None:
        return None
    first = content.part(content.begin, content.begin + HEAD)
    if encoding_of(first) != UTF8:
        return None
    if first.startswith(codecs.BOM_UTF8):
        content = content._replace(begin=content.begin + len(codecs.BOM_UTF8))
    size = LONG_HEADER
    while True:
        end = content.line_end(content.begin, size)
        head = content.part(content.begin, end)
        if end == content.end or (head.count(b"\n") > LINES + 1 and len(head) > 4 * LEAST_HEAD):
            break
        size *= 2
    with suppress(DataError, UnicodeDecodeError):
        text = head.decode()
        found = separated(text, conventions, delimiter, file)
        if found.text == text and "\0" not in text:
            table = plain_table(found, conventions, content=content)
            return None if table is None else (found, table)
    return None


def plain_table(
    found: Separation, conventions: Conventions, goes_on: bool = False, content: TextBytes | None = None
) -> PlainTable | None:
    """A table that can be cut by array operations; None for one that cannot, or that is none.

    `goes_on` is whether there is more behind the text; `content` is all of it, where the text is no more than its head.
    """
    import csv

    text, delimiter = found.text, found.delimiter
    if not can_be_plain(text, delimiter, conventions):
        return None
    above = int(conventions.header is None or conventions.header)  # lines of the header
    header: list[str] = []
    begin = read = head = at = 0
    reader = csv_reader(text[: text.find("\n", LONG_HEADER) + 1 or None], delimiter, conventions)
    width = 0
    try:
        for row in reader:
            if row[1:] or (row and row[0].strip()):
                width = len(row)
                if not above:
                    break
                header, head, above = row, read + 1, above - 1
                begin = reader.line_num
                if not above:
                    width += found.extra
                    break
            read = reader.line_num
        for _ in range(begin):
            at = text.index("\n", at) + 1
        if not width or text.count("\r", 0, at) != text.count("\r\n", 0, at):
            return None
        if content is None:
            content = text_bytes_of(text[at:].encode())
        else:
            content = content._replace(begin=content.begin + len(text[:at].encode()))
        rows = plain_rows(content, begin + 1, width, delimiter, conventions, goes_on)
    except (csv.Error, NotATable, ValueError):
        return None  # for which there is an explanation
    return PlainTable(header, head, rows, rows.lines())
