"""Random cases of every kind of target, and scikit-learn's value of each metric for them.

A case draws its numbers from coarse grids half of the time, so that equal scores, certain probabilities, zeros and
constant targets are common; true classes are drawn from any non-empty part of the classes.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sklearn.metrics as theirs
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bptrain.parts.metrics import metrics
from bptrain.parts.types import Array

TOLERANCE = 1e-12  # relative where a value is above 1


class Case(NamedTuple):
    """What a model says of some rows, and what is right."""

    predicted: Array
    scores: Array  # the probabilities of classes, or scores of yeses; empty for values
    true: Array
    classes: int


@st.composite
def of_classes(draw: st.DrawFn, least: int = 2) -> Case:
    """One class a row: probabilities of `least` to 6 classes."""
    N, K = draw(st.integers(1, 25)), draw(st.integers(least, 6))
    present = draw(st.lists(st.integers(0, K - 1), min_size=1, max_size=K, unique=True))
    true = draw(arrays(np.int64, N, elements=st.sampled_from(present)))
    predicted = draw(arrays(np.int64, N, elements=st.integers(0, draw(st.integers(0, K - 1)))))
    if K == 2:
        p = draw(
            arrays(np.float64, N, elements=st.one_of(st.integers(0, 8).map(lambda n: n / 8), st.floats(0, 1)))
        )
        return Case(predicted, np.column_stack([1 - p, p]), true, K)
    weights = draw(
        arrays(np.float64, (N, K), elements=st.one_of(st.integers(0, 3).map(float), st.floats(0, 1)))
    )
    weights[weights.sum(axis=1) < 1e-9] = 1.0
    return Case(predicted, weights / weights.sum(axis=1, keepdims=True), true, K)


@st.composite
def of_labels(draw: st.DrawFn) -> Case:
    """Several outputs, each a yes or no of its own."""
    shape = draw(st.integers(1, 20)), draw(st.integers(2, 4))
    bits = st.integers(0, draw(st.integers(0, 1)))
    predicted, true = (
        draw(arrays(np.int64, shape, elements=bits)),
        draw(arrays(np.int64, shape, elements=bits)),
    )
    scores = draw(
        arrays(np.float64, shape, elements=st.one_of(st.integers(0, 4).map(float), st.floats(-10, 10)))
    )
    return Case(predicted, scores, true, shape[1])


@st.composite
def of_values(draw: st.DrawFn, targets: int = 3) -> Case:
    """1 to `targets` columns of numbers, some of them constant or right."""
    shape = draw(st.integers(1, 25)), draw(st.integers(1, targets))
    numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3))
    predicted, true = (
        draw(arrays(np.float64, shape, elements=numbers)),
        draw(arrays(np.float64, shape, elements=numbers)),
    )
    k = draw(st.integers(0, shape[1] - 1))
    what = draw(st.sampled_from(["anything", "constant", "right", "shifted"]))
    if what == "constant":
        true[:, k] = draw(st.integers(-3, 3))
    elif what != "anything":
        predicted[:, k] = true[:, k] + (0 if what == "right" else draw(st.integers(-3, 3)))
    return Case(predicted, np.empty(0), true, 0)


def _averages(score: Callable[..., Any]) -> dict[str, Callable[[Case], Any]]:
    """Macro and weighted as scikit-learn's defaults have them, and a number for each class there is."""

    def macro(case: Case) -> Any:
        return score(case.true, case.predicted, average="macro")

    def weighted(case: Case) -> Any:
        return score(case.true, case.predicted, average="weighted")

    def per_class(case: Case) -> Any:
        return score(case.true, case.predicted, average=None, labels=range(case.classes))

    return {"macro": macro, "weighted": weighted, "per_class": per_class}


def _second_or_all(case: Case) -> Array:
    return case.scores[:, 1] if case.classes == 2 else case.scores


def _roc_auc(case: Case) -> Any:
    if case.true.ndim > 1:
        return theirs.roc_auc_score(case.true, case.scores)
    if case.classes == 2:
        return theirs.roc_auc_score(case.true, case.scores[:, 1])
    return theirs.roc_auc_score(case.true, case.scores, multi_class="ovr", labels=range(case.classes))


def _top_k(k: int) -> Callable[[Case], Any]:
    return lambda case: theirs.top_k_accuracy_score(
        case.true, _second_or_all(case), k=k, labels=range(case.classes)
    )


Variant = tuple[str, dict[str, Any], Callable[[Case], Any]]

OF_PREDICTED: list[Variant] = [
    ("accuracy", {}, lambda case: theirs.accuracy_score(case.true, case.predicted)),
    ("error_rate", {}, lambda case: theirs.zero_one_loss(case.true, case.predicted)),
    *(
        (name, {"average": average}, value)
        for name, score in (
            ("precision", theirs.precision_score),
            ("recall", theirs.recall_score),
            ("f1", theirs.f1_score),
        )
        for average, value in _averages(score).items()
    ),
]
OF_LABELS: list[Variant] = [*OF_PREDICTED, ("roc_auc", {}, _roc_auc)]
OF_CLASSES: list[Variant] = [
    *OF_LABELS,
    ("balanced_accuracy", {}, lambda case: theirs.balanced_accuracy_score(case.true, case.predicted)),
    ("matthews_corrcoef", {}, lambda case: theirs.matthews_corrcoef(case.true, case.predicted)),
    ("cohen_kappa", {}, lambda case: theirs.cohen_kappa_score(case.true, case.predicted)),
    (
        "confusion_matrix",
        {},
        lambda case: theirs.confusion_matrix(case.true, case.predicted, labels=range(case.classes)),
    ),
    *(("top_k_accuracy", {"k": k}, _top_k(k)) for k in (1, 2, 3)),
    ("log_loss", {}, lambda case: theirs.log_loss(case.true, case.scores, labels=range(case.classes))),
    ("brier", {}, lambda case: theirs.brier_score_loss(case.true, case.scores, labels=range(case.classes))),
]
OF_VALUES: list[Variant] = [
    ("rmse", {}, lambda case: theirs.root_mean_squared_error(case.true, case.predicted)),
    ("mae", {}, lambda case: theirs.mean_absolute_error(case.true, case.predicted)),
    ("median_absolute_error", {}, lambda case: theirs.median_absolute_error(case.true, case.predicted)),
    ("mape", {}, lambda case: theirs.mean_absolute_percentage_error(case.true, case.predicted)),
    ("r2", {}, lambda case: theirs.r2_score(case.true, case.predicted)),
    ("explained_variance", {}, lambda case: theirs.explained_variance_score(case.true, case.predicted)),
    # of several targets the largest of theirs, which scikit-learn refuses
    ("max_error", {}, lambda case: theirs.max_error(case.true.ravel(), case.predicted.ravel())),
]


def check(case: Case, variants: list[Variant]) -> None:
    """Asserts that our values equal scikit-learn's; it warns of values that it sets by convention, and we do not."""
    for name, options, value in variants:
        metric = metrics.get(name)(**options)
        seen = case.predicted if metric.reads == "predictions" else case.scores
        ours = metric.of(seen, case.true, case.classes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = value(case)
        equal = np.allclose(ours, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        assert equal, f"{name} {options}: {ours} is not {other}"
