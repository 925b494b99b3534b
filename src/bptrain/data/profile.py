"""What the columns of a file are, before anybody has said what to do with them."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from bptrain.data.cells import RULES, CellRules, Notation, Value, rules_of
from bptrain.data.column_cells import read_column
from bptrain.data.dates import DateForm, cycles_that_vary, days_of, form_of_numbers, form_of_texts
from bptrain.data.different_values import different_values
from bptrain.data.levels import BOOLEAN
from bptrain.data.sheet_columns import (
    coded_texts,
    decimal_of,
    plain_numbers,
    refuse_doubt,
    rules_of_column,
)
from bptrain.data.sources import DataSource
from bptrain.data.table import text_of
from bptrain.data.text_cells import TextCells
from bptrain.errors import short
from bptrain.formats import Sheet
from bptrain.formats.text_columns import is_whole
from bptrain.parts.types import Array

MOST_COUNTED = 20  # values whose rows are counted


class Column(NamedTuple):
    """One column."""

    name: str
    kind: Literal["numbers", "texts", "booleans", "mixed", "empty"]  # mixed: numbers, but for some cells
    rows: int
    missing: int = 0
    distinct: int = 0
    whole: bool = False  # whole numbers alone
    low: float = math.nan  # of numbers
    high: float = math.nan
    counts: tuple[
        tuple[str, int], ...
    ] = ()  # values and their rows, the most frequent first; at most MOST_COUNTED
    dates: DateForm | None = None  # the form, where they are dates or times
    cycles: tuple[str, ...] = ()  # of dates: the circles on which they have different places
    odd: str = ""  # of mixed: where the first cell is that is no number, and what it says
    odd_cells: tuple[str, ...] = ()  # what all of these say, each once
    markers: tuple[tuple[str, int], ...] = ()  # texts that were read as missing, and their cells
    notation: Notation | None = None  # of numbers that are not written plainly

    @property
    def present(self) -> int:
        """The rows that have a value."""
        return self.rows - self.missing

    @property
    def span(self) -> str:
        """From the least number to the largest, in words."""
        low, high = (short(value if self.whole else float(f"{value:.6g}")) for value in (self.low, self.high))
        return f"{low} to {high}"

    @property
    def serial(self) -> bool:
        """Whether it does no more than number the rows."""
        every = self.distinct == self.rows > 1
        return self.kind == "numbers" and self.whole and every and self.high - self.low == self.rows - 1


class Profile(NamedTuple):
    """A file; the features of arrays, whose columns have no names, are summarized as one column."""

    path: Path
    rows: int
    columns: tuple[Column, ...]  # of a table all, in order; of arrays the targets
    width: int = 0  # of arrays: how many features there are
    missing: int = 0  # of arrays: how many features lack a value in some row
    is_bytes: bool = False  # of arrays: the features are bytes, as of images
    one_hot: bool = False  # whether the targets are several columns with a single 1 in each row, the others 0
    notes: tuple[str, ...] = ()  # what was decided about how the file is written

    @property
    def is_table(self) -> bool:
        """Whether the columns have names."""
        return not self.width


def profile(
    source: DataSource, target: str | None = None, features: str = "all", targets: Sequence[str] = ()
) -> Profile:
    """Looks at a table, of which `targets` are columns, or at arrays of which `features` and `target` are two.

    Raises DataError.
    """
    contents = source.read("", features, target)
    if isinstance(contents, Sheet):
        rules = rules_of(contents.conventions)
        columns = tuple(column_of(contents, name, rules) for name in contents.names)
        plain = [plain_numbers(contents.cells[name], rules) for name in targets if name in contents.cells]
        numbers = [column for column in plain if column is not None]
        one_hot = len(numbers) == len(targets) > 1 and is_one_hot(numbers)
        return Profile(
            Path(source.name), columns[0].rows, columns, notes=contents.origin.notes, one_hot=one_hot
        )
    X, y = contents.X, contents.y
    X, y = X.reshape(len(X), -1), y.reshape(len(y), -1)
    gaps = int(np.isnan(X).any(axis=0).sum()) if X.dtype.kind == "f" else 0
    m = y.shape[1]
    names = [target or "y"] if m == 1 else [f"y{k + 1}" for k in range(m)]
    learned = tuple(of_array(name, y[:, k]) for k, name in enumerate(names))
    one_hot = y.dtype.kind in "biuf" and is_one_hot([y[:, k] for k in range(m)])
    return Profile(Path(source.name), len(X), learned, X.shape[1], gaps, X.dtype == np.uint8, one_hot)


def column_of(sheet: Sheet, name: str, rules: CellRules = RULES) -> Column:
    """A column of a table, read as a fit reads it."""
    rules, elsewhere = rules_of_column(sheet, name, rules, partial(decimal_of, sheet, rules))
    found = read_column(coded_texts(sheet.cells[name]), rules, elsewhere=elsewhere)
    doubt = found.recognized.doubt
    if doubt is not None and doubt.mark:
        refuse_doubt(sheet.origin, name, found)
    cells, values = found.cells, found.values
    counts: Counter[str] = Counter()
    for cell, n in found.counts.items():
        if values[cell] is not None:
            counts[found.levels.get(cell) or cell.strip()] += n
    rows = len(cells.codes)
    missing = rows - counts.total()
    markers = tuple(sorted(found.marked().items(), key=lambda pair: (-pair[1], pair[0])))
    if not counts:
        return Column(name, "empty", rows, missing, markers=markers)
    frequent = tuple(counts.most_common(MOST_COUNTED))
    column = Column(name, "texts", rows, missing, len(counts), counts=frequent, markers=markers)
    if found.kind == "categorical":
        booleans = {cell.lower() for cell in counts} <= BOOLEAN.keys()
        kind: Literal["booleans", "texts"] = "booleans" if booleans else "texts"
        stripped = [None if values[text] is None else text.strip() for text in cells.texts]
        form = form_of_texts(TextCells.meaning(stripped, cells.codes))
        return with_dates(column._replace(kind=kind), form, counts)
    column = column._replace(notation=found.recognized.notation)
    numbers = np.array([value for value in values.values() if is_finite(value)], np.float64)
    column = column._replace(
        kind="numbers",
        distinct=len(different_values(numbers)),
        whole=is_whole(numbers),
        low=float(numbers.min(initial=math.inf)),
        high=float(numbers.max(initial=-math.inf)),
    )
    odd_cells = {cell for cell, value in values.items() if value is not None and not is_finite(value)}
    odd_cells |= {cell for cell in values if doubt is not None and cell.strip() == doubt.text}
    odd = cells.row_of(odd_cells)
    if odd is None:
        return with_dates(column, form_of_numbers(numbers), [text_of(value) for value in numbers.tolist()])
    place = f"{sheet.origin.place(odd)} says {cells.texts[cells.codes[odd]].strip()!r}"
    said = tuple(dict.fromkeys(cell.strip() for cell in sorted(odd_cells)))
    return column._replace(kind="mixed", odd=place, odd_cells=said)


def with_dates(column: Column, form: DateForm | None, cells: Iterable[str]) -> Column:
    """A column, with the form of its dates, if there is one."""
    if form is None:
        return column
    days = [days_of(cell, form.form) for cell in cells]
    varying = cycles_that_vary(np.array([day for day in days if day is not None]), form.form)
    return column._replace(dates=form, cycles=varying)


def is_one_hot(targets: Sequence[Array]) -> bool:
    """Whether several columns of numbers are 0 and 1, with a single 1 in each row."""
    matrix = np.column_stack([np.asarray(column, np.float64) for column in targets])
    return matrix.shape[1] > 1 and bool(
        ((matrix == 0) | (matrix == 1)).all() and (matrix.sum(axis=1) == 1).all()
    )


def is_finite(value: Value) -> bool:
    """Whether a cell holds a finite number."""
    return isinstance(value, float) and math.isfinite(value)


def of_array(name: str, values: Array) -> Column:
    """A column of an array of targets."""
    if values.dtype.kind in "SU":
        texts = [
            value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values
        ]
        counts = Counter(texts)
        return Column(
            name, "texts", len(values), 0, len(counts), counts=tuple(counts.most_common(MOST_COUNTED))
        )
    numbers = values.astype(np.float64)
    there = numbers[~np.isnan(numbers)]
    distinct, rows = np.unique(there, return_counts=True)
    order = np.argsort(-rows, kind="stable")[:MOST_COUNTED]
    counted = tuple((text_of(float(distinct[k])), int(rows[k])) for k in order)
    return Column(
        name,
        "booleans" if values.dtype.kind == "b" else "numbers",
        len(values),
        len(numbers) - len(there),
        len(distinct),
        is_whole(there),
        float(there.min(initial=math.inf)),
        float(there.max(initial=-math.inf)),
        counted,
    )
