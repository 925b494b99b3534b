"""The columns that predictions are written in: `prediction`, and with probabilities `p_<label>` for each class.

Of several targets there is one column each, `prediction_<name>`. A row without a prediction has empty cells. The ends
of intervals and the spread of an ensemble's members stand behind these.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bptrain.data.schema import Schema
from bptrain.data.table import text_of
from bptrain.data.targets import Label
from bptrain.errors import UsageError
from bptrain.formats.base import Cells
from bptrain.formats.coded_texts import CodedTexts
from bptrain.formats.problems import some_of
from bptrain.mapped_rows import by_rows
from bptrain.model.ensemble import spread_of
from bptrain.model.trained_model import Answers
from bptrain.parts.types import Array

PREDICTION = "prediction"
ENDS = ("lower", "upper")
SPREAD = "spread"


class OutColumn(NamedTuple):
    """A column of a file of predictions."""

    name: str
    values: Cells | CodedTexts  # N: numbers, true and false, or texts
    missing: Array | None = None  # which of the N cells are empty, true and false; None where none is
    copied: bool = False  # whether it is one of the data's own, whose cells are as they were written
    typed: bool = False  # whether its texts are numbers, as those of JSON are


def prediction_names(schema: Schema, name: str = PREDICTION, proba: bool = False) -> list[str]:
    """The names of the columns that `prediction_columns` makes."""
    several = len(schema.target.names) > 1 and schema.target.kind != "distribution"
    names = [f"{name}_{target}" for target in schema.target.names] if several else [name]
    return [*names, *(f"p_{label_text(label)}" for label in schema.labels if proba)]


def prediction_columns(
    schema: Schema,
    outputs: Array,
    *,
    name: str = PREDICTION,
    probabilities: Array | None = None,
    classes: Array | None = None,
) -> list[OutColumn]:
    """The predictions of outputs X_L, N × n_L, and behind them the probabilities, N × classes, where they are given.

    `classes` are the numbers of the predicted classes, N, where they are not those of the largest outputs.
    """
    names = prediction_names(schema, name, probabilities is not None)
    if schema.task == "regression":
        found = columns_of_values(names, by_rows(schema.decode, outputs))
    elif schema.target.kind == "multilabel":
        found = columns_of_values(names[: outputs.shape[1]], by_rows(schema.classes_of, outputs))
    else:
        found = [
            labels_column(
                name, schema.labels, by_rows(schema.classes_of, outputs) if classes is None else classes
            )
        ]
    if probabilities is not None:
        found += columns_of_values(names[len(found) :], probabilities)
    return found


def interval_names(schema: Schema) -> list[str]:
    """`lower` and `upper`; of several targets `lower_<name>` and `upper_<name>` of each."""
    names = schema.target.names
    return ["lower", "upper"] if len(names) == 1 else [f"{end}_{name}" for name in names for end in ENDS]


def interval_columns(schema: Schema, outputs: Array, half_widths: Array) -> list[OutColumn]:
    """The ends of the interval of each target, half a width below and above its prediction."""
    predicted = schema.decode(outputs)
    ends = np.stack([predicted - half_widths, predicted + half_widths], axis=2)
    return columns_of_values(interval_names(schema), ends.reshape(len(ends), -1))


def spread_names(schema: Schema, proba: bool = False) -> list[str]:
    """`spread`; of several targets `spread_<name>` of each, beside probabilities `spread_<label>` of each class."""
    if proba:
        return [f"{SPREAD}_{label_text(label)}" for label in schema.labels]
    names = schema.target.names
    several = len(names) > 1 and schema.target.kind != "distribution"
    return [f"{SPREAD}_{name}" for name in names] if several else [SPREAD]


def spread_columns(
    schema: Schema, answers: Answers, proba: bool = False, classes: Array | None = None
) -> list[OutColumn]:
    """The standard deviation of the members: of values, of each class, or of the predicted class alone.

    `classes` are the numbers of the predicted classes, N, where they are not those of the largest outputs.
    """
    each = (
        answers.each if schema.task == "regression" else [by_rows(schema.scores_of, X) for X in answers.each]
    )
    spread = spread_of(each)
    if schema.task == "classification" and schema.target.kind != "multilabel" and not proba:
        predicted = by_rows(schema.classes_of, answers.outputs) if classes is None else classes
        spread = by_rows(lambda part, k: np.take_along_axis(part, k[:, None], axis=1), spread, predicted)
    return columns_of_values(spread_names(schema, proba), spread)


def columns_of_values(names: Sequence[str], values: Array) -> list[OutColumn]:
    """Numbers, N × m, as a column each."""
    return [OutColumn(name, column) for name, column in zip(names, values.T, strict=True)]


def labels_column(name: str, labels: Sequence[Label], codes: Array) -> OutColumn:
    """The labels of classes, N, by their numbers."""
    if any(isinstance(label, str) for label in labels):
        return OutColumn(name, CodedTexts([*map(label_text, labels)], codes))
    return OutColumn(name, by_rows(lambda part: np.array(labels)[part], codes))


def label_text(label: Label) -> str:
    """A label as a cell has it, which reads back as the same label."""
    return str(label).lower() if isinstance(label, bool) else text_of(label)


def with_gaps(column: OutColumn, unfit: Array | None) -> OutColumn:
    """A column of the rows that were predicted as one of all rows, empty where `unfit`."""
    if unfit is None:
        return column
    if isinstance(column.values, CodedTexts):
        codes = np.zeros(len(unfit), column.values.codes.dtype)
        codes[~unfit] = column.values.codes
        return column._replace(values=column.values._replace(codes=codes), missing=unfit)
    assert isinstance(column.values, np.ndarray)
    values = np.zeros(len(unfit), column.values.dtype)
    values[~unfit] = column.values
    return column._replace(values=values, missing=unfit)


def refuse_clashes(names: Sequence[str], option: str) -> None:
    """Raises UsageError where columns that are to be written have the same name."""
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        message = f"two columns would be named {some_of(twice)}: choose another {option}"
        raise UsageError(message)
