"""The split: which rows train, which validate, which test; a pure function of the seed."""

from typing import NamedTuple

import numpy as np

from bptrain.errors import DataError, Problem
from bptrain.parts.types import Array, Generator


class Split(NamedTuple):
    """Positions of the rows of each part, each in file order."""

    train: Array
    validation: Array
    test: Array


def split(
    n: int,
    validation_share: float,
    test_share: float,
    rng: Generator | None,
    classes: Array | None = None,
) -> Split:
    """Divide n rows: round(share · n) of them each to test and validation (fewer where classes cannot give them).

    With `rng` they are drawn, from each of the `classes` in proportion if these are given (N numbers), each class
    keeping a row to train; without it the file's order stays: train first, then validation, then test. Raises
    DataError if no row is left to train.
    """
    n_test, n_validation = round(test_share * n), round(validation_share * n)
    if n_test + n_validation >= n:
        message = (
            f"no row is left to train: of {n} rows, {n_validation} are for validation and {n_test} for "
            "testing; lower the shares"
        )
        raise DataError(Problem("no_training_rows", message, path="data.split"))
    if rng is None:
        n_train = n - n_test - n_validation
        train, validation, test = np.split(np.arange(n), [n_train, n_train + n_validation])
        return Split(train, validation, test)
    order = rng.permutation(n)
    if classes is None:
        test, validation, train = np.split(order, [n_test, n_test + n_validation])
    else:
        test, rest = _proportionally(order, classes, n_test, rng)
        validation, train = _proportionally(rest, classes, n_validation, rng)
    return Split(np.sort(train), np.sort(validation), np.sort(test))


def _proportionally(order: Array, classes: Array, k: int, rng: Generator) -> tuple[Array, Array]:
    """k of these rows, from each class in proportion, and the others. A class never gives its last row."""
    members = [order[classes[order] == c] for c in np.unique(classes[order])]
    counts = apportion(k, np.array([len(rows) for rows in members]), rng)
    taken = [rows[:count] for rows, count in zip(members, counts, strict=True)]
    left = [rows[count:] for rows, count in zip(members, counts, strict=True)]
    return np.concatenate(taken), np.concatenate(left)


def apportion(k: int, sizes: Array, rng: Generator) -> Array:
    """k as whole numbers, one per class, in proportion to its size and below it.

    Each class gets the whole part of its share, and the fractions decide its chance of one more (systematic sampling in
    a random order; Madow 1949), so that over many seeds every class gets its share. Fewer than k where the classes
    cannot give as many.
    """
    ideal = k * sizes / sizes.sum()
    counts = np.floor(ideal).astype(np.int64)
    order = rng.permutation(len(sizes))
    steps = np.cumsum((ideal - counts)[order])
    steps[-1] = k - counts.sum()  # what the fractions add up to, without their rounding
    counts[order] += np.diff(np.floor(steps + rng.random()).astype(np.int64), prepend=0)
    room = sizes - 1
    counts = np.minimum(counts, room)
    for c in order:  # what classes without room could not give
        counts[c] += min(k - counts.sum(), room[c] - counts[c])
    return counts
