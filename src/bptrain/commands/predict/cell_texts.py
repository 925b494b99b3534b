"""Cells of predictions as texts: the shortest that read back as the same number."""

import numpy as np

from bptrain.commands.predict.prediction_columns import OutColumn
from bptrain.data.sheet_columns import texts_of
from bptrain.formats.coded_texts import CodedTexts
from bptrain.parts.types import Array


def number_texts(values: Array) -> list[str]:
    """Numbers, N, as texts that read back as the same number of the same type."""
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind in "iu":
        return [*map(str, values.tolist())]
    if values.dtype == np.float64:
        return [*map(repr, values.tolist())]
    texts: list[str] = values.astype(str).tolist()
    return texts


def cell_texts(column: OutColumn) -> list[str]:
    """The cells of a column, "" where one is empty."""
    values = column.values
    if isinstance(values, CodedTexts):
        texts = [*map(values.texts.__getitem__, values.codes.tolist())]
    elif column.copied or not isinstance(values, np.ndarray):
        texts = texts_of(values)
    else:
        texts = number_texts(values)
    if column.missing is not None:
        for row in np.flatnonzero(column.missing).tolist():
            texts[row] = ""
    return texts
