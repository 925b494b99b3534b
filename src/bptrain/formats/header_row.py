"""The header of a table: the names of its columns, whether they are names at all, and columns that only count rows."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.conventions import Conventions
from bptrain.formats.problems import ErrorList, UndeclaredConvention, some_of
from bptrain.formats.text_columns import ColumnTexts
from bptrain.formats.value_texts import is_written_like

if TYPE_CHECKING:
    from bptrain.parts.types import Array

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")  # float() also takes 1_000
ROWS_LOOKED_AT = 10_000  # in which the value of a column is looked for
MOST_REPEATED = 0.1  # of the rows: where more are the same as the names, these are values
LEAST_COUNT = 3  # so many cells must count on from a name before that is a value
MOST_DIGITS = 15
FEW = 20  # cells by which a column is one of numbers
EVEN = 1e-3  # relative difference of steps that are even
NEUTRAL = frozenset(["", "NA", "N/A", "NaN", "nan", "NULL", "null", "?"])  # what a name and a cell may be


class TableColumns(NamedTuple):
    """The columns that a table has, without those that only count its rows."""

    names: tuple[str, ...]
    places: tuple[int, ...]  # of each among the cells of a row, from 0
    notes: tuple[str, ...] = ()


def columns_by_place(width: int, conventions: Conventions, file: str, key: str) -> TableColumns:
    """The columns of a table without a header."""
    names = tuple(f"x{k + 1}" for k in range(width))
    return without_index(TableColumns(names, tuple(range(width))), conventions, file, key)


def columns_by_name(
    header: Sequence[str],
    line: int,
    columns: Sequence[Sequence[str]],
    conventions: Conventions,
    file: str,
    key: str,
    lines: "Sequence[int] | Array" = (),
) -> TableColumns:
    """The columns of a table with a header, which may have one name less than the rows have cells.

    `line` is that of the header, `lines` those of the rows. Raises DataError for names that are empty or given twice,
    and for a header that is repeated, UndeclaredConvention where these may be no names.
    """
    names = [cell.strip() for cell in header]
    shorter = len(names) < len(columns)
    notes: list[str] = []
    if shorter:  # R leaves out the name of the first; a delimiter at the end makes an empty last
        names = [*names, ""] if not any(columns[-1]) else ["", *names]
    places = range(len(names))
    filled = [k for k in places if names[k] or k == 0 or any(map(str.strip, columns[k]))]
    if len(filled) < len(names):
        n = len(names) - len(filled)
        columns_of = "1 column of" if n == 1 else f"{n} columns of"
        what = "has neither a name nor a cell, and is" if n == 1 else "have neither names nor cells, and are"
        notes.append(f"reading: {columns_of} {file} {what} left out")
    has_index = len(filled) > 1 and not names[0] and conventions.index_column in (None, True)
    if has_index and conventions.are_names(names):
        filled = filled[1:]  # a further column, which the model does not read
    elif has_index and conventions.index_column is None and not counts(columns[0]):
        _refuse_row([names[k] for k in filled], [columns[k] for k in filled], conventions, file, line, lines)
        has_index = shorter and _are_row_names(columns[0])
        if has_index:
            filled = filled[1:]
            what = "has no name and a text of its own in each row"
            notes.append(f"reading: the first column of {file} {what}: it is left out")
        else:
            _refuse_unnamed(columns[0], file, line)
    elif has_index:
        filled = filled[1:]
        if conventions.index_column is None:
            notes.append(
                f"reading: the first column of {file} has no name and counts the rows: it is left out"
            )
    else:
        _refuse_row([names[k] for k in filled], [columns[k] for k in filled], conventions, file, line, lines)
    refuse_names([names[k] for k in filled], filled, file, line)
    found = TableColumns(tuple(names[k] for k in filled), tuple(filled), tuple(notes))
    return found if has_index else without_index(found, conventions, file, key)


def counts(cells: Sequence[str], begin: int | None = None) -> bool:
    """Whether cells are 0 … N−1 or 1 … N; or, of further ones, whether they go on from `begin`."""
    first = cells[0].strip() if begin is None else str(begin)
    may_begin = begin is not None or first in ("0", "1")
    return may_begin and all(cell.strip() == str(k) for k, cell in enumerate(cells, int(first)))


def _are_row_names(cells: Sequence[str]) -> bool:
    """Whether cells are texts that name the rows: each is there once, and none is a number."""
    return len(set(cells)) == len(cells) and not any(is_number(cell.strip()) for cell in cells)


def _refuse_unnamed(cells: Sequence[str], file: str, line: int) -> None:
    """Raises UndeclaredConvention where the first column, which has no name, may stand for the rows."""
    if len(set(cells)) < len(cells):
        return
    message = (
        "the first column has no name, and a value of its own in each row: data.index: true if it only names the "
        "rows; otherwise name it in the header"
    )
    why = "the first column has no name, and a value of its own in each row"
    raise UndeclaredConvention(
        Problem("unnamed_column", message, file=file, line=line), "index_column", True, why
    )


def without_index(found: TableColumns, conventions: Conventions, file: str, key: str) -> TableColumns:
    """The columns without the one that is declared to count the rows. Raises DataError where it is not there."""
    index = conventions.index_column
    if not index:
        return found
    if isinstance(index, str) and index not in found.names:
        if not key:  # rows for a trained model need not be numbered
            return found
        message = f"there is no column {index!r}; the data has {some_of(found.names)}"
        raise DataError(Problem("unknown_column", message, path="data.index"))
    at = 0 if index is True else found.names.index(index)
    if index is True and found.names[0] in conventions.needed:
        return found
    names, places = found.names[:at] + found.names[at + 1 :], found.places[:at] + found.places[at + 1 :]
    if not names:
        message = "its only column is declared to count the rows"
        raise DataError(Problem("no_columns", message, path="data.index", file="" if key else file))
    return found._replace(names=names, places=places)


def _refuse_row(
    names: Sequence[str],
    columns: Sequence[Sequence[str]],
    conventions: Conventions,
    file: str,
    line: int,
    lines: "Sequence[int] | Array",
) -> None:
    """Raises UndeclaredConvention where the names are probably a row, and nobody has said that they are names.

    Raises DataError where the header is repeated among the rows.
    """
    if conventions.header is not None:
        return
    repeated = rows_that_are(names, columns)
    if not conventions.are_names(names) and may_be_row(names, columns, len(repeated)):
        if conventions.needed:
            message = (
                f"this line may be a row ({some_of(names, 5)}), and has not the columns of the model "
                f"({some_of(conventions.needed, 5)}): put a line with their names above it"
            )
            raise DataError(Problem("no_header", message, file=file, line=line))
        message = (
            f"this line may be a row ({some_of(names, 5)}): data.header: false if this is a row; data.header: true "
            "if these are names"
        )
        why = f"the first line ({some_of(names, 5)}) looks like a row; true if these are names"
        raise UndeclaredConvention(Problem("no_header", message, file=file, line=line), "header", False, why)
    refuse_repeated(repeated, file, lines)


def refuse_repeated(repeated: Sequence[int], file: str, lines: "Sequence[int] | Array") -> None:
    """Raises DataError where some rows, counted from 0, are the header once more."""
    if repeated:
        others = f", and {len(repeated) - 1} more do" if repeated[1:] else ""
        message = (
            f"this line repeats the header{others}: remove it; or declare data.header: true if it is a row"
        )
        raise DataError(Problem("repeated_header", message, file=file, line=int(lines[repeated[0]])))


def rows_that_are(names: Sequence[str], columns: Sequence[Sequence[str]]) -> list[int]:
    """The first rows that are the names, counted from 0; none where these are numbers, or too many."""
    if any(is_number(name) for name in names) or not _is_value(names[0], columns[0], 0):
        return []
    cells = columns[0][:ROWS_LOOKED_AT]
    found = (row for row, cell in enumerate(cells) if cell == names[0])
    pairs = [*zip(names, columns, strict=True)]
    rows = [row for row in found if all(column[row].strip() == name for name, column in pairs)]
    return rows if len(rows) <= MOST_REPEATED * len(cells) else []


def may_be_row(names: Sequence[str], columns: Sequence[Sequence[str]], repeated: int = 0) -> bool:
    """Whether names may be values: as texts, among the cells below them, or as numbers that are no names.

    `repeated` is how many rows are these names, which says nothing.
    """
    places = [k for k, name in enumerate(names) if name not in NEUTRAL]
    numbers = {k for k in places if is_number(names[k])}
    own = {k for k in places if _is_value(names[k], columns[k], repeated)}
    texts = set(places) - numbers
    if any(is_written_like(names[k], columns[k], NEUTRAL) for k in texts):
        return True
    if texts and any(_goes_on(names[k], columns[k]) for k in numbers):
        return True
    offsets = {int(names[k]) - k if names[k].isdecimal() else None for k in numbers}
    if offsets <= {0} or offsets <= {1}:  # names that count are names; those beside them may still be values
        return bool(texts) and (texts <= own or len(texts & own) >= 2)
    if texts & own or len(own) >= 2 or numbers | own == set(places):
        return True
    return not _is_scale([names[k] for k in sorted(numbers) if _are_numbers(columns[k])])


def _goes_on(name: str, cells: Sequence[str]) -> bool:
    """Whether the cells count on from a number, as the rows below a first one do."""
    if not name.isdecimal() or len(name) > MOST_DIGITS or len(cells) < LEAST_COUNT:
        return False
    return all(cell.strip() == str(k) for k, cell in enumerate(cells[:ROWS_LOOKED_AT], int(name) + 1))


def _is_scale(names: Sequence[str]) -> bool:
    """Whether numbers may be the names of columns: whole ones that rise or fall (years), others in even steps."""
    numbers = [float(name.replace(",", ".")) for name in names]
    steps = [b - a for a, b in pairwise(numbers)]
    if all(number.is_integer() for number in numbers):
        return all(step > 0 for step in steps) or all(step < 0 for step in steps)
    even = all(abs(step - steps[0]) <= EVEN * abs(steps[0]) for step in steps)
    return len(steps) >= 2 and steps[0] != 0 and even


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether the first cells are numbers, but for those that may be missing."""
    return all(is_number(text) for cell in cells[:FEW] if (text := cell.strip()) not in NEUTRAL)


def _is_value(name: str, cells: Sequence[str], repeated: int) -> bool:
    """Whether more than so many cells, of the first ones, are this text."""
    if isinstance(cells, ColumnTexts) and cells.has_no(name):
        return False
    first = cells[:ROWS_LOOKED_AT]
    return first.count(name) > repeated if repeated else name in first


def is_number(text: str) -> bool:
    """Whether a text is a number, perhaps with a decimal comma."""
    return NUMBER.fullmatch(text) is not None or (
        text.count(",") == 1 and NUMBER.fullmatch(text.replace(",", ".")) is not None
    )


def refuse_names(names: Sequence[str], places: Sequence[int], file: str, line: int) -> None:
    """Raises DataError for names that are empty or given twice."""
    errors = ErrorList()
    first = dict(reversed([*zip(names, places, strict=True)]))
    for name, place in zip(names, places, strict=True):
        if not name:
            message = f"column {place + 1} has no name; name it in the header"
            errors.add(Problem("unnamed_column", message, file=file, line=line))
        elif first[name] != place:
            message = f"columns {first[name] + 1} and {place + 1} are both named {name}; rename one"
            errors.add(Problem("duplicate_column", message, file=file, line=line))
    errors.raise_if_any()
