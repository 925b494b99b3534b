"""CSV, TSV and their kin: cells with line numbers, separated by one character or by blanks."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import BLANKS, RECOGNIZED, Conventions
from bptrain.formats.files import looks_like_utf8, read_text
from bptrain.formats.foreign import is_json
from bptrain.formats.header_row import NUMBER as NUMBER
from bptrain.formats.header_row import columns_by_name, columns_by_place
from bptrain.formats.markers import markers_of
from bptrain.formats.plain_rows import NotATable, can_be_plain, plain_rows
from bptrain.formats.problems import ErrorList, Origin
from bptrain.formats.quoting import with_quoted_texts
from bptrain.formats.separators import SIGNS, Separation, csv_reader, first_rows, separation_of
from bptrain.formats.text_columns import ColumnTexts, PlainRows

if TYPE_CHECKING:
    from bptrain.parts.types import Array

LONG_HEADER = 1 << 20  # characters, in which the first rows end
COMMENT_SIGNS = ("#", "%", "//")


@formats.add("csv")
def comma_separated() -> Format:
    """Comma-separated values; with other separators, too, where they are declared or certain."""
    return Format(
        "table", (".csv",), partial(read_delimited, delimiter=","), gz=True, looks=partial(separates, ",")
    )


@formats.add("tsv")
def tab_separated() -> Format:
    """Tab-separated values."""
    return Format(
        "table", (".tsv",), partial(read_delimited, delimiter="\t"), gz=True, looks=partial(separates, "\t")
    )


def separates(delimiter: str, lines: str) -> bool:
    """Whether a character separates these first lines of a file into rows of one width, at least 2."""
    if is_json(lines):
        return False
    rows = first_rows(lines, delimiter, RECOGNIZED)
    widths = {len(row) for row in (rows[:-1] if rows[2:] else rows)}  # the last may be cut within quotes
    return len(widths) == 1 and widths != {1}


def read_delimited(path: Path, key: str, conventions: Conventions, delimiter: str) -> Sheet:
    """Reads a table; `delimiter` is what the name says. Raises DataError with line numbers for all that is none."""
    import numpy as np

    text, file = read_text(path, key, conventions.encoding), str(path)
    if is_json(text):
        message = "this is JSON: write one object on each line, and name the file .jsonl"
        raise DataError(Problem("foreign_file", message, file=file, line=1))
    found = separation_of(text, conventions, delimiter, file)
    if found.delimiter in (conventions.quote, conventions.comment):
        role = "quote" if found.delimiter == conventions.quote else "comment"
        message = f"data.{role} is {found.delimiter!r}, which separates the cells: declare data.delimiter"
        raise DataError(Problem("delimiter", message, file=file))
    del text
    table = plain_table(found, conventions)
    records = table or _records(found.text, found.delimiter, found.extra, conventions, file)
    if not len(records.lines):
        raise DataError(Problem("no_rows", "the file has a header but no rows", file=file))
    by_place: Sequence[list[str] | ColumnTexts] = (
        table.columns() if table else _with_quoted_texts(found, records, conventions)
    )
    if conventions.header is False:
        columns = columns_by_place(records.width, conventions, file, key)
    else:
        head, lines = records.head, records.lines
        columns = columns_by_name(records.header, head, by_place, conventions, file, key, lines)
    places = dict(zip(columns.names, columns.places, strict=True))
    cells = {name: by_place[k] for name, k in places.items()}
    notes = [found.note] if found.note else []
    notes += columns.notes
    if conventions.encoding is not None and looks_like_utf8(found.text, conventions.encoding):
        notes.append(
            f"reading: {file} looks like UTF-8, but is read as data.encoding says: {conventions.encoding}"
        )
    origin = Origin(file, np.asarray(records.lines), notes=tuple(notes))
    return Sheet(origin, columns.names, cells, conventions)


class Records(NamedTuple):
    """The rows of a table that are not blank."""

    header: list[str]  # cells of the last line of the header; none without one
    head: int  # the line where it begins
    cells: list[str]  # of all rows, end to end
    lines: list[int]  # where each row begins
    width: int  # cells of a row


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


def plain_table(found: Separation, conventions: Conventions) -> PlainTable | None:
    """A table that can be cut by array operations; None for one that cannot, or that is none."""
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
        rows = plain_rows(text, at, begin + 1, width, delimiter, conventions)
    except (csv.Error, NotATable, ValueError):
        return None  # for which there is an explanation
    return PlainTable(header, head, rows, rows.lines())


def _with_quoted_texts(
    found: Separation, records: "Records | PlainTable", conventions: Conventions
) -> list[list[str]]:
    """The cells by columns; markers of missing values that are quoted are texts."""
    assert isinstance(records, Records)
    return with_quoted_texts(
        [records.cells[k :: records.width] for k in range(records.width)],
        found.text,
        records.lines,
        markers_of(conventions.missing_markers).anywhere,
        found.delimiter,
        conventions.quote,
    )


def _records(text: str, delimiter: str, extra: bool, conventions: Conventions, file: str) -> Records:
    """The header, and the cells of all rows end to end.

    One flat list, since one list per row would cost the garbage collector three times the time of the reading.
    `extra` is whether a row has one cell more than the header.
    """
    import csv

    reader = csv_reader(text, delimiter, conventions)
    above = int(conventions.header is None or conventions.header)  # lines of the header
    header: list[str] = []
    cells: list[str] = []
    lines: list[int] = []
    ragged = RaggedRows(file, conventions)
    width, begin, head = 0, 1, 1
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                if len(row) == width:
                    cells += row
                    lines.append(begin)
                elif width:
                    ragged.add(row, begin)
                elif above:
                    header, head, above = row, begin, above - 1
                    width = 0 if above else len(row) + extra
                else:  # the first row of a table without a header
                    width = len(row)
                    cells += row
                    lines.append(begin)
            begin = reader.line_num + 1  # a quoted cell may hold line breaks
    except csv.Error as error:
        message = (
            f"the quoting of the row that begins here is broken: {error}; if quotes are ordinary characters in this "
            "file, declare data.quote: ''"
        )
        ragged.raise_if_any(
            width, header, extra, delimiter, Problem("malformed_row", message, file=file, line=begin)
        )
    ragged.raise_if_any(width, header, extra, delimiter)
    if not width:
        what = "a row" if conventions.header is False else "a header and rows"
        raise DataError(Problem("empty_file", f"the file is empty; it needs {what}", file=file))
    return Records(header, head, cells, lines, width)


class RaggedRows:
    """Rows that have another number of cells than the header."""

    def __init__(self, file: str, conventions: Conventions) -> None:
        self._file, self._conventions = file, conventions
        self._widths: dict[int, int] = {}  # number of cells -> rows
        self._first: tuple[list[str], int] = ([], 0)  # the first such row, and its line
        self._signs: set[str | None] = set()  # of comments, with which they begin
        self._trailing = True  # whether all end with a delimiter

    def add(self, row: list[str], line: int) -> None:
        """Note one."""
        self._first = self._first if self._widths else (row, line)
        self._widths[len(row)] = self._widths.get(len(row), 0) + 1
        begin = row[0].lstrip()
        self._signs.add(next((sign for sign in COMMENT_SIGNS if begin.startswith(sign)), None))
        self._trailing = self._trailing and len(row) > 1 and not row[-1].strip()

    def raise_if_any(
        self, width: int, header: list[str], extra: bool, delimiter: str, other: Problem | None = None
    ) -> None:
        """Raises DataError with one sentence about all of them, and with another problem."""
        errors = ErrorList()
        if self._widths:
            errors.add(self._problem(width, header, extra, delimiter))
        if other is not None:
            errors.add(other)
        errors.raise_if_any()

    def _problem(self, width: int, header: list[str], extra: bool, delimiter: str) -> Problem:
        (row, line), n = self._first, sum(self._widths.values())
        among = "the other rows have" if extra else "the header has" if header else "the first row has"
        if n == 1:
            message = f"the row has {_cells(len(row))}, but {among} {width}"
        elif len(self._widths) == 1:
            message = f"{n:,} rows have {_cells(len(row))}, but {among} {width} (the first on line {line})"
        else:
            message = (
                f"{n:,} rows have other numbers of cells than {width}, which {among} (the first has {len(row)}, on "
                f"line {line})"
            )
        cause = self._cause(row, width, header, delimiter)
        return Problem("cell_count", message + (f": {cause}" if cause else ""), file=self._file, line=line)

    def _cause(self, row: list[str], width: int, header: list[str], delimiter: str) -> str:
        """What is probably wrong; nothing where that is not known."""
        they = "it" if sum(self._widths.values()) == 1 else "they"
        begin = "begins" if they == "it" else "begin"
        if len(self._signs) == 1 and None not in self._signs and self._conventions.comment is None:
            (sign,) = self._signs
            return f"{they} {begin} with {sign}; if such lines are no rows, declare data.comment: '{sign}'"
        above = next((sign for sign in COMMENT_SIGNS if header and header[0].lstrip().startswith(sign)), None)
        if above is not None and self._conventions.comment is None:
            return (
                f"the header begins with {above}; if such lines are no rows, declare data.comment: '{above}'"
            )
        if self._trailing and len(row) > width:
            return f"{they} {'ends' if they == 'it' else 'end'} with a delimiter; remove it"
        if len(row) == width - 1 and header and not header[-1].strip():
            return "the header ends with a delimiter; remove it"
        whole = header or [""]
        other = next((sign for sign in SIGNS if sign not in (delimiter, BLANKS) and sign in whole[0]), None)
        if len(whole) == 1 and other is not None:
            usual = "blanks" if delimiter == " " else SIGNS.get(delimiter, delimiter)
            return f"the header is separated by {SIGNS[other]}, and the rows by {usual}"
        if row[0].count('"') == 1 or any('"' in cell for cell in row):
            return "a quote within a cell is written twice"
        return ""


def _cells(n: int) -> str:
    return f"{n} cell" if n == 1 else f"{n} cells"
