"""Numbers outside the range of the training rows: where a model only guesses."""

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.column_statistics import Statistics
from bptrain.data.table import ColumnBlock, chunks
from bptrain.errors import Warned, short
from bptrain.formats.problems import some_of
from bptrain.parts.types import Array

FURTHER = 10.0  # times the training range beyond its ends: what lies there is named, be it one row
FOLD = 64  # rows that are compared together
NAMED = 5  # columns named in a warning


class Outside(NamedTuple):
    """The numbers of a column that lie outside."""

    rows: int = 0
    far: bool = False  # whether one is FURTHER times the range outside
    low: float = math.nan  # of all rows
    high: float = math.nan


class OutsideRange:
    """The numbers of some rows that lie outside the range of the training rows, piece by piece."""

    def __init__(self, statistics: Statistics, amounts: Collection[str]) -> None:
        self.statistics, self._amounts = statistics, amounts
        self.rows = 0
        self._anywhere = 0  # rows with such a number in a column that was named when they came
        self._found: dict[str, Outside] = {}

    def add(self, block: ColumnBlock, rows: Array | None = None) -> None:
        """Looks at these rows of a block (default: all)."""
        known = self.statistics.numbers
        places = [k for k, name in enumerate(block.number_names) if name in known and name in self._amounts]
        n = block.rows if rows is None else len(rows)
        self.rows += n
        if not (places and n):
            return
        names = [block.number_names[k] for k in places]
        least = np.array([known[name].low for name in names])
        most = np.array([known[name].high for name in names])
        width = FURTHER * (most - least)
        in_order = places == [*range(block.numbers.shape[1])]
        low, high = np.full(len(names), np.nan), np.full(len(names), np.nan)
        counts = np.zeros(len(names), np.int64)
        bounds = bounds_in(least, most, block.numbers.dtype)
        for part in chunks(n, len(names)):
            found = block.numbers[part if rows is None else rows[part]]
            found = found if in_order else found[:, places]
            for some in folded(found):
                folds = -1, len(names)
                low = np.fmin(low, np.fmin.reduce(np.fmin.reduce(some).reshape(folds)))
                high = np.fmax(high, np.fmax.reduce(np.fmax.reduce(some).reshape(folds)))
            if (low < least).any() or (high > most).any():
                counts += np.bincount(outside_of(found, *bounds) % len(names), minlength=len(names))
        far = (width > 0) & ((low < least - width) | (high > most + width))
        for k, name in enumerate(names):
            before = self._found.get(name, Outside())
            self._found[name] = Outside(
                before.rows + int(counts[k]),
                before.far or bool(far[k]),
                float(np.fmin(before.low, low[k])),
                float(np.fmax(before.high, high[k])),
            )
        named = self._named()
        chosen = [k for k, name in enumerate(names) if name in named]
        if chosen:
            within = (bound[chosen] for bound in bounds)
            self._anywhere += _rows_outside(block, rows, [places[k] for k in chosen], *within)

    def _named(self) -> dict[str, Outside]:
        """The columns that a warning names: of n rows drawn like N training rows, 2n/(N + 1) lie outside on average.

        A column is named where its count is beyond that by three standard deviations and one row, or where a number
        lies FURTHER times the range outside it.
        """
        n, N = self.rows, self.statistics.rows
        if not (n and N):
            return {}
        usual = 2 * n / (N + 1)
        most = usual + 3 * math.sqrt(usual) + 1
        return {name: one for name, one in self._found.items() if one.rows > most or one.far}

    def warnings(self, where: str) -> list[Warned]:
        """A warning where more numbers lie outside than chance explains."""
        named, n = self._named(), self.rows
        if not named:
            return []
        known = self.statistics.numbers
        described = [
            f"{name} in {one.rows:,} ({shown(one.low)} to {shown(one.high)}, in training {shown(known[name].low)} to "
            f"{shown(known[name].high)})"
            for name, one in sorted(named.items(), key=lambda pair: -pair[1].rows)
        ]
        # of rows that came before a column was named, those that are outside in that one are not known
        total = max(self._anywhere, max(one.rows for one in named.values()))
        message = (
            f"{total:,} of {n:,} rows of {where} ({share(total, n)}) have numbers outside the range of the training "
            f"rows: {some_of(described, NAMED)}; predictions there are guesses. Are the units the same?"
        )
        return [Warned("outside_training_range", message)]


def folded(numbers: Array) -> list[Array]:
    """The rows of N × k numbers, FOLD of them as one of FOLD · k, and what is left of them, both as views.

    What is done column by column takes a fraction of the time where there are many columns.
    """
    n, k = numbers.shape
    whole = n // FOLD * FOLD if numbers.flags.c_contiguous else 0
    parts = [numbers[:whole].reshape(-1, FOLD * k), numbers[whole:]]
    return [part for part in parts if len(part)]


def outside_of(numbers: Array, low: Array, high: Array) -> Array:
    """The places of N × k numbers, counted row by row, that are outside the bounds of their column."""
    found, begin = [], 0
    for part in folded(numbers):
        times = part.shape[1] // len(low)
        found.append(begin + np.flatnonzero((part < np.tile(low, times)) | (part > np.tile(high, times))))
        begin += part.size
    return np.concatenate(found)


def bounds_in(least: Array, most: Array, dtype: DTypeLike) -> tuple[Array, Array]:
    """The innermost bounds in a type of floats, which the same numbers of this type exceed; others as they are.

    Numbers that are compared in their own type are compared several times faster.
    """
    if np.dtype(dtype).kind != "f":
        return least, most
    with np.errstate(over="ignore"):
        low, high = least.astype(dtype), most.astype(dtype)
    up, down = np.array(np.inf, dtype), np.array(-np.inf, dtype)
    return (
        np.where(low < least, np.nextafter(low, up), low),
        np.where(high > most, np.nextafter(high, down), high),
    )


def outside_range(
    statistics: Statistics, amounts: Collection[str], block: ColumnBlock, rows: Array, where: str
) -> list[Warned]:
    """The warning about these rows of a block, if there is one."""
    found = OutsideRange(statistics, amounts)
    found.add(block, rows)
    return found.warnings(where)


def _rows_outside(block: ColumnBlock, rows: Array | None, places: list[int], low: Array, high: Array) -> int:
    """How many of these rows have a number outside the bounds of its column, of those in these places."""
    found = 0
    for part in chunks(block.rows if rows is None else len(rows), len(places)):
        numbers = block.numbers[part if rows is None else rows[part]][:, places]
        found += int(((numbers < low) | (numbers > high)).any(axis=1).sum())
    return found


def shown(number: float) -> str:
    """A number to six digits."""
    return short(float(f"{number:.6g}"))


def share(part: int, whole: int) -> str:
    """A share in percent, in words that do not round something to nothing."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "less than 1 %"
    return f"{percent:.0f} %"
