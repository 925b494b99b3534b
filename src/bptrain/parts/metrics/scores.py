"""Metrics of the scores or probabilities of all classes against true classes."""

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from bptrain.mapped_rows import by_rows
from bptrain.parts.metrics.base import Metric, Summed, Units, by_mean, mean_of, mean_over_rows, metrics
from bptrain.parts.types import Array

Places = Annotated[int, Interval(ge=1, le=1_000_000)]
Bins = Annotated[int, Interval(ge=1, le=1_000_000)]


def mean_score(
    each: Callable[[Array, Array, int], Array],
    better: Literal["higher", "lower"],
    reads: Literal["scores", "probabilities"] = "probabilities",
    least_classes: int = 2,
    share: bool = False,
) -> Metric:
    """The mean over the rows, each of one class, of a figure of its scores."""

    def of(scores: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        return float(mean_over_rows(by_rows(lambda s, t: each(s, t, classes), scores, true), weight))

    return Metric(
        of,
        "classification",
        better,
        multilabel=False,
        reads=reads,
        least_classes=least_classes,
        weighs=True,
        by_sums=by_mean(each, share=share),
    )


@metrics.add("top_k_accuracy")
def top_k_accuracy(k: Places = 2) -> Metric:
    """The share of rows whose class is among the k classes of highest score.

    Among equal scores the later class ranks higher; with two classes, the first one (as in scikit-learn).
    """

    def each(scores: Array, true: Array, classes: int) -> Array:
        own, number = scores[np.arange(len(true)), true][:, None], np.arange(classes)
        first = number >= true[:, None] if classes == 2 else number <= true[:, None]
        ahead = ~((scores < own) | ((scores == own) & first))  # NaN is ahead of all
        return np.asarray(ahead.sum(axis=1) < k)

    return mean_score(each, "higher", reads="scores", least_classes=k + 1, share=True)


@metrics.add("roc_auc")
def roc_auc() -> Metric:
    """P(s⁺ > s⁻) + ½ P(s⁺ = s⁻): how probably a row of the class scores higher than another row. Fawcett 2006.

    Two classes: for the second one. Several: each against the rest, and the mean over them (scikit-learn's `ovr`,
    macro), for any scores; yes/no outputs: the mean over them. Not defined where a class has all rows or none.
    """

    def of(scores: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        if true.ndim > 1:
            areas = [area(scores[:, k], true[:, k] == 1, weight) for k in range(classes)]
        else:
            areas = [area(scores[:, k], true == k, weight) for k in ([1] if classes == 2 else range(classes))]
        return float(np.mean(areas))

    def by_sums(scores: Array, true: Array, classes: int, units: Units) -> Summed:
        if true.ndim > 1:
            sides = [(scores[:, k], true[:, k] == 1) for k in range(classes)]
        else:
            sides = [(scores[:, k], true == k) for k in ([1] if classes == 2 else range(classes))]
        table = np.hstack([placements(score, positive, units) for score, positive in sides])

        def value(sums: Array) -> Array:
            above, positives, below, negatives = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 4), -1, 0)
            linear = (above / positives + below / negatives).mean(axis=-1)
            return np.asarray(np.clip(linear, 0.0, 1.0))  # as a line goes on beyond what an area can be

        return Summed(table, value)

    return Metric(of, "classification", "higher", reads="scores", weighs=True, by_sums=by_sums)


def area(score: Array, positive: Array, weight: Array | None = None) -> float:
    """The area under the ROC curve of one score; NaN where the positives are all or none, or a score is NaN."""
    values, place = np.unique(score, return_inverse=True)
    positives, negatives = (
        np.bincount(place[rows], None if weight is None else weight[rows], minlength=len(values))
        for rows in (positive, ~positive)
    )
    pairs = float(positives.sum()) * float(negatives.sum())
    if pairs == 0 or np.isnan(values[-1]):  # np.unique puts NaN last
        return float("nan")
    twice_below = 2 * np.cumsum(negatives) - negatives  # a pair of equal scores counts a half
    return float(positives.astype(np.float64) @ twice_below) / (2.0 * pairs)


def placements(score: Array, positive: Array, units: Units) -> Array:
    """What the area is the sum of, linear in the rows: B × 4, of DeLong, DeLong & Clarke-Pearson 1988.

    Σ of the share of negatives below each positive; the positives; Σ of the share of positives above each negative,
    less the area; the negatives.
    """
    weight = units.weight
    whole = area(score, positive, weight)
    values, place = np.unique(score, return_inverse=True)
    below = []
    for rows in (~positive, positive):
        each = np.bincount(place[rows], None if weight is None else weight[rows], minlength=len(values))
        below.append((np.cumsum(each) - each / 2)[place] / each.sum())
    above = positive * below[0]
    beneath = ~positive * (1.0 - below[1] - whole)
    return units.sums(above, positive, beneath, ~positive)


@metrics.add("log_loss")
def log_loss() -> Metric:
    """−1/N Σ ln p of the true class, p kept within [ε, 1 − ε], with ε = 2.2e-16 (float32: 1.2e-7). Good 1952."""

    def each(scores: Array, true: Array, classes: int) -> Array:
        own, epsilon = scores[np.arange(len(true)), true], np.finfo(scores.dtype).eps
        return np.asarray(-np.log(own.clip(epsilon, 1 - epsilon).astype(np.float64)))

    return mean_score(each, "lower")


@metrics.add("brier")
def brier() -> Metric:
    """1/N Σ ‖p − t‖², t one-hot; with two classes, half of it, which is (p − t)² of the second class. Brier 1950."""

    def each(scores: Array, true: Array, classes: int) -> Array:
        errors = scores.astype(np.float64)
        errors[np.arange(len(true)), true] -= 1.0
        return np.asarray((errors * errors).sum(axis=1) * (0.5 if classes == 2 else 1.0))

    return mean_score(each, "lower")


@metrics.add("expected_calibration_error")
def expected_calibration_error(bins: Bins = 15) -> Metric:
    """Σ_b n_b/N |accuracy_b − confidence_b| over bins of equal width of the highest probability. Guo et al. 2017.

    A bin includes its upper edge; among equal probabilities the first class is the predicted one.
    """

    def confidence(scores: Array) -> Array:
        return np.asarray(scores.max(axis=1).astype(np.float64))

    def bin_of_row(scores: Array) -> Array:
        return np.searchsorted(np.arange(1, bins) / bins, confidence(scores))

    def surplus_of_row(scores: Array, true: Array) -> Array:
        return np.asarray((scores.argmax(axis=1) == true) - confidence(scores))

    def in_bins(scores: Array, true: Array) -> tuple[Array, Array]:
        return by_rows(bin_of_row, scores), by_rows(surplus_of_row, scores, true)

    def of(scores: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        bin_of, surplus = in_bins(scores, true)
        total = len(true) if weight is None else weight.sum()
        surplus = surplus if weight is None else by_rows(np.multiply, weight, surplus)
        each = np.bincount(bin_of, weights=surplus, minlength=bins)
        return float(np.abs(each).sum() / total)  # n_b is in the sum over the bin's rows

    def by_sums(scores: Array, true: Array, classes: int, units: Units) -> Summed:
        """By the sign that each bin has: absolute values of resampled rows would be larger on average.

        Their sum may then be below 0, where no error is.
        """
        bin_of, surplus = in_bins(scores, true)
        weighed = surplus if units.weight is None else by_rows(np.multiply, units.weight, surplus)
        sign = np.sign(np.bincount(bin_of, weights=weighed, minlength=bins))
        signed = by_rows(lambda bins, part: sign[bins] * part, bin_of, surplus)
        return mean_of(signed, units, lambda mean: np.maximum(mean, 0.0))

    return Metric(
        of,
        "classification",
        "lower",
        multilabel=False,
        reads="probabilities",
        weighs=True,
        by_sums=by_sums,
    )
