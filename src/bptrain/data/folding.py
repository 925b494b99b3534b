"""Folds: every row in one of K parts of about equal size, by class or by group; a pure function of the seed."""

import numpy as np

from bptrain.data.splitting import Split, split_rest
from bptrain.errors import DataError, Problem
from bptrain.parts.random import stream
from bptrain.parts.types import Array, Generator


def fold_of_each_row(
    n: int,
    k: int,
    rng: Generator | None,
    classes: Array | None = None,
    groups: Array | None = None,
    key: str = "data.split.folds",
) -> Array:
    """The fold of each of n rows, N numbers from 0 to k − 1; no fold is empty.

    With `rng` rows are drawn. Sizes differ by one row at most, and with `classes` (N numbers) so do the rows of each
    class. Rows of one of the `groups` (N numbers) share a fold; then sizes, and shares of classes, are as even as the
    groups let them be. Without `rng` the file's order stays: each fold is a run of neighbours. Raises DataError,
    with the `key` of their number, for more folds than there are rows or groups.
    """
    numbers, members = (
        (np.arange(n), np.arange(n)) if groups is None else np.unique(groups, return_inverse=True)
    )
    if len(numbers) < k:
        what = "rows" if groups is None else "groups"
        message = f"{k} folds need {k} {what} at least, but there are {len(numbers)}: ask for fewer folds"
        raise DataError(Problem("too_many_folds", message, path=key))
    if groups is not None:
        return _by_group(members, k, rng, np.zeros(n, np.int64) if classes is None else classes)[members]
    if rng is None:
        return np.arange(n) * k // n
    order = rng.permutation(n)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n, np.int64)
    folds[order] = (
        np.arange(n) % k
    )  # of neighbours in this order, and so of each class, every fold gets as many
    return folds


def split_by_fold(
    n: int,
    number: int,
    k: int,
    validation_share: float,
    seed: int | None,
    classes: Array | None = None,
    groups: Array | None = None,
) -> Split:
    """The split whose test rows are fold `number` of k, counted from 1; validation is a share of all other rows.

    With `groups` (N numbers) no group is in two parts. Without a seed the file's order stays. Raises DataError if no
    row is left to train, and for more folds than rows or groups.
    """
    of_folds, of_split = (None if seed is None else stream(seed, purpose) for purpose in ("folds", "split"))
    test = np.flatnonzero(fold_of_each_row(n, k, of_folds, classes, groups) == number - 1)
    return split_rest(test, n, validation_share, of_split, classes, groups)


def with_validation_fold(
    parts: Split,
    number: int,
    k: int,
    seed: int | None,
    classes: Array | None = None,
    groups: Array | None = None,
) -> Split:
    """The split whose validation rows are fold `number` of k, counted from 1, of the rows that no test has.

    Without test rows these are the folds of `split_by_fold`. Raises DataError for more folds than rows or groups.
    """
    rest = np.union1d(parts.train, parts.validation)
    classes, groups = (None if each is None else each[rest] for each in (classes, groups))
    rng = None if seed is None else stream(seed, "folds")
    folds = fold_of_each_row(len(rest), k, rng, classes, groups, "data.split.validation_folds")
    return Split(rest[folds != number - 1], rest[folds == number - 1], parts.test)


def _by_group(members: Array, k: int, rng: Generator | None, classes: Array) -> Array:
    """The fold of each group: there where its classes are rarest so far, larger groups before smaller ones.

    A group of a_c rows of each class c adds Σ_c (2 n_fc a_c + a_c²) / N_c² to the sum of squares of the shares
    n_fc / N_c that fold f has of class c; it goes where that is least, then where there are the fewest rows. Groups
    within a factor of two count as equally large, so that another seed makes other folds.
    """
    _, classes = np.unique(classes, return_inverse=True)
    n_groups, n_classes = int(members.max()) + 1, int(classes.max()) + 1
    rows = np.bincount(members * n_classes + classes, minlength=n_groups * n_classes)
    rows = rows.reshape(n_groups, n_classes)
    sizes, weights = rows.sum(axis=1), 1 / rows.sum(axis=0) ** 2.0
    order = np.arange(n_groups) if rng is None else rng.permutation(n_groups)
    order = order[np.argsort(-np.frexp(sizes[order])[1], kind="stable")]
    folds, filled = np.empty(n_groups, np.int64), np.zeros((k, n_classes))
    for group in order:
        crowded = (filled * (rows[group] * weights)).sum(axis=1).round(12)  # the same on every machine
        folds[group] = fold = np.lexsort((filled.sum(axis=1), crowded))[0]
        filled[fold] += rows[group]
    return folds
