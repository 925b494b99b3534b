"""Training rows that are also rows of validation or test: the figures there then say how well rows are remembered."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bptrain.data.checks.base import Examined
from bptrain.data.features import Feature
from bptrain.data.table import chunks
from bptrain.errors import Warned
from bptrain.parts.types import Array

if TYPE_CHECKING:
    from bptrain.data.prepared import Rows

OTHERS = ("validation", "test")
FIRST = slice(0, 4)  # columns of X: rows that agree in these are compared in all
LEAST_SHARE = 0.01  # of a split: fewer copies than this, or than LEAST_ROWS, change no figure
LEAST_ROWS = 3
SAMPLED = 4096  # training rows whose values are counted
MARGIN = (
    6.0  # bits beyond 2 log2 N by which rows must differ: then chance makes one equal pair in 64 such sets
)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ / φ: its multiples are spread evenly
COPIES = 5  # rows for each different one, where no column tells more apart than all do together


def same_file(seen: Examined) -> Iterator[Warned]:
    """A validation or test file that is the training file, byte for byte."""
    roles = same_files(seen)
    if not roles:
        return
    place = seen.places["train"]
    message = (
        f"{' and '.join(roles)} {'is' if len(roles) == 1 else 'are'} the training file, {place}: the figures say how "
        "well its rows are remembered; name another file, or leave the key out so that rows are split off"
    )
    if place.endswith(".npz"):
        message += (
            ". Every split reads the arrays that data.features and data.target name: save other arrays to "
            "a file of their own"
        )
    yield Warned("same_file", message)


def same_files(seen: Examined) -> list[str]:
    """The roles that have the training file."""
    own, train = seen.digests.get("train"), seen.splits["train"]
    return [
        role
        for role in OTHERS
        if own is not None
        and seen.digests.get(role) == own
        and 2 * copies_of(train, seen.splits[role]) >= len(train.X)
    ]


def identical_rows(seen: Examined) -> Iterator[Warned]:
    """Rows that are equal in every input and in the target, more of them than chance explains."""
    train = seen.splits["train"]
    copied_files = same_files(seen)
    found: list[str] = []
    beginnings: Array | None = None
    for role in OTHERS:
        rows = seen.splits.get(role)
        if rows is None or role in copied_files:
            continue
        n = len(rows.X)
        beginnings = beginnings_of(train) if beginnings is None else beginnings
        copies = copies_of(train, rows, beginnings)
        if copies < max(LEAST_ROWS, LEAST_SHARE * n):
            continue
        if not found:
            every = hashes(train)
            every.sort()
            distinct = 1 + int(np.count_nonzero(every[1:] != every[:-1]))
            if may_be_chance(seen.schema.features, train, distinct):
                return
        found.append(f"{copies:,} of {n:,} {role} rows")
    if found:
        cure = "keep those of a row together, in one file or by data.split: {group: COLUMN}"
        if seen.group is not None:
            cure = f"split by a column that they share, which {seen.group} is not"
        message = (
            f"{' and '.join(found)} are training rows as well, equal in every input and in the target: the figures "
            f"there say how well rows are remembered; remove the copies, or {cure}"
        )
        yield Warned("identical_rows", message)


def copies_of(train: "Rows", rows: "Rows", beginnings: Array | None = None) -> int:
    """How many rows are training rows; `beginnings` are those of the training rows, where they are known."""
    there = beginnings_of(train) if beginnings is None else beginnings
    wanted = hashes(rows, FIRST)
    perhaps = np.flatnonzero(are_among(wanted, there))
    if not len(perhaps) or train.X.shape[1] <= FIRST.stop:
        return len(perhaps)
    also = np.flatnonzero(are_among(hashes(train, FIRST), np.sort(wanted[perhaps])))
    known = hashes(train, rows=also)
    known.sort()
    return int(are_among(hashes(rows, rows=perhaps), known).sum())


def are_among(values: Array, ordered: Array) -> Array:
    """Which values are among some that are in order, true and false, N."""
    found = np.empty(len(values), bool)
    for part in chunks(len(values), 1):
        places = np.searchsorted(ordered, values[part]).clip(max=len(ordered) - 1)
        found[part] = ordered[places] == values[part]
    return found


def beginnings_of(train: "Rows") -> Array:
    """The hashes of the first columns, in order."""
    found = hashes(train, FIRST)
    found.sort()
    return found


def hashes(of: "Rows", columns: slice = slice(None), rows: Array | None = None) -> Array:
    """A number of 64 bits for each of some rows, N: equal for equal rows, and hardly ever for others."""
    X, y = of.X[:, columns], of.y_true.reshape(len(of.X), -1)
    k = X.shape[1] + y.shape[1]
    odd = np.arange(1, k + 1, dtype=np.uint64) * GOLDEN | np.uint64(1)  # a factor of each column's own
    n = len(X) if rows is None else len(rows)
    found = np.zeros(n, np.uint64)
    for part in chunks(n, k):
        chosen = part if rows is None else rows[part]
        values = np.empty((part.stop - part.start, k))
        values[:, : X.shape[1]], values[:, X.shape[1] :] = X[chosen], y[chosen]
        values += 0.0  # −0 and 0 are one number
        bits = values.view(np.uint64)
        bits ^= bits >> np.uint64(32)  # the low bits of short numbers are all 0
        bits *= odd
        bits ^= bits >> np.uint64(29)
        found[part] = bits.sum(axis=1)
    return found


def may_be_chance(features: tuple[Feature, ...], train: "Rows", distinct: int) -> bool:
    """Whether so few different rows are possible that equal ones are to be expected, as in a table of yes and no.

    Two rows agree in a column with the chance Σ p_v² over its values v; −log2 of that, added up over the columns, are
    the bits by which rows differ. Where one column tells apart all rows that differ, they are copies all the same.
    """
    N = len(train.X)
    rows = np.arange(N) if N <= SAMPLED else np.arange(SAMPLED) * N // SAMPLED
    m, bits, most = len(rows), 0.0, 1
    starts = np.cumsum([0, *(feature.width for feature in features)])
    columns = [train.X[rows, a:b] for a, b in pairwise(starts.tolist())]
    for values in (*columns, train.y_true.reshape(N, -1)[rows]):
        if not values.shape[1]:
            continue
        flat = values[:, 0] if values.shape[1] == 1 else values
        _, counts = np.unique(flat, axis=0, return_counts=True)
        agree = float((counts * (counts - 1)).sum()) / max(m * (m - 1), 1)
        bits -= np.log2(max(agree, 1 / m**2))
        most = max(most, len(counts))
    if distinct <= most and COPIES * distinct <= N:
        return False
    return bool(bits < 2 * np.log2(N) + MARGIN)
