"""What the training rows hold, column by column: the range, the shares of ten bins, the counts of levels, and what is
missing. It is kept with the schema, so that rows that come later can be compared with them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.table import ColumnBlock, chunks
from bptrain.data.text_cells import TextCells
from bptrain.parts.types import Array

SAMPLED = 10_000  # training rows, evenly spaced, whose quantiles are taken; range and missing cells are those of all
TOGETHER = 64  # columns whose samples are taken together, so that those of a wide table are not all in memory
DECILES = np.arange(1, 10) / 10
MOST_LEVELS = 1000  # of a column that are counted one by one, the most frequent ones


class NumberStatistics(NamedTuple):
    """A column of numbers. Bin k holds what is above edge k − 1 and up to edge k; the outer bins have no bound."""

    missing: int
    low: float  # NaN where no row has a value
    high: float
    edges: tuple[float, ...]  # the deciles without repetitions, to 6 digits
    counts: tuple[int, ...]  # of the sampled values in the bins, one more than there are edges


class LevelStatistics(NamedTuple):
    """A column of categories."""

    missing: int
    levels: Mapping[str, int]  # category -> rows, the most frequent first
    others: int = 0  # rows of the categories beyond MOST_LEVELS


class Statistics(NamedTuple):
    """The training rows."""

    rows: int = 0  # 0: a schema of a version that kept none
    numbers: Mapping[str, NumberStatistics] = {}
    levels: Mapping[str, LevelStatistics] = {}

    def with_targets(self, targets: "Statistics") -> "Statistics":
        """These, and those of the target columns of the same rows."""
        return Statistics(self.rows, {**self.numbers, **targets.numbers}, {**self.levels, **targets.levels})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types: one list per field over the columns of numbers, which may be many."""
        kept = self.numbers.values()
        return {
            "rows": self.rows,
            "numbers": {
                "names": list(self.numbers),
                "missing": [one.missing for one in kept],
                "low": [None if one.low != one.low else one.low for one in kept],
                "high": [None if one.high != one.high else one.high for one in kept],
                "edges": [list(one.edges) for one in kept],
                "counts": [list(one.counts) for one in kept],
            },
            "levels": {
                name: {
                    "missing": one.missing,
                    "counts": list(map(list, one.levels.items())),
                    "others": one.others,
                }
                for name, one in self.levels.items()
            },
        }

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> "Statistics":
        """The statistics that `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        numbers = json["numbers"]
        fields = ("names", "missing", "low", "high", "edges", "counts")
        return cls(
            int(json["rows"]),
            {
                name: NumberStatistics(
                    int(missing), number_or_nan(low), number_or_nan(high), tuple(edges), tuple(counts)
                )
                for name, missing, low, high, edges, counts in zip(
                    *(numbers[field] for field in fields), strict=True
                )
            },
            {
                name: LevelStatistics(int(one["missing"]), dict(one["counts"]), int(one["others"]))
                for name, one in json["levels"].items()
            },
        )


def number_or_nan(value: float | None) -> float:
    """A number of JSON, NaN for null."""
    return float("nan") if value is None else float(value)


def statistics_of(block: ColumnBlock, rows: Array) -> Statistics:
    """The statistics of these rows of a block."""
    names = block.number_names
    numbers: dict[str, NumberStatistics] = {}
    if names:
        low, high, missing = ranges(block.numbers, rows)
        for k, values in enumerate(sampled(block.numbers, rows)):
            edges, counts = bins_of(values[~np.isnan(values)])
            numbers[names[k]] = NumberStatistics(
                int(missing[k]), float(low[k]), float(high[k]), edges, counts
            )
    return Statistics(
        len(rows), numbers, {name: level_statistics(cells[rows]) for name, cells in block.texts.items()}
    )


def ranges(numbers: Array, rows: Array) -> tuple[Array, Array, Array]:
    """The least and the largest number of each column over some rows, and how many are missing; NaN of none."""
    k = numbers.shape[1]
    low, high, missing = np.full(k, np.nan), np.full(k, np.nan), np.zeros(k, np.int64)
    floating = numbers.dtype.kind == "f"
    for part in chunks(len(rows), k):
        found = numbers[rows[part]]
        low, high = np.fmin(low, np.fmin.reduce(found)), np.fmax(high, np.fmax.reduce(found))
        if floating:
            missing += np.isnan(found).sum(axis=0)
    return low, high, missing


def sampled(numbers: Array, rows: Array) -> Iterator[Array]:
    """Of each column, the numbers of at most SAMPLED of these rows, evenly spaced, as float64 in one piece."""
    n = len(rows)
    chosen = rows if n <= SAMPLED else rows[np.arange(SAMPLED) * n // SAMPLED]
    for begin in range(0, numbers.shape[1], TOGETHER):
        for column in numbers[chosen, begin : begin + TOGETHER].T:
            yield np.ascontiguousarray(column, dtype=np.float64)


def bins_of(values: Array) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The edges of the bins of some numbers, and how many of these fall in each."""
    if not len(values):
        return (), (0,)
    ordered = np.sort(values)
    deciles = ordered[np.ceil(DECILES * len(ordered)).astype(np.int64) - 1]
    edges = np.array(sorted({float(f"{value:.6g}") for value in deciles.tolist()}))
    up_to = np.searchsorted(ordered, edges, side="right")
    return tuple(edges.tolist()), tuple(np.diff(up_to, prepend=0, append=len(ordered)).tolist())


def counts_in_bins(values: Array, edges: tuple[float, ...]) -> Array:
    """How many of some numbers fall in each bin."""
    return np.bincount(np.searchsorted(np.array(edges), values, side="left"), minlength=len(edges) + 1)


def level_statistics(cells: TextCells) -> LevelStatistics:
    """The counts of the categories of a column."""
    counts = cells.counts()
    missing = counts.get(None, 0)
    there = [(text, n) for text, n in counts.items() if text is not None]
    ordered = sorted(there, key=lambda pair: (-pair[1], pair[0]))
    others = sum(n for _, n in ordered[MOST_LEVELS:])
    return LevelStatistics(missing, dict(ordered[:MOST_LEVELS]), others)
