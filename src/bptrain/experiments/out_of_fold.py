"""Each row of a cross-validation as the model predicts it that has not seen it: out_of_fold.csv.

    row,fold,species,prediction,p_setosa,p_versicolor,p_virginica

Behind `row` and `fold` (with `repeat` between them where there are several) stand the columns of `predict --split`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bptrain.build.data import prepare_data
from bptrain.build.setup import load_given
from bptrain.commands.predict.own_rows import AT_A_TIME, row_columns
from bptrain.commands.predict.prediction_columns import PREDICTION, OutColumn
from bptrain.commands.predict.prediction_files import csv_predictions
from bptrain.commands.predict.predictor import Predictor
from bptrain.data.memory import InMemory
from bptrain.data.prepared import KeptSchema, Rows
from bptrain.experiments.groups import Member
from bptrain.formats.coded_texts import CodedTexts
from bptrain.mapped_rows import by_rows, joined_rows, room_of
from bptrain.model.load import load_run, training_data
from bptrain.model.model import Model
from bptrain.parts.types import Array
from bptrain.store.atomic import writing_atomically
from bptrain.store.run_directory import RunDirectory
from bptrain.store.run_group import RunGroup


def out_of_fold(
    group: RunGroup, members: Sequence[Member], given: Mapping[str, InMemory], data_root: Path | None = None
) -> list[OutColumn]:
    """The columns, whose rows are in the order of the file, once for each repeat; `data_root` is where data has moved.

    Raises DataError, CheckpointError.
    """
    of_folds = [
        columns_of_fold(group.run(member.directory), member.fields, given, data_root) for member in members
    ]
    joined = [joined_column(columns) for columns in zip(*of_folds, strict=True)]
    keys = [np.asarray(column.values) for column in joined if column.name in ("row", "repeat")]
    order = room_of(*keys).empty((len(keys[0]),), np.int64)
    order[...] = np.lexsort(keys)  # by the last key first
    return [column._replace(values=taken(column, order)) for column in joined]


def columns_of_fold(
    run: RunDirectory, fields: Mapping[str, int], given: Mapping[str, InMemory], data_root: Path | None
) -> list[OutColumn]:
    """The test rows of one fold, and what its best model predicts of them. Raises DataError, CheckpointError."""
    model = load_run(run, "best")
    rows = tested_rows(model, run, given, data_root)
    proba = model.why_no_probabilities() is None
    predicted = Predictor(model, PREDICTION, proba, None).columns(rows.X)
    number, *true = row_columns(model.schema, rows)
    constants = [
        OutColumn(name, by_rows(partial(np.full_like, fill_value=value), rows.row_index))
        for name, value in fields.items()
    ]
    taken_names = {column.name for column in (number, *constants, *predicted)}
    named = [
        column._replace(name=f"target_{column.name}" if column.name in taken_names else column.name)
        for column in true
    ]
    return [number, *constants, *named, *predicted]


def tested_rows(
    model: Model, run: RunDirectory, given: Mapping[str, InMemory], data_root: Path | None
) -> Rows:
    """The test rows of a run, which was trained on what Python gives where there is such."""
    if not given:
        return training_data(model, run, model.w.dtype, data_root=data_root).splits["test"]
    kept = KeptSchema(model.schema, model.stored.facts.data)
    loaded = load_given(run.config, (), given)
    return prepare_data(loaded, model.w.dtype, given=given, kept_schema=kept).splits["test"]


def joined_column(columns: Sequence[OutColumn]) -> OutColumn:
    """The rows of all folds as one column."""
    first, values = columns[0], [column.values for column in columns]
    if isinstance(first.values, CodedTexts):
        codes = [value.codes for value in values if isinstance(value, CodedTexts)]
        return first._replace(values=first.values._replace(codes=joined_rows(codes)))
    return first._replace(values=joined_rows([np.asarray(value) for value in values]))


def taken(column: OutColumn, order: Array) -> Any:
    """The values of a column in another order."""
    if isinstance(column.values, CodedTexts):
        return column.values._replace(codes=taken_rows(column.values.codes, order))
    return taken_rows(np.asarray(column.values), order)


def taken_rows(array: Array, order: Array) -> Array:
    """The rows of an array, N, in another order."""
    return by_rows(lambda numbers: array[numbers], order)


def write_out_of_fold(group: RunGroup, columns: Sequence[OutColumn]) -> None:
    """Writes out_of_fold.csv, atomically. Raises StorageError."""
    with writing_atomically(group.out_of_fold) as file:
        writer = csv_predictions().make(file, False)
        for a in range(0, len(np.asarray(columns[0].values)), AT_A_TIME):
            writer.write(
                [column._replace(values=part_of(column, slice(a, a + AT_A_TIME))) for column in columns]
            )
        writer.close()


def part_of(column: OutColumn, rows: slice) -> Any:
    """Some of the values of a column."""
    if isinstance(column.values, CodedTexts):
        return column.values._replace(codes=column.values.codes[rows])
    return column.values[rows]


def as_arrays(columns: Sequence[OutColumn]) -> dict[str, Array]:
    """The columns by name: numbers, or texts."""
    found = {}
    for column in columns:
        values = column.values
        if isinstance(values, CodedTexts):
            found[column.name] = np.array(values.texts)[values.codes]
        else:
            found[column.name] = np.asarray(values)
    return found
