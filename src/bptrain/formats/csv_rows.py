"""Rows of a text by the csv module, and what to say where they are no table of one width."""

from typing import NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.conventions import BLANKS, Conventions
from bptrain.formats.problems import ErrorList
from bptrain.formats.separators import SIGNS, csv_reader

COMMENT_SIGNS = ("#", "%", "//")


class Records(NamedTuple):
    """The rows of a table that are not blank."""

    header: list[str]  # cells of the last line of the header; none without one
    head: int  # the line where it begins
    cells: list[str]  # of all rows, end to end
    lines: list[int]  # where each row begins
    width: int  # cells of a row
    end: int  # the line behind the last row that was read


def records_of(
    text: str,
    delimiter: str,
    extra: bool,
    conventions: Conventions,
    file: str,
    *,
    before: Records | None = None,
    goes_on: bool = False,
) -> Records:
    """The header, and the cells of all rows end to end. Raises DataError for what is no table.

    One flat list, since one list per row would cost the garbage collector three times the time of the reading.
    `extra` is whether a row has one cell more than the header; `before` what was read before this text, the rest of a
    table; `goes_on` whether there is more behind it, so that its last row may be broken off and is left.
    """
    import csv

    reader = csv_reader(text, delimiter, conventions)
    header, head, _, _, width, first = before or Records([], 1, [], [], 0, 1)
    above = 0 if before else int(conventions.header is None or conventions.header)  # lines of the header
    cells: list[str] = []
    lines: list[int] = []
    ragged = RaggedRows(file, conventions)
    begin = first
    broken: Problem | None = None
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
            begin = first + reader.line_num  # a quoted cell may hold line breaks
    except csv.Error as error:
        message = (
            f"the quoting of the row that begins here is broken: {error}; if quotes are ordinary characters in this "
            "file, declare data.quote: ''"
        )
        if not (goes_on and reader.line_num >= line_ends(text)):
            broken = Problem("malformed_row", message, file=file, line=begin)
    ragged.raise_if_any(width, header, extra, delimiter, broken)
    if not width and not goes_on:
        what = "a row" if conventions.header is False else "a header and rows"
        raise DataError(Problem("empty_file", f"the file is empty; it needs {what}", file=file))
    return Records(header, head, cells, lines, width, begin)


def line_ends(text: str | bytes) -> int:
    """How many lines a text ends, or its bytes."""
    if isinstance(text, bytes):
        n = text.count(b"\n")
        return n + text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else n
    if "\r" not in text:
        return text.count("\n")
    return text.count("\n") + text.count("\r") - text.count("\r\n")


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
