"""The rows of a run's own split: their numbers in the file, their targets, and what is predicted of them."""

from pathlib import Path
from typing import NamedTuple

from bptrain.commands.predict.prediction_columns import OutColumn, columns_of_values, labels_column
from bptrain.data.prepare import Rows
from bptrain.data.schema import Schema
from bptrain.errors import UsageError
from bptrain.model.load import training_data
from bptrain.model.model import Model
from bptrain.store.run_directory import RunDirectory

ROW = "row"
TRUE = "target"  # the column of the likeliest true class, where the targets are the probabilities of classes


class OwnRows(NamedTuple):
    """The rows of a split, and how their missing cells were filled in."""

    rows: Rows
    notes: tuple[str, ...]


def own_rows(model: Model, run: RunDirectory, split: str, data_root: Path | None = None) -> OwnRows:
    """The rows that a run has in a split. Raises UsageError where it has none, CheckpointError, DataError."""
    prepared = training_data(model, run, model.w.dtype, data_root=data_root)
    if split not in prepared.splits:
        raise UsageError(f"this run has no {split} rows; it has {', '.join(prepared.splits)}")
    rows = prepared.splits[split]
    return OwnRows(rows, rows.notes or tuple(note for note in prepared.notes if note.startswith("missing: ")))


def target_names(schema: Schema) -> list[str]:
    """The names of the columns that `row_columns` makes beside `row`."""
    return [TRUE] if schema.target.kind == "distribution" else list(schema.target.names)


def row_columns(schema: Schema, rows: Rows) -> list[OutColumn]:
    """`row`, the number of each row in its file, counted from 0, and the true targets, as predictions are written."""
    number, true, names = OutColumn(ROW, rows.row_index), rows.y_true, target_names(schema)
    if true.ndim > 1:
        return [number, *columns_of_values(names, true)]
    return [number, labels_column(names[0], schema.labels, true)]
