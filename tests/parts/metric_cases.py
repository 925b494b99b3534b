"""Random cases of every kind of target, and scikit-learn's value of each metric for them.

Hypothesis draws what a case is like, and a seed for its numbers: half of the cases are of coarse numbers, so that equal
scores, certain probabilities, zeros and right predictions are common, and half have classes that do not occur. In two
thirds of the cases rows weigh differently; among coarse weights zeros, and halves of the total, are common.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sklearn.metrics as theirs
from hypothesis import strategies as st

from bptrain.parts.metrics import metrics
from bptrain.parts.types import Array

TOLERANCE = 1e-12  # relative where a value is above 1

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
shares = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])


class Case(NamedTuple):
    """What a model says of some rows, and what is right."""

    predicted: Array
    scores: Array  # the probabilities of classes, or scores of yeses; empty for values
    true: Array
    classes: int
    weight: Array | None  # of the rows


def weights_of(rng: np.random.Generator, N: int, coarse: bool = False) -> Array | None:
    """What the rows weigh; not all of them nothing. The mean of a constant by coarse weights is exact in any order."""
    kind = rng.integers(2 if coarse else 3)
    if kind == 0:
        return None
    weight = rng.integers(0, 9, N) / 4 if kind == 1 else rng.gamma(1.0, size=N)
    weight[rng.integers(N)] = 1.0
    return np.asarray(weight)


@st.composite
def of_classes(draw: st.DrawFn) -> Case:
    """One class per row: probabilities of 2 to 6 classes."""
    rng, N, K = draw(generators), draw(st.integers(1, 40)), draw(st.integers(2, 6))
    there = np.arange(K) if draw(st.booleans()) else rng.permutation(K)[: draw(st.integers(1, K))]
    true = rng.permutation(np.append(there, rng.choice(there, N)))[-N:]
    predicted = np.where(rng.random(N) < draw(shares), true, rng.integers(0, draw(st.integers(1, K)), N))
    if draw(st.booleans()):
        steps = draw(st.integers(1, 8))
        scores = rng.multinomial(steps, np.ones(K) / K, N) / steps
    else:
        scores = rng.dirichlet(np.full(K, draw(st.sampled_from([0.01, 0.3, 1.0, 50.0]))), N)
    return Case(predicted, scores, true, K, weights_of(rng, N))


@st.composite
def of_labels(draw: st.DrawFn) -> Case:
    """Several outputs, each a separate yes or no; answers of one kind alone are common."""
    rng, N, m = draw(generators), draw(st.integers(1, 40)), draw(st.integers(2, 4))
    true = (rng.random((N, m)) < draw(shares)).astype(int)
    predicted = np.where(rng.random((N, m)) < draw(shares), true, rng.integers(0, 2, (N, m)))
    scores = rng.integers(0, 5, (N, m)) / 4 if draw(st.booleans()) else rng.normal(size=(N, m))
    return Case(predicted, scores, true, m, weights_of(rng, N))


@st.composite
def of_values(draw: st.DrawFn) -> Case:
    """1 to 3 targets, some of them constant, or right but for a shift, or with zeros."""
    rng, N, m = draw(generators), draw(st.integers(1, 40)), draw(st.integers(1, 3))
    size = draw(st.sampled_from([1e-3, 1.0, 1e4]))
    coarse = draw(st.booleans())
    predicted, true = (
        rng.integers(-3, 4, (N, m)).astype(float) if coarse else size * rng.normal(size=(N, m)) for _ in "pt"
    )
    k = draw(st.integers(0, m - 1))
    what = draw(st.sampled_from(["anything", "constant", "right", "shifted"]))
    if what == "constant":
        true[:, k] = draw(st.integers(-3, 3))
    elif what != "anything":
        predicted[:, k] = true[:, k] + (0 if what == "right" else draw(st.integers(-3, 3)))
    return Case(predicted, np.empty(0), true, 0, weights_of(rng, N, what == "constant"))


def _averages(score: Callable[..., Any]) -> dict[str, Callable[[Case], Any]]:
    """Macro and weighted as scikit-learn's defaults have them, and a number for each class there is."""

    def macro(case: Case) -> Any:
        return score(case.true, case.predicted, average="macro", sample_weight=case.weight)

    def weighted(case: Case) -> Any:
        return score(case.true, case.predicted, average="weighted", sample_weight=case.weight)

    def per_class(case: Case) -> Any:
        return score(
            case.true, case.predicted, average=None, labels=range(case.classes), sample_weight=case.weight
        )

    return {"macro": macro, "weighted": weighted, "per_class": per_class}


def _second_or_all(case: Case) -> Array:
    return case.scores[:, 1] if case.classes == 2 else case.scores


def _roc_auc(case: Case) -> Any:
    if case.true.ndim > 1:
        return theirs.roc_auc_score(case.true, case.scores, sample_weight=case.weight)
    if case.classes == 2:
        return theirs.roc_auc_score(case.true, case.scores[:, 1], sample_weight=case.weight)
    return theirs.roc_auc_score(
        case.true, case.scores, multi_class="ovr", labels=range(case.classes), sample_weight=case.weight
    )


def _top_k(k: int) -> Callable[[Case], Any]:
    return lambda case: theirs.top_k_accuracy_score(
        case.true, _second_or_all(case), k=k, labels=range(case.classes), sample_weight=case.weight
    )


def _of(score: Callable[..., Any]) -> Callable[[Case], Any]:
    return lambda case: score(case.true, case.predicted, sample_weight=case.weight)


def _of_scores(score: Callable[..., Any]) -> Callable[[Case], Any]:
    return lambda case: score(case.true, case.scores, labels=range(case.classes), sample_weight=case.weight)


Variant = tuple[str, dict[str, Any], Callable[[Case], Any]]

OF_PREDICTED: list[Variant] = [
    ("accuracy", {}, _of(theirs.accuracy_score)),
    ("error_rate", {}, _of(theirs.zero_one_loss)),
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
    ("balanced_accuracy", {}, _of(theirs.balanced_accuracy_score)),
    ("matthews_corrcoef", {}, _of(theirs.matthews_corrcoef)),
    ("cohen_kappa", {}, _of(theirs.cohen_kappa_score)),
    (
        "confusion_matrix",
        {},
        lambda case: theirs.confusion_matrix(
            case.true, case.predicted, labels=range(case.classes), sample_weight=case.weight
        ),
    ),
    *(("top_k_accuracy", {"k": k}, _top_k(k)) for k in (1, 2, 3)),
    ("log_loss", {}, _of_scores(theirs.log_loss)),
    ("brier", {}, _of_scores(theirs.brier_score_loss)),
]
OF_VALUES: list[Variant] = [
    ("rmse", {}, _of(theirs.root_mean_squared_error)),
    ("mae", {}, _of(theirs.mean_absolute_error)),
    ("median_absolute_error", {}, _of(theirs.median_absolute_error)),
    ("mape", {}, _of(theirs.mean_absolute_percentage_error)),
    ("r2", {}, _of(theirs.r2_score)),
    ("explained_variance", {}, _of(theirs.explained_variance_score)),
    # with several targets the largest of them, which scikit-learn refuses
    ("max_error", {}, lambda case: theirs.max_error(case.true.ravel(), case.predicted.ravel())),
]


def check(case: Case, variants: list[Variant]) -> None:
    """Asserts that our values equal scikit-learn's; it warns of values that it sets by convention, and we do not."""
    for name, options, value in variants:
        metric = metrics.get(name)(**options)
        seen = case.predicted if metric.reads == "predictions" else case.scores
        ours = metric.value(seen, case.true, case.classes, case.weight)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = value(case)
        equal = np.allclose(ours, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        assert equal, f"{name} {options}: {ours} is not {other}"
