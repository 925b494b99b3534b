"""From settings to arrays: the order in which a data set is read, understood, split, fitted and encoded."""

from typing import NamedTuple

from numpy.typing import DTypeLike

from bptrain.data import targets, weights
from bptrain.data.cell_counts import bounded, dropped_rows, filled_cells
from bptrain.data.checks.base import Examined
from bptrain.data.checks.run_checks import data_warnings
from bptrain.data.column_roles import by_schema, by_settings
from bptrain.data.column_statistics import statistics_of
from bptrain.data.drift import outside_range
from bptrain.data.features import unseen
from bptrain.data.fitting import fit_features, fit_target
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
from bptrain.errors import DataError, Problem, Warned
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


class EncodedFile(NamedTuple):
    """A file as a trained model sees it."""

    rows: Rows
    warnings: Warnings  # of what is odd about it
    notes: tuple[str, ...]  # what was done to its cells


class Prepared(NamedTuple):
    """A data set, ready for training."""

    schema: Schema
    splits: dict[str, Rows]  # "train", then "validation" and "test" where they have rows
    digest: dict[str, str]  # file role -> SHA-256: "train", "train_target", "validation", …
    notes: tuple[str, ...]  # what was decided for the user; the task is the first
    warnings: Warnings


def prepare(
    settings: DataSettings, facts: NetworkFacts, seed: int, dtype: DTypeLike, limit: int | None = None
) -> Prepared:
    """Read, split, fit and encode a data set; with `limit`, encode the first rows of each split alone.

    All arithmetic is in float64, and `dtype` that of X and T. Raises DataError.
    """
    choose = by_settings(settings)
    table = read(settings.train, "data.train", choose, settings.features, settings.target, settings.weight)
    features, target = table.features, _target_of(table)
    kept = kept_rows(table, *_policies(settings, features, target))
    decision = decide(target, kept, settings, facts)
    settled = settle_target(target, kept, decision, facts)
    warnings = column_warnings(target, settled, features, kept)
    parts = _split(settings, settled, targets.true_of(settled, target, kept), seed)
    warnings += _shortfalls(settings, parts, len(kept))
    train = kept[parts["train"]]
    settled, scale_note = fit_target(settled, target, train, settings, facts)
    drop = _policies(settings, features, target)[0]
    true = targets.true_of(settled, target, train)
    shares = weights.class_weights(settings.class_weight, settled, true)
    fitted = fit_features(features, train, settings)
    kept_of_rows = statistics_of(features, train).with_targets(statistics_of(target, train))
    schema = Schema(decision.task, fitted, settled, drop, settings.weight, shares, kept_of_rows)
    check_inputs(schema.n_inputs, len(schema.features), facts)

    splits: dict[str, Rows] = {}
    said: list[str] = []  # of files of their own
    digests: dict[str, str] = {}
    sources = {"train": settings.train, "validation": settings.validation, "test": settings.test}
    for name, source in sources.items():
        if source is not None:
            digests |= source.digests(name)
        if source is not None and name != "train":
            splits[name], odd, done = _encode_source(
                source, f"data.{name}", schema, settings, dtype, name, limit
            )
            said += done
        elif len(parts[name]):
            splits[name], odd = _encode(table, kept[parts[name]][:limit], schema, dtype, name)
        else:
            continue
        warnings += odd
        if name != "test" and limit is None:
            weights.refuse_nothing(splits[name].sample_weight, name)
    notes = [f"task: {decision.task} ({decision.reason}{_classes(settled)})"]
    notes += [f"missing: {line}" for line in dropped_rows(table, kept, drop)]
    notes += [f"missing: {line}" for line in filled_cells(features, kept, schema.features)]
    notes += said
    notes += [scale_note] if scale_note else []
    if limit is None:
        places = {name: source.name for name, source in sources.items() if source is not None}
        warnings += data_warnings(Examined(features, target, kept, train, schema, splits, digests, places))
    return Prepared(schema, splits, digests, tuple(notes), bounded(warnings))


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
    rows, warnings, _ = encode_with_notes(source, schema, dtype, features, target, limit)
    return rows, warnings


def encode_with_notes(
    source: DataSource,
    schema: Schema,
    dtype: DTypeLike,
    features: str | tuple[str, ...] = "all",
    target: str | tuple[str, ...] | None = None,
    limit: int | None = None,
) -> EncodedFile:
    """The same, with what was done to its cells. Raises DataError."""
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
) -> EncodedFile:
    kinds = {feature.name: feature.kind for feature in schema.features}
    answers = dict.fromkeys(schema.target.names, schema.target.column_kind)
    header = 1 if isinstance(source, FileSource) else None
    choose = by_schema(kinds, answers, source.name, schema.weight, header)
    table = read(source, key, choose, settings.features, settings.target, schema.weight)
    table = _renamed(table, schema)
    rows = schema.rows_to_keep(table)
    targets.check_values(schema.target, _target_of(table), rows)
    encoded, odd = _encode(table, rows[:limit], schema, dtype, where)
    if schema.weight is not None and table.weight is None:
        message = f"{source.name} has no weight column {schema.weight}: every sample gets weight 1"
        odd = (Warned("no_weights", message), *odd)
    odd = (*outside_range(schema.statistics, table.features, rows, source.name), *odd)
    odd = (*(Warned("dropped_rows", said) for said in dropped_rows(table, rows, schema.drop)), *odd)
    notes = tuple(f"missing: {said}" for said in filled_cells(table.features, rows, schema.features))
    return EncodedFile(encoded, bounded(odd), notes)


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
        features=_rename(table.features, tuple(feature.name for feature in schema.features)),
        target=_rename(_target_of(table), schema.target.names),
    )


def _rename(block: ColumnBlock, names: tuple[str, ...]) -> ColumnBlock:
    if block.names == names:
        return block
    new = dict(zip(block.names, names, strict=True))
    texts = {new[name]: cells for name, cells in block.texts.items()}
    number_names = tuple(new[name] for name in block.number_names)
    return block._replace(names=names, number_names=number_names, texts=texts)


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


def _split(settings: DataSettings, target: Target, true: Array, seed: int) -> dict[str, Array]:
    """Positions among the kept rows of the train file, by split. Raises DataError."""
    one_class_column = target.kind in ("classes", "binary")
    if settings.stratify and not (one_class_column and settings.shuffle):
        why = "shuffle is false" if one_class_column else "the target is not one column of classes"
        message = f"stratify keeps the classes in proportion, but {why}; set it to auto or false"
        raise DataError(Problem("stratify", message, path="data.split.stratify"))
    stratify = settings.stratify
    if stratify is None:
        stratify = one_class_column and settings.shuffle
    validation = 0.0 if settings.validation is not None else settings.validation_share
    test = 0.0 if settings.test is not None else settings.test_share
    rng = stream(seed, "split") if settings.shuffle else None
    return split(len(true), validation, test, rng, true if stratify else None)._asdict()


def _shortfalls(settings: DataSettings, parts: dict[str, Array], n: int) -> list[Warned]:
    """Warnings of splits that got fewer rows than asked for, since every class keeps one to train."""
    warnings = []
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
