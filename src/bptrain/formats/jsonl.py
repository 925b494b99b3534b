"""JSON lines: an object on each line; a cell means what the same text means in a CSV file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import read_text
from bptrain.formats.problems import ErrorList, Origin

MOST_CELLS = 1 << 24  # of a table most of whose cells are missing, as where each row has keys of its own
FEW_PRESENT = 20  # times as many cells as there are values


class JsonPairs(tuple[Any, ...]):
    """The keys and values of an object, in order, keys that are there twice included."""


class JsonNumber(str):
    """A number as it is written, so that a level reads as that of a CSV file does."""

    __slots__ = ()


DECODER = json.JSONDecoder(
    object_pairs_hook=JsonPairs, parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=str
)


@formats.add("jsonl")
def json_lines() -> Format:
    """One JSON object on each line, UTF-8."""
    return Format("table", (".jsonl", ".ndjson"), read_json_lines, gz=True, looks=begins_with_object)


def begins_with_object(lines: str) -> bool:
    """Whether the first line that is not blank is a JSON object."""
    first = next((line for line in lines.split("\n") if line.strip()), "")
    try:
        return isinstance(DECODER.decode(first), JsonPairs)
    except (ValueError, RecursionError):
        return False


def read_json_lines(path: Path, key: str, conventions: Conventions) -> Sheet:
    """Reads a file of objects: the columns in order of their first appearance, a cell "" where a row lacks the key.

    A column of numbers alone is typed: 1.5 has a decimal point, whatever the conventions say of numbers in texts.

    Raises DataError with the line for all that is no object, and with the key for all that is no cell.
    """
    import numpy as np

    text, file = read_text(path, key, conventions.encoding), str(path)
    columns: dict[str, list[str]] = {}
    with_texts: set[str] = set()  # columns that have other values than numbers
    lines: list[int] = []
    present = 0
    errors = ErrorList()
    for number, line in enumerate(text.split("\n"), 1):  # other line ends may stand within a text
        if not line.strip():
            continue
        row = dict(_cells(line, file, number, errors))
        for name, cell in row.items():
            column = columns.setdefault(name, [])
            column += [""] * (len(lines) - len(column))
            column.append(str(cell))
            if cell and not isinstance(cell, JsonNumber):
                with_texts.add(name)
        lines.append(number)
        present += len(row)
        if len(lines) * len(columns) > max(MOST_CELLS, FEW_PRESENT * present):
            message = (
                f"so far {len(lines):,} rows have {len(columns):,} different keys, but only {present:,} values: "
                "each row seems to have keys of its own"
            )
            raise DataError(Problem("sparse_table", message, file=file, line=number))
    errors.raise_if_any()
    if not lines:
        message = "the file is empty; it needs a JSON object on each line"
        raise DataError(Problem("empty_file", message, file=file))
    if not columns:
        raise DataError(Problem("no_columns", "the objects have no keys", file=file, line=lines[0]))
    for column in columns.values():
        column += [""] * (len(lines) - len(column))
    typed = frozenset(columns) - with_texts
    return Sheet(Origin(file, np.array(lines)), tuple(columns), columns, typed=typed)


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
