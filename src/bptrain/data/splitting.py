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
    """Divide n rows: round(share · n) of them each to test and validation, the others to train.

    With `rng` they are drawn, from each of the `classes` in proportion if these are given (N numbers);
    without it the file's order stays: train first, then validation, then test. Raises DataError if no row
    is left to train.
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
        order = order[np.argsort(classes[order], kind="stable")]
        test, rest = _every_so_many(order, n_test)
        validation, train = _every_so_many(rest, n_validation)
    return Split(np.sort(train), np.sort(validation), np.sort(test))


def _every_so_many(order: Array, k: int) -> tuple[Array, Array]:
    """k rows at even distances, and the others: a run of rows of one class gives its share within one row."""
    n = len(order)
    taken = np.diff(np.arange(n + 1) * k // max(n, 1)) > 0
    return order[taken], order[~taken]
