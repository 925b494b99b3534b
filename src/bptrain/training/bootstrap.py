"""How far figures would differ with other rows of the same kind: the bootstrap (Efron & Tibshirani 1993).

As many rows as there are, or groups of rows that belong together, are drawn with replacement, REPLICATES times, and
each figure is worked out on the rows drawn. Most figures are functions of sums over rows; then a replicate is a product
of counts with the sums of each row. Of more than UNITS rows or groups, UNITS random pools of equally many are drawn, so
neither time nor memory grow with them beyond one pass. Figures that are no function of sums are worked out on UNITS
rows drawn, and their spread is scaled to the number that there is (m out of n; Bickel, Götze & van Zwet 1997).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple, TypeVar

import numpy as np

from bptrain.mapped_rows import IN_MEMORY, Room, numbered
from bptrain.parts.metrics import Summed, Units
from bptrain.parts.random import stream
from bptrain.parts.types import Array

REPLICATES = 1000
UNITS = 10_000  # at most, that are drawn by themselves
NUMBERS = 1 << 21  # counts in memory at a time
TABLE = 1 << 23  # sums of all units in memory
LEVEL = 0.95
DEFINED = 0.9  # the least share of replicates that must have a figure
NORMAL = NormalDist()

Ends = tuple[float, float]
Name = TypeVar("Name")


class Drawn(NamedTuple):
    """A figure, and what it is on resampled rows; a figure with one value per class has a further axis K."""

    value: Array  # at all rows
    replicates: Array  # R × …
    units: int  # that are drawn
    left_out: Array | None = None  # B × …: without one unit

    def minus(self, other: "Drawn") -> "Drawn":
        """The difference of two figures on the same rows drawn."""
        left_out = None
        if self.left_out is not None and other.left_out is not None:
            left_out = self.left_out - other.left_out
        return Drawn(self.value - other.value, self.replicates - other.replicates, self.units, left_out)


class Sampling(NamedTuple):
    """Which rows are drawn together, and by which random numbers."""

    rows: int  # N
    seed: int
    groups: Array | None = None  # the number of each row's group, N; None: each row by itself
    room: Room = IN_MEMORY  # for the numbers of rows

    def units(self, weight: Array | None = None, width: int = 1) -> Units:
        """The units whose sums are kept, `width` numbers each; what belongs to many groups is pooled at random."""
        number, count = self._numbered()
        most = min(UNITS, max(UNITS // 50, TABLE // max(width, 1)))
        if count > most:
            pools = numbered(count, self.room)
            stream(self.seed, "units").shuffle(pools)  # which is what `permutation` does
            pools %= most
            number, count = pools if self.groups is None else pools[number], most
        return Units(number, count, weight)

    def draws(self) -> "Draws":
        """How rows are drawn for figures that are no function of sums."""
        number, count = self._numbered()
        m = min(count, UNITS)

        def units(k: int) -> Array:
            return stream(self.seed, "bootstrap", epoch=1, step=k).integers(0, count, m)

        if self.groups is None:
            return Draws(units, m, math.sqrt(m / count))
        order = np.argsort(number, kind="stable")
        starts = np.searchsorted(number[order], np.arange(count + 1))
        sizes = np.diff(starts)

        def rows(k: int) -> Array:
            """The rows of the units drawn, one unit behind the other; without a loop over ten thousand units."""
            drawn = units(k)
            before = np.cumsum(sizes[drawn]) - sizes[drawn]
            places = np.repeat(starts[drawn] - before, sizes[drawn])
            return order[places + np.arange(len(places))]

        return Draws(rows, m, math.sqrt(m / count))

    def _numbered(self) -> tuple[Array, int]:
        if self.groups is None:
            return numbered(self.rows, self.room), self.rows
        names, number = np.unique(self.groups, return_inverse=True)
        return number.reshape(-1), len(names)


class Draws(NamedTuple):
    """Rows drawn one replicate at a time."""

    rows: Callable[[int], Array]  # of the k-th replicate, as numbers
    units: int  # that are drawn
    factor: float  # what the spread of figures of these is to be multiplied by


def resampled_sums(figures: Sequence[Summed], seed: int) -> list[Drawn]:
    """Figures that are functions of sums, all on the same rows drawn."""
    tables = [figure.table for figure in figures]
    ends = np.cumsum([0, *(table.shape[1] for table in tables)]).tolist()
    together = np.hstack(tables).astype(np.float64)
    count = len(together)
    sums = np.empty((REPLICATES, together.shape[1]))
    rng, step = stream(seed, "bootstrap"), max(1, NUMBERS // count)
    with np.errstate(all="ignore"):
        for a in range(0, REPLICATES, step):
            replicates = min(step, REPLICATES - a)
            units = rng.integers(0, count, (replicates, count)) + count * np.arange(replicates)[:, None]
            counts = np.bincount(units.ravel(), minlength=replicates * count).reshape(replicates, count)
            sums[a : a + replicates] = counts.astype(np.float64) @ together
        total = together.sum(axis=0)
        return [
            Drawn(
                np.asarray(figure.value(total[a:b])),
                figure.value(sums[:, a:b]),
                count,
                figure.value(total[a:b] - together[:, a:b]) if count > 1 else None,
            )
            for figure, a, b in zip(figures, ends[:-1], ends[1:], strict=True)
        ]


def resampled_rows(figures: Mapping[Name, Callable[[Array], Array]], sampling: Sampling) -> dict[Name, Drawn]:
    """Figures of rows, given by their numbers, all on the same rows drawn."""
    if not figures:
        return {}
    draws, every = sampling.draws(), np.arange(sampling.rows)
    with np.errstate(all="ignore"):
        values = {name: np.asarray(figure(every)) for name, figure in figures.items()}
        replicates = {name: np.empty((REPLICATES, *value.shape)) for name, value in values.items()}
        for k in range(REPLICATES):
            drawn = draws.rows(k)
            for name, figure in figures.items():
                replicates[name][k] = figure(drawn)
        return {
            name: Drawn(value, value + draws.factor * (replicates[name] - value), draws.units)
            for name, value in values.items()
        }


def interval(drawn: Drawn, level: float = LEVEL) -> list[Ends | None]:
    """The ends of each value of a figure; None where the rows do not tell: they do not vary in it, or it is undefined.

    Bias-corrected and accelerated percentiles (BCa; Efron 1987), expanded for few units (Hesterberg 2015); without the
    correction where the figure is no function of sums.
    """
    values = np.atleast_1d(drawn.value)
    replicates = drawn.replicates.reshape(len(drawn.replicates), -1)
    left_out = None if drawn.left_out is None else drawn.left_out.reshape(len(drawn.left_out), -1)
    z = expanded(drawn.units, level)
    return [
        ends_of(float(value), replicates[:, k], None if left_out is None else left_out[:, k], z)
        for k, value in enumerate(values)
    ]


def expanded(units: int, level: float) -> float:
    """√(n / (n − 1)) t, with Student's t of n − 1 degrees of freedom, in place of the normal quantile z.

    t by its series in 1/ν (Fisher & Cornish 1960), which is within 1 % from ν = 3 on for 95 %.
    """
    z, v = NORMAL.inv_cdf((1.0 + level) / 2), max(units - 1, 1)
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    return t * math.sqrt(1.0 + 1.0 / v)


def ends_of(value: float, replicates: Array, left_out: Array | None, z: float) -> Ends | None:
    """The interval of one figure, between the shares Φ(−z) and Φ(z) of its replicates."""
    there = replicates[np.isfinite(replicates)]
    if not math.isfinite(value) or len(there) < DEFINED * len(replicates):
        return None
    least = 1e-12 * max(abs(value), 1e-300)
    if there.max() - there.min() <= least:
        return None
    bias, acceleration = (0.0, 0.0) if left_out is None else corrections(value, there, left_out)
    shares = [NORMAL.cdf(bias + (bias + sided) / (1.0 - acceleration * (bias + sided))) for sided in (-z, z)]
    low, high = np.quantile(there, shares).tolist()
    return (low, high) if high - low > least else None


def corrections(value: float, replicates: Array, left_out: Array) -> tuple[float, float]:
    """z_0, the bias, and the acceleration a of the ends Φ(z_0 + (z_0 + z) / (1 − a (z_0 + z))).

    z_0 = Φ⁻¹ of the share of replicates below the value; a = Σ d³ / (6 (Σ d²)^(3/2)), with d the mean of the values
    without one unit each, less each of these.
    """
    below = (np.count_nonzero(replicates < value) + np.count_nonzero(replicates <= value)) / 2
    bias = NORMAL.inv_cdf(min(max(below, 0.5), len(replicates) - 0.5) / len(replicates))
    there = left_out[np.isfinite(left_out)]
    d = there.mean() - there if len(there) else there
    size = float((d * d).sum())
    return bias, float((d**3).sum()) / (6.0 * size**1.5) if size > 0 else 0.0


def wilson(share: float, n: float, level: float = LEVEL) -> Ends | None:
    """The interval of a share of n independent rows (Wilson 1927), which knows more than [1, 1] where it is 1."""
    if not (n > 0 and math.isfinite(share)):
        return None
    z = NORMAL.inv_cdf((1.0 + level) / 2)
    middle, shrunk = (share + z * z / (2 * n)), 1.0 + z * z / n
    half = z * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / shrunk), min(1.0, (middle + half) / shrunk)
