"""A table as it was written to columns of numbers or texts: what a cell says, and what a column is."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from bptrain.data.table import ColumnBlock, text_of
from bptrain.errors import Problem
from bptrain.formats import Sheet
from bptrain.formats.base import Cells
from bptrain.formats.delimited import NUMBER
from bptrain.formats.plain_rows import PlainCells
from bptrain.formats.problems import ErrorList, Origin
from bptrain.parts.types import Array

MISSING = frozenset(["", "NA", "N/A", "NaN", "nan", "NULL", "null", "?"])
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
BOOLEAN = {"true": 1.0, "false": 0.0}
MOSTLY_NUMBERS = 0.9  # from this share on, the cells of a column that are no numbers look like mistakes
ENOUGH_NUMBERS = 5

Value = float | str | None  # a number (perhaps infinite), a text, or missing


def value_of(cell: str) -> Value:
    """What one cell says."""
    text = cell.strip()
    if text in MISSING:
        return None
    if NUMBER.fullmatch(text) or INFINITE.fullmatch(text):
        return float(text)
    return text


def block_of(
    sheet: Sheet, names: Sequence[str], kinds: Mapping[str, str], *, infer: bool, target: bool = False
) -> ColumnBlock:
    """The named columns, each read as the kind given or else, with `infer`, as what its cells are.

    A kind is "numeric", "categorical" or, of a target, "boolean". Raises DataError for cells that do not fit.
    """
    errors = ErrorList()
    number_names: list[str] = []
    numbers: list[Array] = []
    texts: dict[str, Array] = {}
    booleans: list[str] = []
    for name in names:
        plain = _plain_column(sheet, name) if kinds.get(name, "numeric") == "numeric" else None
        if plain is not None:
            number_names.append(name)
            numbers.append(plain)
            continue
        cells = texts_of(sheet.cells[name])
        counts = Counter(cells)
        values = {cell: value_of(cell) for cell in counts}
        if infer and all(value is None for value in values.values()):
            message = f"column {name} has no value at all; list it in data.exclude"
            errors.add(Problem("empty_column", message, file=sheet.origin.file))
            continue
        kind = kind_of(values, counts, kinds.get(name), target)
        if kind == "categorical":
            written = {cell: None if value is None else cell.strip() for cell, value in values.items()}
            texts[name] = np.empty(len(cells), object)
            texts[name][:] = list(map(written.__getitem__, cells))
            continue
        if kind == "boolean":
            values = {cell: _boolean(value) for cell, value in values.items()}
            booleans.append(name)
        _note_bad_cells(sheet.origin, name, cells, values, kind, name in kinds, errors)
        as_number = {cell: value if isinstance(value, float) else math.nan for cell, value in values.items()}
        number_names.append(name)
        numbers.append(np.fromiter(map(as_number.__getitem__, cells), np.float64, len(cells)))
    errors.raise_if_any()
    whole = [n for n, column in zip(number_names, numbers, strict=True) if is_whole(column)]
    rows = len(next(iter(sheet.cells.values())))
    matrix = np.column_stack(numbers) if numbers else np.empty((rows, 0))
    return ColumnBlock(
        sheet.origin, tuple(names), matrix, tuple(number_names), texts, frozenset(whole), frozenset(booleans)
    )


def _plain_column(sheet: Sheet, name: str) -> Array | None:
    """`plain_numbers` of a column, which the reader of a file may have found already."""
    if isinstance(sheet.cells, PlainCells):
        found = sheet.cells.numbers(name)
        return None if found is None else found.values
    return plain_numbers(sheet.cells[name])


def texts_of(cells: Cells) -> list[str]:
    """The cells of a column as texts, "" where one is missing."""
    if isinstance(cells, list):
        return cells
    return ["" if value != value else text_of(value) for value in cells.tolist()]


def plain_numbers(cells: Cells) -> Array | None:
    """A column in which every cell is a finite number in plain notation; None leaves it to a closer look.

    Most columns are such, and so they are read several times faster. Numbers in memory may be missing here, too.
    """
    if isinstance(cells, np.ndarray):
        there = np.isfinite(cells)
        plain = there.any() and not np.isinf(cells).any()
        return cells.astype(np.float64) if plain else None
    text = "".join(cells)
    if "_" in text or not text.isascii():  # float() would take 1_000, and digits of other scripts
        return None
    try:
        column = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return column if np.isfinite(column).all() else None


def is_whole(column: Array) -> bool:
    """Whether the numbers that are there are whole."""
    return bool(np.all((column == np.floor(column)) | np.isnan(column)))


def kind_of(values: dict[str, Value], counts: Counter[str], declared: str | None, target: bool) -> str:
    """The kind of a column: as declared, or by what most cells are."""
    present = {cell: value for cell, value in values.items() if value is not None}
    if declared == "categorical":
        # Class labels that are whole numbers, written plainly, stay numbers: the user reads 3 back, not "3".
        plain = target and all(
            isinstance(v, float) and v.is_integer() and cell.strip() == str(int(v))
            for cell, v in present.items()
        )
        return "numeric" if plain else "categorical"
    if declared is not None:
        return declared
    words = [value.lower() for value in present.values() if isinstance(value, str)]
    if target and len(words) == len(present) and all(word in BOOLEAN for word in words):
        return "boolean"
    n_numbers = sum(counts[cell] for cell, value in present.items() if isinstance(value, float))
    n_present = sum(counts[cell] for cell in present)
    mostly = n_numbers >= ENOUGH_NUMBERS and n_numbers >= MOSTLY_NUMBERS * n_present
    return "numeric" if n_numbers == n_present or mostly else "categorical"


def _boolean(value: Value) -> Value:
    """0 or 1 for false or true; anything else as it is."""
    return BOOLEAN.get(value.lower(), value) if isinstance(value, str) else value


def _note_bad_cells(
    origin: Origin,
    name: str,
    cells: list[str],
    values: dict[str, Value],
    kind: str,
    declared: bool,
    errors: ErrorList,
) -> None:
    """Note the cells of a column of numbers that are none, or not finite."""
    bad = {cell for cell, value in values.items() if isinstance(value, str)}
    bad |= {cell for cell, value in values.items() if isinstance(value, float) and math.isinf(value)}
    if kind == "boolean":
        bad |= {
            cell for cell, value in values.items() if isinstance(value, float) and value not in (0.0, 1.0)
        }
    if not bad:
        return
    for row, cell in enumerate(cells):
        if cell in bad:
            errors.add(_bad_cell(origin, row, name, cell.strip(), values[cell], kind, declared))


def _bad_cell(
    origin: Origin, row: int, name: str, cell: str, value: Value, kind: str, declared: bool
) -> Problem:
    if kind == "boolean":
        return origin.problem("not_boolean", row, f"column {name} is true or false, but here it is {cell!r}")
    if isinstance(value, float):
        message = f"column {name} has {cell!r}; numbers must be finite: correct it or leave it empty"
        return origin.problem("infinite", row, message)
    message = f"column {name} is numeric, but here it is {cell!r}: correct it"
    if not declared:
        message += f", or declare data.columns: {{{name}: categorical}}"
    return origin.problem("not_a_number", row, message)
