"""Metrics of predicted against true values, N × m, in the target's own units."""

import numpy as np

from bptrain.parts.metrics.base import Metric, metrics
from bptrain.parts.types import Array

EPSILON = float(np.finfo(np.float64).eps)


@metrics.add("rmse")
def rmse() -> Metric:
    """√(1/N Σ (t − y)²); with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.sqrt(np.mean((predicted - true) ** 2, axis=0)).mean())

    return Metric(of, "regression", "lower")


@metrics.add("mae")
def mae() -> Metric:
    """1/N Σ |t − y|; with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.mean(np.abs(predicted - true)))

    return Metric(of, "regression", "lower")


@metrics.add("median_absolute_error")
def median_absolute_error() -> Metric:
    """The median of |t − y|; with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.median(np.abs(predicted - true), axis=0).mean())

    return Metric(of, "regression", "lower")


@metrics.add("max_error")
def max_error() -> Metric:
    """The largest |t − y|; with several targets, the largest of all (scikit-learn defines it for one target only)."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.max(np.abs(predicted - true)))

    return Metric(of, "regression", "lower")


@metrics.add("mape")
def mape() -> Metric:
    """1/N Σ |t − y| / max(|t|, 2.2e-16), a fraction, not a percentage; with several targets, the mean over them.

    A target of 0 makes it huge.
    """

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.mean(np.abs(predicted - true) / np.maximum(np.abs(true), EPSILON)))

    return Metric(of, "regression", "lower")


@metrics.add("r2")
def r2() -> Metric:
    """1 − Σ (t − y)² / Σ (t − t̄)²; with several targets, the mean over them.

    For a constant target it is 1 if the predictions are exact, else 0; for a single row it is not defined.
    """

    def of(predicted: Array, true: Array, classes: int) -> float:
        if len(true) < 2:
            return float("nan")
        return explained((true - predicted) ** 2, (true - true.mean(axis=0)) ** 2)

    return Metric(of, "regression", "higher")


@metrics.add("explained_variance")
def explained_variance() -> Metric:
    """1 − Var(t − y) / Var(t), r2 after the mean error is removed; with several targets, the mean over them.

    For a constant target it is 1 if the error is constant too, else 0.
    """

    def of(predicted: Array, true: Array, classes: int) -> float:
        error = true - predicted
        return explained((error - error.mean(axis=0)) ** 2, (true - true.mean(axis=0)) ** 2)

    return Metric(of, "regression", "higher")


def explained(left: Array, total: Array) -> float:
    """1 − Σ left / Σ total (N × m), the mean over the targets; where the total is 0, 1 if nothing is left, else 0."""
    left, total = left.sum(axis=0), total.sum(axis=0)
    flat = total == 0
    score = np.where(flat, np.where(left == 0, 1.0, 0.0), 1.0 - left / np.where(flat, 1.0, total))
    return float(score.mean())
