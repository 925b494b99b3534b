"""The targets: labels or numbers to T, and the network's outputs back to labels or numbers."""

from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.different_values import different_values
from bptrain.data.features import outside
from bptrain.data.levels import Levels, level_key
from bptrain.data.table import EXACT, ColumnBlock, as_texts, chunks, text_of
from bptrain.errors import Problem, short
from bptrain.formats.problems import ErrorList, nearest, some_of
from bptrain.parts.scalers import FUNCTIONS, FunctionName
from bptrain.parts.types import Array

Label = str | int | float | bool
Kind = Literal["classes", "binary", "distribution", "multilabel", "values"]

SUM_TOLERANCE = 1e-6


class Target(NamedTuple):
    """What the outputs stand for.

    classes: one output per class. binary: one output, the second of two classes. distribution: the columns are
    the classes' probabilities. multilabel: each column is a separate yes or no. values: numbers.
    """

    names: tuple[str, ...]
    kind: Kind
    labels: tuple[Label, ...] = ()  # of the classes; the names of the columns where these are the classes
    center: tuple[float, ...] = ()  # one per column, for values
    spread: tuple[float, ...] = ()
    smoothing: float = 0.0  # ε: targets are coded as (1 − ε) t + ε/K; K: the classes, 2 of a yes or no
    threshold: float = 0.5  # from which an output is a yes: ½, or 0 for margins
    counts: bool = False  # values below 0 are an error
    function: FunctionName = "identity"  # f of values, before center and spread
    bounds: tuple[
        tuple[float, float], ...
    ] = ()  # of values: predictions are clipped to these; empty: they are not
    separate: bool = False  # smoothed classes are a yes or no each, not a distribution
    booleans: tuple[str, ...] | None = ()  # columns of true and false that are numbers here; None: not known

    @property
    def coding(self) -> dict[str, float]:
        """How the loss reads the targets, by name."""
        return {
            "smoothing": self.smoothing,
            "threshold": self.threshold,
            "counts": self.counts,
            "separate": self.separate,
        }

    @property
    def n_outputs(self) -> int:
        """n_L."""
        return len(self.labels) if self.kind == "classes" else len(self.names)

    @property
    def has_names(self) -> bool:
        """Whether the labels are compared as texts: texts, and whole numbers of more digits than a float keeps."""
        return any(isinstance(label, str) or abs(label) >= EXACT for label in self.labels)

    @property
    def holds_numbers(self) -> bool:
        """Whether every column is numbers, and not the labels of classes."""
        return self.kind not in ("classes", "binary")

    @property
    def column_kinds(self) -> dict[str, str]:
        """What the cells of the target columns are: numeric, categorical or boolean; nothing where nobody knows."""
        if not self.holds_numbers:
            kind = "boolean" if isinstance(self.labels[0], bool) else "numeric"
            return dict.fromkeys(self.names, "categorical" if self.has_names else kind)
        if self.booleans is None:
            return {}
        return {name: "boolean" if name in self.booleans else "numeric" for name in self.names}


def true_of(target: Target, block: ColumnBlock, rows: Array | None = None) -> Array:
    """What is right for each of some rows (default: all).

    classes and binary: the number of the class, N. distribution: the number of the most probable one, N.
    multilabel: N × m of 0 and 1. values: N × m in the target's own units, float64.
    Raises DataError for labels that the training file did not have.
    """
    rows = np.arange(block.rows) if rows is None else rows
    if target.kind in ("classes", "binary"):
        return _class_numbers(target, block, rows)
    values = all_values(block, rows)
    if target.kind == "distribution":
        return values.argmax(axis=1)
    return (values >= 0.5).astype(np.int64) if target.kind == "multilabel" else values


def encode(target: Target, block: ColumnBlock, true: Array, rows: Array, dtype: DTypeLike) -> Array:
    """T, N × n_L, of the rows with these numbers; `true` is what is right for them. Raises DataError."""
    m = target.n_outputs
    T = block.storage.zeros((len(rows), m), dtype)
    errors = ErrorList()
    for part in chunks(len(rows), m):
        if target.kind == "binary":
            T[part, 0] = _smoothed(target, true[part].astype(T.dtype), 2)
        elif target.kind == "classes":
            T[part][np.arange(part.stop - part.start), true[part]] = 1
            T[part] = _smoothed(target, T[part], 2 if target.separate else m)
        elif target.kind == "values":
            T[part] = _scaled(target, block, rows[part], T.dtype, errors)
        else:
            values = values_of(block, rows[part])
            if target.kind == "distribution":
                values = values / values.sum(axis=1, keepdims=True)
            T[part] = _smoothed(target, values, m if target.kind == "distribution" else 2)
    errors.raise_if_any()
    return T


def _scaled(
    target: Target, block: ColumnBlock, rows: Array, dtype: np.dtype[Any], errors: ErrorList
) -> Array:
    """The values of these rows, scaled; those that cannot be are noted."""
    values = values_of(block, rows)
    undefined = ~FUNCTIONS[target.function].defined(values)
    for row, k in np.argwhere(undefined):
        errors.add(partial(outside, block, int(rows[row]), target.names[k], target.function, values[row, k]))
    with np.errstate(over="ignore"):
        T = scaled(target, np.where(undefined, 1.0, values)).astype(dtype)
    too_large = np.flatnonzero(~np.isfinite(T).all(axis=1))
    message = f"the scaled target does not fit into {T.dtype}; scale it, or correct it"
    errors.add_rows("too_large", block.origin, rows[too_large], message)
    return T


def scaled(target: Target, values: Array) -> Array:
    """Values in their own unit, N × m, as the network is to give them: what `decode` undoes."""
    center, spread = np.array(target.center), np.array(target.spread)
    changed = (FUNCTIONS[target.function].f(values) - center) / np.where(spread == 0, 1.0, spread)
    return np.where(spread == 0, 0.0, changed)


def _smoothed(target: Target, T: Array, K: int) -> Array:
    """(1 − ε) t + ε/K: each of K classes is given a share of ε. A yes or no is one of 2 classes."""
    return (1 - target.smoothing) * T + target.smoothing / K if target.smoothing else T


def values_of(block: ColumnBlock, rows: Array) -> Array:
    """The target columns of these rows as numbers, N × m, float64."""
    if block.names == block.number_names:
        return block.numbers[rows].astype(np.float64)
    return np.column_stack([block.number(name)[rows] for name in block.names]).astype(np.float64)


def all_values(block: ColumnBlock, rows: Array) -> Array:
    """The same of many rows, where the block keeps what is large."""
    m = len(block.names)
    values = block.storage.empty((len(rows), m), np.float64)
    for part in chunks(len(rows), m):
        values[part] = values_of(block, rows[part])
    return values


def range_of(block: ColumnBlock, rows: Array) -> tuple[Array, Array]:
    """The least and the largest value of each target column over these rows, m each, float64."""
    parts = [
        (values.min(axis=0), values.max(axis=0))
        for part in chunks(len(rows), len(block.names))
        for values in [values_of(block, rows[part])]
    ]
    lows, highs = (np.array(bounds) for bounds in zip(*parts, strict=True))
    return lows.min(axis=0), highs.max(axis=0)


def check_values(target: Target, block: ColumnBlock, rows: Array) -> None:
    """Raises DataError for rows that are no distributions, no probabilities, or no counts."""
    errors = ErrorList()
    if target.holds_numbers and (target.kind != "values" or target.counts):
        for part in chunks(len(rows), len(block.names)):
            _check_values(target, block, rows[part], errors)
    errors.raise_if_any()


def _check_values(target: Target, block: ColumnBlock, rows: Array, errors: ErrorList) -> None:
    values = values_of(block, rows)
    if target.kind == "distribution":
        negative = (values < 0).any(axis=1)
        message = "a class probability is negative"
        errors.add_rows("not_a_distribution", block.origin, rows[negative], message)
        sums = values.sum(axis=1)
        for row in np.flatnonzero(~negative & ~(np.abs(sums - 1) <= SUM_TOLERANCE)):
            message = f"the class probabilities sum to {sums[row]:.9g}, not to 1"
            errors.add(block.origin.problem("not_a_distribution", int(rows[row]), message))
    elif target.kind == "multilabel":
        for row, k in np.argwhere((values < 0) | (values > 1)):
            message = f"column {block.names[k]} is {values[row, k]:g}; with this loss a target is 0 or 1"
            errors.add(block.origin.problem("not_a_probability", int(rows[row]), message))
    elif target.counts:
        for row, k in np.argwhere(values < 0):
            message = f"column {block.names[k]} is {values[row, k]:g}; with this loss a target is a count, not below 0"
            errors.add(block.origin.problem("negative_count", int(rows[row]), message))


def labels_of(block: ColumnBlock, rows: Array) -> tuple[Label, ...]:
    """The classes of the one target column, sorted: numbers by value, texts by code point."""
    name = block.names[0]
    if name in block.texts:
        there = (text for text in block.texts[name][rows].counts() if text is not None)
        return tuple(sorted(there, key=level_key))
    values = different_values(block.number(name)[rows]).tolist()
    kind: type[bool] | type[int] | type[float] = float
    if name in block.integers:
        kind = bool if name in block.booleans else int
    # a float of so many digits stays one, so that it is written alike as a label and as a cell
    return tuple(kind(value) if abs(value) < EXACT else value for value in values)


def is_one_hot(target: Target, block: ColumnBlock, rows: Array) -> bool:
    """Whether the class probabilities of some rows are all 0 or 1, so that each row is of one class."""
    if target.kind != "distribution":
        return False
    parts = (values_of(block, rows[part]) for part in chunks(len(rows), len(block.names)))
    return all(bool(((values == 0) | (values == 1)).all()) for values in parts)


def _class_numbers(target: Target, block: ColumnBlock, rows: Array) -> Array:
    """The number of the class of each of some rows. Raises DataError for unknown labels."""
    name = block.names[0]
    as_text = target.has_names
    cells = block.texts.get(name)
    if cells is None:
        cells = as_texts(block.number(name), block.storage) if as_text else None
    known: dict[object, int] = {label: k for k, label in enumerate(target.labels)}  # 1, 1.0, True: one key
    if as_text:
        known = Levels([text_of(label) for label in target.labels])
    errors, numbers = ErrorList(), block.storage.empty((len(rows),), np.int64)

    def problem(row: int) -> Problem:
        cell = block.number(name)[row].item() if cells is None else cells[row]
        there = some_of(target.labels)
        message = (
            f"the label {short(text_of(cell))!r} of {name} is not among those of the training data ({there})"
        )
        close = nearest(cell, target.labels) if as_text else None
        return block.origin.problem("unknown_label", row, message, close)

    for part in chunks(len(rows), 1):
        if cells is None:
            values, places = np.unique(block.number(name)[rows[part]], return_inverse=True)
            found = np.array([known.get(value, -1) for value in values.tolist()], np.int64)[places]
        else:
            found = cells[rows[part]].looked_up(
                known.__getitem__ if as_text else lambda cell: known.get(cell, -1), np.int64
            )
        for row in rows[part][found < 0].tolist():
            errors.add(partial(problem, row))
        numbers[part] = found
    errors.raise_if_any()
    return numbers


def classes_of(target: Target, outputs: Array) -> Array:
    """The predicted class of each row of X_L, N; for multilabel N × m of 0 and 1."""
    if target.kind == "binary":
        return (outputs[:, 0] >= target.threshold).astype(np.int64)
    if target.kind == "multilabel":
        return (outputs >= target.threshold).astype(np.int64)
    return outputs.argmax(axis=1)


def scores_of(target: Target, outputs: Array) -> Array:
    """A number for each class of each row of X_L, the larger the likelier, N × K; for multilabel of yes, N × m."""
    if target.kind == "binary":
        return np.column_stack([1 - outputs[:, 0], outputs[:, 0]])
    return outputs


def decode(target: Target, outputs: Array) -> Array:
    """Outputs as predictions: labels, N; multilabel: N × m of 0 and 1; values: N × m in original units, in bounds."""
    if target.kind == "values":
        changed = outputs.astype(np.float64) * np.array(target.spread) + np.array(target.center)
        with np.errstate(over="ignore"):
            values = FUNCTIONS[target.function].inverse(changed)
        if not target.bounds:
            return values
        low, high = np.array(target.bounds).T
        return np.clip(values, low, high)
    classes = classes_of(target, outputs)
    return classes if target.kind == "multilabel" else np.array(target.labels)[classes]
