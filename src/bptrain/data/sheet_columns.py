"""A table as it was written to columns of numbers or texts: what a cell says, and what a column is."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial

import numpy as np

from bptrain.data.cell_notes import CellReading
from bptrain.data.cells import RULES, CellRules, Notation, Value
from bptrain.data.column_cells import DecimalMark, ReadColumn, all_grouped, read_column
from bptrain.data.notations import decimal_mark
from bptrain.data.spooled_texts import SpooledTexts
from bptrain.data.storage import IN_MEMORY, Memory, Storage
from bptrain.data.table import EXACT, ColumnBlock, side_by_side, text_of
from bptrain.data.text_cells import TextCells
from bptrain.errors import DataError, Problem
from bptrain.formats import Sheet
from bptrain.formats.base import Cells
from bptrain.formats.coded_texts import CodedTexts, coded
from bptrain.formats.number_columns import numbers_of_texts, shared_matrix
from bptrain.formats.problems import ErrorList, Origin, UndeclaredConvention
from bptrain.formats.text_columns import ColumnTexts, PlainNumbers, is_whole
from bptrain.formats.typed_number import untyped
from bptrain.parts.types import Array


def block_of(
    sheet: Sheet,
    names: Sequence[str],
    kinds: Mapping[str, str],
    *,
    infer: bool,
    target: bool = False,
    rules: CellRules = RULES,
    storage: Storage = IN_MEMORY,
) -> ColumnBlock:
    """The named columns, each read as the kind given or else, with `infer`, as what its cells are.

    A kind is "numeric", "categorical" or, of a target, "boolean". Without `infer`, numbers are in the notation that
    the rules have for their column. Raises DataError for cells that do not fit.
    """
    errors = ErrorList()
    number_names: list[str] = []
    numbers: list[Array] = []
    texts: dict[str, TextCells] = {}
    booleans: list[str] = []
    reading = CellReading({}, {}, {})
    rules_of_texts, mark_of_texts = rules, cache(partial(decimal_of, sheet, rules))
    for name in names:
        raw, declared = sheet.cells[name], kinds.get(name)
        rules, elsewhere = rules_of_column(sheet, name, rules_of_texts, mark_of_texts)
        if infer and isinstance(raw, list):
            raw = untyped(raw)  # what its texts are, all cells together say
        elif infer and isinstance(raw, SpooledTexts):
            raw = raw.untyped()
        if isinstance(raw, np.ndarray) and rules.markers.numbers and declared != "categorical":
            raw = without_markers(raw, name, rules, reading)
        plain = (
            plain_numbers(raw, rules, declared, None if infer else rules.notation_of(name))
            if declared in (None, "numeric")
            else None
        )
        if plain is not None and not (infer and _may_be_grouped(raw, rules) and elsewhere() == ","):
            if isinstance(raw, SpooledTexts) and (marked := _markers_among(raw)):
                reading.marked[name] = marked
            number_names.append(name)
            numbers.append(plain if isinstance(raw, ColumnTexts) else storage.kept(plain))
            continue
        column = read_column(coded_texts(raw), rules, name, declared, infer, target, elsewhere)
        if infer and all(value is None for value in column.values.values()):
            message = f"column {name} has no value at all; list it in data.exclude"
            errors.add(Problem("empty_column", message, file=sheet.origin.file))
            continue
        column.tell(name, reading)
        refuse_doubt(sheet.origin, name, column)
        if column.kind == "categorical":
            texts[name] = column.categories(storage)
            continue
        if column.kind == "boolean":
            booleans.append(name)
        _note_bad_cells(sheet.origin, name, column, declared is not None, errors)
        number_names.append(name)
        numbers.append(column.numbers(storage))
    errors.raise_if_any()
    whole = [
        name
        for name, column in zip(number_names, numbers, strict=True)
        if _is_whole(sheet.cells[name], column)
    ]
    rows = len(next(iter(sheet.cells.values())))
    matrix = shared_matrix(numbers) if numbers and isinstance(storage, Memory) else None
    if matrix is None:
        matrix = side_by_side(numbers, rows, storage)
    return ColumnBlock(
        sheet.origin,
        tuple(names),
        matrix,
        tuple(number_names),
        texts,
        frozenset(whole),
        frozenset(booleans),
        reading,
        storage,
    )


def rules_of_column(
    sheet: Sheet, name: str, rules: CellRules, elsewhere: DecimalMark
) -> tuple[CellRules, DecimalMark]:
    """The rules for a column, and who tells the decimal mark of others: of numbers by type it is the point."""
    if name not in sheet.typed:
        return rules, elsewhere
    return rules._replace(decimal=None, thousands=None, notations={}), lambda: "."


def decimal_of(sheet: Sheet, rules: CellRules = RULES) -> str | None:
    """The decimal mark that the texts of a table show, where all that show one agree."""
    return decimal_mark(
        _texts_there(cells, rules)
        for name, cells in sheet.cells.items()
        if not isinstance(cells, np.ndarray) and name not in sheet.typed
    )


def _texts_there(cells: Cells, rules: CellRules) -> Counter[str]:
    """The different texts of a column that are not missing, without blanks around them."""
    texts: Counter[str] = Counter()
    for text, n in coded_texts(cells).counts().items():
        if text.strip() not in rules.markers.anywhere:
            texts[text.strip()] += n
    return texts


def _may_be_grouped(cells: Cells, rules: CellRules) -> bool:
    """Whether every number with a point may be whole, with a point between thousands."""
    if isinstance(cells, np.ndarray) or rules.says_how_numbers_are_written:
        return False
    if isinstance(cells, SpooledTexts) and cells.others:
        return all_grouped(text for text in cells.different() if text.strip() not in rules.markers.anywhere)
    few = [cell for cell in cells[:50] if "." in cell]
    return bool(few) and all_grouped(few) and all_grouped(_different(cells))


def _different(cells: Cells) -> Iterable[str]:
    """The texts of a column, each at least once."""
    return cells.different() if isinstance(cells, SpooledTexts) else coded_texts(cells).texts


def _markers_among(cells: SpooledTexts) -> dict[str, int]:
    """The markers of missing values that stand among numbers -> cells."""
    found: Counter[str] = Counter()
    for text, n in cells.others.items():
        if text.strip():
            found[text.strip()] += n
    return dict(found)


def _plain(cells: Cells, rules: CellRules, notation: Notation | None) -> PlainNumbers | None:
    """The numbers of texts, all of which are plain or missing; None where some are neither."""
    if isinstance(cells, SpooledTexts) and cells.others:
        markers = rules.markers.anywhere | rules.markers.among_numbers
        are_missing = all(text.strip() in markers for text in cells.others)
        is_plain = are_missing and notation is None and not rules.says_how_numbers_are_written
        return cells.numbers_and_gaps if is_plain else None
    return cells.numbers if isinstance(cells, ColumnTexts) else numbers_of_texts(texts_of(cells))


def coded_texts(cells: Cells) -> CodedTexts:
    """The cells of a column as their different texts."""
    return cells.coded() if isinstance(cells, ColumnTexts) else coded(texts_of(cells))


def texts_of(cells: Cells) -> list[str]:
    """The cells of a column as texts, "" where one is missing."""
    if isinstance(cells, list):
        return cells
    if isinstance(cells, ColumnTexts):
        return cells.tolist()
    return ["" if value != value else text_of(value) for value in cells.tolist()]


def without_markers(column: Array, name: str, rules: CellRules, reading: CellReading) -> Array:
    """A column of numbers in which those that mark a missing value are missing."""
    marked = np.isin(column, sorted(rules.markers.numbers))
    if not marked.any():
        return column
    found, counts = np.unique(column[marked], return_counts=True)
    reading.marked[name] = dict(zip(map(text_of, found.tolist()), counts.tolist(), strict=True))
    return np.where(marked, np.nan, column)


def plain_numbers(
    cells: Cells,
    rules: CellRules = RULES,
    declared: str | None = "numeric",
    notation: Notation | None = None,
) -> Array | None:
    """A column in which every cell is a finite number in plain notation, or missing; None leaves it to a closer look.

    Most columns are such, and so they are read several times faster.
    """
    if isinstance(cells, np.ndarray):
        there = np.isfinite(cells)
        if not there.any() or np.isinf(cells).any():
            return None
        long = declared is None and cells.dtype.kind in "iu" and max(cells.max(), -int(cells.min())) >= EXACT
        return None if long else cells.astype(np.float64)
    found = _plain(cells, rules, notation)
    if found is None or rules.markers.numbers or found.is_empty:
        return None
    point_decides = rules.says_how_numbers_are_written or (notation is not None and notation != Notation())
    if point_decides and any("." in text for text in _different(cells)):
        return None
    if notation is not None and notation.sign == "%":
        return None
    column = found.values
    if declared is None and found.is_whole:
        is_long = found.bound >= EXACT and np.nanmax(np.abs(column)) >= EXACT
        return None if found.has_leading_zero or is_long else column
    return column


def _is_whole(cells: Cells, column: Array) -> bool:
    """Whether the numbers of a column are whole; of one that was read so, that is known."""
    known = cells.numbers_and_gaps if isinstance(cells, SpooledTexts) else None
    known = cells.numbers if known is None and isinstance(cells, ColumnTexts) else known
    return known.is_whole if known is not None and known.values is column else is_whole(column)


def refuse_doubt(origin: Origin, name: str, column: ReadColumn) -> None:
    """Raises DataError where the numbers of a column can be read in two ways, with what settles it."""
    doubt = column.recognized.doubt
    if doubt is None:
        return
    texts = [text for text in column.cells.texts if text.strip() == doubt.text]
    row = int(column.cells.rows_of(texts)[0])
    message = f"column {name}: {doubt.text!r} {doubt.why}" + (": write one of the keys" if doubt.mark else "")
    kinds = " or ".join(f"data.columns: {{{name}: {kind}}}" for kind in doubt.declare)
    problem = origin.problem("doubtful_numbers", row, f"{message}; or declare {kinds}")
    if doubt.mark:
        raise UndeclaredConvention(problem, "thousands", doubt.mark, f"{name}: {doubt.text} {doubt.why}")
    raise DataError(problem)


def _note_bad_cells(origin: Origin, name: str, column: ReadColumn, declared: bool, errors: ErrorList) -> None:
    """Note the cells of a column of numbers that are none, or not finite."""
    cells, values, kind = column.cells, column.values, column.kind
    bad = {cell for cell, value in values.items() if isinstance(value, str)}
    bad |= {cell for cell, value in values.items() if isinstance(value, float) and math.isinf(value)}
    if kind == "boolean":
        bad |= {
            cell for cell, value in values.items() if isinstance(value, float) and value not in (0.0, 1.0)
        }
    if not bad:
        return
    for row in cells.rows_of(bad).tolist():
        cell = cells.texts[cells.codes[row]]
        errors.add(partial(_bad_cell, origin, row, name, cell.strip(), values[cell], kind, declared), row)


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
