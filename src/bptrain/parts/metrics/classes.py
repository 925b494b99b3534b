"""Metrics of predicted against true classes."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from bptrain.parts.metrics.base import Metric, mean_over_rows, metrics
from bptrain.parts.types import Array

Average = Literal["macro", "weighted", "per_class"]


class Counts(NamedTuple):
    """How many rows of each class (multi-label: with a yes at each label), or what they weigh, K each."""

    right: Array  # true and predicted
    predicted: Array
    true: Array


def counts_of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> Counts:
    """The counts of class numbers, N, or of yes/no answers, N × m."""
    if true.ndim > 1:
        answers = (predicted * true, predicted, true)
        return Counts(*(yes.sum(axis=0) if weight is None else weight @ yes for yes in answers))

    def count(of: Array, rows: Array | slice = slice(None)) -> Array:
        return np.bincount(of[rows], None if weight is None else weight[rows], minlength=classes)

    return Counts(count(true, predicted == true), count(predicted), count(true))


def share(part: Array, whole: Array) -> Array:
    """part / whole, entry by entry; 0 / 0 is 0."""
    return np.where(whole == 0, 0.0, part / np.where(whole == 0, 1, whole))


def averaged(each: Callable[[Counts], Array], average: Average) -> Metric:
    """The metric that combines one number per class.

    macro is the mean over the classes that occur, as true or as predicted ones (multi-label: over all labels); weighted
    weights each class by its number of rows; per_class leaves one number per class.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float | list[float]:
        counts, rows_of = (counts_of(predicted, true, classes, by) for by in (weight, None))
        values = each(counts)
        if average == "per_class":
            one_each: list[float] = values.tolist()
            return one_each
        if average == "weighted":
            rows = counts.true.sum()
            return float((values * counts.true).sum() / rows) if rows > 0 else 0.0
        occurs = (rows_of.true + rows_of.predicted > 0) | (true.ndim > 1)
        return float(values[occurs].mean())

    per_class = average == "per_class"
    better: Literal["neither", "higher"] = "neither" if per_class else "higher"
    return Metric(of, "classification", better, per_class=per_class, weighs=True)


@metrics.add("accuracy")
def accuracy() -> Metric:
    """The share of rows whose class is right; with several yes/no outputs, all of them must be."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        right = predicted == true
        return float(mean_over_rows(right.all(axis=-1) if right.ndim > 1 else right, weight))

    return Metric(of, "classification", "higher", weighs=True)


@metrics.add("error_rate")
def error_rate() -> Metric:
    """1 − accuracy."""
    share_right = accuracy().of

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return 1.0 - float(share_right(predicted, true, classes, weight))

    return Metric(of, "classification", "lower", weighs=True)


@metrics.add("balanced_accuracy")
def balanced_accuracy() -> Metric:
    """The mean recall over the classes that occur among the true labels. Brodersen et al. 2010."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        counts = counts_of(predicted, true, classes, weight)
        occurs = counts.true > 0
        return float((counts.right[occurs] / counts.true[occurs]).mean()) if occurs.any() else float("nan")

    return Metric(of, "classification", "higher", multilabel=False, weighs=True)


@metrics.add("precision")
def precision(average: Average = "macro") -> Metric:
    """TP / (TP + FP): the share of the rows predicted as a class that are of it; 0 where no row is.

    macro: the mean over the classes that occur; a yes/no target has two (scikit-learn's `binary`, for the second class
    alone, is an entry of per_class). weighted: weighted by the number of rows of each class. With several yes/no
    outputs, each output is a class, to which its yes rows belong.
    """

    def each(counts: Counts) -> Array:
        return share(counts.right, counts.predicted)

    return averaged(each, average)


@metrics.add("recall")
def recall(average: Average = "macro") -> Metric:
    """TP / (TP + FN): the share of a class's rows that are predicted as it; 0 where it has no rows.

    Averages are as for precision.
    """

    def each(counts: Counts) -> Array:
        return share(counts.right, counts.true)

    return averaged(each, average)


@metrics.add("f1")
def f1(average: Average = "macro") -> Metric:
    """2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall; 0 where a class does not occur.

    Averages as for precision, of each class's f1. van Rijsbergen 1979.
    """

    def each(counts: Counts) -> Array:
        return share(2 * counts.right, counts.predicted + counts.true)

    return averaged(each, average)


@metrics.add("matthews_corrcoef")
def matthews_corrcoef() -> Metric:
    """(N Σ C_kk − Σ t_k p_k) / √((N² − Σ p_k²)(N² − Σ t_k²)), t_k rows of class k, p_k predicted as k; 0 / 0 is 0.

    For two classes, the correlation between predicted and true. Matthews 1975; Gorodkin 2004.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        counts = counts_of(predicted, true, classes, weight)
        t, p = counts.true.astype(np.float64), counts.predicted.astype(np.float64)
        N, right = t.sum(), float(counts.right.sum())
        size = (p.sum() ** 2 - p @ p) * (
            N * N - t @ t
        )  # where all are of one class, both sums are p_k to the last bit
        return float((N * right - t @ p) / np.sqrt(size)) if size > 0 else 0.0

    return Metric(of, "classification", "higher", multilabel=False, weighs=True)


@metrics.add("cohen_kappa")
def cohen_kappa() -> Metric:
    """(p_o − p_e) / (1 − p_e), with p_o the accuracy and p_e = Σ t_k p_k / N² that of random guesses. Cohen 1960.

    Not defined where all rows are of one class and predicted as it.
    """

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        counts = counts_of(predicted, true, classes, weight)
        t, p = counts.true.astype(np.float64), counts.predicted.astype(np.float64)
        N = t.sum()
        if not t @ (p.sum() - p) > 0:
            return float("nan")
        return float(1.0 - (N - counts.right.sum()) / (N - t @ p / N))

    return Metric(of, "classification", "higher", multilabel=False, weighs=True)


@metrics.add("confusion_matrix")
def confusion_matrix() -> Metric:
    """C[j][k]: the number of rows of class j that were predicted as class k; with row weights, what they weigh."""

    def of(
        predicted: Array, true: Array, classes: int, weight: Array | None = None
    ) -> list[list[int]] | list[list[float]]:
        counts = np.bincount(true * classes + predicted, weight, minlength=classes * classes)
        matrix: list[list[int]] | list[list[float]] = counts.reshape(classes, classes).tolist()
        return matrix

    return Metric(of, "classification", "neither", multilabel=False, weighs=True)
