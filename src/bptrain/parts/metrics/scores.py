"""Metrics of the scores or probabilities of all classes against true classes."""

from typing import Annotated

import numpy as np
from annotated_types import Interval

from bptrain.parts.metrics.base import Metric, mean_over_rows, metrics
from bptrain.parts.types import Array

Places = Annotated[int, Interval(ge=1, le=1_000_000)]
Bins = Annotated[int, Interval(ge=1, le=1_000_000)]


@metrics.add("top_k_accuracy")
def top_k_accuracy(k: Places = 2) -> Metric:
    """The share of rows whose class is among the k classes of highest score.

    Among equal scores the later class ranks higher; with two classes, the first one (as in scikit-learn).
    """

    def of(scores: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        own, number = scores[np.arange(len(true)), true][:, None], np.arange(classes)
        first = number >= true[:, None] if classes == 2 else number <= true[:, None]
        ahead = ~((scores < own) | ((scores == own) & first))  # NaN is ahead of all
        return float(mean_over_rows(ahead.sum(axis=1) < k, weight))

    return Metric(
        of, "classification", "higher", multilabel=False, reads="scores", least_classes=k + 1, weighs=True
    )


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

    return Metric(of, "classification", "higher", reads="scores", weighs=True)


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


@metrics.add("log_loss")
def log_loss() -> Metric:
    """−1/N Σ ln p of the true class, p kept within [ε, 1 − ε], with ε = 2.2e-16 (float32: 1.2e-7). Good 1952."""

    def of(scores: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        own, epsilon = scores[np.arange(len(true)), true], np.finfo(scores.dtype).eps
        return float(mean_over_rows(-np.log(own.clip(epsilon, 1 - epsilon).astype(np.float64)), weight))

    return Metric(of, "classification", "lower", multilabel=False, reads="probabilities", weighs=True)


@metrics.add("brier")
def brier() -> Metric:
    """1/N Σ ‖p − t‖², t one-hot; with two classes, half of it, which is (p − t)² of the second class. Brier 1950."""

    def of(scores: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        errors = scores.astype(np.float64)
        errors[np.arange(len(true)), true] -= 1.0
        size = mean_over_rows((errors * errors).sum(axis=1), weight)
        return float(size * (0.5 if classes == 2 else 1.0))

    return Metric(of, "classification", "lower", multilabel=False, reads="probabilities", weighs=True)


@metrics.add("expected_calibration_error")
def expected_calibration_error(bins: Bins = 15) -> Metric:
    """Σ_b n_b/N |accuracy_b − confidence_b| over bins of equal width of the highest probability. Guo et al. 2017.

    A bin includes its upper edge; among equal probabilities the first class is the predicted one.
    """

    def of(scores: Array, true: Array, classes: int, weight: Array | None = None) -> float:
        confidence = scores.max(axis=1).astype(np.float64)
        surplus = (scores.argmax(axis=1) == true) - confidence
        edges = np.arange(1, bins) / bins
        surplus, total = (surplus, len(true)) if weight is None else (weight * surplus, weight.sum())
        each = np.bincount(np.searchsorted(edges, confidence), weights=surplus, minlength=bins)
        return float(np.abs(each).sum() / total)  # n_b is in the sum over the bin's rows

    return Metric(of, "classification", "lower", multilabel=False, reads="probabilities", weighs=True)
