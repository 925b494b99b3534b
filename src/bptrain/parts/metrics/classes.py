"""Metrics of predicted against true classes."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from bptrain.mapped_rows import by_rows
from bptrain.parts.metrics.base import Metric, Summed, Units, by_mean, mean_over_rows, metrics
from bptrain.parts.types import Array

Average = Literal["macro", "weighted", "per_class"]


class Counts(NamedTuple):
    """How many rows of each class (multi-label: with a yes at each label), or what they weigh: K each, or … × K."""

    right: Array  # true and predicted
    predicted: Array
    true: Array

    @property
    def occurs(self) -> Array:
        """Which classes there are, as true or as predicted ones."""
        return self.true + self.predicted > 0


def counts_of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> Counts:
    """The counts of class numbers, N, or of yes/no answers, N × m."""
    if true.ndim > 1:
        answers = (by_rows(np.multiply, predicted, true), predicted, true)
        return Counts(*(yes.sum(axis=0) if weight is None else weight @ yes for yes in answers))

    def count(of: Array) -> Array:
        return np.bincount(of, weight, minlength=classes)

    right = by_rows(lambda y, t: np.where(y == t, t, classes), predicted, true)  # a wrong row is of none
    return Counts(count(right)[:classes], count(predicted), count(true))


def by_counts(
    value: Callable[[Counts, bool], Array], share_of: Callable[[Counts], Array] | None = None
) -> Callable[[Array, Array, int, Units], Summed]:
    """A metric that is a function of the counts, and of whether each class is a separate yes or no."""

    def by_sums(predicted: Array, true: Array, classes: int, units: Units) -> Summed:
        separate = true.ndim > 1
        if separate:
            table = units.sums(predicted * true, predicted, true)
        else:
            right = units.counts(true, classes, predicted == true)
            table = np.hstack([right, units.counts(predicted, classes), units.counts(true, classes)])

        def counts(sums: Array) -> Counts:
            return Counts(*np.split(sums, 3, axis=-1))

        rows = None if share_of is None else (lambda sums: share_of(counts(sums)))
        return Summed(table, lambda sums: value(counts(sums), separate), rows)

    return by_sums


def share(part: Array, whole: Array) -> Array:
    """part / whole, entry by entry; 0 / 0 is 0."""
    return np.where(whole == 0, 0.0, part / np.where(whole == 0, 1, whole))


def averaged(
    each: Callable[[Counts], Array], average: Average, share_of: Callable[[Counts], Array] | None = None
) -> Metric:
    """The metric that combines one number per class, which may be the share of `share_of` rows.

    macro is the mean over the classes that occur, as true or as predicted ones (multi-label: over all labels); weighted
    weights each class by its number of rows; per_class leaves one number per class.
    """

    def value(counts: Counts, occurs: Array) -> Array:
        values = each(counts)
        if average == "per_class":
            return values
        if average == "weighted":
            return share((values * counts.true).sum(axis=-1), counts.true.sum(axis=-1))
        return np.where(occurs, values, 0.0).sum(axis=-1) / occurs.sum(axis=-1)

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float | list[float]:
        counts, rows_of = (counts_of(predicted, true, classes, by) for by in (weight, None))
        found: float | list[float] = value(counts, rows_of.occurs | (true.ndim > 1)).tolist()
        return found

    per_class = average == "per_class"
    better: Literal["neither", "higher"] = "neither" if per_class else "higher"
    by_sums = by_counts(
        lambda counts, separate: value(counts, counts.occurs | separate), share_of if per_class else None
    )
    return Metric(of, "classification", better, per_class=per_class, weighs=True, by_sums=by_sums)


def of_counts(value: Callable[[Counts], Array]) -> Metric:
    """The metric that is a function of the counts of classes, one per row."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return float(value(counts_of(predicted, true, classes, weight)))

    by_sums = by_counts(lambda counts, separate: value(counts))
    return Metric(of, "classification", "higher", multilabel=False, weighs=True, by_sums=by_sums)


def is_right(predicted: Array, true: Array, classes: int = 0) -> Array:
    """Whether the class of each row is right, N; with several yes/no outputs, all of them must be."""
    right = predicted == true
    return np.asarray(right.all(axis=-1) if right.ndim > 1 else right)


@metrics.add("accuracy")
def accuracy() -> Metric:
    """The share of rows whose class is right; with several yes/no outputs, all of them must be."""

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return float(mean_over_rows(by_rows(is_right, predicted, true), weight))

    return Metric(of, "classification", "higher", weighs=True, by_sums=by_mean(is_right, share=True))


@metrics.add("error_rate")
def error_rate() -> Metric:
    """1 − accuracy."""
    share_right = accuracy().of

    def of(predicted: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return 1.0 - float(share_right(predicted, true, classes, weight))

    by_sums = by_mean(is_right, lambda mean: 1.0 - mean, share=True)
    return Metric(of, "classification", "lower", weighs=True, by_sums=by_sums)


@metrics.add("balanced_accuracy")
def balanced_accuracy() -> Metric:
    """The mean recall over the classes that occur among the true labels. Brodersen et al. 2010."""

    def value(counts: Counts) -> Array:
        recalls, occurs = share(counts.right, counts.true), (counts.true > 0).sum(axis=-1)
        return np.where(occurs > 0, recalls.sum(axis=-1) / occurs, np.nan)

    return of_counts(value)


@metrics.add("precision")
def precision(average: Average = "macro") -> Metric:
    """TP / (TP + FP): the share of the rows predicted as a class that are of it; 0 where no row is.

    macro: the mean over the classes that occur; a yes/no target has two (scikit-learn's `binary`, for the second class
    alone, is an entry of per_class). weighted: weighted by the number of rows of each class. With several yes/no
    outputs, each output is a class, to which its yes rows belong.
    """

    def each(counts: Counts) -> Array:
        return share(counts.right, counts.predicted)

    return averaged(each, average, lambda counts: counts.predicted)


@metrics.add("recall")
def recall(average: Average = "macro") -> Metric:
    """TP / (TP + FN): the share of a class's rows that are predicted as it; 0 where it has no rows.

    Averages are as for precision.
    """

    def each(counts: Counts) -> Array:
        return share(counts.right, counts.true)

    return averaged(each, average, lambda counts: counts.true)


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

    def value(counts: Counts) -> Array:
        t, p = counts.true.astype(np.float64), counts.predicted.astype(np.float64)
        N, right = t.sum(axis=-1), counts.right.sum(axis=-1)
        # where all are of one class, both sums are p_k to the last bit
        size = (p.sum(axis=-1) ** 2 - (p * p).sum(axis=-1)) * (N * N - (t * t).sum(axis=-1))
        surplus = N * right - (t * p).sum(axis=-1)
        return np.where(size > 0, surplus / np.sqrt(np.where(size > 0, size, 1.0)), 0.0)

    return of_counts(value)


@metrics.add("cohen_kappa")
def cohen_kappa() -> Metric:
    """(p_o − p_e) / (1 − p_e), with p_o the accuracy and p_e = Σ t_k p_k / N² that of random guesses. Cohen 1960.

    Not defined where all rows are of one class and predicted as it.
    """

    def value(counts: Counts) -> Array:
        t, p = counts.true.astype(np.float64), counts.predicted.astype(np.float64)
        N = t.sum(axis=-1)
        defined = (t * (p.sum(axis=-1, keepdims=True) - p)).sum(axis=-1) > 0
        by_chance = (t * p).sum(axis=-1) / N
        wrong = N - counts.right.sum(axis=-1)
        return np.where(defined, 1.0 - wrong / np.where(defined, N - by_chance, 1.0), np.nan)

    return of_counts(value)


@metrics.add("confusion_matrix")
def confusion_matrix() -> Metric:
    """C[j][k]: the number of rows of class j that were predicted as class k; with row weights, what they weigh."""

    def of(
        predicted: Array, true: Array, classes: int, weight: Array | None = None
    ) -> list[list[int]] | list[list[float]]:
        counts = np.bincount(
            by_rows(lambda y, t: t * classes + y, predicted, true), weight, minlength=classes * classes
        )
        matrix: list[list[int]] | list[list[float]] = counts.reshape(classes, classes).tolist()
        return matrix

    return Metric(of, "classification", "neither", multilabel=False, weighs=True)
