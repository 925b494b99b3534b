"""JSON lines: an object on each line; a cell means what the same text means in a CSV file."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import read_text
from bptrain.formats.incoming import Incoming, text_blocks
from bptrain.formats.names import name_key
from bptrain.formats.problems import ErrorList, Origin, nearest, some_of
from bptrain.formats.typed_number import TypedNumber

MOST_CELLS = 1 << 24  # of a table most of whose cells are missing, as where each row has keys of its own
FEW_PRESENT = 20  # times as many cells as there are values
BLOCK = 1 << 20  # characters that are read at a time, of a file that is read piece by piece
MOST_OF_A_LINE = 1 << 26
OF_A_PIECE = 1 << 17  # cells


class JsonPairs(tuple[Any, ...]):
    """The keys and values of an object, in order, keys that are there twice included."""


DECODER = json.JSONDecoder(  # numbers as they are written, so that a level reads as that of a CSV file does
    object_pairs_hook=JsonPairs, parse_int=TypedNumber, parse_float=TypedNumber, parse_constant=str
)


@formats.add("jsonl")
def json_lines() -> Format:
    """One JSON object on each line, UTF-8."""
    return Format(
        "table",
        (".jsonl", ".ndjson"),
        read_json_lines,
        gz=True,
        looks=begins_with_object,
        pieces=json_pieces,
    )


def begins_with_object(lines: str) -> bool:
    """Whether the first line that is not blank is a JSON object."""
    first = next((line for line in lines.split("\n") if line.strip()), "")
    try:
        return isinstance(DECODER.decode(first), JsonPairs)
    except (ValueError, RecursionError):
        return False


def read_json_lines(path: Path, key: str, conventions: Conventions) -> Sheet:
    """Reads a file of objects: the columns in order of their first appearance, a cell "" where a row lacks the key.

    Numbers are typed: 1.5 has a decimal point, whatever the conventions say of numbers in texts.

    Raises DataError with the line for all that is no object, and with the key for all that is no cell.
    """
    table = JsonTable(str(path))
    for number, line in enumerate(read_text(path, key, conventions.encoding).split("\n"), 1):
        table.add(line, number)  # other line ends may stand within a text
    table.refuse_empty()
    return table.rows()


def json_pieces(coming: Incoming, key: str, conventions: Conventions, rows: int) -> Iterator[Sheet]:
    """The same so many rows at a time; a piece has the columns of those before it, and further ones behind them.

    It has the columns that a model needs or somebody keeps, too, which some row must have. Raises DataError where none
    has.
    """
    file, wanted = str(coming.path), (*conventions.needed, *conventions.kept)
    table = JsonTable(file)
    number, begun = 0, ""
    for block in text_blocks(coming, conventions.encoding, BLOCK):
        *lines, begun = (begun + block).split("\n")
        if len(begun) > MOST_OF_A_LINE:
            message = f"the line has more than {MOST_OF_A_LINE:,} characters; write one object on each line"
            raise DataError(Problem("malformed_row", message, file=file, line=number + len(lines) + 1))
        for line in lines:
            number += 1
            table.add(line, number)
            if len(table.lines) >= min(rows, OF_A_PIECE // max(1, len(table.names))):
                yield table.rows(wanted)
    table.add(begun, number + 1)
    if table.lines:
        yield table.rows(wanted)
    table.refuse_empty()
    table.refuse_lacking(wanted)


class JsonTable:
    """Rows of objects, and the columns that they make."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.names: dict[str, None] = {}  # of all rows so far
        self.lines: list[int] = []  # of the rows since the last call of `rows`
        self.errors = ErrorList()
        self._columns: dict[str, list[str]] = {}
        self._typed: set[str] = set()  # columns of numbers alone, whose cells are plain texts
        self._present = 0
        self._first: int | None = None  # the line of the first row

    def add(self, line: str, number: int) -> None:
        """One more row, if the line is not blank. Raises DataError where rows have keys of their own."""
        if not line.strip():
            return
        row = dict(_cells(line, self.file, number, self.errors))
        n = len(self.lines)
        for name, cell in row.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = []
                self.names[name] = None
                self._typed.add(name)
            column += [""] * (n - len(column))
            if name in self._typed and cell and not isinstance(cell, TypedNumber):
                self._typed.discard(name)
                column[:] = [one and TypedNumber(one) for one in column]
            column.append(str(cell) if name in self._typed else cell)
        self.lines.append(number)
        self._first = self._first or number
        self._present += len(row)
        if len(self.lines) * len(self.names) > max(MOST_CELLS, FEW_PRESENT * self._present):
            message = (
                f"so far {len(self.lines):,} rows have {len(self.names):,} different keys, but only "
                f"{self._present:,} values: each row seems to have keys of its own"
            )
            raise DataError(Problem("sparse_table", message, file=self.file, line=number))

    def rows(self, needed: Sequence[str] = ()) -> Sheet:
        """The rows since the last call, with these columns, too. Raises DataError for all that was wrong with them."""
        import numpy as np

        self.errors.raise_if_any()
        n, columns = len(self.lines), self._columns
        for name in (*self.names, *self.lacking(needed)):
            column = columns.setdefault(name, [])
            column += [""] * (n - len(column))
        if not columns:
            raise DataError(
                Problem("no_columns", "the objects have no keys", file=self.file, line=self._first)
            )
        names = (*dict.fromkeys((*self.names, *columns)),)
        origin = Origin(self.file, np.array(self.lines))
        typed = frozenset(self._typed)
        self.lines, self._columns, self._typed, self._present = [], {}, set(), 0
        return Sheet(origin, names, {name: columns[name] for name in names}, typed=typed)

    def lacking(self, needed: Sequence[str]) -> list[str]:
        """The columns that are needed and that no row has so far, in whatever spelling."""
        keys = {name_key(name) for name in self.names}
        return [name for name in needed if name_key(name) not in keys]

    def refuse_empty(self) -> None:
        """Raises DataError where there was no row."""
        self.errors.raise_if_any()
        if self._first is None:
            message = "the file is empty; it needs a JSON object on each line"
            raise DataError(Problem("empty_file", message, file=self.file))

    def refuse_lacking(self, needed: Sequence[str]) -> None:
        """Raises DataError for columns that are needed and that no row had."""
        errors = ErrorList()
        for name in self.lacking(needed):
            message = f"the column {name!r} is missing; the data has {some_of(self.names)}"
            close = nearest(name, self.names.keys() - set(needed))
            errors.add(Problem("missing_column", message, file=self.file, line=1, suggestion=close))
        errors.raise_if_any()


def _cells(line: str, file: str, number: int, errors: ErrorList) -> Iterator[tuple[str, str]]:
    """The names and cells of one row; what is wrong with it is noted."""

    def wrong(code: str, message: str, column: int | None = None) -> None:
        errors.add(Problem(code, message, file=file, line=number, column=column))

    try:
        found = DECODER.decode(line.strip("\r"))
    except json.JSONDecodeError as error:
        wrong("malformed_row", f"this is not JSON: {error.msg}; write one object on each line", error.colno)
        return
    except RecursionError:
        wrong("malformed_row", "the line is nested too deeply; write one object of plain values on each line")
        return
    if not isinstance(found, JsonPairs):
        what = "a list" if isinstance(found, list) else "a single value"
        wrong("malformed_row", f"the line is {what}, not an object; write one object on each line")
        return
    seen: set[str] = set()
    for key, value in found:
        name = key.strip()
        if isinstance(value, JsonPairs | list):
            kind = "an object" if isinstance(value, JsonPairs) else "a list"
            message = f"the value of {name} is {kind}; a cell is a number, a text, true, false or null"
            wrong("nested_value", message)
        elif not name:
            wrong("unnamed_column", "a key is empty; name it")
        elif name in seen:
            wrong("duplicate_column", f"the key {name} is there twice; rename one")
        else:
            cell = "" if value is None else str(value).lower() if isinstance(value, bool) else value
            if "\\u" in line and not (_is_unicode(name) and _is_unicode(cell)):
                wrong("not_utf8", f"{name!r} or its value holds half of a character (a lone surrogate)")
            else:
                yield name, cell
        seen.add(name)


def _is_unicode(text: str) -> bool:
    """Whether a text can be written to a file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
