"""What rows weigh: in metrics what the data say, in the loss that times the weight of the class."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.table import ColumnBlock, text_of
from bptrain.data.targets import Target
from bptrain.errors import DataError, Problem
from bptrain.formats.problems import ErrorList, nearest, some_of
from bptrain.parts.types import Array


def class_weights(
    asked: str | Mapping[object, float] | None, target: Target, true: Array, one_hot: bool = False
) -> tuple[float, ...]:
    """What a row of each class weighs; `true` are the classes of the training rows, perhaps given `one_hot`.

    Raises DataError.

    balanced: N / (K N_k), so that every class weighs as much as any other (King and Zeng 2001; as scikit-learn).
    """
    if asked is None:
        return ()
    if target.kind not in ("classes", "binary") and not one_hot:
        message = (
            "class_weight needs classes as the target: one column of them, or one column of 0 and 1 per class"
        )
        raise DataError(Problem("class_weight", message, path="loss.class_weight"))
    K = len(target.labels)
    if isinstance(asked, str):
        counts = np.bincount(true, minlength=K)
        return tuple(float(len(true) / (K * count)) if count else 1.0 for count in counts)
    known = {_written(label): k for k, label in enumerate(target.labels)}
    found = [1.0] * K
    errors = ErrorList()
    for label, weight in asked.items():
        k = known.get(_written(label))
        if k is None:
            message = f"there is no class {_written(label)!r}; there are {some_of(known)}"
            path = f"loss.class_weight.{label}"
            errors.add(Problem("unknown_label", message, path=path, suggestion=nearest(label, known)))
        else:
            found[k] = weight
    errors.raise_if_any()
    return tuple(found)


def _written(label: object) -> str:
    """A label as one writes it in YAML."""
    return str(label).lower() if isinstance(label, bool) else text_of(label)


def row_weights(block: ColumnBlock | None, rows: Array) -> Array | None:
    """What the data say that each of some rows weighs, N, float64; None where they say nothing.

    Raises DataError for negative weights.
    """
    if block is None:
        return None
    weight: Array = block.number(block.names[0])[rows].astype(np.float64)
    errors = ErrorList()
    message = f"the weight {block.names[0]} is negative; weights are 0 or more"
    errors.add_rows("negative_weight", block.origin, rows[weight < 0], message)
    errors.raise_if_any()
    return weight


def sample_weights(
    row_weight: Array | None, of_classes: tuple[float, ...], true: Array, dtype: DTypeLike
) -> Array | None:
    """What the loss of each row weighs, N; None where all weigh 1. Raises DataError."""
    if row_weight is None and not of_classes:
        return None
    V = np.ones(len(true)) if row_weight is None else row_weight
    if of_classes:
        V = V * np.array(of_classes)[true]
    with np.errstate(over="ignore"):
        weights: Array = V.astype(dtype)
        if not np.isfinite(weights.sum()):
            message = f"the weights of the rows, up to {V.max():.3g}, are too large for {weights.dtype}"
            path = "loss.class_weight" if row_weight is None else "data.weight"
            raise DataError(Problem("too_large", message, path=path))
    return weights


def refuse_nothing(V: Array | None, split: str) -> None:
    """Raises DataError where the rows of a split weigh nothing together, so that they have no loss."""
    if V is not None and not V.any():
        message = (
            f"every {split} row has weight 0 (data.weight, loss.class_weight), so there is no {split} loss"
        )
        raise DataError(Problem("no_weight", message))
