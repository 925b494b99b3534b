"""Metrics of predicted against true values, N × m, in the target's own units."""

from collections.abc import Callable

import numpy as np

from bptrain.mapped_rows import by_rows
from bptrain.parts.metrics.base import Metric, Summed, Units, by_mean, mean_over_rows, metrics
from bptrain.parts.types import Array

EPSILON = float(np.finfo(np.float64).eps)
ROUNDING = 1e-12  # of a sum of weights, relative


def squares(predicted: Array, true: Array, classes: int = 0) -> Array:
    """(t − y)²."""
    return (predicted - true) ** 2


def distances(predicted: Array, true: Array, classes: int = 0) -> Array:
    """|t − y|."""
    return np.abs(predicted - true)


def mean_error(each: Callable[[Array, Array, int], Array]) -> Metric:
    """The mean over rows and targets of an error per row and target, N × m."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        error = by_rows(lambda y, t: each(y, t, classes), predicted, true)
        return float(np.mean(error) if weight is None else mean_over_rows(error, weight).mean())

    return Metric(of, "regression", "lower", weighs=True, by_sums=by_mean(each))


@metrics.add("rmse")
def rmse() -> Metric:
    """√(1/N Σ (t − y)²); with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return float(np.sqrt(mean_over_rows(by_rows(squares, predicted, true), weight)).mean())

    return Metric(of, "regression", "lower", weighs=True, by_sums=by_mean(squares, np.sqrt))


@metrics.add("mae")
def mae() -> Metric:
    """1/N Σ |t − y|; with several targets, the mean over them."""
    return mean_error(distances)


@metrics.add("median_absolute_error")
def median_absolute_error() -> Metric:
    """The median of |t − y|; with several targets, the mean over them."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return float(median(by_rows(distances, predicted, true), weight).mean())

    return Metric(of, "regression", "lower", weighs=True)


@metrics.add("max_error")
def max_error() -> Metric:
    """The largest |t − y|, whatever the rows weigh; with several targets, the largest of all.

    scikit-learn defines it for one target only.
    """

    def of(predicted: Array, true: Array, classes: int) -> float:
        return float(np.max(by_rows(distances, predicted, true)))

    return Metric(of, "regression", "lower", extreme=True)


@metrics.add("mape")
def mape() -> Metric:
    """1/N Σ |t − y| / max(|t|, 2.2e-16), a fraction, not a percentage; with several targets, the mean over them.

    A target of 0 makes it huge.
    """

    def each(predicted: Array, true: Array, classes: int) -> Array:
        return np.abs(predicted - true) / np.maximum(np.abs(true), EPSILON)

    return mean_error(each)


@metrics.add("r2")
def r2() -> Metric:
    """1 − Σ (t − y)² / Σ (t − t̄)²; with several targets, the mean over them.

    For a constant target it is 1 if the predictions are exact, else 0; for a single row it is not defined.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        if len(true) < 2:
            return float("nan")
        center = center_of(true, weight)
        return explained(by_rows(squares, true, predicted), squares_from(center, true), weight)

    def by_sums(predicted: Array, true: Array, classes: int, units: Units) -> Summed:
        away = away_from(center_of(true, units.weight), true)
        table = units.sums(by_rows(squares, true, predicted), away, by_rows(np.square, away), 1.0)

        def value(sums: Array) -> Array:
            left, first, second = np.split(sums[..., :-1], 3, axis=-1)
            return explained_by_sums(left, variation(first, second, sums[..., -1:]))

        return Summed(table, value)

    return Metric(of, "regression", "higher", weighs=True, by_sums=by_sums)


@metrics.add("explained_variance")
def explained_variance() -> Metric:
    """1 − Var(t − y) / Var(t), r2 after the mean error is removed; with several targets, the mean over them.

    For a constant target it is 1 if the error is constant too, else 0.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        error = by_rows(np.subtract, true, predicted)
        shift, center = center_of(error, weight), center_of(true, weight)
        return explained(squares_from(shift, error), squares_from(center, true), weight)

    def by_sums(predicted: Array, true: Array, classes: int, units: Units) -> Summed:
        error = by_rows(np.subtract, true, predicted)
        off = away_from(center_of(error, units.weight), error)
        away = away_from(center_of(true, units.weight), true)
        table = units.sums(off, by_rows(np.square, off), away, by_rows(np.square, away), 1.0)

        def value(sums: Array) -> Array:
            N = sums[..., -1:]
            errors, squares, first, second = np.split(sums[..., :-1], 4, axis=-1)
            return explained_by_sums(variation(errors, squares, N), variation(first, second, N))

        return Summed(table, value)

    return Metric(of, "regression", "higher", weighs=True, by_sums=by_sums)


def away_from(center: Array, values: Array) -> Array:
    """v − c of N × m, with c one number per column."""
    return by_rows(lambda v: v - center, values)


def squares_from(center: Array, values: Array) -> Array:
    """(v − c)² of N × m, with c one number per column."""
    return by_rows(lambda v: (v - center) ** 2, values)


def center_of(values: Array, weight: Array | None) -> Array:
    """The mean of each column of N × m; of equal values it is exactly that value, whatever the rows weigh."""
    if weight is None:
        return np.asarray(values.mean(axis=0))
    one = values[weight.argmax()]
    return np.asarray(one + mean_over_rows(by_rows(lambda v: v - one, values), weight))


def median(values: Array, weight: Array | None) -> Array:
    """The median of each column of N × m, by what the rows weigh: as much lies above it as below.

    The values may be in another order after it.
    """
    if weight is None:
        return np.asarray(np.median(values, axis=0, overwrite_input=True))
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


def variation(first: Array, second: Array, N: Array) -> Array:
    """Σ (v − v̄)² of Σ v, Σ v² and the number of rows, 0 where it is no more than rounding."""
    found = second - first * first / N
    return np.where(found > ROUNDING * second, found, 0.0)


def explained_by_sums(left: Array, total: Array) -> Array:
    """1 − left / total of sums … × m, the mean over the targets; not defined where the target is constant."""
    flat = total == 0
    found: Array = np.where(flat, np.nan, 1.0 - left / np.where(flat, 1.0, total)).mean(axis=-1)
    return found
