"""Numbers outside the range of the training rows: where a model only guesses."""

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from bptrain.data.column_statistics import Statistics, ranges
from bptrain.data.table import ColumnBlock
from bptrain.errors import Warned, short
from bptrain.formats.problems import some_of
from bptrain.parts.types import Array

FURTHER = 10.0  # times the training range beyond its ends: what lies there is named, be it one row
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

    def add(self, block: ColumnBlock, rows: Array) -> None:
        """Looks at these rows of a block."""
        known = self.statistics.numbers
        self.rows += len(rows)
        places = [k for k, name in enumerate(block.number_names) if name in known and name in self._amounts]
        if not (places and len(rows)):
            return
        low, high, _ = ranges(block.numbers, rows)
        beyond = []
        for k in places:
            name = block.number_names[k]
            before, least, most = self._found.get(name, Outside()), known[name].low, known[name].high
            now = before._replace(
                low=float(np.fmin(before.low, low[k])), high=float(np.fmax(before.high, high[k]))
            )
            if low[k] < least or high[k] > most:
                width = FURTHER * (most - least)
                far = width > 0 and bool(low[k] < least - width or high[k] > most + width)
                now = now._replace(
                    rows=before.rows + int(self._outside(block, k, rows).sum()), far=before.far or far
                )
                beyond.append(k)
            self._found[name] = now
        named = self._named()
        anywhere = np.zeros(len(rows), bool)
        for k in beyond:
            if block.number_names[k] in named:
                anywhere |= self._outside(block, k, rows)
        self._anywhere += int(anywhere.sum())

    def _outside(self, block: ColumnBlock, k: int, rows: Array) -> Array:
        """Which of some rows are outside in a column of numbers, true and false."""
        known = self.statistics.numbers[block.number_names[k]]
        column = block.numbers[rows, k]
        outside: Array = (column < known.low) | (column > known.high)
        return outside

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


def outside_range(
    statistics: Statistics, amounts: Collection[str], block: ColumnBlock, rows: Array, where: str
) -> list[Warned]:
    """The warning about these rows of a block, if there is one."""
    found = OutsideRange(statistics, amounts)
    found.add(block, rows)
    return found.warnings(where)


def shown(number: float) -> str:
    """A number to six digits."""
    return short(float(f"{number:.6g}"))


def share(part: int, whole: int) -> str:
    """A share in percent, in words that do not round something to nothing."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "less than 1 %"
    return f"{percent:.0f} %"
