"""Metrics: how good predictions are, in the target's own terms.

A metric of classes compares predicted with true class numbers (0 … K−1; one column a label where every
output is a yes or no of its own); a metric of values compares N × m numbers in the target's own units.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from bptrain.parts.types import Array
from bptrain.registry import Registry


class Metric(NamedTuple):
    """One metric. `of(predicted, true, classes)`: a number, or a K × K matrix for the confusion matrix."""

    of: Callable[[Array, Array, int], Any]
    task: Literal["classification", "regression"]
    better: Literal["higher", "lower", "neither"]
    multilabel: bool = True  # defined where every output is a yes or no of its own


metrics: Registry[Metric] = Registry("metric")


@metrics.add("accuracy")
def accuracy() -> Metric:
    """The share of rows whose class is right; of several yes/no outputs, all must be."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        right = predicted == true
        return float(np.mean(right.all(axis=-1) if right.ndim > 1 else right))

    return Metric(of, "classification", "higher")


@metrics.add("error_rate")
def error_rate() -> Metric:
    """1 − accuracy."""
    share_right = accuracy().of

    def of(predicted: Array, true: Array, classes: int) -> float:
        return 1.0 - float(share_right(predicted, true, classes))

    return Metric(of, "classification", "lower")


@metrics.add("confusion_matrix")
def confusion_matrix() -> Metric:
    """C[j][k]: how many rows of class j were taken for class k."""

    def of(predicted: Array, true: Array, classes: int) -> list[list[int]]:
        counts = np.bincount(true * classes + predicted, minlength=classes * classes)
        matrix: list[list[int]] = counts.reshape(classes, classes).tolist()
        return matrix

    return Metric(of, "classification", "neither", multilabel=False)


@metrics.add("rmse")
def rmse() -> Metric:
    """√ of the mean squared error; of several targets, the mean of theirs (as scikit-learn averages)."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.sqrt(np.mean((predicted - true) ** 2, axis=0)).mean())

    return Metric(of, "regression", "lower")


@metrics.add("mae")
def mae() -> Metric:
    """The mean absolute error."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.mean(np.abs(predicted - true)))

    return Metric(of, "regression", "lower")


@metrics.add("r2")
def r2() -> Metric:
    """1 − Σ(t − y)² / Σ(t − t̄)², the mean over the targets; of a constant target 1 if right, else 0."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        residual = ((true - predicted) ** 2).sum(axis=0)
        total = ((true - true.mean(axis=0)) ** 2).sum(axis=0)
        flat = total == 0
        score = np.where(flat, np.where(residual == 0, 1.0, 0.0), 1.0 - residual / np.where(flat, 1.0, total))
        return float(score.mean())

    return Metric(of, "regression", "higher")
