"""From settings to arrays: the order in which a data set is read, understood, split, fitted and encoded."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from numpy.typing import DTypeLike

from bptrain.data import targets, weights
from bptrain.data.cell_counts import bounded, dropped_rows, filled_cells
from bptrain.data.cell_notes import cell_notes, kept_rules
from bptrain.data.cells import rules_of
from bptrain.data.checks.base import Examined
from bptrain.data.checks.run_checks import data_warnings
from bptrain.data.column_kinds import declared_kinds, notes_of_kinds, read_as, with_kinds
from bptrain.data.column_roles import by_schema, by_settings, in_spelling_of, split_role
from bptrain.data.column_statistics import statistics_of
from bptrain.data.fitting import fit_features, fit_target
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.least_memory import refuse_small_bound
from bptrain.data.missing import FILLS, kept_rows
from bptrain.data.prepared import (
    KeptSchema,
    Prepared,
    ReadingNotes,
    Rows,
    Warnings,
    digests_of,
    refuse_changes,
)
from bptrain.data.raw_columns import encode_columns as encode_columns  # the third entry point
from bptrain.data.readers import read
from bptrain.data.row_parts import parts_of_rows
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings, NetworkFacts, RowSplit
from bptrain.data.sources import DataSource, FileSource
from bptrain.data.split_columns import group_codes
from bptrain.data.storage import IN_MEMORY, Storage, pooled
from bptrain.data.table import ColumnBlock, Table
from bptrain.data.targets import Target
from bptrain.data.task import check_inputs, column_warnings, decide, settle_target
from bptrain.data.training_range import outside_range
from bptrain.data.unknown_cells import refuse_all_unseen, unseen
from bptrain.errors import DataError, Problem, Warned
from bptrain.formats.problems import some_of
from bptrain.parts.types import Array


def prepare(
    settings: DataSettings,
    facts: NetworkFacts,
    seed: int,
    dtype: DTypeLike,
    limit: int | None = None,
    kept_schema: KeptSchema | None = None,
    storage: Storage = IN_MEMORY,
) -> Prepared:
    """Read, split, fit and encode a data set; with `limit`, encode the first rows of each split alone.

    What has a number for each row and column lies in `storage`: of a table its cells, too, and X and T.

    With the schema of a run, its data is read by that, and nothing is inferred or fitted again. All arithmetic is in
    float64, and `dtype` that of X and T. Raises DataError; ChangedDataError where it is not the data of that run.
    """
    storage = pooled(storage)
    sources = {"train": settings.train, "validation": settings.validation, "test": settings.test}
    if kept_schema is not None:
        refuse_changes(kept_schema, digests_of(settings))
        understood = _by_schema(settings, kept_schema.schema, seed, storage)
    else:
        understood = _by_settings(settings, facts, seed, storage)
    schema, warnings = understood.schema, [*understood.odd_splits]
    check_inputs(schema.n_inputs, len(schema.features), facts)

    splits: dict[str, Rows] = {}
    for name, source in sources.items():
        if source is not None and name != "train":
            splits[name], odd = _encode_source(
                source, f"data.{name}", schema, settings, dtype, name, limit, storage
            )
        elif len(understood.rows_of[name]):
            rows = understood.rows_of[name][:limit]
            groups = understood.table.split if settings.split.by == "group" else None
            splits[name], odd = _encode(understood.table, rows, schema, dtype, name, groups)
        else:
            continue
        warnings += odd
        if name != "test" and limit is None:
            weights.refuse_nothing(splits[name].sample_weight, name)
    written = dict.fromkeys(
        (*understood.table.features.origin.notes, *(note for rows in splits.values() for note in rows.notes))
    )
    digests = digests_of(settings)
    notes, again = (_with_written(said, written) for said in (understood.notes, understood.notes_by_schema))
    read_again = ReadingNotes(again, bounded(warnings))
    warnings = [*understood.warnings, *warnings]
    if limit is None and kept_schema is None:
        places = {name: source.name for name, source in sources.items() if source is not None}
        features, target, *_ = understood.table
        rows = understood.rows_of["train"]
        assert target is not None
        group = settings.split.column if settings.split.by == "group" else None
        seen = Examined(features, target, understood.kept, rows, schema, splits, digests, places, group)
        warnings += data_warnings(seen)
    return Prepared(schema, splits, digests, notes, bounded(warnings), understood.how, read_again)


def _with_written(notes: Iterable[str], written: Iterable[str]) -> tuple[str, ...]:
    """Notes with those of how files are written behind the task."""
    task, *others = notes
    return (task, *written, *others)


class Understood(NamedTuple):
    """The table that trains: its schema, the rows that are kept, and where each of these goes."""

    schema: Schema
    table: Table
    kept: Array  # the numbers of the rows that are not dropped
    rows_of: dict[str, Array]  # split -> which of these are its rows
    how: str  # rows are split; "" where none is split off
    notes: tuple[str, ...]
    notes_by_schema: tuple[str, ...]  # where the columns are what the schema says
    warnings: list[Warned]  # about what the columns are
    odd_splits: tuple[Warned, ...]


def _by_settings(settings: DataSettings, facts: NetworkFacts, seed: int, storage: Storage) -> Understood:
    """What the columns are is inferred, and the preprocessing fitted on the training rows."""
    choose = by_settings(settings)
    table = read(
        settings.train, "data.train", choose, settings.features, settings.target, settings.weight, storage
    )
    refuse_small_bound(table, storage)
    settings = in_spelling_of(settings, _names(table))
    features, kinds = with_kinds(
        table.features, declared_kinds(settings), True, rules_of(settings.conventions)
    )
    table, target = table._replace(features=features), _target_of(table)
    kept = storage.kept(kept_rows(table, *_policies(settings, features, target)))
    decision = decide(target, kept, settings, facts)
    settled = settle_target(target, kept, decision, facts)
    warnings = column_warnings(target, settled, features, kept)
    one_hot = targets.is_one_hot(settled, target, kept)
    true = targets.true_of(settled, target, kept)
    rows_of, how, split_note, odd = _split(settings, table, kept, settled, true, seed, one_hot)
    train = rows_of["train"]
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
    of_cells = [*_of_cells(table, kept, schema), *cell_notes(block.reading for block in table.blocks)]
    notes = [f"task: {decision.task} ({decision.reason}{_classes(settled)})", *of_cells]
    notes += [*notes_of_kinds(settings, kinds), *(note for note in (scale_note, split_note) if note)]
    again = _notes_by_schema(schema, of_cells, split_note)
    return Understood(schema, table, kept, rows_of, how, tuple(notes), again, [*warnings], tuple(odd))


def _by_schema(settings: DataSettings, schema: Schema, seed: int, storage: Storage) -> Understood:
    """The columns are what the schema of a run says, and the rows are split as they were."""
    table = _read_by_schema(settings.train, "data.train", schema, settings, storage)
    refuse_small_bound(table, storage)
    kept = storage.kept(schema.rows_to_keep(table))
    one_hot = targets.is_one_hot(schema.target, _target_of(table), kept)
    true = schema.true_classes(table, kept)
    rows_of, how, split_note, odd = _split(settings, table, kept, schema.target, true, seed, one_hot)
    of_cells = [*_of_cells(table, kept, schema), *cell_notes(block.reading for block in table.blocks)]
    notes = _notes_by_schema(schema, of_cells, split_note)
    return Understood(schema, table, kept, rows_of, how, notes, notes, [], tuple(odd))


def _split(
    settings: DataSettings, table: Table, kept: Array, target: Target, true: Array, seed: int, one_hot: bool
) -> tuple[dict[str, Array], str, str | None, Warnings]:
    """The numbers of the rows of each split, which lie where the table does, and what is said of the split."""
    parts, how, note, odd = parts_of_rows(settings, table, kept, target, true, seed, one_hot)
    keep = table.features.storage.kept
    return {name: keep(kept[part]) for name, part in parts._asdict().items()}, how, note, odd


def _notes_by_schema(schema: Schema, of_cells: Iterable[str], split_note: str | None) -> tuple[str, ...]:
    """What is noted where the columns are what the schema of a run says."""
    task = f"task: {schema.task} (as the run was trained{_classes(schema.target)})"
    return (task, *of_cells, *([split_note] if split_note else []))


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
    group: str | None = None,
    storage: Storage = IN_MEMORY,
) -> tuple[Rows, Warnings]:
    """A raw file as a trained model sees it, and what is odd about it.

    `features` and `target` are those of the model's config: they name the arrays of an npz file and
    mean nothing for other files. `group` is the column that tells the groups of rows, where the file has it. Raises
    DataError.
    """
    split = RowSplit() if group is None else RowSplit("group", group)
    settings = DataSettings(source, features=features, target=target, split=split)
    return _encode_source(source, "", schema, settings, dtype, source.name, limit, pooled(storage))


def _encode_source(
    source: DataSource,
    key: str,
    schema: Schema,
    settings: DataSettings,
    dtype: DTypeLike,
    where: str,
    limit: int | None,
    storage: Storage,
) -> tuple[Rows, Warnings]:
    table = _read_by_schema(source, key, schema, settings, storage)
    refuse_small_bound(table, storage)
    groups, table = table.split, table._replace(split=None)  # whose missing cells matter to nothing here
    rows = schema.rows_to_keep(table)
    targets.check_values(schema.target, _target_of(table), rows)
    refuse_all_unseen(schema.features, table.features, rows)
    encoded, odd = _encode(table, rows[:limit], schema, dtype, where, groups)
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


def _read_by_schema(
    source: DataSource, key: str, schema: Schema, settings: DataSettings, storage: Storage
) -> Table:
    """The columns that the schema has, under its names."""
    kinds = {feature.name: read_as(feature.kind) for feature in schema.features}
    answers = schema.target.column_kinds
    header = 1 if isinstance(source, FileSource) else None
    split = split_role(settings)
    if key != "data.train" and split is not None:  # elsewhere no rows are split
        split = split._replace(optional=True) if split.by == "group" else None
    if isinstance(source, FileSource | JoinedFiles):
        source = source.for_columns((*kinds, *schema.target.names))
    choose = by_schema(
        kinds, schema.target.names, answers, source.name, schema.weight, header, schema.cells, split
    )
    table = read(source, key, choose, settings.features, settings.target, schema.weight, storage)
    table = _renamed(table, schema)
    texts = [name for name in _target_of(table).texts if schema.target.holds_numbers]
    if texts:
        message = f"the target {some_of(texts)} must be numbers, or true and false"
        raise DataError(Problem("not_a_number", message, file=source.name))
    return schema.with_kinds(table)


def _encode(
    table: Table, rows: Array, schema: Schema, dtype: DTypeLike, where: str, groups: ColumnBlock | None
) -> tuple[Rows, Warnings]:
    true = schema.true_classes(table, rows)
    row_weight = weights.row_weights(table.weight, rows)
    encoded = Rows(
        schema.encode_features(table, dtype, rows),
        schema.encode_target(table, dtype, rows),
        true,
        rows,
        weights.sample_weights(row_weight, schema.class_weights, true, dtype),
        row_weight,
        groups=None if groups is None else group_codes(groups, rows),
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
    others = [name for name in (settings.weight, settings.split.column) if name]
    names = (*features.names, *target.names, *others)
    drop = frozenset(name for name in names if settings.policy(name) == "drop")
    return drop, frozenset(name for name in features.names if settings.policy(name) in FILLS)


def _classes(target: Target) -> str:
    return f": {len(target.labels)} classes" if target.kind in ("classes", "binary") else ""
