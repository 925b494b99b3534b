"""Metrics of predicted against true classes."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from bptrain.parts.metrics.base import Metric, metrics
from bptrain.parts.types import Array

Average = Literal["macro", "weighted", "per_class"]


class Counts(NamedTuple):
    """How many rows of each class (multi-label: with a yes at each label), K each."""

    right: Array  # true and predicted
    predicted: Array
    true: Array


def counts_of(predicted: Array, true: Array, classes: int) -> Counts:
    """The counts of class numbers, N, or of yes/no answers, N × m."""
    if true.ndim > 1:
        return Counts((predicted * true).sum(axis=0), predicted.sum(axis=0), true.sum(axis=0))
    right = np.bincount(true[predicted == true], minlength=classes)
    return Counts(right, np.bincount(predicted, minlength=classes), np.bincount(true, minlength=classes))


def share(part: Array, whole: Array) -> Array:
    """part / whole, entry by entry; 0 / 0 is 0."""
    return np.where(whole == 0, 0.0, part / np.where(whole == 0, 1, whole))


def averaged(each: Callable[[Counts], Array], average: Average) -> Metric:
    """The metric that combines one number per class.

    macro is the mean over the classes that occur, as true or as predicted ones (multi-label: over all labels); weighted
    weights each class by its number of rows; per_class leaves one number per class.
    """

    def of(predicted: Array, true: Array, classes: int) -> float | list[float]:
        counts = counts_of(predicted, true, classes)
        values = each(counts)
        if average == "per_class":
            one_each: list[float] = values.tolist()
            return one_each
        if average == "weighted":
            rows = counts.true.sum()
            return float((values * counts.true).sum() / rows) if rows > 0 else 0.0
        occurs = (counts.true + counts.predicted > 0) | (true.ndim > 1)
        return float(values[occurs].mean())

    per_class = average == "per_class"
    return Metric(of, "classification", "neither" if per_class else "higher", per_class=per_class)


@metrics.add("accuracy")
def accuracy() -> Metric:
    """The share of rows whose class is right; with several yes/no outputs, all of them must be."""

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


@metrics.add("balanced_accuracy")
def balanced_accuracy() -> Metric:
    """The mean recall over the classes that occur among the true labels. Brodersen et al. 2010."""

    def of(predicted: Array, true: Array, classes: int) -> float:
        counts = counts_of(predicted, true, classes)
        occurs = counts.true > 0
        return float((counts.right[occurs] / counts.true[occurs]).mean())

    return Metric(of, "classification", "higher", multilabel=False)


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

    def of(predicted: Array, true: Array, classes: int) -> float:
        counts = counts_of(predicted, true, classes)
        N, right = float(len(true)), float(counts.right.sum())
        t, p = counts.true.astype(np.float64), counts.predicted.astype(np.float64)
        size = (N * N - p @ p) * (N * N - t @ t)
        return float((N * right - t @ p) / np.sqrt(size)) if size > 0 else 0.0

    return Metric(of, "classification", "higher", multilabel=False)


@metrics.add("cohen_kappa")
def cohen_kappa() -> Metric:
    """(p_o − p_e) / (1 − p_e), with p_o the accuracy and p_e = Σ t_k p_k / N² that of random guesses. Cohen 1960.

    Not defined where all rows are of one class and predicted as it.
    """

    def of(predicted: Array, true: Array, classes: int) -> float:
        counts = counts_of(predicted, true, classes)
        N = float(len(true))
        by_chance = counts.true.astype(np.float64) @ counts.predicted.astype(np.float64) / N
        if by_chance == N:
            return float("nan")
        return float(1.0 - (N - counts.right.sum()) / (N - by_chance))

    return Metric(of, "classification", "higher", multilabel=False)


@metrics.add("confusion_matrix")
def confusion_matrix() -> Metric:
    """C[j][k]: the number of rows of class j that were predicted as class k."""

    def of(predicted: Array, true: Array, classes: int) -> list[list[int]]:
        counts = np.bincount(true * classes + predicted, minlength=classes * classes)
        matrix: list[list[int]] = counts.reshape(classes, classes).tolist()
        return matrix

    return Metric(of, "classification", "neither", multilabel=False)
