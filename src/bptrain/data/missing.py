"""Missing cells: which rows they cost, and what stands in for them."""

import numpy as np

from bptrain.data.table import ColumnBlock, Table
from bptrain.errors import DataError, Problem
from bptrain.formats.problems import ErrorList, some_of
from bptrain.parts.types import Array

FILLS = ("mean", "median", "most_frequent", "constant")


def kept_rows(table: Table, drop: frozenset[str], filled: frozenset[str]) -> Array:
    """The numbers of the rows that stay.

    A row goes if it lacks a value in a column of `drop`; features in `filled` may lack theirs. Raises
    DataError for any other missing cell, and where no row stays.
    """
    kept = np.ones(table.features.rows, bool)
    faults = 0
    for block in table.blocks:
        for name, mask in block.missing():
            if name in drop:
                kept &= ~mask
            else:
                faults += block is not table.features or name not in filled
    if faults:
        _refuse_gaps(table, drop, filled, kept)
    if not kept.any():
        message = "no row is left: each lacks a value in some column whose data.missing is drop"
        raise DataError(Problem("no_rows", message, file=table.features.origin.file))
    return np.flatnonzero(kept)


def _refuse_gaps(table: Table, drop: frozenset[str], filled: frozenset[str], kept: Array) -> None:
    """Raises DataError for missing cells of rows that are kept, in columns that are not filled."""
    errors, counts = ErrorList(), []
    for block, (name, mask) in ((one, gaps) for one in table.blocks for gaps in one.missing()):
        if name in drop or (block is table.features and name in filled):
            continue
        what, ways = ("column", "drop, median, …") if block is table.features else ("target", "drop")
        what = "weight" if block is table.weight else "split column" if block is table.split else what
        message = f"{what} {name} has no value here: fill it in, or set data.missing ({ways})"
        rows = np.flatnonzero(mask & kept)
        errors.add_rows("missing_cell", block.origin, rows, message)
        counts.append(f"{name} {len(rows)}")
    errors.raise_if_any("in all: " + some_of(counts))


def fill_of_number(policy: str, values: Array) -> float:
    """What stands in for a missing number, by the values that the training rows have, at least one.

    Of several most frequent numbers it is the smallest. A constant is not asked for here: the config gives it.
    """
    if policy == "mean":
        return float(values.mean(dtype=np.float64))
    if policy == "median":
        return float(np.median(values.astype(np.float64)))
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])


def fill_of_text(block: ColumnBlock, name: str, rows: Array) -> str:
    """The most frequent category of the training rows, the first by code point of several."""
    counts = block.texts[name][rows].counts()
    return min((text for text in counts if text is not None), key=lambda text: (-counts[text], text))
