"""A row below a table, or above it, that holds the totals of the others."""

import re
from collections.abc import Iterator

import numpy as np

from bptrain.data.checks.base import Examined
from bptrain.data.table import ColumnBlock, chunks
from bptrain.errors import Warned
from bptrain.parts.types import Array

WORDS = re.compile(
    r"(grand |sub ?)?totals?|sum|all|overall|average|mean|insgesamt|gesamt|summe", re.IGNORECASE
)
CLOSE = 1e-6  # of the sum of the absolute values
FEWEST_ROWS = 4
FEWEST_COLUMNS = 2  # of numbers that are all sums, where no cell says so


def total_row(seen: Examined) -> Iterator[Warned]:
    """The first or the last row, where it is the sum of the others, or says that it is a total and is one somewhere."""
    kept = seen.kept
    if len(kept) < FEWEST_ROWS:
        return
    blocks = [block for block in (seen.features, seen.target) if block.number_names]
    for row in (int(kept[-1]), int(kept[0])):
        word = word_of(seen.features, row, kept[kept != row])
        if word is None and not all(sticks_out(block, row, seen.sample) for block in blocks):
            continue
        found = np.array([agreeing(block, row, kept[kept != row]) for block in blocks] or [(0, 0, 0)])
        sums, means, columns = found.sum(axis=0).tolist()
        best = max(sums, means)
        if (word is not None and (best > 0 or columns == 0)) or (sums == columns >= FEWEST_COLUMNS):
            says = f" says {word!r} and" if word is not None else ""
            what = "sum" if sums >= means else "mean"
            message = (
                f"{seen.features.origin.place(row)} of {seen.features.origin.file}{says} holds the {what} of the other "
                f"rows in {best} of {columns} columns of numbers: delete that line from the file"
            )
            yield Warned("total_row", message)
            return


def word_of(block: ColumnBlock, row: int, others: Array) -> str | None:
    """A cell of the row that says it is a total, and that no other row has."""
    for cells in block.texts.values():
        cell = cells[row]
        if isinstance(cell, str) and WORDS.fullmatch(cell.strip()) and cell not in cells[others]:
            return cell
    return None


def sticks_out(block: ColumnBlock, row: int, sample: Array) -> bool:
    """Whether no number of a row is smaller than those of the sample, its sign aside, as that of a sum is not."""
    others = np.abs(block.numbers[sample[sample != row]].astype(np.float64))
    own = np.abs(block.numbers[row].astype(np.float64))
    return bool((own >= np.fmax.reduce(others)).all()) if len(others) else False


def agreeing(block: ColumnBlock, row: int, others: Array) -> tuple[int, int, int]:
    """In how many columns a row is the sum of the others, in how many their mean, and how many change at all."""
    own = block.numbers[row].astype(np.float64)
    k = block.numbers.shape[1]
    total, size, count = np.zeros(k), np.zeros(k), np.zeros(k)
    low, high = np.full(k, np.inf), np.full(k, -np.inf)
    with np.errstate(all="ignore"):
        for part in chunks(len(others), k):
            numbers = block.numbers[others[part]].astype(np.float64)
            total += np.nansum(numbers, axis=0)
            size += np.nansum(np.abs(numbers), axis=0)
            count += (~np.isnan(numbers)).sum(axis=0)
            low, high = np.fmin(low, np.fmin.reduce(numbers)), np.fmax(high, np.fmax.reduce(numbers))
        changes = (high > low) & (size > 0)
        sums = np.abs(own - total) <= CLOSE * size
        means = np.abs(own - total / count) <= CLOSE * size / count
    return int((sums & changes).sum()), int((means & changes).sum()), int(changes.sum())
