"""Metrics of predicted against true values, N × m, in the target's own units."""

import numpy as np

from bptrain.parts.metrics.base import Metric, mean_over_rows, metrics
from bptrain.parts.types import Array

EPSILON = float(np.finfo(np.float64).eps)
ROUNDING = 1e-12  # of a sum of weights, relative


@metrics.add("rmse")
def rmse() -> Metric:
    """√(1/N Σ (t − y)²); with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return float(np.sqrt(mean_over_rows((predicted - true) ** 2, weight)).mean())

    return Metric(of, "regression", "lower", weighs=True)


@metrics.add("mae")
def mae() -> Metric:
    """1/N Σ |t − y|; with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        error = np.abs(predicted - true)
        return float(np.mean(error) if weight is None else mean_over_rows(error, weight).mean())

    return Metric(of, "regression", "lower", weighs=True)


@metrics.add("median_absolute_error")
def median_absolute_error() -> Metric:
    """The median of |t − y|; with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return float(median(np.abs(predicted - true), weight).mean())

    return Metric(of, "regression", "lower", weighs=True)


@metrics.add("max_error")
def max_error() -> Metric:
    """The largest |t − y|, whatever the rows weigh; with several targets, the largest of all.

    scikit-learn defines it for one target only.
    """

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.max(np.abs(predicted - true)))

    return Metric(of, "regression", "lower")


@metrics.add("mape")
def mape() -> Metric:
    """1/N Σ |t − y| / max(|t|, 2.2e-16), a fraction, not a percentage; with several targets, the mean over them.

    A target of 0 makes it huge.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        error = np.abs(predicted - true) / np.maximum(np.abs(true), EPSILON)
        return float(np.mean(error) if weight is None else mean_over_rows(error, weight).mean())

    return Metric(of, "regression", "lower", weighs=True)


@metrics.add("r2")
def r2() -> Metric:
    """1 − Σ (t − y)² / Σ (t − t̄)²; with several targets, the mean over them.

    For a constant target it is 1 if the predictions are exact, else 0; for a single row it is not defined.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        if len(true) < 2:
            return float("nan")
        center = center_of(true, weight)
        return explained((true - predicted) ** 2, (true - center) ** 2, weight)

    return Metric(of, "regression", "higher", weighs=True)


@metrics.add("explained_variance")
def explained_variance() -> Metric:
    """1 − Var(t − y) / Var(t), r2 after the mean error is removed; with several targets, the mean over them.

    For a constant target it is 1 if the error is constant too, else 0.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        error = true - predicted
        shift, center = center_of(error, weight), center_of(true, weight)
        return explained((error - shift) ** 2, (true - center) ** 2, weight)

    return Metric(of, "regression", "higher", weighs=True)


def center_of(values: Array, weight: Array | None) -> Array:
    """The mean of each column of N × m; of equal values it is exactly that value, whatever the rows weigh."""
    if weight is None:
        return np.asarray(values.mean(axis=0))
    one = values[weight.argmax()]
    return np.asarray(one + mean_over_rows(values - one, weight))


def median(values: Array, weight: Array | None) -> Array:
    """The median of each column of N × m, by what the rows weigh: as much lies above it as below."""
    if weight is None:
        return np.asarray(np.median(values, axis=0))
    values, weight = values[weight > 0], weight[weight > 0]
    if not len(values):
        return np.full(values.shape[1], np.nan)
    found = []
    for column in values.T:
        order = np.argsort(column)
        below = np.cumsum(weight[order])
        low = np.searchsorted(below, 0.5 * below[-1] * (1.0 - ROUNDING))
        high = np.searchsorted(below, 0.5 * below[-1] * (1.0 + ROUNDING), side="right")
        last = column[order[-1]]  # where NaN is, if there is one
        found.append(last if np.isnan(last) else 0.5 * (column[order[low]] + column[order[high]]))
    return np.array(found)


def explained(left: Array, total: Array, weight: Array | None = None) -> float:
    """1 − Σ left / Σ total (N × m), the mean over the targets; where the total is 0, 1 if nothing is left, else 0."""
    left, total = (part.sum(axis=0) if weight is None else weight @ part for part in (left, total))
    flat = total == 0
    score = np.where(flat, np.where(left == 0, 1.0, 0.0), 1.0 - left / np.where(flat, 1.0, total))
    return float(score.mean())
