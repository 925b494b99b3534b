"""Rows that come later compared with the training rows: how far each column has drifted, and what lies outside.

The figure is the population stability index (Siddiqi 2006): Σ_b (a_b − e_b) ln(a_b / e_b) over the bins b of a column,
with e_b the share of the training rows in a bin and a_b that of the new rows. It is 0 where the shares are equal; below
0.1 a column has hardly changed, above 0.25 it has changed much. The bins are those of the stored deciles or the stored
levels, one more is for levels that the training rows do not have, and one for missing cells.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.column_statistics import (
    LevelStatistics,
    NumberStatistics,
    Statistics,
    counts_in_bins,
)
from bptrain.data.table import ColumnBlock
from bptrain.errors import Warned, short
from bptrain.formats.problems import some_of
from bptrain.parts.types import Array

LEAST_SHARE = 1e-4  # of a bin: what counts for one that is empty, so that its logarithm exists
FURTHER = 10.0  # times the training range beyond its ends: what lies there is named, be it one row
NAMED = 5  # columns named in a warning


class ColumnDrift(NamedTuple):
    """One column of new rows, compared with the training rows."""

    name: str
    kind: str  # numeric | categorical
    psi: float  # the population stability index
    by_chance: float  # what it would be on average, did nothing change
    missing: float  # the share of the new rows
    missing_before: float  # that of the training rows
    outside: int = 0  # rows with a number outside the training range
    unknown: int = 0  # rows with a category that the training rows do not have
    unknown_levels: tuple[str, ...] = ()  # some of these

    def record(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**self._asdict(), "unknown_levels": list(self.unknown_levels)}


def population_stability(expected: Array, actual: Array) -> float:
    """Σ (a − e) ln(a/e) of two rows of counts, as shares of at least LEAST_SHARE."""
    e, a = (np.maximum(counts / counts.sum(), LEAST_SHARE) for counts in (expected, actual))
    return float(((a - e) * np.log(a / e)).sum())


def by_chance(expected: Array, actual: Array) -> float:
    """The mean of the index for rows drawn alike: (bins − 1) (1/N + 1/n), the scale of a χ² (Yurdakul 2018)."""
    bins = int(np.count_nonzero(expected + actual))
    return max(bins - 1, 0) * float(1 / expected.sum() + 1 / actual.sum())


def drift_of(statistics: Statistics, block: ColumnBlock) -> list[ColumnDrift]:
    """The drift of each column, the largest first."""
    found = []
    for name in block.names:
        if name in block.texts and name in statistics.levels:
            found.append(drift_of_levels(name, statistics.levels[name], block.texts[name]))
        elif name in block.number_names and name in statistics.numbers:
            column = np.asarray(block.number(name), dtype=np.float64)
            found.append(drift_of_numbers(name, statistics.numbers[name], column, statistics.rows))
    return sorted(found, key=lambda one: -one.psi)


def drift_of_numbers(name: str, before: NumberStatistics, column: Array, rows: int) -> ColumnDrift:
    """The drift of a column of numbers; the shares of the bins are those of the sampled training rows."""
    there = column[~np.isnan(column)]
    missing, counted = len(column) - len(there), sum(before.counts)
    # on the scale of the sample, whose values are counted
    gaps = before.missing * (counted / (rows - before.missing) if counted else 1.0)
    expected = np.array([*before.counts, gaps])
    actual = np.array([*counts_in_bins(there, before.edges), missing])
    outside = int(((there < before.low) | (there > before.high)).sum())
    return ColumnDrift(
        name,
        "numeric",
        population_stability(expected, actual),
        by_chance(expected, actual),
        missing / len(column),
        before.missing / rows,
        outside,
    )


def drift_of_levels(name: str, before: LevelStatistics, cells: Array) -> ColumnDrift:
    """The drift of a column of categories."""
    from collections import Counter

    counts = Counter(cells.tolist())
    missing = counts.pop(None, 0)
    known = [counts.pop(level, 0) for level in before.levels]
    unknown = sum(counts.values())
    expected = np.array([*before.levels.values(), before.others, before.missing])
    actual = np.array([*known, unknown, missing])
    rows = int(expected.sum())
    # of a column with more levels than are stored, those that are not may be known
    odd = 0 if before.others else unknown
    return ColumnDrift(
        name,
        "categorical",
        population_stability(expected, actual),
        by_chance(expected, actual),
        missing / len(cells),
        before.missing / rows,
        unknown=odd,
        unknown_levels=tuple(level for level, _ in counts.most_common(5)) if odd else (),
    )


def outside_range(
    statistics: Statistics, amounts: Collection[str], block: ColumnBlock, rows: Array, where: str
) -> list[Warned]:
    """A warning where more numbers of some rows lie outside the range of the training rows than chance explains.

    Of n rows drawn like N training rows, 2n/(N + 1) lie outside on average; a column is named where its count is beyond
    that by three standard deviations and one row, or where a number lies FURTHER times the range outside it.
    """
    n, N = len(rows), statistics.rows
    if not (n and N):
        return []
    usual = 2 * n / (N + 1)
    most = usual + 3 * math.sqrt(usual) + 1
    known = statistics.numbers
    found: dict[str, int] = {}
    anywhere = np.zeros(n, bool)
    for k, name in enumerate(block.number_names):
        if name not in known or name not in amounts:
            continue
        low, high = known[name].low, known[name].high
        column = block.numbers[rows, k]
        with np.errstate(invalid="ignore", over="ignore"):
            out = (column < low) | (column > high)
            if not out.any():
                continue
            width = FURTHER * (high - low)
            far = ((column < low - width) | (column > high + width)) & (width > 0)
        if out.sum() > most or far.any():
            found[name] = int(out.sum())
            anywhere |= out
    if not found:
        return []
    total = int(anywhere.sum())
    message = (
        f"{total:,} of {n:,} rows of {where} ({share(total, n)}) have numbers outside the range of the training rows: "
        f"{some_of(described(known, block, rows, found), NAMED)}; predictions there are guesses. Are the units the "
        "same?"
    )
    return [Warned("outside_training_range", message)]


def described(
    known: Mapping[str, NumberStatistics], block: ColumnBlock, rows: Array, found: Mapping[str, int]
) -> Iterable[str]:
    """Each column with its numbers and those of the training rows, the most rows first."""
    for name, n in sorted(found.items(), key=lambda pair: -pair[1]):
        column = block.number(name)[rows]
        now = f"{shown(np.nanmin(column))} to {shown(np.nanmax(column))}"
        yield f"{name} in {n:,} ({now}, in training {shown(known[name].low)} to {shown(known[name].high)})"


def shown(number: float) -> str:
    """A number to six digits."""
    return short(float(f"{number:.6g}"))


def share(part: int, whole: int) -> str:
    """A share in percent, in words that do not round something to nothing."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "less than 1 %"
    return f"{percent:.0f} %"
