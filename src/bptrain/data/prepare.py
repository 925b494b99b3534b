"""From settings to arrays: the order in which a data set is read, understood, split, fitted and encoded."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from numpy.typing import DTypeLike

from bptrain.data import targets, weights
from bptrain.data.cell_counts import bounded, dropped_rows, filled_cells
from bptrain.data.cell_notes import cell_notes, kept_rules
from bptrain.data.cells import rules_of
from bptrain.data.checks.base import Examined
from bptrain.data.checks.run_checks import data_warnings
from bptrain.data.column_kinds import declared_kinds, notes_of_kinds, read_as, with_kinds
from bptrain.data.column_roles import by_schema, by_settings, in_spelling_of
from bptrain.data.column_statistics import statistics_of
from bptrain.data.fitting import fit_features, fit_target
from bptrain.data.folding import split_by_fold
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.missing import FILLS, kept_rows
from bptrain.data.raw_columns import encode_columns as encode_columns  # the third entry point
from bptrain.data.readers import read
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.sources import DataSource, FileSource
from bptrain.data.splitting import split
from bptrain.data.table import ColumnBlock, Table
from bptrain.data.targets import Target
from bptrain.data.task import check_inputs, column_warnings, decide, settle_target
from bptrain.data.training_range import outside_range
from bptrain.data.unknown_cells import refuse_all_unseen, unseen
from bptrain.errors import DataError, Problem, Warned
from bptrain.formats.problems import some_of
from bptrain.parts.random import stream
from bptrain.parts.types import Array

Warnings = tuple[Warned, ...]


class Rows(NamedTuple):
    """One split, ready for the network."""

    X: Array  # N × n_0
    T: Array  # N × n_L
    y_true: Array  # class numbers, N (multilabel: N × m of 0 and 1), or values in original units, N × m
    row_index: Array  # the number of each row in its file, counted from 0
    sample_weight: Array | None = (
        None  # what the loss of each row weighs, N: row weight × class weight; None: 1
    )
    row_weight: Array | None = None  # what each row weighs in metrics, N, float64: its data.weight; None: 1
    notes: tuple[str, ...] = ()  # of a file of its own: how it is written, and what was done to its cells


class KeptSchema(NamedTuple):
    """What a run keeps of its data: the schema by which it is read again, and the digests of its files."""

    schema: Schema
    digest: Mapping[str, str]


class ChangedDataError(DataError):
    """The data of a run is not what it was."""


class Prepared(NamedTuple):
    """A data set, ready for training."""

    schema: Schema
    splits: dict[str, Rows]  # "train", then "validation" and "test" where they have rows
    digest: dict[str, str]  # file role -> SHA-256: "train", "train_target", "validation", …
    notes: tuple[str, ...]  # what was decided for the user; the task is the first
    warnings: Warnings


def prepare(
    settings: DataSettings,
    facts: NetworkFacts,
    seed: int,
    dtype: DTypeLike,
    limit: int | None = None,
    kept_schema: KeptSchema | None = None,
) -> Prepared:
    """Read, split, fit and encode a data set; with `limit`, encode the first rows of each split alone.

    With the schema of a run, its data is read by that, and nothing is inferred or fitted again. All arithmetic is in
    float64, and `dtype` that of X and T. Raises DataError; ChangedDataError where it is not the data of that run.
    """
    sources = {"train": settings.train, "validation": settings.validation, "test": settings.test}
    if kept_schema is not None:
        if kept_schema.digest != _digests(sources):
            raise ChangedDataError("the data has changed since the run was trained")
        understood = _by_schema(settings, kept_schema.schema, seed)
    else:
        understood = _by_settings(settings, facts, seed)
    schema, warnings = understood.schema, [*understood.warnings]
    check_inputs(schema.n_inputs, len(schema.features), facts)

    splits: dict[str, Rows] = {}
    for name, source in sources.items():
        if source is not None and name != "train":
            splits[name], odd = _encode_source(source, f"data.{name}", schema, settings, dtype, name, limit)
        elif len(understood.parts[name]):
            rows = understood.kept[understood.parts[name]][:limit]
            splits[name], odd = _encode(understood.table, rows, schema, dtype, name)
        else:
            continue
        warnings += odd
        if name != "test" and limit is None:
            weights.refuse_nothing(splits[name].sample_weight, name)
    task, *others = understood.notes
    written = dict.fromkeys(
        (*understood.table.features.origin.notes, *(note for rows in splits.values() for note in rows.notes))
    )
    digests = _digests(sources)
    if limit is None and kept_schema is None:
        places = {name: source.name for name, source in sources.items() if source is not None}
        features, target, *_ = understood.table
        rows = understood.kept[understood.parts["train"]]
        assert target is not None
        seen = Examined(features, target, understood.kept, rows, schema, splits, digests, places)
        warnings += data_warnings(seen)
    return Prepared(schema, splits, digests, (task, *written, *others), bounded(warnings))


def _digests(sources: Mapping[str, DataSource | None]) -> dict[str, str]:
    """File role -> digest."""
    found: dict[str, str] = {}
    for name, source in sources.items():
        found |= {} if source is None else source.digests(name)
    return found


class Understood(NamedTuple):
    """The table that trains: its schema, the rows that are kept, and where each of these goes."""

    schema: Schema
    table: Table
    kept: Array  # the numbers of the rows that are not dropped
    parts: dict[str, Array]  # split -> positions among these
    notes: tuple[str, ...]
    warnings: list[Warned]


def _by_settings(settings: DataSettings, facts: NetworkFacts, seed: int) -> Understood:
    """What the columns are is inferred, and the preprocessing fitted on the training rows."""
    choose = by_settings(settings)
    table = read(settings.train, "data.train", choose, settings.features, settings.target, settings.weight)
    settings = in_spelling_of(settings, _names(table))
    features, kinds = with_kinds(
        table.features, declared_kinds(settings), True, rules_of(settings.conventions)
    )
    table, target = table._replace(features=features), _target_of(table)
    kept = kept_rows(table, *_policies(settings, features, target))
    decision = decide(target, kept, settings, facts)
    settled = settle_target(target, kept, decision, facts)
    warnings = column_warnings(target, settled, features, kept)
    one_hot = targets.is_one_hot(settled, target, kept)
    parts = _split(settings, settled, targets.true_of(settled, target, kept), seed, one_hot)
    warnings += _shortfalls(settings, parts, len(kept))
    train = kept[parts["train"]]
    settled, scale_note = fit_target(settled, target, train, settings, facts)
    drop = _policies(settings, features, target)[0]
    true = targets.true_of(settled, target, train)
    shares = weights.class_weights(settings.class_weight, settled, true, one_hot)
    fitted = fit_features(features, train, settings, kinds)
    cells = kept_rules(rules_of(settings.conventions), [block.reading for block in table.blocks])
    statistics = statistics_of(features, train).with_targets(statistics_of(target, train))
    schema = Schema(
        decision.task, fitted, settled, drop, settings.weight, shares, table.others, cells, statistics
    )
    notes = [f"task: {decision.task} ({decision.reason}{_classes(settled)})", *_of_cells(table, kept, schema)]
    notes += [*cell_notes(block.reading for block in table.blocks), *notes_of_kinds(settings, kinds)]
    notes += [scale_note] if scale_note else []
    return Understood(schema, table, kept, parts, tuple(notes), warnings)


def _by_schema(settings: DataSettings, schema: Schema, seed: int) -> Understood:
    """The columns are what the schema of a run says, and the rows are split as they were."""
    table = _read_by_schema(settings.train, "data.train", schema, settings)
    kept = schema.rows_to_keep(table)
    one_hot = targets.is_one_hot(schema.target, _target_of(table), kept)
    parts = _split(settings, schema.target, schema.true_classes(table, kept), seed, one_hot)
    notes = (
        f"task: {schema.task} (as the run was trained{_classes(schema.target)})",
        *_of_cells(table, kept, schema),
        *cell_notes(block.reading for block in table.blocks),
    )
    return Understood(schema, table, kept, parts, notes, _shortfalls(settings, parts, len(kept)))


def _of_cells(table: Table, kept: Array, schema: Schema) -> Iterator[str]:
    """Notes of rows that were dropped, and of cells that were filled in."""
    for said in (
        *dropped_rows(table, kept, schema.drop),
        *filled_cells(table.features, kept, schema.features),
    ):
        yield f"missing: {said}"


def encode_file(
    source: DataSource,
    schema: Schema,
    dtype: DTypeLike,
    features: str | tuple[str, ...] = "all",
    target: str | tuple[str, ...] | None = None,
    limit: int | None = None,
) -> tuple[Rows, Warnings]:
    """A raw file as a trained model sees it, and what is odd about it.

    `features` and `target` are those of the model's config: they name the arrays of an npz file and
    mean nothing for other files. Raises DataError.
    """
    settings = DataSettings(source, features=features, target=target)
    return _encode_source(source, "", schema, settings, dtype, source.name, limit)


def _encode_source(
    source: DataSource,
    key: str,
    schema: Schema,
    settings: DataSettings,
    dtype: DTypeLike,
    where: str,
    limit: int | None,
) -> tuple[Rows, Warnings]:
    table = _read_by_schema(source, key, schema, settings)
    rows = schema.rows_to_keep(table)
    targets.check_values(schema.target, _target_of(table), rows)
    refuse_all_unseen(schema.features, table.features, rows)
    encoded, odd = _encode(table, rows[:limit], schema, dtype, where)
    filled = (f"missing: {said}" for said in filled_cells(table.features, rows, schema.features))
    encoded = encoded._replace(notes=(*table.features.origin.notes, *filled))
    if schema.weight is not None and table.weight is None:
        message = f"{source.name} has no weight column {schema.weight}: every sample gets weight 1"
        odd = (Warned("no_weights", message), *odd)
    known = table.others if schema.left_out is None else frozenset(schema.left_out)
    extra = [name for name in table.others if name not in known]
    if extra:
        message = (
            f"{source.name} has columns that are not in the training file, and are not read: {some_of(extra)}"
        )
        odd = (Warned("extra_columns", message), *odd)
    odd = (*outside_range(schema.statistics, schema.numeric, table.features, rows, source.name), *odd)
    odd = (*(Warned("dropped_rows", said) for said in dropped_rows(table, rows, schema.drop)), *odd)
    return encoded, bounded(odd)


def _read_by_schema(source: DataSource, key: str, schema: Schema, settings: DataSettings) -> Table:
    """The columns that the schema has, under its names."""
    kinds = {feature.name: read_as(feature.kind) for feature in schema.features}
    answers = schema.target.column_kinds
    header = 1 if isinstance(source, FileSource) else None
    if isinstance(source, FileSource | JoinedFiles):
        source = source.for_columns((*kinds, *schema.target.names))
    choose = by_schema(kinds, schema.target.names, answers, source.name, schema.weight, header, schema.cells)
    table = read(source, key, choose, settings.features, settings.target, schema.weight)
    table = _renamed(table, schema)
    texts = [name for name in _target_of(table).texts if schema.target.holds_numbers]
    if texts:
        message = f"the target {some_of(texts)} must be numbers, or true and false"
        raise DataError(Problem("not_a_number", message, file=source.name))
    return schema.with_kinds(table)


def _encode(table: Table, rows: Array, schema: Schema, dtype: DTypeLike, where: str) -> tuple[Rows, Warnings]:
    true = schema.true_classes(table, rows)
    row_weight = weights.row_weights(table.weight, rows)
    encoded = Rows(
        schema.encode_features(table, dtype, rows),
        schema.encode_target(table, dtype, rows),
        true,
        rows,
        weights.sample_weights(row_weight, schema.class_weights, true, dtype),
        row_weight,
    )
    return encoded, tuple(unseen(schema.features, table.features, rows, where))


def _renamed(table: Table, schema: Schema) -> Table:
    """The table under the schema's names, where the columns of an array were taken in order."""
    return table._replace(
        features=table.features.renamed(tuple(feature.name for feature in schema.features)),
        target=_target_of(table).renamed(schema.target.names),
    )


def _names(table: Table) -> list[str]:
    return [name for block in table.blocks for name in block.names]


def _target_of(table: Table) -> ColumnBlock:
    assert table.target is not None  # a file is always read with its targets
    return table.target


def _policies(
    settings: DataSettings, features: ColumnBlock, target: ColumnBlock
) -> tuple[frozenset[str], frozenset[str]]:
    """The columns whose missing cells cost the row, and the features that are filled."""
    names = (*features.names, *target.names, *([] if settings.weight is None else [settings.weight]))
    drop = frozenset(name for name in names if settings.policy(name) == "drop")
    return drop, frozenset(name for name in features.names if settings.policy(name) in FILLS)


def _split(settings: DataSettings, target: Target, true: Array, seed: int, one_hot: bool) -> dict[str, Array]:
    """Positions among the kept rows of the train file, by split; `true` are their classes. Raises DataError.

    Rows with a 1 in one column per class are drawn by class where that is asked for, and not by `auto`.
    """
    one_class_column = target.kind in ("classes", "binary")
    if settings.stratify and not ((one_class_column or one_hot) and settings.shuffle):
        why = "shuffle is false" if one_class_column or one_hot else "the target is not one column of classes"
        message = f"stratify keeps the classes in proportion, but {why}; set it to auto or false"
        raise DataError(Problem("stratify", message, path="data.split.stratify"))
    stratify = one_class_column and settings.shuffle if settings.stratify is None else settings.stratify
    validation = 0.0 if settings.validation is not None else settings.validation_share
    test = 0.0 if settings.test is not None else settings.test_share
    classes = true if stratify else None
    if settings.fold is not None:
        fold_seed = seed if settings.shuffle else None
        return split_by_fold(len(true), *settings.fold, validation, fold_seed, classes)._asdict()
    rng = stream(seed, "split") if settings.shuffle else None
    return split(len(true), validation, test, rng, classes)._asdict()


def _shortfalls(settings: DataSettings, parts: dict[str, Array], n: int) -> list[Warned]:
    """Warnings of splits that got fewer rows than asked for, since every class keeps one to train."""
    warnings = []
    n -= 0 if settings.fold is None else len(parts["test"])  # of the others validation has its share
    for name in ("validation", "test"):
        share = 0.0 if getattr(settings, name) is not None else getattr(settings, f"{name}_share")
        asked, got = round(share * n), len(parts[name])
        if share and not asked:
            message = (
                f"there is no {name} set: {share:g} of {n} row{'' if n == 1 else 's'} makes none; add rows, or "
                f"set data.split.{name}: 0"
            )
            warnings.append(Warned("small_split", message))
        elif got < asked:
            message = (
                f"the {name} set has {got} of the {asked} rows asked for, since each class keeps a row for training; "
                "set data.split.stratify: false to draw from all rows alike"
            )
            warnings.append(Warned("small_split", message))
    return warnings


def _classes(target: Target) -> str:
    return f": {len(target.labels)} classes" if target.kind in ("classes", "binary") else ""
