"""Which rows of the training file go where: what the config asks for, what became of it, and in which words."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bptrain.data.different_values import different_values
from bptrain.data.folding import split_by_fold, with_validation_fold
from bptrain.data.index_files import read_test_rows
from bptrain.data.settings import DataSettings
from bptrain.data.split_columns import group_codes, shown_time, split_by_words
from bptrain.data.splitting import Split, split, split_by_group, split_by_hash, split_by_time, split_rest
from bptrain.data.table import Table
from bptrain.data.targets import Target
from bptrain.errors import DataError, Problem, Warned
from bptrain.formats.problems import some_of
from bptrain.parts.random import stream
from bptrain.parts.types import Array

FAR = 0.5  # of the rows asked for: a part with fewer is worth a warning


class RowParts(NamedTuple):
    """The split of the rows that are kept."""

    parts: Split  # positions among these rows
    how: str  # how they are split, the end of a sentence; "" where none is split off
    note: str | None  # one line about it, where the config names a way
    warnings: tuple[Warned, ...]


def parts_of_rows(
    settings: DataSettings, table: Table, kept: Array, target: Target, true: Array, seed: int, one_hot: bool
) -> RowParts:
    """The split of the rows `kept` of the table; `true` are their classes. Raises DataError.

    Rows with a 1 in one column per class (`one_hot`) are drawn by class where that is asked for, and not by `auto`.
    """
    by, rows = settings.split, len(kept)
    classes = _classes(settings, target, true, one_hot)
    shares = _shares(settings)
    own_seed = seed if by.seed is None else by.seed
    groups = _groups(table, kept) if by.by == "group" else None
    rng = stream(own_seed, "split") if settings.shuffle else None
    fold_seed = None if rng is None else own_seed
    even = true if groups is not None and target.kind in ("classes", "binary") else classes
    if by.test_rows is not None:
        test = np.flatnonzero(np.isin(kept, read_test_rows(by.test_rows, table.features.rows)))
        if groups is not None:
            _refuse_torn_groups(table, kept, groups, test)
        parts = split_rest(test, rows, shares[0], rng, classes, groups)
    elif by.fold is not None:
        parts = split_by_fold(rows, *by.fold, shares[0], fold_seed, even, groups)
    elif groups is not None:
        parts = split_by_group(groups, *shares, stream(own_seed, "split"))
    elif by.by == "":
        parts = split(rows, *shares, rng, classes)
    else:
        parts = _by_column(settings, table, kept, shares)
    if by.validation_fold is not None:
        parts = with_validation_fold(parts, *by.validation_fold, fold_seed, even, groups)
    if not len(parts.train):
        counts = f"{len(parts.validation):,} are for validation and {len(parts.test):,} for testing"
        message = f"no row is left to train: of {rows:,} rows, {counts}"
        raise DataError(Problem("no_training_rows", message, path="data.split"))
    how = _how(settings, classes, parts)
    warnings = (*_shortfalls(settings, parts), *_untrained_classes(settings, parts, target, true))
    return RowParts(parts, how, _note(settings, parts, groups, table, kept, how), warnings)


def _shares(settings: DataSettings) -> tuple[float, float]:
    """The shares of validation and test, 0 where a file has their rows, or the split names them."""
    by = settings.split
    test_is_named = by.by == "column" or by.test_rows is not None or by.fold is not None
    of_a_share = settings.validation is None and by.by != "column" and by.validation_fold is None
    validation = settings.validation_share if of_a_share else 0.0
    return validation, 0.0 if settings.test is not None or test_is_named else settings.test_share


def _classes(settings: DataSettings, target: Target, true: Array, one_hot: bool) -> Array | None:
    """The classes that keep their proportions in every part; None where rows are drawn alike."""
    one_class_column = target.kind in ("classes", "binary")
    if settings.stratify and not ((one_class_column or one_hot) and settings.shuffle):
        why = "shuffle is false" if one_class_column or one_hot else "the target is not one column of classes"
        message = f"stratify keeps the classes in proportion, but {why}; set it to auto or false"
        raise DataError(Problem("stratify", message, path="data.split.stratify"))
    stratify = one_class_column and settings.shuffle if settings.stratify is None else settings.stratify
    return true if stratify and not settings.split.by else None


def _groups(table: Table, kept: Array) -> Array:
    """The group of each row. Raises DataError where there is but one."""
    assert table.split is not None
    groups = group_codes(table.split, kept)
    if not groups.any():
        message = f"column {table.split.names[0]} is the same in all {len(groups)} rows, and a group stays in one split"
        raise DataError(Problem("one_group", message, path="data.split.group"))
    return groups


def _refuse_torn_groups(table: Table, kept: Array, groups: Array, test: Array) -> None:
    """Raises DataError where an index file names some rows of a group and leaves others to train."""
    assert table.split is not None
    rest = np.setdiff1d(np.arange(len(kept)), test)
    torn = np.intersect1d(groups[test], groups[rest])
    if len(torn):
        (name,) = table.split.names
        row = int(kept[test[np.isin(groups[test], torn)][0]])
        some = f"{len(torn):,} group{'' if len(torn) == 1 else 's'}"
        message = (
            f"the index file names some rows of {some} and leaves others to train, such as {name} "
            f"{table.split.texts[name][row]!r}: leave one of the two keys out"
        )
        raise DataError(Problem("torn_group", message, path="data.split.group"))


def _by_column(settings: DataSettings, table: Table, kept: Array, shares: tuple[float, float]) -> Split:
    """The split by the times, the hashes or the words of a column."""
    assert table.split is not None
    (name,), by = table.split.names, settings.split
    if by.by == "time":
        return split_by_time(table.split.number(name)[kept], *shares)
    if by.by == "hash":
        return split_by_hash(table.split.texts[name][kept], *shares, by.seed)
    parts = split_by_words(table.split, kept)
    for role in ("validation", "test"):
        rows = len(getattr(parts, role))
        if rows and getattr(settings, role) is not None:
            message = f"{name} calls {rows:,} rows {role}, and data.{role} is a file of them: leave one of the two out"
            raise DataError(Problem("two_splits", message, path="data.split.column"))
    return parts


def _how(settings: DataSettings, classes: Array | None, parts: Split) -> str:
    """How rows are split, the end of a sentence."""
    by = settings.split
    if not len(parts.validation) and not len(parts.test):
        return ""
    if by.by and by.by != "group":
        return {"column": "by column {}", "time": "by time, {}", "hash": "by the hash of {}"}[by.by].format(
            by.column
        )
    rest = "in the order of the file" if not settings.shuffle else "at random"
    rest += "" if classes is None else ", in proportion to the classes"
    rest = f"by groups, {by.column}" if by.by else rest
    if by.validation_fold is not None:
        rest = "fold {} of {} of the rows to train is the validation set; ".format(*by.validation_fold) + rest
    if by.test_rows is not None:
        line = "" if by.test_rows.line is None else f", line {by.test_rows.line}"
        return f"test rows from {by.test_rows.path.name}{line}; validation {rest}"
    return rest if by.fold is None else f"fold {by.fold[0]} of {by.fold[1]} is the test set; {rest}"


def _note(
    settings: DataSettings, parts: Split, groups: Array | None, table: Table, kept: Array, how: str
) -> str | None:
    """The line about a split that the config names: how many rows, and groups, each part has."""
    by = settings.split
    if not by.by and by.test_rows is None:
        return None
    said = []
    for name, rows in parts._asdict().items():
        n = len(different_values(groups[rows])) if groups is not None else 0
        of = f" of {n:,} group{'' if n == 1 else 's'}" if n else ""
        if by.by == "time" and table.split is not None and len(rows):
            of = f" until {shown_time(table.split, kept[rows])}"
        said.append(f"{len(rows):,} {name}{of}" if len(rows) else f"no {name}")
    no_input = by.by and by.column not in table.features.names and by.column not in settings.exclude
    left_out = f"; {by.column} is no input (data.features can name it)" if no_input else ""
    return f"split: {how}: {', '.join(said)}{left_out}"


def _shortfalls(settings: DataSettings, parts: Split) -> Iterator[Warned]:
    """Warnings of parts that got fewer rows than asked for."""
    by = settings.split
    names_test = by.test_rows is not None or by.fold is not None
    n = sum(map(len, parts)) - (len(parts.test) if names_test else 0)  # the rows that the share is of
    why = {
        "group": f"groups of {by.column} stay whole",
        "time": f"rows of one {by.column} stay together",
        "hash": f"the hash of {by.column} decides row by row",
    }.get(by.by)
    for name, share in zip(("validation", "test"), _shares(settings), strict=True):
        asked, got = round(share * n), len(getattr(parts, name))
        if share and not asked and not got:
            message = (
                f"there is no {name} set: {share:g} of {n} row{'' if n == 1 else 's'} makes none; add rows, or "
                f"set data.split.{name}: 0"
            )
            yield Warned("small_split", message)
        elif why is not None and got < FAR * asked:
            set_has = f"the {name} set has {got}" if got else f"there is no {name} set, instead"
            yield Warned(
                "small_split",
                f"{set_has} of about {asked} row{'' if asked == 1 else 's'} asked for, since {why}",
            )
        elif why is None and got < asked:
            message = (
                f"the {name} set has {got} of the {asked} rows asked for, since each class keeps a row for training; "
                "set data.split.stratify: false to draw from all rows alike"
            )
            yield Warned("small_split", message)
    if by.test_rows is not None and not len(parts.test):
        yield Warned(
            "small_split", f"there is no test set: every row that {by.test_rows.path.name} names is left out"
        )
    if by.by == "column" and not len(parts.validation) and not len(parts.test):
        yield Warned(
            "small_split", f"there are no validation and test sets: {by.column} calls all rows train"
        )


def _untrained_classes(settings: DataSettings, parts: Split, target: Target, true: Array) -> Iterator[Warned]:
    """A warning of classes whose rows are all in the fold that is tested, or that validates."""
    by = settings.split
    for fold, rows in ((by.fold, parts.test), (by.validation_fold, parts.validation)):
        if fold is None or target.kind not in ("classes", "binary"):
            continue
        untrained = np.setdiff1d(true[rows], true[parts.train]).astype(int).tolist()
        if untrained:
            labels = some_of([target.labels[c] for c in untrained])
            message = f"no training row is of {labels}: too few rows for {fold[1]} folds"
            yield Warned("small_split", message)
