"""The features: raw columns to X, with what was fitted on the training rows.

A number is filled where it is missing, then scaled: g((f(value) − center) / spread). A category becomes a one among
zeros; a category that the training rows did not have, zeros alone, unless the column has an input for such. Booleans,
levels in an order and dates come as numbers (`column_kinds.py`), and dates get their places in the year, the week and
the day besides, as sine and cosine. Where a column has an indicator, that is its last input.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.column_kinds import ColumnKind
from bptrain.data.dates import circle
from bptrain.data.levels import Levels, lone_key
from bptrain.data.scaling import Scaling
from bptrain.data.settings import Unknown
from bptrain.data.table import ColumnBlock
from bptrain.data.text_cells import TextCells, parts
from bptrain.errors import Problem
from bptrain.formats.problems import ErrorList
from bptrain.parts.scalers import FUNCTIONS, ClipName, FunctionName
from bptrain.parts.types import Array


class Feature(NamedTuple):
    """One column of the file: what it is, and how it becomes one or more columns of X."""

    name: str
    kind: Literal["numeric", "categorical", "boolean", "ordinal", "datetime"]
    categories: tuple[
        str, ...
    ] = ()  # or the levels of an ordinal, from the lowest; those with an input of their own
    fill: float | str | None = None  # stands in for a missing cell; None: there may be none
    center: float = 0.0
    spread: float = 1.0  # 0: the column was constant in the training rows and becomes 0
    function: FunctionName = "identity"  # f, before center and spread
    clip: ClipName = "none"  # g, after these
    unknown: Unknown = "ignore"  # what is done about a category that the training rows did not have
    rare: tuple[str, ...] = ()  # categories of few training rows, which share one input
    buckets: int = 0  # a category's input is its hash, one of so many; 0: each has its own
    form: str = ""  # of dates: how they are written
    cycles: tuple[str, ...] = ()  # of dates: the circles on which they have a place
    indicator: bool = False  # whether its last input is 1 where the cell was missing

    @property
    def width(self) -> int:
        """How many columns of X it becomes."""
        return self.values + self.indicator

    @property
    def values(self) -> int:
        """How many columns of X its value becomes."""
        if self.kind != "categorical":
            return 1 + 2 * len(self.cycles)
        return self.buckets or len(self.categories) + self.has_other

    @property
    def has_other(self) -> bool:
        """Whether the categories without an input of their own share one."""
        return bool(self.rare) or self.unknown == "bucket"

    @property
    def is_plain(self) -> bool:
        """Whether it is a number that becomes one input."""
        return self.kind == "numeric" and not self.indicator

    @property
    def is_special(self) -> bool:
        """Whether it is neither a number nor one input per category."""
        return self.kind not in ("numeric", "categorical") or bool(self.buckets)

    @property
    def column_kind(self) -> ColumnKind:
        """What a file's column must be."""
        return ColumnKind(self.kind, self.categories if self.kind == "ordinal" else (), self.form)


def width(features: Sequence[Feature]) -> int:
    """n_0: the number of columns of X."""
    return sum(feature.width for feature in features)


def scaling_of(features: Sequence[Feature], rows: int) -> Scaling:
    """The scaling of columns of numbers, for so many rows."""
    functions, clips = [f.function for f in features], [f.clip for f in features]
    return Scaling([f.center for f in features], [f.spread for f in features], rows, functions, clips)


def encode(
    features: Sequence[Feature], block: ColumnBlock, dtype: DTypeLike, rows: Array | None = None
) -> Array:
    """X, N × n_0 and C-contiguous, of the rows with these numbers (default: all).

    The arithmetic is in float64, a chunk of rows at a time; only its result is cast to `dtype`. Raises
    DataError for a number that `dtype` cannot hold.
    """
    n = block.rows if rows is None else len(rows)
    X = block.storage.zeros((n, width(features)), dtype)
    starts = np.cumsum([0] + [feature.width for feature in features])
    placed = [(feature, int(start)) for feature, start in zip(features, starts[:-1], strict=True)]
    numbers = [(feature, start) for feature, start in placed if feature.kind != "categorical"]
    if numbers:
        _encode_numbers([feature for feature, _ in numbers], [start for _, start in numbers], block, rows, X)
    for feature, start in placed:
        if feature.kind == "categorical":
            places = _places(feature, block.texts[feature.name])
        for part in (
            parts(n) if feature.is_special or feature.kind == "categorical" or feature.indicator else ()
        ):
            some, into = part if rows is None else rows[part], X[part, start : start + feature.width]
            if feature.kind == "categorical":
                codes = places[block.texts[feature.name].codes[some]]
                known = np.flatnonzero(codes >= 0)
                into[known, codes[known]] = 1
            elif feature.cycles:
                days = _column(block, feature, some)
                filled = np.where(np.isnan(days), np.nan if feature.fill is None else feature.fill, days)
                into[:, 1 : feature.values] = circle(filled, feature.cycles)
            if feature.indicator:
                into[:, feature.values] = is_missing(block, feature, some)
    return X


def _column(block: ColumnBlock, feature: Feature, rows: Array | slice) -> Array:
    return block.number(feature.name)[rows].astype(np.float64)


def is_missing(block: ColumnBlock, feature: Feature, rows: Array | slice) -> Array:
    """Where some rows lack a value, true and false, N."""
    if feature.kind != "categorical":
        return np.isnan(_column(block, feature, rows))
    return block.texts[feature.name][rows].missing()


def _encode_numbers(
    features: Sequence[Feature], places: list[int], block: ColumnBlock, rows: Array | None, X: Array
) -> None:
    """Write the scaled columns of numbers to their places in X."""
    found = {name: k for k, name in enumerate(block.number_names)}
    columns, into = np.array([found[feature.name] for feature in features]), np.array(places)
    all_columns = np.array_equal(columns, np.arange(block.numbers.shape[1]))
    whole_width = np.array_equal(into, np.arange(X.shape[1]))
    fill = np.array([f.fill if isinstance(f.fill, float) else np.nan for f in features])
    checked = block.numbers.dtype.kind == "f" or any(f.function != "identity" for f in features)
    errors = ErrorList()
    scaling = scaling_of(features, len(X))

    def write(part: slice, raw: Array) -> tuple[Array, Array]:
        """The scaled numbers, and what has become of them in X."""
        values = scaling.of(raw)
        with np.errstate(over="ignore"):
            if whole_width:
                X[part] = values
                return values, X[part]
            X[part, into] = values
            return values, X[part][:, into]

    for part in scaling.parts(len(X)):
        raw = block.numbers[part if rows is None else rows[part]]
        raw = raw if all_columns else raw[:, columns]
        values, written = write(part, raw)
        if not checked or np.isfinite(written).all():
            continue
        filled = np.where(np.isnan(raw), fill, raw)
        values, written = write(part, filled)
        for row, k in np.argwhere(~np.isfinite(written)):
            at = part.start + int(row) if rows is None else int(rows[part.start + int(row)])
            name, function = features[k].name, features[k].function
            if not FUNCTIONS[function].defined(filled[row, k]):
                was_filled = bool(np.isnan(raw[row, k]))
                errors.add(outside(block, at, name, function, filled[row, k], was_filled), at)
                continue
            what = f"column {name}: the scaled value {values[row, k]:g}"
            message = f"{what} does not fit into {X.dtype}; scale the column, or correct it"
            errors.add(block.origin.problem("too_large", at, message), at)
    errors.raise_if_any()


def outside(
    block: ColumnBlock, row: int, name: str, function: str, value: float, filled: bool = False
) -> Problem:
    """The problem with a number for which the function of its scaling is not defined."""
    takes = FUNCTIONS[function].values
    what = f"column {name} {'has no value here and is filled with' if filled else 'is'} {value:g}"
    message = f"{what}, and the scaling {function} takes {takes}: correct it, or scale otherwise"
    return block.origin.problem("outside_scale", row, message)


def _places(feature: Feature, cells: TextCells) -> Array:
    """The number of each different category among the inputs of its column; −1 for one that has none."""
    code = code_of(feature)
    return np.array([code(feature.fill if cell is None else cell) for cell in cells.texts], np.int64)


def code_of(feature: Feature) -> Callable[[object], int]:
    """What turns a category into its number among the inputs of the column."""
    if feature.buckets:
        return lambda category: -1 if category is None else bucket_of(str(category), feature.buckets)
    levels, own = Levels((*feature.categories, *feature.rare)), len(feature.categories)
    other = own if feature.unknown == "bucket" else -1

    def code(category: object) -> int:
        found = -1 if category is None else levels[category]
        return min(found, own) if found >= 0 or category is None else other

    return code


def bucket_of(category: str, buckets: int) -> int:
    """CRC-32 (ISO 3309) of the UTF-8 of what spellings of a category have in common, modulo the number of buckets."""
    return crc32(lone_key(category).encode()) % buckets
