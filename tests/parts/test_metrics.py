"""Metrics against values worked by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.parts.metrics import Metric, metrics
from bptrain.parts.metrics.scores import area
from bptrain.parts.types import Array

AVERAGED = ("precision", "recall", "f1")
TRUE, PREDICTED = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])


def test_classes() -> None:
    assert metrics.get("accuracy")().of(PREDICTED, TRUE, 3) == 0.6
    assert metrics.get("error_rate")().of(PREDICTED, TRUE, 3) == 0.4
    assert metrics.get("confusion_matrix")().of(PREDICTED, TRUE, 3) == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_every_label_must_be_right() -> None:
    true, predicted = np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])
    assert metrics.get("accuracy")().of(predicted, true, 2) == 0.5


def test_values() -> None:
    true, predicted = np.array([[1.0], [2.0], [6.0]]), np.array([[1.0], [4.0], [5.0]])
    assert metrics.get("rmse")().of(predicted, true, 0) == pytest.approx((5 / 3) ** 0.5)
    assert metrics.get("mae")().of(predicted, true, 0) == 1.0
    assert metrics.get("r2")().of(predicted, true, 0) == pytest.approx(1 - 5 / 14)


def test_several_targets_are_averaged() -> None:
    true = np.array([[0.0, 0.0], [2.0, 4.0]])
    predicted = np.array([[0.0, 2.0], [2.0, 2.0]])
    assert metrics.get("rmse")().of(predicted, true, 0) == 1.0  # (0 + 2) / 2
    assert metrics.get("r2")().of(predicted, true, 0) == 0.5  # (1 + 0) / 2


def test_r2_of_a_constant_target() -> None:
    true = np.array([[3.0], [3.0]])
    assert metrics.get("r2")().of(true, true, 0) == 1.0
    assert metrics.get("r2")().of(true + 1, true, 0) == 0.0
    nearly = np.array([[0.0], [1e-5]])  # it varies, though little
    assert metrics.get("r2")().of(nearly + 1e-5, nearly, 0) == pytest.approx(-3.0)


def value(name: str, seen: Array, true: Array, classes: int = 0, **options: Any) -> Any:
    return metrics.get(name)(**options).of(seen, true, classes)


def test_of_each_class() -> None:
    """Class 2 is never predicted right; class 3 does not occur, and macro leaves it out."""
    third = 1 / 3
    each = {"precision": [0.5, 2 * third, 0, 0], "recall": [0.5, 1, 0, 0], "f1": [0.5, 0.8, 0, 0]}
    for name, expected in each.items():
        assert value(name, PREDICTED, TRUE, 4, average="per_class") == pytest.approx(expected)
        assert value(name, PREDICTED, TRUE, 4) == pytest.approx(sum(expected) / 3)
        weighted = (2 * expected[0] + 2 * expected[1]) / 5
        assert value(name, PREDICTED, TRUE, 4, average="weighted") == pytest.approx(weighted)
    assert value("balanced_accuracy", PREDICTED, TRUE, 4) == pytest.approx(0.5)


def test_of_each_label() -> None:
    true, predicted = np.array([[1, 0, 0], [1, 0, 1], [0, 0, 1]]), np.array([[1, 0, 1], [0, 0, 1], [0, 0, 1]])
    assert value("precision", predicted, true, 3, average="per_class") == pytest.approx([1, 0, 2 / 3])
    assert value("recall", predicted, true, 3, average="per_class") == [0.5, 0, 1]
    assert value("recall", predicted, true, 3) == 0.5  # over all labels, the one without a yes too
    assert value("recall", predicted, true, 3, average="weighted") == 0.75
    assert value("recall", predicted, 0 * true, 3, average="weighted") == 0.0


def test_agreement() -> None:
    """The table of Cohen's kappa with 20, 5, 10 and 15 of 50: 0.4; and Matthews' formula for it."""
    true, predicted = np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    assert value("cohen_kappa", predicted, true, 2) == pytest.approx(0.4)
    matthews = (20 * 15 - 5 * 10) / (25 * 25 * 30 * 20) ** 0.5
    assert value("matthews_corrcoef", predicted, true, 2) == pytest.approx(matthews)
    nothing = np.zeros(3, int)
    assert value("matthews_corrcoef", nothing, nothing, 2) == 0.0
    assert np.isnan(value("cohen_kappa", nothing, nothing, 2))


SCORES = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])


def test_top_k() -> None:
    true = np.array([1, 0, 0, 2])  # its places: 2, 3, 2 (a tie that the later class wins), 1
    assert [value("top_k_accuracy", SCORES, true, 3, k=k) for k in (1, 2, 3)] == [0.25, 0.75, 1.0]
    even = np.array([[0.5, 0.5], [0.5, 0.5], [0.4, 0.6]])
    assert value("top_k_accuracy", even, np.array([0, 1, 1]), 2, k=1) == pytest.approx(2 / 3)
    assert value("top_k_accuracy", np.full((2, 3), np.nan), np.array([0, 2]), 3, k=2) == 0.0


def test_area_under_the_curve() -> None:
    """scikit-learn's own example, and pairs counted one by one, ties a half."""
    assert area(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75
    rng = np.random.default_rng(0)
    score, positive = rng.integers(0, 5, 40) / 4, rng.integers(0, 2, 40) == 1
    pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    assert area(score, positive) == pytest.approx(sum(pairs) / len(pairs), abs=1e-15)
    assert np.isnan(area(score, positive | True))
    assert np.isnan(area(np.array([0.1, np.nan]), np.array([True, False])))
    true = np.array([1, 1, 0, 2])
    expected = (2 / 3 + 3 / 4 + 1) / 3
    assert value("roc_auc", SCORES, true, 3) == pytest.approx(expected)
    assert value("roc_auc", 100 * SCORES - 7, true, 3) == pytest.approx(expected)  # any scores will do
    assert value("roc_auc", SCORES[:, :2], np.array([1, 1, 0, 1]), 2) == pytest.approx(1 / 3)
    assert np.isnan(value("roc_auc", SCORES, np.minimum(true, 1), 3))  # class 2 does not occur


def test_many_rows_are_quick() -> None:
    """A million rows, whose pairs no loop could count."""
    rng = np.random.default_rng(0)
    positive = rng.random(1_000_000) < 0.01
    score = rng.normal(size=positive.shape) + positive
    assert area(score, positive) == pytest.approx(0.7602, abs=0.01)  # Φ(1/√2)


def test_probabilities() -> None:
    true = np.array([0, 1, 0, 2])
    assert value("log_loss", SCORES, true, 3) == pytest.approx(-np.log([0.5, 0.5, 0.4, 0.7]).mean())
    brier = [0.25 + 0.09 + 0.04, 0.04 + 0.25 + 0.09, 0.36 + 0.16 + 0.04, 0.01 + 0.04 + 0.09]
    assert value("brier", SCORES, true, 3) == pytest.approx(np.mean(brier))
    two = np.array([[0.9, 0.1], [0.4, 0.6]])
    assert value("brier", two, np.array([0, 0]), 2) == pytest.approx((0.01 + 0.36) / 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_certain_mistake_has_a_finite_log_loss(dtype: type) -> None:
    loss = value("log_loss", np.array([[1, 0]], dtype), np.array([1]), 2)
    assert loss == pytest.approx(-np.log(np.finfo(dtype).eps))


def calibration_error(scores: Array, true: Array, bins: int) -> float:
    """Guo et al. 2017, equations 2, 3 and 5: Σ_m |B_m|/n |acc(B_m) − conf(B_m)|, B_m = ((m − 1)/M, m/M]."""
    error = 0.0
    for m in range(1, bins + 1):
        inside = [i for i in range(len(true)) if (m - 1) / bins < max(scores[i]) <= m / bins]
        if inside:
            accuracy = sum(int(np.argmax(scores[i])) == true[i] for i in inside) / len(inside)
            confidence = sum(max(scores[i]) for i in inside) / len(inside)
            error += len(inside) / len(true) * abs(accuracy - confidence)
    return error


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5, 8, 15]))
def test_calibration_error(seed: int, bins: int) -> None:
    """Against its equations; eighths lie on the edges of 8 bins and of 2."""
    rng = np.random.default_rng(seed)
    K, N = int(rng.integers(2, 5)), int(rng.integers(1, 30))
    scores = rng.multinomial(8, np.ones(K) / K, N) / 8 if rng.integers(2) else rng.dirichlet(np.ones(K), N)
    true = rng.integers(0, K, N)
    expected = calibration_error(scores, true, bins)
    ours = value("expected_calibration_error", scores, true, K, bins=bins)
    assert ours == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_more_of_values() -> None:
    true, predicted = np.array([[1.0], [2.0], [6.0]]), np.array([[1.0], [4.0], [5.0]])
    assert value("median_absolute_error", predicted, true) == 1.0
    assert value("max_error", predicted, true) == 2.0
    assert value("mape", predicted, true) == pytest.approx((0 + 1 + 1 / 6) / 3)
    assert value("explained_variance", predicted, true) == pytest.approx(1 - (5 - 1 / 3) / 14)
    assert value("explained_variance", true + 9, true) == 1.0
    both = np.column_stack([true, true]), np.column_stack([true, predicted])
    assert value("max_error", both[1], both[0]) == 2.0
    assert value("mape", both[1], both[0]) == pytest.approx((0 + 1 + 1 / 6) / 6)
    assert value("mape", np.ones((1, 1)), np.zeros((1, 1))) == pytest.approx(2.0**52)


def test_r2_of_one_row_is_not_defined() -> None:
    assert np.isnan(value("r2", np.ones((1, 1)), np.ones((1, 1))))


@pytest.mark.parametrize("name", [name for name in metrics if metrics.get(name)().task == "regression"])
def test_a_prediction_that_is_not_a_number_is_no_good_one(name: str) -> None:
    predicted, true = np.array([[1.0], [np.nan], [2.0]]), np.array([[1.0], [2.0], [3.0]])
    assert np.isnan(value(name, predicted, true))


@pytest.mark.parametrize("name", list(metrics))
def test_a_row_of_weight_2_counts_as_two_rows(name: str) -> None:
    """And one of weight 0 not at all; without weights, all of weight 1 are the same."""
    metric, rng = metrics.get(name)(), np.random.default_rng(0)
    weight = np.array([2.0, 0.0, 1.0, 1.0, 3.0, 1.0, 2.0, 1.0])
    true: Array = rng.integers(0, 3, 8)
    predicted = rng.integers(0, 3, 8)
    seen: Array = predicted if metric.reads == "predictions" else rng.dirichlet([1, 1, 1], 8)
    if metric.task == "regression":
        seen, true = rng.normal(size=(8, 2)), rng.normal(size=(8, 2))
    times = np.repeat(np.arange(8), weight.astype(int))
    if name == "max_error":  # which scikit-learn does not weigh
        times = np.arange(8)
    expected = metric.value(seen[times], true[times], 3)
    np.testing.assert_allclose(metric.value(seen, true, 3, weight), expected, rtol=1e-12)
    np.testing.assert_allclose(
        metric.value(seen, true, 3, np.ones(8)), metric.value(seen, true, 3), rtol=1e-12
    )


def test_a_metric_of_ones_own_may_leave_weights_alone() -> None:
    assert Metric(lambda seen, true, classes: 1.0, "regression", "lower").value(TRUE, TRUE, 3, TRUE) == 1.0


@pytest.mark.parametrize(
    ("errors", "weight", "median"),
    [
        ([1.0, 2.0, 3.0, np.inf], [1, 1, 1, 1], 2.5),
        ([np.inf, 1.0, 2.0], [1, 2, 2], 2.0),
        ([1.0, np.inf, np.inf], [1, 1, 1], np.inf),
        ([1.0, 2.0, np.nan], [5, 1, 1], np.nan),
    ],
)
def test_a_median_by_weight_beside_an_infinite_error(
    errors: list[float], weight: list[int], median: float
) -> None:
    """As np.median of the rows, each as often as it weighs: NaN only where one error is NaN."""
    of, true = metrics.get("median_absolute_error")(), np.zeros((len(errors), 1))
    given = np.array(errors)[:, None]
    assert of.value(given, true, 0, np.array(weight, float)) == pytest.approx(median, nan_ok=True)
    assert of.value(np.repeat(given, weight, axis=0), np.zeros((sum(weight), 1)), 0) == pytest.approx(
        median, nan_ok=True
    )


@pytest.mark.parametrize("name", [name for name in metrics if metrics.get(name)().weighs])
def test_rows_that_weigh_nothing_have_no_figure(name: str) -> None:
    """NaN, JSON's null, in the form that the metric has: a number, one per class, or a matrix."""
    options = [{"average": "weighted"}, {"average": "per_class"}, {}] if name in AVERAGED else [{}]
    for option in options:
        metric, rng = metrics.get(name)(**option), np.random.default_rng(0)
        true: Array = rng.integers(0, 3, 8)
        seen: Array = rng.integers(0, 3, 8) if metric.reads == "predictions" else rng.dirichlet([1, 1, 1], 8)
        if metric.task == "regression":
            seen, true = rng.normal(size=(8, 2)), rng.normal(size=(8, 2))
        found = metric.value(seen, true, 3, np.zeros(8))
        assert np.shape(found) == np.shape(metric.value(seen, true, 3))
        assert np.isnan(found).all(), name
        if metric.task == "classification" and metric.multilabel:
            yes = rng.integers(0, 2, (8, 3))
            seen = yes if metric.reads == "predictions" else rng.normal(size=(8, 3))
            assert np.isnan(metric.value(seen, rng.integers(0, 2, (8, 3)), 3, np.zeros(8))).all(), name
