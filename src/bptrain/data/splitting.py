"""The split: which rows train, which validate, which test; a pure function of the seed, or of what rows hold."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from bptrain.data.different_values import different_values
from bptrain.data.text_cells import TextCells
from bptrain.errors import DataError, Problem
from bptrain.parts.types import Array, Generator

TRAIN, VALIDATION, TEST = 0, 1, 2  # parts, by number


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
    for rows in (train, validation, test):
        rows.sort()  # in place: the parts of a large table take no further memory
    return Split(train, validation, test)


def split_by_group(groups: Array, validation_share: float, test_share: float, rng: Generator) -> Split:
    """Whole groups drawn for test, then for validation, as long as that brings their rows nearer to the share.

    `groups` are N numbers, one for each group. A part that no group would bring nearer gets the smallest one, and one
    group always trains; test comes first where there are two.
    """
    numbers, of_row, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    left = rng.permutation(len(numbers)).tolist()
    part_of = np.zeros(len(numbers), np.int64)
    rooms = {TEST: round(test_share * len(groups)), VALIDATION: round(validation_share * len(groups))}
    for part, room in rooms.items():
        others = 2 if part == TEST and rooms[VALIDATION] else 1  # parts that need a group, too
        may_give = max(len(left) - others, min(1, len(left) - 1)) if room else 0
        taken: list[int] = []
        for group in left:
            if room > 0 and sizes[group] < 2 * room and len(taken) < may_give:
                taken.append(group)
                room -= sizes[group]
        if may_give and not taken:
            taken = [min(left, key=sizes.__getitem__)]
        part_of[taken] = part
        left = [group for group in left if part_of[group] == TRAIN]
    return split_of(part_of[of_row])


def split_by_time(times: Array, validation_share: float, test_share: float) -> Split:
    """The newest rows for test, those before them for validation; rows of one moment stay together.

    `times` are N numbers. The parts have round(share · n) rows each where no moment is cut by that, else they begin at
    the nearest beginning of a moment, of two at the later one. Raises DataError where all rows are of one moment.
    """
    n, order = len(times), np.argsort(times, kind="stable")
    begins = (
        np.flatnonzero(np.diff(times[order])) + 1
    )  # places in this order at which a moment begins, but for the first
    if not len(begins):
        message = "all rows are of one moment, so none are newer: split by another column"
        raise DataError(Problem("one_moment", message, path="data.split.time"))
    part_of, end = np.zeros(n, np.int64), n
    rooms = {TEST: round(test_share * n), VALIDATION: round(validation_share * n)}
    for part, room in rooms.items():
        there = begins[begins < end][::-1]
        if part == TEST and rooms[VALIDATION] and len(there) > 1:
            there = there[:-1]  # a moment is left for validation
        if room and len(there):
            start = there[np.abs(there - (end - room)).argmin()]
            part_of[order[start:end]] = part
            end = start
    return split_of(part_of)


def split_rest(
    test: Array,
    n: int,
    validation_share: float,
    rng: Generator | None,
    classes: Array | None = None,
    groups: Array | None = None,
) -> Split:
    """The split of n rows whose test rows are given; validation is a share of the others, by groups where these are."""
    rest = np.setdiff1d(np.arange(n), test)
    if not len(rest):
        return Split(rest, rest, np.sort(test))
    if groups is not None:
        assert rng is not None, "groups are drawn"
        parts = split_by_group(groups[rest], validation_share, 0.0, rng)
    else:
        parts = split(len(rest), validation_share, 0.0, rng, None if classes is None else classes[rest])
    return Split(rest[parts.train], rest[parts.validation], np.sort(test))


def split_by_hash(
    texts: Iterable[str] | TextCells, validation_share: float, test_share: float, salt: int | None = None
) -> Split:
    """Each row by its own text: u < test_share is a test row, u < test_share + validation_share one of validation.

    u = the first 64 bits of SHA-256(text in UTF-8) / 2⁶⁴; with a salt s the text is "s:" and the row's.
    """
    before = "" if salt is None else f"{salt}:"

    def part_of(text: str | None) -> int:
        digest = hashlib.sha256(f"{before}{text}".encode("utf-8", "surrogatepass")).digest()
        u = int.from_bytes(digest[:8], "big") / 2**64
        return TEST if u < test_share else VALIDATION if u < test_share + validation_share else TRAIN

    cells = texts if isinstance(texts, TextCells) else TextCells.of(texts)
    return split_of(cells.looked_up(part_of, np.int64))


def split_of(part_of: Array) -> Split:
    """The split of rows whose parts are known, N numbers."""
    return Split(*(np.flatnonzero(part_of == part) for part in (TRAIN, VALIDATION, TEST)))


def _proportionally(order: Array, classes: Array, k: int, rng: Generator) -> tuple[Array, Array]:
    """k of these rows, from each class in proportion, and the others. A class never gives its last row."""
    members = [order[classes[order] == c] for c in different_values(classes[order])]
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
