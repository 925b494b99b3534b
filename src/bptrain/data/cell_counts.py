"""What happens to cells, in words: which are filled in and which cost their row, in few lines for a wide table too."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from bptrain.data.features import Feature
from bptrain.data.table import ColumnBlock, Table
from bptrain.errors import Warned, short
from bptrain.parts.types import Array

COLUMNS = 6  # that a line names
LINES = 5  # of warnings with one name


def named(counts: Mapping[str, int], more: Mapping[str, str] | None = None) -> str:
    """Columns with their counts, the largest first: "age 177 (28), embarked 2 (S) and 3 more columns"."""
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    said = [f"{name} {n:,}{(more or {}).get(name, '')}" for name, n in ordered[:COLUMNS]]
    left = len(ordered) - len(said)
    return ", ".join(said) + (f" and {left} more column{'' if left == 1 else 's'}" if left else "")


def dropped_rows(table: Table, kept: Array, drop: frozenset[str]) -> Iterator[str]:
    """The line about rows that are left out, with the columns whose cells are missing; none where all are kept."""
    n, N = table.features.rows - len(kept), table.features.rows
    if not n:
        return
    counts: dict[str, int] = {}
    for block in table.blocks:
        counts |= {name: int(mask.sum()) for name, mask in block.missing() if name in drop}
    yield f"{n:,} of {N:,} rows dropped from {table.features.origin.file}: no value in {named(counts)}"


def filled_cells(block: ColumnBlock, rows: Array, features: Sequence[Feature]) -> Iterator[str]:
    """The line about cells of these rows that are filled in, per column with what stands there; none where none is."""
    yield from said_of_filled(counts_of_filled(block, rows, features), features, block.origin.file)


def counts_of_filled(block: ColumnBlock, rows: Array, features: Sequence[Feature]) -> Counter[str]:
    """How many cells of these rows are filled in, per column where there are such."""
    counts: Counter[str] = Counter()
    fills = {feature.name for feature in features if feature.fill is not None}
    for name, mask in block.missing() if fills else ():
        n = int(np.count_nonzero(mask[rows]))
        if n and name in fills:
            counts[name] = n
    return counts


def said_of_filled(counts: Mapping[str, int], features: Sequence[Feature], file: str) -> Iterator[str]:
    """The same line by the counts."""
    if not counts:
        return
    by = {
        one.name: f" ({short(float(f'{one.fill:.6g}') if isinstance(one.fill, float) else one.fill)})"
        for one in features
        if one.fill is not None
    }
    total = sum(counts.values())
    yield f"{total:,} cell{'' if total == 1 else 's'} of {file} filled in: {named(counts, by)}"


def bounded(warnings: Iterable[Warned]) -> tuple[Warned, ...]:
    """The warnings, of which at most LINES have the same name: the last of these says how many more there are."""
    found = list(warnings)
    counts: dict[str, int] = {}
    for warning in found:
        counts[warning.name] = counts.get(warning.name, 0) + 1
    said: dict[str, int] = {}
    kept = []
    for warning in found:
        place = said[warning.name] = said.get(warning.name, 0) + 1
        left = counts[warning.name] - LINES
        if place < LINES or not left > 0:
            kept.append(warning)
        elif place == LINES:
            kept.append(Warned(warning.name, f"{warning.message}; and {left} more warnings like this"))
    return tuple(kept)
