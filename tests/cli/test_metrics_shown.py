"""Metrics with options, of scores and of each class: in tables, JSON, metrics.jsonl, bounds and refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from command import bptrain

OF_CLASSES = (
    "metrics: [accuracy, {name: f1, average: per_class}, {name: precision, average: per_class}, "
    "{name: top_k_accuracy, k: 2}, log_loss, {name: expected_calibration_error, bins: 5}, roc_auc]\n"
)
SPECIES = ["setosa", "versicolor", "virginica"]


@pytest.fixture
def many(iris: Path) -> Path:
    """A config with many metrics."""
    iris.write_text(iris.read_text() + OF_CLASSES)
    return iris


def test_in_the_tables_of_fit(many: Path) -> None:
    lines = bptrain("fit", many).out.splitlines()
    assert lines[1].split() == [
        "metric",
        "train",
        "(baseline)",
        "validation",
        "(baseline)",
        "test",
        "(baseline)",
    ]
    below = {line.split()[0]: line.split()[1:] for line in lines[2:9]}
    assert set(below) == {
        "rows", "loss", "accuracy", "top_k_accuracy", "log_loss", "expected_calibration_error", "roc_auc",
    }  # fmt: skip
    assert below["rows"] == ["106", "22", "22"]
    assert below["roc_auc"][1::2] == ["(0.5000)"] * 3
    by_class = lines[lines.index("per class") + 1 : -1]
    assert by_class[0].split() == ["split", "class", "f1", "precision"]
    assert [line.split()[:2] for line in by_class[1:]] == [
        [split, name] for split in ("train", "validation", "test") for name in SPECIES
    ]


def test_few_stay_side_by_side(iris: Path) -> None:
    iris.write_text(iris.read_text() + "metrics: [accuracy, f1, brier]\n")
    head = bptrain("fit", iris).out.splitlines()[1].split()
    assert head == [
        "split",
        "rows",
        "loss",
        *["accuracy", "(baseline)", "f1", "(baseline)", "brier", "(baseline)"],
    ]


def test_in_json_and_in_the_tables_of_eval(many: Path) -> None:
    fit = bptrain("fit", many, "--json").json
    last = json.loads(Path(fit["run"], "metrics.jsonl").read_text().splitlines()[-1])["validation"]
    assert last["f1"] == fit["final"]["metrics"]["validation"]["f1"]
    found = bptrain("eval", fit["run"], "--json").json
    assert found["metrics"] == fit["best"]["metrics"]["test"]
    assert list(found["metrics"]["f1"]) == SPECIES
    assert set(found["baseline"]) == set(found["metrics"]) - {"f1", "precision"}
    shown = bptrain("eval", fit["run"]).out
    row = next(line for line in shown.splitlines() if line.split()[:2] == ["test", "virginica"])
    assert float(row.split()[2]) == pytest.approx(found["metrics"]["f1"]["virginica"], abs=1e-4)
    matrix = np.array(found["confusion_matrix"])
    right, taken = matrix.diagonal(), matrix.sum(axis=0)
    precision = np.where(taken == 0, 0.0, right / np.maximum(taken, 1))
    assert list(found["metrics"]["precision"].values()) == pytest.approx(precision)


def test_log_loss_is_the_loss_of_softmax(many: Path) -> None:
    found = bptrain("eval", bptrain("fit", many, "--json").json["run"], "--json").json
    assert found["metrics"]["log_loss"] == pytest.approx(found["loss"], rel=1e-6)


@pytest.mark.parametrize(
    ("bound", "code"),
    [
        ("top_k_accuracy=0.5", 0),
        ("top_k_accuracy=1.1", 1),
        ("log_loss=50", 0),
        ("log_loss=0.001", 1),
        ("expected_calibration_error=1", 0),
        ("expected_calibration_error=0", 1),
        ("roc_auc=0.5", 0),
        ("f1=0.5", 2),
    ],
)
def test_bounds(many: Path, bound: str, code: int) -> None:
    run = bptrain("fit", many, "--json").json["run"]
    found = bptrain("eval", run, "--fail-under", bound)
    assert found.code == code, found.err
    if code == 2:
        assert "f1 is more than one number here; there are loss, accuracy, top_k_accuracy" in found.err


def test_over_seeds(many: Path) -> None:
    record = bptrain("fit", many, "--seeds", "2", "--jobs", "1", "--json").json
    values = [run["best"]["metrics"]["test"]["f1"]["versicolor"] for run in record["runs"]]
    assert record["mean"]["test"]["f1"]["versicolor"] == pytest.approx(sum(values) / 2)
    assert record["sd"]["test"]["f1"]["versicolor"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert "f1: versicolor" in bptrain("fit", many, "--seeds", "2", "--jobs", "1").out


@pytest.mark.parametrize(
    ("network", "loss", "metric", "words"),
    [
        (
            "sizes: [4, 3]",
            "binary_cross_entropy",
            "log_loss",
            "sum to 1 per row, which sigmoid does not give",
        ),
        ("sizes: [4, 3], activations: identity", "half_squared_error", "brier", "identity does not give"),
        ("sizes: [4, 3]", "cross_entropy", "{name: top_k_accuracy, k: 3}", "at least 4 classes"),
        ("sizes: [4, 3]", "cross_entropy", "max_error", "a metric for regression"),
    ],
)
def test_refusals(iris: Path, network: str, loss: str, metric: str, words: str) -> None:
    text = iris.read_text().replace("sizes: [4, 6, 3]", network).replace("cross_entropy", loss)
    iris.write_text(text + f"metrics:\n  - accuracy\n  - {metric}\n")
    wrong = bptrain("fit", iris)
    assert wrong.code == 2
    assert "iris.yaml:8:5: error: metrics.1" in wrong.err
    assert words in wrong.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("loss", "output"), [("binary_cross_entropy", "sigmoid"), ("half_squared_error", "identity")]
)
def test_scores_that_are_no_probabilities_rank(iris: Path, loss: str, output: str) -> None:
    network = f"sizes: [4, 3], activations: {output}"
    text = iris.read_text().replace("cross_entropy", loss).replace("sizes: [4, 6, 3]", network)
    iris.write_text(
        "task: classification\n" + text + "metrics: [roc_auc, {name: top_k_accuracy, k: 1}, accuracy]\n"
    )
    found = bptrain("fit", iris, "--json").json["best"]["metrics"]["train"]
    assert found["roc_auc"] > 0.7
    assert found["top_k_accuracy"] == found["accuracy"]


def two_classes(activation: str, loss: str) -> str:
    """A config of two classes and one output."""
    rows = "\n".join(f"{x},{'yes' if x + 7 * (x % 3) > 30 else 'no'}" for x in range(60))
    Path("two.csv").write_text(f"x,answer\n{rows}\n")
    return (
        f"data: {{train: two.csv, target: answer}}\nnetwork: {{sizes: [1, 1], activations: {activation}}}\n"
        f"loss: {loss}\ntraining: {{epochs: 30}}\nmetrics: [roc_auc, brier, log_loss, f1]\n"
    )


def test_one_output_of_two_classes(workplace: Path) -> None:
    Path("two.yaml").write_text(two_classes("sigmoid", "binary_cross_entropy"))
    found = bptrain("fit", "two.yaml", "--json").json["best"]
    assert found["metrics"]["test"]["log_loss"] == pytest.approx(found["loss"]["test"], rel=1e-5)
    assert found["metrics"]["train"]["roc_auc"] > 0.8
    Path("two.yaml").write_text(two_classes("tanh", "half_squared_error"))
    wrong = bptrain("fit", "two.yaml", "--set", "task=classification")
    assert wrong.code == 2
    assert "metrics.1: brier needs probabilities, but tanh gives values outside [0, 1]" in wrong.err


def test_yes_and_no_outputs(workplace: Path) -> None:
    rows = "\n".join(f"{x},{int(x > 20)},{int(x % 2)}" for x in range(60))
    Path("both.csv").write_text(f"x,large,odd\n{rows}\n")
    text = (
        "data: {train: both.csv, target: [large, odd]}\nnetwork: {sizes: [1, 2]}\nloss: binary_cross_entropy\n"
        "training: {epochs: 30}\n"
    )
    Path("both.yaml").write_text(text + "metrics: [{name: recall, average: per_class}, f1, roc_auc]\n")
    found = bptrain("fit", "both.yaml", "--json").json["best"]["metrics"]["train"]
    assert list(found["recall"]) == ["large", "odd"]
    assert 0.5 < found["roc_auc"] <= 1
    Path("both.yaml").write_text(text + "metrics: [log_loss]\n")
    wrong = bptrain("fit", "both.yaml")
    assert wrong.code == 2
    assert "log_loss needs one class per row" in wrong.err


def test_what_is_not_defined_is_null(workplace: Path) -> None:
    """One class alone among the rows of a file."""
    Path("two.yaml").write_text(two_classes("sigmoid", "binary_cross_entropy"))
    run = bptrain("fit", "two.yaml", "--json").json["run"]
    Path("yes.csv").write_text("x,answer\n50,yes\n51,yes\n")
    found = bptrain("eval", run, "--data", "yes.csv", "--json").json
    assert found["metrics"]["roc_auc"] is None
    assert "roc_auc" not in found["baseline"]
    assert bptrain("eval", run, "--data", "yes.csv", "--fail-under", "roc_auc=0.1").code == 1


def test_metrics_of_values(line: Path) -> None:
    line.write_text(
        line.read_text() + "metrics: [max_error, median_absolute_error, mape, explained_variance]\n"
    )
    found = bptrain("fit", line, "--json").json
    train, baseline = (
        found["best"]["metrics"]["train"],
        bptrain("eval", found["run"], "--json").json["baseline"],
    )
    assert train["explained_variance"] > 0.99
    assert 0 < train["median_absolute_error"] <= train["max_error"]
    assert train["mape"] < 0.1
    assert baseline["max_error"] > 1000
    assert bptrain("eval", found["run"], "--fail-under", "mape=0.0000001").code == 1
