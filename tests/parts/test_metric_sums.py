"""A metric as a function of sums is the metric: at all rows, and at rows drawn with replacement."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain import mapped_rows
from bptrain.data.storage import MappedFiles
from bptrain.parts.metrics import Units, metrics
from bptrain.parts.types import Array

N, K = 60, 4
RNG = np.random.default_rng(3)
TRUE = RNG.integers(0, K, N)
PREDICTED = np.where(RNG.random(N) < 0.7, TRUE, RNG.integers(0, K, N))
PROBABILITIES = np.round(
    RNG.dirichlet(np.ones(K), N) + 0.5 * np.eye(K)[TRUE], 1
)  # with equal ones among them
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)
ANSWERS = RNG.integers(0, 2, (N, 3))
SAID = np.where(RNG.random((N, 3)) < 0.8, ANSWERS, 1 - ANSWERS)
VALUES = 1e6 + RNG.normal(size=(N, 2))  # whose squares differ in their last digits alone
FOUND = VALUES + 0.3 * RNG.normal(size=(N, 2))
AVERAGES = ("macro", "weighted", "per_class")

OF_CLASSES: list[tuple[str, dict[str, Any]]] = [
    *(
        (name, {})
        for name in ("accuracy", "error_rate", "balanced_accuracy", "matthews_corrcoef", "cohen_kappa")
    ),
    *((name, {"average": average}) for name in ("precision", "recall", "f1") for average in AVERAGES),
    *(
        (name, {})
        for name in ("top_k_accuracy", "log_loss", "brier", "roc_auc", "expected_calibration_error")
    ),
]
OF_LABELS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ("accuracy", "error_rate", "roc_auc")),
    *((name, {"average": average}) for name in ("precision", "recall", "f1") for average in AVERAGES),
]
OF_VALUES: list[tuple[str, dict[str, Any]]] = [
    (name, {}) for name in ("rmse", "mae", "mape", "r2", "explained_variance")
]
CASES = [
    *(("classes", *case) for case in OF_CLASSES),
    *(("labels", *case) for case in OF_LABELS),
    *(("values", *case) for case in OF_VALUES),
]
EXTREMES: list[tuple[str, str, dict[str, Any]]] = [
    ("values", "max_error", {}),
    ("values", "median_absolute_error", {}),
    ("classes", "confusion_matrix", {}),
]
LINEAR = {"roc_auc", "expected_calibration_error"}  # in the rows, where their intervals are worked out
each_case = pytest.mark.parametrize(("kind", "name", "options"), CASES)
each_weight = pytest.mark.parametrize("weight", [None, RNG.gamma(1.0, size=N)], ids=["", "weighted"])


def rows(kind: str, reads: str) -> tuple[Array, Array, int]:
    if kind == "values":
        return FOUND, VALUES, 0
    if kind == "labels":
        return SAID, ANSWERS, 3
    return PREDICTED if reads == "predictions" else PROBABILITIES, TRUE, K


@each_weight
@each_case
def test_at_all_rows(kind: str, name: str, options: dict[str, Any], weight: Array | None) -> None:
    metric = metrics.get(name)(**options)
    seen, true, classes = rows(kind, metric.reads)
    assert metric.by_sums is not None
    number = np.random.default_rng(4).permutation(N) % 7
    summed = metric.by_sums(seen, true, classes, Units(number, 7, weight))
    assert len(summed.table) == 7
    expected = metric.value(seen, true, classes, weight)
    assert summed.value(summed.table.sum(axis=0)) == pytest.approx(expected, rel=1e-9)


@each_weight
@pytest.mark.parametrize(("kind", "name", "options"), [case for case in CASES if case[1] not in LINEAR])
def test_at_rows_drawn(kind: str, name: str, options: dict[str, Any], weight: Array | None) -> None:
    """Three drawings together; a class that none of them has drops out of a mean over those that occur."""
    metric = metrics.get(name)(**options)
    seen, true, classes = rows(kind, metric.reads)
    assert metric.by_sums is not None
    summed = metric.by_sums(seen, true, classes, Units(np.arange(N), N, weight))
    rng = np.random.default_rng(4)
    drawn = [rng.integers(0, N, N) for _ in range(2)]
    drawn.append(np.flatnonzero(true != 1) if kind == "classes" else np.arange(9))
    counts = np.array([np.bincount(one, minlength=N) for one in drawn], np.float64)
    found = summed.value(counts @ summed.table)
    for one, ours in zip(drawn, found, strict=True):
        expected = metric.value(seen[one], true[one], classes, None if weight is None else weight[one])
        assert ours == pytest.approx(expected, rel=1e-7)


@each_weight
def test_the_linear_area_spreads_as_the_area_does(weight: Array | None) -> None:
    metric = metrics.get("roc_auc")()
    assert metric.by_sums is not None
    summed = metric.by_sums(PROBABILITIES, TRUE, K, Units(np.arange(N), N, weight))
    rng = np.random.default_rng(4)
    drawn = [rng.integers(0, N, N) for _ in range(400)]
    linear = [float(summed.value(np.bincount(one, minlength=N) @ summed.table)) for one in drawn]
    own = [
        metric.value(PROBABILITIES[one], TRUE[one], K, None if weight is None else weight[one])
        for one in drawn
    ]
    assert np.corrcoef(linear, own)[0, 1] > 0.94
    assert np.std(linear) == pytest.approx(np.std(own), rel=0.1)


def test_which_have_none() -> None:
    """The median is no function of sums, the largest error has no interval, and a matrix is no number."""
    without = {name for name in metrics if metrics.get(name)().by_sums is None}
    assert without == {"median_absolute_error", "max_error", "confusion_matrix"}
    assert {name for name in metrics if metrics.get(name)().extreme} == {"max_error"}


@pytest.mark.parametrize(
    ("name", "options", "share_of"),
    [
        ("accuracy", {}, N),
        ("error_rate", {}, N),
        ("top_k_accuracy", {}, N),
        ("recall", {"average": "per_class"}, np.bincount(TRUE).tolist()),
        ("precision", {"average": "per_class"}, np.bincount(PREDICTED).tolist()),
        ("recall", {}, None),
        ("f1", {"average": "per_class"}, None),
        ("log_loss", {}, None),
    ],
)
def test_shares(name: str, options: dict[str, Any], share_of: Any) -> None:
    metric = metrics.get(name)(**options)
    assert metric.by_sums is not None
    summed = metric.by_sums(*rows("classes", metric.reads), Units(np.arange(N), N))
    found = None if summed.share_of is None else summed.share_of(summed.table.sum(axis=0)).tolist()
    assert found == share_of


def test_a_constant_target_has_no_r2_when_rows_are_drawn() -> None:
    true = np.full((9, 1), 0.1)
    for name in ("r2", "explained_variance"):
        by_sums = metrics.get(name)().by_sums
        assert by_sums is not None
        summed = by_sums(true + np.arange(9.0)[:, None], true, 0, Units(np.arange(9), 9))
        assert np.isnan(summed.value(summed.table.sum(axis=0)))


def test_the_placements_of_delong() -> None:
    """Positives 2 and 4 against negatives 1, 2 and 3: shares (1 + ½)/3 and 1 below; 0, ¼ and ½ not above; area ¾."""
    by_sums = metrics.get("roc_auc")().by_sums
    assert by_sums is not None
    score, true = np.array([2.0, 4.0, 1.0, 2.0, 3.0]), np.array([1, 1, 0, 0, 0])
    summed = by_sums(np.stack([-score, score], axis=1), true, 2, Units(np.arange(5), 5))
    area = 0.75
    assert summed.table[:, 0].tolist() == [0.5, 1.0, 0.0, 0.0, 0.0]
    assert summed.table[:, 2] == pytest.approx([0, 0, 1 - area, 0.75 - area, 0.5 - area])
    assert summed.value(summed.table.sum(axis=0)) == pytest.approx(area)


@pytest.mark.parametrize(("kind", "name", "options"), [*CASES, *EXTREMES])
@each_weight
def test_of_mapped_rows_the_bits_are_the_same(
    kind: str,
    name: str,
    options: dict[str, Any],
    weight: Array | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mapped_rows, "LEAST", 1)
    monkeypatch.setattr(mapped_rows, "PIECE_NUMBERS", 28)
    metric, kept = metrics.get(name)(**options), MappedFiles(tmp_path).kept
    seen, true, classes = rows(kind, metric.reads)
    lying = kept(seen), kept(true), classes
    lying_weight = None if weight is None else kept(weight)
    assert str(metric.value(*lying, lying_weight)) == str(metric.value(seen, true, classes, weight))
    if metric.by_sums is not None:
        unit = RNG.integers(0, 20, N)
        expected = metric.by_sums(seen, true, classes, Units(unit, 20, weight)).table
        found = metric.by_sums(*lying, Units(kept(unit), 20, lying_weight)).table
        assert np.array_equal(found, expected)
