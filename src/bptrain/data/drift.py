"""Rows that come later compared with the training rows: how far each column has drifted, and what lies outside.

The figure is the population stability index (Siddiqi 2006): Σ_b (a_b − e_b) ln(a_b / e_b) over the bins b of a column,
with e_b the share of the training rows in a bin and a_b that of the new rows. It is 0 where the shares are equal; below
0.1 a column has hardly changed, above 0.25 it has changed much. The bins are those of the stored deciles or the stored
levels, one more is for levels that the training rows do not have, and one for missing cells.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.column_statistics import (
    LevelStatistics,
    NumberStatistics,
    Statistics,
    counts_in_bins,
)
from bptrain.data.table import ColumnBlock
from bptrain.data.text_cells import TextCells
from bptrain.parts.types import Array

LEAST_SHARE = 1e-4  # of a bin: what counts for one that is empty, so that its logarithm exists
REMEMBERED = 10_000  # different unknown levels of a column, of rows that come piece by piece


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
    """The mean of the index for rows drawn alike: (bins − 1) (1/N + 1/n), as of chi-squared (Yurdakul 2018)."""
    bins = int(np.count_nonzero(expected + actual))
    return max(bins - 1, 0) * float(1 / expected.sum() + 1 / actual.sum())


class DriftCounts:
    """The drift of the columns of rows that come piece by piece."""

    def __init__(self, statistics: Statistics) -> None:
        self.statistics, self.rows = statistics, 0
        self._numbers: dict[str, NumberCounts] = {}
        self._levels: dict[str, Counter[str | None]] = {}

    def add(self, block: ColumnBlock) -> None:
        """Counts the rows of a block."""
        known = self.statistics
        self.rows += block.rows
        for name in block.names:
            if name in block.texts and name in known.levels:
                counts = self._levels.setdefault(name, Counter())
                counts.update(block.texts[name].counts())
                if len(counts) > len(known.levels[name].levels) + 2 * REMEMBERED:
                    forget_rare(counts, known.levels[name])
            elif name in block.number_names and name in known.numbers:
                column = np.asarray(block.number(name), dtype=np.float64)
                found = counts_of_numbers(known.numbers[name], column)
                before = self._numbers.get(name)
                self._numbers[name] = found if before is None else before.and_of(found)

    def columns(self) -> list[ColumnDrift]:
        """The drift of each column, the largest first."""
        known, rows = self.statistics, self.rows
        numbers = [
            drift_of_counts(name, known.numbers[name], counts, rows, known.rows)
            for name, counts in self._numbers.items()
        ]
        levels = [
            drift_of_level_counts(name, known.levels[name], counts, rows)
            for name, counts in self._levels.items()
        ]
        return sorted((*numbers, *levels), key=lambda one: -one.psi)


def forget_rare(counts: Counter[str | None], known: LevelStatistics) -> None:
    """Counts the unknown levels but for the most frequent ones together, as "", which no cell is."""
    unknown = [level for level, _ in counts.most_common() if level and level not in known.levels]
    counts[""] += sum(map(counts.pop, unknown[REMEMBERED:]))


class NumberCounts(NamedTuple):
    """A column of numbers of some rows, beside the training rows."""

    bins: Array  # rows in the stored bins
    missing: int
    outside: int  # of the training range

    def and_of(self, more: "NumberCounts") -> "NumberCounts":
        """The counts of both."""
        return NumberCounts(self.bins + more.bins, self.missing + more.missing, self.outside + more.outside)


def counts_of_numbers(before: NumberStatistics, column: Array) -> NumberCounts:
    """The counts of a column."""
    there = column[~np.isnan(column)]
    outside = int(((there < before.low) | (there > before.high)).sum())
    return NumberCounts(counts_in_bins(there, before.edges), len(column) - len(there), outside)


def drift_of(statistics: Statistics, block: ColumnBlock) -> list[ColumnDrift]:
    """The drift of each column, the largest first."""
    counts = DriftCounts(statistics)
    counts.add(block)
    return counts.columns()


def drift_of_numbers(name: str, before: NumberStatistics, column: Array, rows: int) -> ColumnDrift:
    """The drift of a column of numbers, beside so many training rows."""
    return drift_of_counts(name, before, counts_of_numbers(before, column), len(column), rows)


def drift_of_counts(
    name: str, before: NumberStatistics, counts: NumberCounts, now: int, rows: int
) -> ColumnDrift:
    """The same of `now` rows by their counts; the shares of the bins are those of the sampled training rows."""
    counted = sum(before.counts)
    # on the scale of the sample, whose values are counted
    gaps = before.missing * (counted / (rows - before.missing) if counted else 1.0)
    expected = np.array([*before.counts, gaps])
    actual = np.array([*counts.bins, counts.missing])
    return ColumnDrift(
        name,
        "numeric",
        population_stability(expected, actual),
        by_chance(expected, actual),
        counts.missing / now,
        before.missing / rows,
        counts.outside,
    )


def drift_of_levels(name: str, before: LevelStatistics, cells: TextCells) -> ColumnDrift:
    """The drift of a column of categories."""
    return drift_of_level_counts(name, before, cells.counts(), len(cells))


def drift_of_level_counts(
    name: str, before: LevelStatistics, found: Mapping[str | None, int], now: int
) -> ColumnDrift:
    """The same of `now` rows by the counts of their categories; None is a missing cell."""
    counts = Counter(found)
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
        missing / now,
        before.missing / rows,
        unknown=odd,
        unknown_levels=tuple(level for level, _ in counts.most_common(6) if level)[:5] if odd else (),
    )
