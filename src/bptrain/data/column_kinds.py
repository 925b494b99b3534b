"""Columns that are read as texts or numbers and mean something else: booleans, levels in an order, dates.

Each becomes a column of numbers: 0 and 1, the place of the level in its order, days since 1970. A column of dates is
recognized where nothing is declared; the others are declared.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from typing import NamedTuple

import numpy as np

from bptrain.data.cells import RULES, CellRules, Notation, value_of
from bptrain.data.dates import FORMS, DateForm, days_of, form_of_numbers, form_of_texts
from bptrain.data.levels import BOOLEAN, Levels
from bptrain.data.settings import DataSettings
from bptrain.data.storage import IN_MEMORY, Storage
from bptrain.data.table import ColumnBlock, as_texts, side_by_side, text_of
from bptrain.data.text_cells import TextCells
from bptrain.errors import DataError, Problem
from bptrain.formats.problems import ErrorList, Origin, nearest, some_of
from bptrain.parts.types import Array

AS_TEXTS = frozenset(["categorical", "boolean", "ordinal", "datetime"])  # kinds that are first read as texts
LEFT_OUT = "text"  # the kind of a column that is no feature
HOW = {
    "ymd": "year, month, day",
    "dmy": "day, month, year",
    "mdy": "month, day, year",
    "time": "times of day",
}


class ColumnKind(NamedTuple):
    """What a column is, and what its cells say."""

    kind: str  # numeric | categorical | boolean | ordinal | datetime
    order: tuple[str, ...] = ()  # the levels of an ordinal
    form: str = ""  # of dates


def read_as(kind: str) -> str:
    """What a column is read as: categorical stands for texts."""
    return "categorical" if kind in AS_TEXTS else kind


def declared_kinds(settings: DataSettings) -> dict[str, ColumnKind]:
    """What the config says that the columns are."""
    found = {}
    for name, kind in settings.columns.items():
        options = settings.options(name)
        found[name] = ColumnKind(kind, options.order, options.form)
    return found


def notes_of_kinds(settings: DataSettings, kinds: Mapping[str, ColumnKind]) -> Iterator[str]:
    """Notes of columns that nobody declared to be dates, and of those that are texts."""
    for form in FORMS:
        dates = [name for name, kind in kinds.items() if kind.form == form and name not in settings.columns]
        if dates:
            yield f"dates: {some_of(dates)} ({HOW[form]}); to read one otherwise, declare it in data.columns"
    texts = [name for name, kind in settings.columns.items() if kind == LEFT_OUT]
    if texts:
        yield f"text: {some_of(texts)} left out, since texts are no inputs"


def with_kinds(
    block: ColumnBlock, declared: Mapping[str, ColumnKind], infer: bool, rules: CellRules = RULES
) -> tuple[ColumnBlock, dict[str, ColumnKind]]:
    """The block with numbers in place of booleans, levels and dates, and what its columns are.

    With `infer` the columns that are not declared are looked at for dates. Raises DataError for cells that do not fit,
    and for dates that can be read in two ways.
    """
    kinds: dict[str, ColumnKind] = {}
    columns = Columns(block)
    for name in block.names:
        found = declared.get(name)
        if infer and (found is None or (found.kind == "datetime" and not found.form)):
            form = columns.form_of(name, declared=found is not None)
            if form is None and found is not None:
                form = DateForm("ymd")  # the cells that are no dates are named one by one
            found = found if form is None else ColumnKind("datetime", (), settled(form, name))
        if found is not None and found.kind in ("boolean", "ordinal", "datetime"):
            kinds[name] = found
            if infer and found.kind == "ordinal":
                refuse_markers(name, found.order, columns.texts_of(name), rules)
    if not kinds:
        return block, kinds
    errors = ErrorList()
    made = {
        name: block.storage.kept(
            numbers_of(
                block.origin,
                name,
                columns.texts_of(name),
                kind,
                name in declared,
                errors,
                rules,
                known=not infer,
            )
        )
        for name, kind in kinds.items()
    }
    errors.raise_if_any()
    kept = [k for k, name in enumerate(block.number_names) if name not in made]
    side = [*(block.numbers[:, k] for k in kept), *made.values()]
    numbers = side_by_side(side, block.rows, block.storage)
    number_names = (*(block.number_names[k] for k in kept), *made)
    texts = {name: cells for name, cells in block.texts.items() if name not in made}
    integers = block.integers.difference(made)
    return block._replace(numbers=numbers, number_names=number_names, texts=texts, integers=integers), kinds


class Columns:
    """The columns of a block by name, of which there may be very many."""

    def __init__(self, block: ColumnBlock) -> None:
        self.block = block
        self.places = {name: k for k, name in enumerate(block.number_names)}

    def form_of(self, name: str, declared: bool = False) -> DateForm | None:
        """The form of a column of dates; None for any other. Declared ones may be texts that are numbers."""
        if name in self.block.texts:
            cells = self.block.texts[name]
            form = form_of_texts(cells)
            if form is not None or not declared:
                return form
            values = [value_of(cell) for cell in cells.counts() if cell is not None]
            numbers = [value for value in values if isinstance(value, float)]
            return form_of_numbers(np.array(numbers)) if values and len(numbers) == len(values) else None
        if self.block.numbers.dtype.itemsize < 4:  # too short for 20210115
            return None
        column = self.block.numbers[:, self.places[name]]
        first = column[0]
        return form_of_numbers(column) if first != first or 1e6 <= first < 1e8 else None

    def texts_of(self, name: str) -> TextCells:
        """A column as texts, N."""
        found, block = self.block.texts.get(name), self.block
        return as_texts(block.numbers[:, self.places[name]], block.storage) if found is None else found


def settled(form: DateForm, name: str) -> str:
    """The form, where it is one. Raises DataError where the cells are dates in two forms."""
    if form.also is None:
        return form.form
    ways = " or ".join(f"{{kind: datetime, format: {one}}}" for one in (form.form, form.also))
    message = (
        f"the dates of column {name} can be read as {HOW[form.form]} and as {HOW[form.also]}: "
        f"write data.columns: {{{name}: …}} with {ways}"
    )
    raise DataError(Problem("ambiguous_dates", message, path=f"data.columns.{name}"))


def numbers_of(
    origin: Origin,
    name: str,
    cells: TextCells,
    kind: ColumnKind,
    declared: bool,
    errors: ErrorList,
    rules: CellRules = RULES,
    known: bool = False,
    storage: Storage = IN_MEMORY,
) -> Array:
    """A column as numbers, N, NaN where a cell is missing; cells that do not fit are noted.

    `known` is whether a trained model knows the column: then a cell means the same whatever the others are.
    """
    number = number_of(kind, rules.notation_of(name))
    values = {cell: None if cell is None else number(cell) for cell in cells.texts}
    if kind.kind == "datetime":
        signs = rules.markers.among_numbers & values.keys()
        if known or _are_numbers(values.keys() - signs, rules.notation_of(name)):
            values |= dict.fromkeys(signs, np.nan)

    def problem(row: int) -> Problem:
        cell = str(cells[row])
        code, message = not_of_kind(name, kind, cell)
        if not declared:
            message += f": correct it, or declare data.columns: {{{name}: categorical}}"
        close = nearest(cell, kind.order) if kind.kind == "ordinal" else None
        return origin.problem(code, row, message, close)

    bad = {cell for cell, value in values.items() if value is None and cell is not None}
    for row in np.flatnonzero(cells.are(bad)).tolist() if bad else ():
        errors.add(partial(problem, row), row)
    values |= dict.fromkeys([None, *bad], np.nan)
    return cells.looked_up(values.__getitem__, np.float64, storage)


def _are_numbers(cells: Set[str | None], notation: Notation | None) -> bool:
    """Whether the dates that are there are numbers, such as 20210115, among which - marks a missing one."""
    return all(isinstance(value_of(cell, notation=notation), float) for cell in cells if cell is not None)


def refuse_markers(name: str, order: tuple[str, ...], cells: TextCells, rules: CellRules) -> None:
    """Raises DataError for a level that no cell has, because it marks a missing value."""
    for k, level in enumerate(order):
        if level in rules.markers.anywhere and level not in cells:
            message = (
                f"{level} marks a missing cell, so no cell of column {name} is this level: remove it, or leave "
                f"{level} out of data.missing_markers"
            )
            raise DataError(Problem("marker_in_order", message, path=f"data.columns.{name}.order.{k}"))


def number_of(kind: ColumnKind, notation: Notation | None = None) -> Callable[[str], float | None]:
    """What turns a cell into its number, or None where it does not fit. Dates that are numbers have a notation."""
    if kind.kind == "datetime":
        form = kind.form
        return lambda cell: (
            day if (day := days_of(cell, form)) is not None else day_of_number(cell, form, notation)
        )
    if kind.kind == "ordinal":
        ranks = Levels(kind.order)
        return lambda cell: None if ranks[cell] < 0 else float(ranks[cell])
    return boolean_of


def day_of_number(cell: str, form: str, notation: Notation | None = None) -> float | None:
    """A whole number as days since 1970-01-01, however it is written: 20210115.0 is 20210115."""
    value = value_of(cell, notation=notation)
    return days_of(text_of(value), form) if isinstance(value, float) else None


def boolean_of(cell: str) -> float | None:
    """0 or 1; None for what is neither true nor false."""
    value = value_of(cell)
    number = BOOLEAN.get(value.lower()) if isinstance(value, str) else value
    return number if number in (0.0, 1.0) else None


def not_of_kind(name: str, kind: ColumnKind, cell: str) -> tuple[str, str]:
    """The code and the message of a cell that does not fit."""
    if kind.kind == "datetime":
        return "not_a_date", f"column {name} has dates ({HOW[kind.form]}), but here it is {cell!r}"
    if kind.kind == "ordinal":
        order = some_of(kind.order)
        return "unknown_level", f"column {name} has the levels {order}, but here it is {cell!r}"
    return "not_boolean", f"column {name} is true or false, but here it is {cell!r}"
