"""Numbers that probably stand for something else: −9999 among 20 to 30, or 1e39 among ordinary values."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bptrain.data.checks.base import Examined
from bptrain.data.column_statistics import ranges, sampled
from bptrain.data.table import ColumnBlock
from bptrain.errors import Warned, short
from bptrain.parts.types import Array

NINES = re.compile(r"-?9{2,}")
# What instruments and programs write for no value: limits of integers and floats, and the fill value of netCDF.
FILLS = (-32768, 32767, 65535, -(2**31), 2**31 - 1, 2**32 - 1, -(2**63), 2**63 - 1, 9.969209968386869e36)
POWER = re.compile(r"-?1e\+?(1\d|2\d|3\d)")  # 1e10 to 1e39, as a float prints
FAR = 1000.0  # times the range of the others: no usual distribution has a number that far from the next one
TWICE = 10.0  # the same for a usual sentinel that is there once
OTHERS = 3  # different values that there must be beside it
NAMED = 5


class Sentinel(NamedTuple):
    """A number at the end of a column, with what is beside it."""

    name: str
    value: float
    rows: int
    place: str  # of the first row
    low: float  # of the other numbers
    high: float

    def __str__(self) -> str:
        """The beginning of a sentence."""
        where = f"{self.rows:,} rows" if self.rows > 1 else self.place
        others = " to ".join(short(float(f"{bound:.6g}")) for bound in (self.low, self.high))
        return f"{self.name} is {short(self.value)} in {where}, its other numbers are {others}"


def sentinels(seen: Examined) -> Iterator[Warned]:
    """Numbers far from all others of their column, in inputs and in numeric targets."""
    amounts = seen.schema.numeric
    found = [one for one in of_block(seen, seen.features) if one.name in amounts]
    if seen.schema.target.kind == "values":
        found += of_block(seen, seen.target)
    if not found:
        return
    more = f"; and {len(found) - NAMED} more columns" if len(found) > NAMED else ""
    message = (
        f"{'; '.join(map(str, found[:NAMED]))}{more}. A number that stands for a missing value spoils the scaling and "
        f"the fit: make it missing (data.missing_markers: [default, '{short(found[0].value)}'], with data.missing), or "
        "correct it"
    )
    yield Warned("sentinel", message)


def of_block(seen: Examined, block: ColumnBlock) -> Iterator[Sentinel]:
    """The sentinels of each column; range and sample raise the suspicion, and all rows decide."""
    rows = seen.kept
    if not block.number_names or block.numbers.dtype.itemsize == 1:  # bytes, as of images
        return
    low, high = full_ranges(seen, block)
    for k, (name, sample) in enumerate(zip(block.number_names, sampled(block.numbers, rows), strict=True)):
        ordered = np.sort(sample)  # NaN last
        if suspicious(ordered) or beyond(float(low[k]), float(high[k]), ordered):
            yield from of_column(block, name, np.asarray(block.numbers[rows, k], dtype=np.float64), rows)


def full_ranges(seen: Examined, block: ColumnBlock) -> tuple[Array, Array]:
    """The least and the largest number of each column over all rows, of which those of training are known."""
    known = [seen.numbers[name] for name in block.number_names]
    low, high = np.array([one.low for one in known]), np.array([one.high for one in known])
    others = np.setdiff1d(seen.kept, seen.train, assume_unique=True)
    if len(others):
        least, most, _ = ranges(block.numbers, others)
        low, high = np.fmin(low, least), np.fmax(high, most)
    return low, high


def beyond(low: float, high: float, ordered: Array) -> bool:
    """Whether rows that are not in the sample have numbers as far outside it as it is wide."""
    there = ordered[~np.isnan(ordered)]
    if not len(there):
        return False
    width = there[-1] - there[0]
    return bool(high - there[-1] > width or there[0] - low > width)


def suspicious(ordered: Array) -> bool:
    """Whether the end of a sorted column lies as far from the rest as the rest is wide."""
    there = ordered[~np.isnan(ordered)]
    if len(there) < OTHERS + 1:
        return False
    low, high = there[0], there[-1]
    inner = there[np.searchsorted(there, low, side="right") : np.searchsorted(there, high)]
    if not len(inner):
        return False
    width = inner[-1] - inner[0]
    return bool(high - inner[-1] >= width or inner[0] - low >= width)


def of_column(block: ColumnBlock, name: str, column: Array, rows: Array) -> Iterator[Sentinel]:
    """What is at either end of a column and belongs to no range with the others."""
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    for _ in range(2):  # an end may hide that the other one is far
        if len(values) <= OTHERS:
            return
        ends = ((-1, values[-1], slice(None, -1)), (0, values[0], slice(1, None)))
        far = [
            (end, value, others)
            for end, value, others in ends
            if is_sentinel(float(value), values[others], int(counts[end]))
        ]
        for end, value, others in far:
            where = block.origin.place(int(rows[np.flatnonzero(column == value)[0]]))
            low, high = float(values[others][0]), float(values[others][-1])
            yield Sentinel(name, float(value), int(counts[end]), where, low, high)
        if not far:
            return
        keep = np.ones(len(values), bool)
        keep[[end for end, _, _ in far]] = False
        values, counts = values[keep], counts[keep]


def is_sentinel(value: float, others: Array, rows: int) -> bool:
    """Whether a number at the end of a column is far from the others, sorted; a usual sentinel need not be as far."""
    if len(others) < OTHERS:
        return False
    with np.errstate(over="ignore"):
        width = float(others[-1] - others[0])
        gap = float(value - others[-1]) if value > others[-1] else float(others[0] - value)
    usual = bool(NINES.fullmatch(short(value)) or POWER.fullmatch(short(value)) or value in FILLS)
    return gap >= FAR * width or (usual and gap >= width * (1.0 if rows > 1 else TWICE))
