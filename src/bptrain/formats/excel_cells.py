"""The cells of a sheet of a workbook, which mean what they would in a CSV file of the same table."""

import math
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Cells, Sheet
from bptrain.formats.conventions import Conventions
from bptrain.formats.problems import ErrorList, Origin

if TYPE_CHECKING:
    from bptrain.parts.types import Array

Value = bool | int | float | str | None
NO_VALUE = "formulas are never computed here"
NOT_AVAILABLE = "#N/A"  # the error that stands for a missing value
MOST_CELLS = 1 << 24  # of a sheet most of whose cells are empty
FEW_PRESENT = 20  # times as many cells as there are values


class FoundCells:
    """The rows of a sheet that have a value, with their numbers, and where cells are empty in them."""

    def __init__(self, rows: Iterable[Any], path: Path) -> None:
        self.path = path
        self.errors = ErrorList()
        self.numbers: list[int] = []  # of the rows, from 1
        self.rows: list[list[Value]] = []
        self.gaps = 0  # cells without a value, in rows with one
        size = present = 0
        for number, row in enumerate(rows, 1):
            values = [None if cell.value is None else self._value(cell, number) for cell in row]
            while values and values[-1] is None:
                self.gaps += 1
                values.pop()
            if not values:
                continue
            there = len(values) - values.count(None)
            self.gaps += len(values) - there
            size, present = size + len(values), present + there
            if size > max(MOST_CELLS, FEW_PRESENT * present):
                message = f"the sheet has {size:,} cells up to here, but only {present:,} values"
                raise DataError(Problem("sparse_table", message, file=str(path), line=number))
            self.numbers.append(number)
            self.rows.append(values)
        self.errors.raise_if_any()

    def is_gap(self, number: int, place: int) -> bool:
        """Whether the cell in this row (from 1) and column (from 0) has no value."""
        from bisect import bisect_left

        at = bisect_left(self.numbers, number)
        if at == len(self.numbers) or self.numbers[at] != number:
            return True
        return place >= len(self.rows[at]) or self.rows[at][place] is None

    def _value(self, cell: Any, number: int) -> Value:
        value = cell.value
        if cell.data_type == "e":
            if value == NOT_AVAILABLE:
                return None
            message = f"cell {cell.coordinate} is the error {value}: correct it or empty it"
            self.errors.add(
                Problem("error_cell", message, file=str(self.path), line=number, column=cell.column)
            )
            return None
        if isinstance(value, bool | int | float):
            return value
        return _written(value) or None


def _written(value: Any) -> str:
    """A text or a moment as a CSV file has it; a date without a time of day as a date alone."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(value.total_seconds(), 60)
        hours, minutes = divmod(int(minutes), 60)
        return f"{hours}:{minutes:02d}:{seconds:02.0f}"
    return str(value)


def table_of(found: FoundCells, title: str, conventions: Conventions) -> Sheet:
    """A header and the rows below it. Raises DataError for what is not a table."""
    import numpy as np

    file, rows = str(found.path), found.rows
    width = max(map(len, rows), default=0)
    if conventions.header is False:
        names, first = [f"x{k + 1}" for k in range(width)], 0
    else:
        first = 1 if conventions.header in (None, True) else int(conventions.header or 1)
        if len(rows) < first:
            message = f"the sheet {title} is empty; it needs a header and rows"
            raise DataError(Problem("empty_file", message, file=file))
        header = rows[first - 1]
        names = [_text(value).strip() for value in header] + [""] * (width - len(header))
    body = rows[first:]
    if not body:
        raise DataError(Problem("no_rows", f"the sheet {title} has a header but no rows", file=file))
    columns = [[row[k] if k < len(row) else None for row in body] for k in range(width)]
    lines = np.array(found.numbers[first:])
    kept = [k for k in range(width) if names[k] or any(value is not None for value in columns[k])]
    if kept and not names[kept[0]] and conventions.index_column is None and _counts(columns[kept[0]]):
        kept = kept[1:]
    _refuse_names([(k, names[k]) for k in kept], file, found.numbers[max(first - 1, 0)])
    return Sheet(
        Origin(file, lines), tuple(names[k] for k in kept), {names[k]: _cells(columns[k]) for k in kept}
    )


def _counts(column: list[Value]) -> bool:
    """Whether a column only counts the rows, from 0 or 1 on."""
    return any(column == list(range(start, start + len(column))) for start in (0, 1))


def _refuse_names(names: list[tuple[int, str]], file: str, line: int) -> None:
    errors = ErrorList()
    if not names:
        errors.add(Problem("no_columns", "the sheet has no columns", file=file))
    seen: set[str] = set()
    for k, name in names:
        if not name:
            message = f"column {_letters(k)} has no name; name it in the header"
            errors.add(Problem("unnamed_column", message, file=file, line=line))
        elif name in seen:
            message = f"two columns are both named {name}; rename one"
            errors.add(Problem("duplicate_column", message, file=file, line=line))
        seen.add(name)
    errors.raise_if_any()


def _letters(place: int) -> str:
    """A, B, … Z, AA …: what a spreadsheet calls the column at a place, from 0."""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def _cells(column: list[Value]) -> Cells:
    """Numbers where all values are such, else texts."""
    import numpy as np

    whole = [value for value in column if type(value) is int]
    if whole and len(whole) == len(column) and all(-(2**63) <= value < 2**63 for value in whole):
        made: Array = np.array(whole, np.int64)
        return made
    kinds = {type(value) for value in column if value is not None}
    if kinds and kinds <= {int, float}:
        numbers: Array = np.array([np.nan if value is None else _float(value) for value in column])
        return numbers
    return [_text(value) for value in column]


def _float(value: Any) -> float:
    """A number as a float; infinite where it is beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _text(value: Value) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
