"""Which columns are features and which are targets: by the config, or by the schema of a trained model."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from bptrain.data.cells import RULES, CellRules, rules_of
from bptrain.data.column_kinds import LEFT_OUT, ColumnKind, declared_kinds, read_as
from bptrain.data.settings import DataSettings, SplitBy
from bptrain.errors import DataError, Problem
from bptrain.formats.names import own_spelling
from bptrain.formats.problems import ErrorList, nearest, some_of
from bptrain.formats.separators import not_separated


class SplitRole(NamedTuple):
    """The column that splits rows, or tells their groups."""

    name: str
    by: SplitBy
    declared: ColumnKind | None = None  # what the config says that it is
    optional: bool = False  # whether a file may lack it, as one may that a trained model is evaluated on


class ColumnRoles(NamedTuple):
    """Which columns are read, and as what."""

    features: tuple[str, ...]
    targets: tuple[str, ...]
    kinds: Mapping[str, str]  # name -> numeric | categorical | boolean; others are inferred
    infer: bool  # whether the file is the one that settles what the columns are
    weight: str | None = None  # the column that says what each row weighs
    rules: CellRules = RULES  # what a cell means
    split: SplitRole | None = None


# What is looked up is a dict, whose keys keep their order: in a list each look-up would pass over all columns.
# (names of the features, names of the targets, or None where the features' names are those of all columns)
Chooser = Callable[[Sequence[str], Sequence[str] | None], ColumnRoles]


def by_settings(given: DataSettings) -> Chooser:
    """The choice that the config makes. Raises DataError with the config key of every wrong name."""

    def choose(feature_names: Sequence[str], target_names: Sequence[str] | None) -> ColumnRoles:
        errors, names = ErrorList(), dict.fromkeys(feature_names)
        settings = in_spelling_of(given, (*feature_names, *(target_names or ())))
        targets = _targets(settings, names, target_names, errors)
        if target_names is not None and isinstance(settings.features, str):
            settings_here = settings._replace(features="all")  # it named the array, not a column
        else:
            settings_here = settings
        features = _features(settings_here, names, targets if target_names is None else (), errors)
        known = dict.fromkeys((*names, *(target_names or ())))
        for name in settings.columns:
            _check(name, known, f"data.columns.{name}", errors)
        for name in settings.missing if not isinstance(settings.missing, str) else ():
            _check(name, known, f"data.missing.{name}", errors)
        weight = settings.weight if target_names is None else None  # that of an npz file is a separate array
        if weight is not None and _check(weight, names, "data.weight", errors) and weight in targets:
            message = f"{weight} is the target, so it cannot be the weight"
            errors.add(Problem("target_is_weight", message, path="data.weight"))
        split = split_role(settings)
        if split is not None:
            _check(split.name, names, f"data.split.{split.by}", errors)
        errors.raise_if_any()
        features = tuple(name for name in features if name != weight)
        learned = frozenset(targets)
        kinds = {name: kind if name in learned else read_as(kind) for name, kind in settings.columns.items()}
        return ColumnRoles(features, targets, kinds, True, weight, rules_of(settings.conventions), split)

    return choose


def split_role(settings: DataSettings) -> SplitRole | None:
    """The column by which the config splits rows."""
    by, name = settings.split.by, settings.split.column
    return SplitRole(name, by, declared_kinds(settings).get(name)) if by else None


def in_spelling_of(settings: DataSettings, names: Sequence[str]) -> DataSettings:
    """The settings with the names of columns as the data spells them, where they differ in Unicode or blanks alone."""
    own = own_spelling(names)
    missing, target, features = settings.missing, settings.target, settings.features
    return settings._replace(
        target=own(target) if target is None or isinstance(target, str) else tuple(map(own, target)),
        features=features if isinstance(features, str) else tuple(map(own, features)),
        exclude=tuple(map(own, settings.exclude)),
        columns={own(name): kind for name, kind in settings.columns.items()},
        column_options={own(name): options for name, options in settings.column_options.items()},
        missing=missing if isinstance(missing, str) else {own(name): how for name, how in missing.items()},
        weight=own(settings.weight),
        split=settings.split._replace(column=own(settings.split.column)),
    )


def _targets(
    settings: DataSettings, names: Collection[str], target_names: Sequence[str] | None, errors: ErrorList
) -> tuple[str, ...]:
    if target_names is not None:
        return tuple(target_names)
    if settings.target is None:
        message = f"which column is the target? The data has {some_of(names)}"
        raise DataError(Problem("no_target", message, path="data.target"))
    targets = (settings.target,) if isinstance(settings.target, str) else settings.target
    before: set[str] = set()
    for name in targets:
        if _check(name, names, "data.target", errors) and name in before:
            errors.add(Problem("duplicate_name", f"{name} is listed twice", path="data.target"))
        before.add(name)
    return targets


def _features(
    settings: DataSettings, names: Collection[str], targets: Sequence[str], errors: ErrorList
) -> tuple[str, ...]:
    learned, excluded, before = frozenset(targets), frozenset(settings.exclude), set[str]()
    for position, name in enumerate(settings.exclude):
        path = f"data.exclude.{position}"
        if _check(name, names, path, errors) and name in learned:
            message = f"{name} is the target, so it cannot be excluded"
            errors.add(Problem("target_excluded", message, path=path))
    chosen = settings.features
    if isinstance(chosen, str):
        others = learned | {settings.split.column}
        chosen = tuple(name for name in names if name not in others) if chosen == "all" else (chosen,)
    else:
        for position, name in enumerate(chosen):
            path = f"data.features.{position}"
            if not _check(name, names, path, errors):
                continue
            if name in learned:
                message = f"{name} is the target, so it cannot be a feature"
                errors.add(Problem("target_in_features", message, path=path))
            if name in before:
                errors.add(Problem("duplicate_name", f"{name} is listed twice", path=path))
            before.add(name)
            if name in excluded:
                message = f"{name} is listed in data.features and in data.exclude; remove it from one of them"
                errors.add(Problem("feature_excluded", message, path=path))
    left_out = {name for name, kind in settings.columns.items() if kind == LEFT_OUT}
    features = tuple(name for name in chosen if name not in excluded and name not in left_out)
    if not features and not errors.problems:
        message = f"no column is left as a feature; the data has {some_of(names)}"
        errors.add(
            Problem("no_features", message, path="data.exclude" if settings.exclude else "data.features")
        )
    return features


def _check(name: str, names: Collection[str], path: str, errors: ErrorList) -> bool:
    """Whether a column exists; if not, that is noted."""
    if name in names:
        return True

    def problem() -> Problem:
        message = f"there is no column {name!r}; the data has {some_of(names)}{not_separated([*names])}"
        return Problem("unknown_column", message, path=path, suggestion=nearest(name, names))

    errors.add(problem)
    return False


def by_schema(
    features: Mapping[str, str],
    targets: Sequence[str],
    target_kinds: Mapping[str, str],
    file: str,
    weight: str | None = None,
    header: int | None = 1,
    rules: CellRules = RULES,
    split: SplitRole | None = None,
) -> Chooser:
    """The choice that a trained model makes, given its columns' names and kinds; further columns are ignored.

    A target without a kind is what its cells are.

    `header` is the line of a file's header. Rows weigh 1 where a file lacks the column of weights. Raises DataError
    for other columns that it lacks.
    """

    def choose(names: Sequence[str], target_names: Sequence[str] | None) -> ColumnRoles:
        own = own_spelling((*names, *(target_names or ())))
        wanted, answers = tuple(map(own, features)), tuple(map(own, targets))
        weighed = own(weight)
        if target_names is not None:  # arrays: columns without names
            wanted = _by_position(wanted, names, file, "feature")
            answers = _by_position(answers, target_names, file, "target")
        errors, known = ErrorList(), frozenset(names)

        def problem(name: str) -> Problem:
            message = f"the column {name!r} is missing; the data has {some_of(names)}{not_separated(names)}"
            close = nearest(name, known.difference(wanted, answers))
            return Problem("missing_column", message, file=file, line=header, suggestion=close)

        role = None if split is None else split._replace(name=own(split.name))
        splits = () if role is None or role.optional else (role.name,)
        for name in splits if target_names is not None else (*wanted, *answers, *splits):
            if name not in known:
                errors.add(partial(problem, name))
        errors.raise_if_any()
        role = role if role is not None and role.name in known else None
        kinds = dict(zip(wanted, features.values(), strict=True))
        kinds |= {
            new: target_kinds[old] for new, old in zip(answers, targets, strict=True) if old in target_kinds
        }
        there = weighed if target_names is None and weighed in known else None
        notations = {own(name): notation for name, notation in rules.notations.items()}
        return ColumnRoles(wanted, answers, kinds, False, there, rules._replace(notations=notations), role)

    return choose


def _by_position(wanted: tuple[str, ...], names: Sequence[str], file: str, what: str) -> tuple[str, ...]:
    """The columns of an array for a schema: by name where all are there, else in order."""
    if set(wanted) <= set(names):
        return wanted
    if len(wanted) != len(names):
        message = (
            f"the array has {len(names)} {what} columns, but {len(wanted)} are needed: {some_of(wanted)}"
        )
        raise DataError(Problem("column_count", message, file=file))
    return tuple(names)
