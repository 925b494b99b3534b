"""The baseline's figures, and which of a model's outputs a metric is given."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.commands.eval import EvaluationReport, failed_thresholds
from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.data.targets import Kind, Target
from bptrain.engines.base import Outputs
from bptrain.errors import UsageError
from bptrain.parts.metrics import Metric, metrics
from bptrain.parts.types import Array
from bptrain.training import evaluation
from bptrain.training.evaluation import Baseline, Evaluation, baseline, evaluate, score
from bptrain.training.intervals import Intervals
from networks import network


def schema(kind: Kind, *labels: str) -> Schema:
    """Of a target alone."""
    task: Any = "regression" if kind == "values" else "classification"
    names = labels if kind in ("multilabel", "distribution") else ("y",)
    return Schema(task, (), Target(names, kind, labels))


def rows(true: Array) -> Rows:
    """Of which nothing but the truth is read."""
    return Rows(np.empty((len(true), 0)), true, true, np.arange(len(true)))


def made(*names: str, **options: Any) -> dict[str, Metric]:
    return {name: metrics.get(name)(**options) for name in names}


TRAIN, TEST = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])


def test_baseline_of_classes() -> None:
    """Always the first class; its probabilities are 3/4 and 1/4."""
    two = schema("classes", "a", "b")
    guess = baseline(two, TRAIN)
    assert guess.description == "always a"
    asked = made("accuracy", "recall", "log_loss", "brier", "roc_auc", "confusion_matrix")
    assert guess.metrics(two, rows(TEST), asked) == {
        "accuracy": 0.5,
        "recall": 0.5,
        "log_loss": pytest.approx(-np.log([0.75, 0.25]).mean()),
        "brier": pytest.approx((0.25**2 + 0.75**2) / 2),
        "roc_auc": 0.5,
    }


def test_what_is_not_defined_has_no_baseline() -> None:
    two = schema("classes", "a", "b")
    found = baseline(two, TRAIN).metrics(two, rows(TEST[:2]), made("cohen_kappa", "roc_auc", "accuracy"))
    assert found == {"accuracy": 1.0}
    assert baseline(two, TRAIN).metrics(two, rows(TEST), made("f1", average="per_class")) == {}


def test_baseline_of_labels() -> None:
    answers = schema("multilabel", "p", "q")
    guess = baseline(answers, np.array([[1, 0], [1, 0], [0, 1], [1, 0]]))
    assert guess.guess.tolist() == [1, 0]
    found = guess.metrics(answers, rows(np.array([[1, 0], [0, 1]])), made("accuracy", "recall", "roc_auc"))
    assert found == {"accuracy": 0.5, "recall": 0.5, "roc_auc": 0.5}


def test_baseline_survives_a_checkpoint() -> None:
    for guess in (baseline(schema("binary", "a", "b"), TRAIN), baseline(schema("values"), np.ones((3, 2)))):
        again = Baseline.from_json(guess.to_json())
        assert again.to_json() == guess.to_json()
    before_shares = Baseline.from_json({"description": "always a", "guess": 0})
    found = before_shares.metrics(schema("binary", "a", "b"), rows(TEST), made("accuracy", "log_loss"))
    assert found == {"accuracy": 0.5}


@pytest.mark.parametrize(
    ("kind", "outputs", "scores"),
    [
        ("binary", [[0.25], [0.5]], [[0.75, 0.25], [0.5, 0.5]]),
        ("classes", [[2.0, 1.0], [0.0, 3.0]], [[2.0, 1.0], [0.0, 3.0]]),
        ("multilabel", [[0.2, 0.9]], [[0.2, 0.9]]),
    ],
)
def test_scores(kind: Kind, outputs: list[list[float]], scores: list[list[float]]) -> None:
    found = schema(kind, "a", "b").scores_of(np.array(outputs, np.float32))
    assert found.tolist() == pytest.approx(np.array(scores, np.float32))
    assert found.dtype == np.float32


def test_each_metric_is_given_what_it_reads() -> None:
    def seen(what: Array, true: Array, classes: int) -> Any:
        return what.tolist()

    one_each = Metric(seen, "classification", "neither", per_class=True)
    of_scores = Metric(seen, "classification", "neither", reads="scores")
    predicted, scores = np.array([0, 1]), np.array([[2.0, 1.0], [0.0, 3.0]])
    found = score(schema("classes", "a", "b"), predicted, scores, TEST, {"p": one_each, "s": of_scores})
    assert found == {"p": {"a": 0, "b": 1}, "s": scores.tolist()}


@pytest.mark.parametrize(("V", "loss"), [(None, 10.5 / 3), ([1.0, 0.0, 3.0], (0.5 + 3 * 8) / 4)])
@pytest.mark.parametrize("together", [1, 2, 3, 10_000])
def test_the_loss_is_the_mean_over_the_rows_by_what_they_weigh(
    V: list[float] | None, loss: float, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """½ (x − t)² of 1, 2 and 4 compared with 0 is ½, 2 and 8; the metric counts every row once."""
    monkeypatch.setattr(evaluation, "LOSS_ROWS", together)
    X_L, T = np.array([[1.0], [2.0], [4.0]]), np.zeros((3, 1))
    data = rows(T)._replace(sample_weight=None if V is None else np.array(V))
    own_units = Schema("regression", (), Target(("y",), "values", (), (0.0,), (1.0,)))
    found = evaluate(network((1, 1), "identity"), Outputs(X_L, X_L), own_units, data, made("mae"))
    assert found.rows == 3
    assert found.loss == pytest.approx(loss)
    assert found.metrics == {"mae": pytest.approx(7 / 3)}


BOUNDED = EvaluationReport(
    None,
    Path("best.safetensors"),
    "test",
    Evaluation(9, 0.5, {"accuracy": 0.75, "mae": 2.0, "recall": {"a": 1.0}}),
    Intervals({}),
    Baseline("always a", np.array(0)),
    {},
    None,
    None,
    (),
)


@pytest.mark.parametrize(
    ("name", "bound", "said"),
    [
        ("accuracy", 0.75, []),
        ("accuracy", 0.7, []),
        ("accuracy", 0.76, ["accuracy is 0.75, below 0.76"]),
        ("mae", 2.0, []),
        ("mae", 1.9, ["mae is 2, above 1.9"]),
        ("loss", 0.5, []),
        ("loss", 0.4, ["loss is 0.5, above 0.4"]),
    ],
)
def test_a_bound_that_is_just_met(name: str, bound: float, said: list[str]) -> None:
    assert failed_thresholds(BOUNDED, [(name, bound)]) == said


def test_every_bound_is_looked_at() -> None:
    assert len(failed_thresholds(BOUNDED, [("accuracy", 0.9), ("mae", 9.0), ("loss", 0.1)])) == 2
    undefined = BOUNDED._replace(evaluation=Evaluation(9, float("nan"), {}))
    assert failed_thresholds(undefined, [("loss", 1e9)]) == ["loss is nan, above 1e+09"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("recall", "recall is more than one number here; there are loss, accuracy, mae"),
        ("rmse", "no such metric here; there are loss, accuracy, mae"),
    ],
)
def test_a_bound_of_what_is_no_number(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        failed_thresholds(BOUNDED, [(name, 0.5)])


@pytest.mark.parametrize(
    ("kind", "threshold", "outputs", "predicted"),
    [
        ("binary", 0.5, [[0.49], [0.5], [0.51]], [0, 1, 1]),
        ("binary", 0.0, [[-0.1], [0.0], [0.1]], [0, 1, 1]),
        ("multilabel", 0.5, [[0.49, 0.5]], [[0, 1]]),
        ("multilabel", 0.0, [[-0.1, 0.0]], [[0, 1]]),
        ("classes", 0.5, [[0.2, 0.1], [0.1, 0.2]], [0, 1]),
    ],
)
def test_from_where_an_output_is_a_yes(
    kind: Kind, threshold: float, outputs: list[list[float]], predicted: list[Any]
) -> None:
    with_threshold = schema(kind, "a", "b")
    with_threshold = with_threshold._replace(target=with_threshold.target._replace(threshold=threshold))
    assert with_threshold.classes_of(np.array(outputs)).tolist() == predicted
