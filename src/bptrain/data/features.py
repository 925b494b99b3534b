"""The features: raw columns to X, with what was fitted on the training rows.

A number is filled where it is missing, then scaled: (value − center) / spread. A category becomes a one among
zeros; a category that the training rows did not have, zeros alone.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.levels import Levels
from bptrain.data.scaling import Scaling
from bptrain.data.table import ColumnBlock
from bptrain.errors import Problem, Warned
from bptrain.formats.problems import ErrorList, some_of
from bptrain.parts.types import Array

ALL_UNSEEN = 2  # so many cells, all of unknown categories, are an error


class Feature(NamedTuple):
    """One column of the file: what it is, and how it becomes one or more columns of X."""

    name: str
    kind: Literal["numeric", "categorical"]
    categories: tuple[str, ...] = ()
    fill: float | str | None = None  # stands in for a missing cell; None: there may be none
    center: float = 0.0
    spread: float = 1.0  # 0: the column was constant in the training rows and becomes 0

    @property
    def width(self) -> int:
        """How many columns of X it becomes."""
        return len(self.categories) if self.kind == "categorical" else 1


def width(features: Sequence[Feature]) -> int:
    """n_0: the number of columns of X."""
    return sum(feature.width for feature in features)


def scaling_of(features: Sequence[Feature], rows: int) -> Scaling:
    """The scaling of columns of numbers, for so many rows."""
    return Scaling([f.center for f in features], [f.spread for f in features], rows)


def encode(
    features: Sequence[Feature], block: ColumnBlock, dtype: DTypeLike, rows: Array | None = None
) -> Array:
    """X, N × n_0 and C-contiguous, of the rows with these numbers (default: all).

    The arithmetic is in float64, a chunk of rows at a time; only its result is cast to `dtype`. Raises
    DataError for a number that `dtype` cannot hold.
    """
    n = block.rows if rows is None else len(rows)
    X = np.zeros((n, width(features)), dtype)
    starts = np.cumsum([0] + [feature.width for feature in features])
    numeric = [(f, int(start)) for f, start in zip(features, starts[:-1], strict=True) if f.kind == "numeric"]
    if numeric:
        _encode_numbers([f for f, _ in numeric], [start for _, start in numeric], block, rows, X)
    for feature, start in zip(features, starts[:-1], strict=True):
        if feature.kind == "categorical":
            codes = _codes(feature, block, rows)
            known = np.flatnonzero(codes >= 0)
            X[known, start + codes[known]] = 1
    return X


def _encode_numbers(
    features: Sequence[Feature], places: list[int], block: ColumnBlock, rows: Array | None, X: Array
) -> None:
    """Write the scaled columns of numbers to their places in X."""
    found = {name: k for k, name in enumerate(block.number_names)}
    columns, into = np.array([found[feature.name] for feature in features]), np.array(places)
    all_columns = np.array_equal(columns, np.arange(block.numbers.shape[1]))
    whole_width = np.array_equal(into, np.arange(X.shape[1]))
    fill = np.array([f.fill if isinstance(f.fill, float) else np.nan for f in features])
    checked = block.numbers.dtype.kind == "f"
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
        values, written = write(part, np.where(np.isnan(raw), fill, raw))
        for row, k in np.argwhere(~np.isfinite(written)):
            at = part.start + int(row) if rows is None else int(rows[part.start + int(row)])
            what = f"column {features[k].name}: the scaled value {values[row, k]:g}"
            message = f"{what} does not fit into {X.dtype}; scale the column, or correct it"
            errors.add(block.origin.problem("too_large", at, message))
    errors.raise_if_any()


def _codes(feature: Feature, block: ColumnBlock, rows: Array | None) -> Array:
    """The number of each row's category, N; −1 for one that the training rows did not have."""
    numbers = Levels(feature.categories)
    numbers[None] = -1 if feature.fill is None else numbers[feature.fill]
    cells = block.texts[feature.name] if rows is None else block.texts[feature.name][rows]
    return np.fromiter(map(numbers.__getitem__, cells), np.int64, len(cells))


def unseen(features: Sequence[Feature], block: ColumnBlock, rows: Array, where: str) -> list[Warned]:
    """A warning for each column with categories that the training rows did not have."""
    warnings = []
    for feature in features:
        if feature.kind != "categorical":
            continue
        levels = Levels(feature.categories)
        odd = [cell for cell in block.texts[feature.name][rows] if cell is not None and levels[cell] < 0]
        if odd:
            message = (
                f"column {feature.name}: {len(odd)} cells in {where} hold categories that the training rows "
                f"do not have ({some_of(sorted(set(odd)), 5)}); they are encoded as zeros"
            )
            warnings.append(Warned("unseen_category", message))
    return warnings


def refuse_all_unseen(features: Sequence[Feature], block: ColumnBlock, rows: Array) -> None:
    """Raises DataError for a column in which every cell is a category that the training rows did not have.

    One row may be new in this way, but several look like a column that was read as something else.
    """
    errors = ErrorList()
    for feature in features:
        if feature.kind != "categorical":
            continue
        cells = [cell for cell in block.texts[feature.name][rows] if cell is not None]
        levels = Levels(feature.categories)
        if len(cells) < ALL_UNSEEN or any(levels[cell] >= 0 for cell in cells):
            continue
        message = (
            f"column {feature.name}: none of its {len(cells):,} cells is a category of the training rows (here "
            f"{some_of(sorted(set(cells)), 3)}; there {some_of(feature.categories, 3)})"
        )
        known = {level.lstrip("0") for level in feature.categories if level != level.lstrip("0")}
        if known & set(cells):
            message += ": leading zeros are lost; read the column as text"
        errors.add(Problem("unseen_categories", message, file=block.origin.file))
    errors.raise_if_any()
