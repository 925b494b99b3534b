"""The columns beside the predictions of a run's own rows: their numbers in the file, and their targets."""

from bptrain.commands.predict.prediction_columns import OutColumn, columns_of_values, labels_column
from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema

AT_A_TIME = 2**16  # rows that are made texts
ROW = "row"
TRUE = "target"  # the column of the likeliest true class, where the targets are the probabilities of classes


def target_names(schema: Schema) -> list[str]:
    """The names of the columns that `row_columns` makes beside `row`."""
    return [TRUE] if schema.target.kind == "distribution" else list(schema.target.names)


def row_columns(schema: Schema, rows: Rows, part: slice = slice(None)) -> list[OutColumn]:
    """`row`, the number of each row in its file, counted from 0, and the true targets, as predictions are written."""
    number, true, names = OutColumn(ROW, rows.row_index[part]), rows.y_true[part], target_names(schema)
    if true.ndim > 1:
        return [number, *columns_of_values(names, true)]
    return [number, labels_column(names[0], schema.labels, true)]
