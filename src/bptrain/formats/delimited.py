"""CSV and TSV: cells with line numbers, separated by one character, below a header."""

import io
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, Sheet, formats, says_nothing
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import read_text
from bptrain.formats.foreign import is_json
from bptrain.formats.problems import ErrorList, Origin, some_of

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")  # float() also takes 1_000
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


@formats.add("csv")
def comma_separated() -> Format:
    """Comma-separated values, UTF-8, with a header."""
    return Format(
        "table", (".csv",), partial(read_delimited, delimiter=","), gz=True, looks=partial(separates, ",")
    )


@formats.add("tsv")
def tab_separated() -> Format:
    """Tab-separated values, UTF-8, with a header."""
    return Format(
        "table", (".tsv",), partial(read_delimited, delimiter="\t"), gz=True, looks=partial(separates, "\t")
    )


def separates(delimiter: str, lines: str) -> bool:
    """Whether a character separates these first lines of a file into rows of one width, at least 2."""
    import csv

    if is_json(lines):
        return False
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [row for row in reader if row]
    except csv.Error:
        return False
    widths = {len(row) for row in (rows[:-1] if rows[2:] else rows)}  # the last may be cut within quotes
    return len(widths) == 1 and widths != {1}


def read_delimited(path: Path, key: str, conventions: Conventions, delimiter: str) -> Sheet:
    """Reads a file with a header. Raises DataError with line numbers for all that is not a table."""
    import numpy as np

    text = read_text(path, key)
    if is_json(text):
        message = "this is JSON: write one object on each line, and name the file .jsonl"
        raise DataError(Problem("foreign_file", message, file=str(path), line=1))
    names, cells, lines, head = _records(text, delimiter, str(path))
    if not lines:
        raise DataError(Problem("no_rows", "the file has a header but no rows", file=str(path)))
    columns = {name: cells[k :: len(names)] for k, name in enumerate(names)}
    if says_nothing(path.name):
        _refuse_row_as_header(columns, str(path), head)
    return Sheet(Origin(str(path), np.array(lines)), names, columns)


def _records(text: str, delimiter: str, file: str) -> tuple[tuple[str, ...], list[str], list[int], int]:
    """The header, the cells of all rows that are not blank, end to end, the line of each row, and that of the header.

    One flat list, since one list per row would cost the garbage collector three times the time of the reading.
    """
    import csv

    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    names: tuple[str, ...] = ()
    cells: list[str] = []
    lines: list[int] = []
    errors = ErrorList()
    begin = head = 1
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                if not names:
                    names, head = _header(row, begin, file, delimiter), begin
                elif len(row) == len(names):
                    cells += row
                    lines.append(begin)
                else:
                    message = f"the row has {_cells(len(row))}, but the header has {len(names)}"
                    errors.add(Problem("cell_count", message, file=file, line=begin))
            begin = reader.line_num + 1  # a quoted cell may hold line breaks
    except csv.Error as error:
        message = f"the quoting of the row that begins here is broken: {error}"
        errors.add(Problem("malformed_row", message, file=file, line=begin))
    errors.raise_if_any()
    if not names:
        raise DataError(Problem("empty_file", "the file is empty; it needs a header and rows", file=file))
    return names, cells, lines, head


def _cells(n: int) -> str:
    return f"{n} cell" if n == 1 else f"{n} cells"


def _header(cells: list[str], line: int, file: str, delimiter: str) -> tuple[str, ...]:
    """The column names. Raises DataError for names that are empty or given twice."""
    names = tuple(cell.strip() for cell in cells)
    errors = ErrorList()
    if len(names) == 1 and (sign := next((s for s in SEPARATORS if s != delimiter and s in names[0]), None)):
        message = (
            f"the columns are separated by {SEPARATORS[sign]}, which the file's name does not say: save it with "
            "commas as .csv, or with tabs as .tsv"
        )
        errors.add(Problem("separator", message, file=file, line=line))
    repeated = len(set(names)) < len(names)
    if repeated and says_nothing(Path(file).name) and any(NUMBER.fullmatch(name) for name in names):
        raise DataError(_row_as_header(names, file, line))
    first = {name: position for position, name in reversed([*enumerate(names)])}
    for position, name in enumerate(names):
        if not name:
            message = f"column {position + 1} has no name; name it in the header"
            errors.add(Problem("unnamed_column", message, file=file, line=line))
        elif first[name] != position:
            message = f"columns {first[name] + 1} and {position + 1} are both named {name}; rename one"
            errors.add(Problem("duplicate_column", message, file=file, line=line))
    errors.raise_if_any()
    return names


def _refuse_row_as_header(columns: Mapping[str, list[str]], file: str, line: int) -> None:
    """Raises DataError where the names are probably a row: numbers that do not count, or values of their own columns.

    Files that are told by their content often have no header.
    """
    names = list(columns)
    if any(names == [str(first + k) for k in range(len(names))] for first in (0, 1)):
        return
    own = sum(name in {cell.strip() for cell in cells} for name, cells in columns.items())
    if own >= 2 or all(NUMBER.fullmatch(name) for name in names):
        raise DataError(_row_as_header(names, file, line))


def _row_as_header(names: Sequence[str], file: str, line: int) -> Problem:
    message = (
        f"this looks like a row and not like a header ({some_of(names, 5)}): put a line with the names of the columns "
        "above it, or, if these are the names, rename the file to .csv or .tsv"
    )
    return Problem("no_header", message, file=file, line=line)
