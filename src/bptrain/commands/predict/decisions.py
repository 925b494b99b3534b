"""Which class is predicted, where that is not the likeliest one: by a threshold, or by what mistakes cost."""

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bptrain.commands.predict.prediction_columns import label_text
from bptrain.data.targets import Label
from bptrain.errors import DataError, Problem, UsageError
from bptrain.formats.files import read_text
from bptrain.formats.problems import ErrorList, nearest, some_of
from bptrain.parts.types import Array

Decision = Callable[[Array], Array]  # probabilities, N × K, to the numbers of the predicted classes, N


def by_threshold(labels: Sequence[Label], threshold: float) -> Decision:
    """The second class where its probability is the threshold or more. Raises UsageError for other than two classes."""
    if len(labels) != 2:
        message = (
            f"--threshold chooses between two classes, but this model has {len(labels)}: {some_of(labels)}"
        )
        raise UsageError(message)
    return lambda P: (P[:, 1] >= threshold).astype(np.int64)


def by_cost(labels: Sequence[Label], file: Path) -> Decision:
    """The class j with the least expected cost Σ_i P_i C_ij, the first of several (Elkan, 2001).

    C_ij is what it costs to predict j where i is true. Raises DataError for a file that does not say it.
    """
    C = cost_matrix(labels, file)
    return lambda P: np.asarray(P, np.float64).dot(C).argmin(axis=1)


def cost_matrix(labels: Sequence[Label], file: Path) -> Array:
    """C, K × K, of a CSV file with a row for each true label and a column for each predicted one, both by name.

    The order of rows and of columns does not matter, nor what stands in the corner. Raises DataError.
    """
    known = [label_text(label) for label in labels]
    rows = [row for row in csv.reader(read_text(file, "").splitlines()) if any(map(str.strip, row))]
    if not rows:
        message = (
            "the file of costs is empty: it has a row for each true label, a column for each predicted one"
        )
        raise DataError(Problem("no_rows", message, file=str(file)))
    head, *body = [[cell.strip() for cell in row] for row in rows]
    predicted, true = head[1:], [row[0] for row in body]
    errors = ErrorList()
    for what, found in (("column", predicted), ("row", true)):
        for label in known:
            if label not in found:
                message = f"there is no {what} {label}: the labels are {some_of(labels)}"
                errors.add(Problem("missing_label", message, file=str(file)))
        for place, label in enumerate(found):
            if label not in known:
                close = nearest(label, known)
                message = f"the {what} {label!r} is no label of this model"
                errors.add(Problem("unknown_label", message, file=str(file), suggestion=close))
            elif label in found[:place]:
                errors.add(Problem("duplicate_label", f"the {what} {label} is there twice", file=str(file)))
    errors.raise_if_any()
    C = np.empty((len(known), len(known)))
    for row in body:
        if len(row) != len(head):
            message = f"the row {row[0]} has {len(row) - 1} costs, but there are {len(predicted)} columns"
            errors.add(Problem("row_width", message, file=str(file)))
            continue
        for label, cell in zip(predicted, row[1:], strict=True):
            cost = _cost(cell)
            if cost is None:
                message = (
                    f"the cost of predicting {label} where {row[0]} is true must be a number, not {cell!r}"
                )
                errors.add(Problem("not_a_number", message, file=str(file)))
            else:
                C[known.index(row[0]), known.index(label)] = cost
    errors.raise_if_any()
    return C


def _cost(cell: str) -> float | None:
    """A finite number; None for anything else."""
    try:
        cost = float(cell)
    except ValueError:
        return None
    return cost if math.isfinite(cost) else None
