"""`bptrain eval RUN_A RUN_B`: B − A on the same rows, and the rows that are refused."""

from pathlib import Path

import numpy as np
import pytest

from bptrain.commands.eval import evaluate_model
from bptrain.model.load import load, training_data
from bptrain.store.chosen_run import find_run
from command import bptrain

CONFIG = """
data: {train: rows.csv, target: kind, split: {validation: 0.1, test: 0.4}}
network: {sizes: [auto, 4, auto]}
loss: cross_entropy
metrics: [accuracy, {name: recall, average: per_class}]
training: {epochs: 4}
"""


@pytest.fixture
def place(workplace: Path) -> Path:
    """Two classes by two numbers, of which one has gaps; runs a and b on all of them, and c of another seed."""
    rng = np.random.default_rng(2)
    x, z, e = rng.normal(size=(3, 120))
    kinds = np.where(x + z + 0.5 * e > 0, "up", "down")
    lines = [
        f"{p:.3f},{q:.3f},{'' if k % 10 == 0 else f'{q + p:.2f}'},{kind}"
        for k, (p, q, kind) in enumerate(zip(x, z, kinds, strict=True))
    ]
    header = "x,z,sum,kind"
    (workplace / "rows.csv").write_text("\n".join([header, *lines]) + "\n")
    (workplace / "first.csv").write_text("\n".join([header, *lines[:60]]) + "\n")
    (workplace / "second.csv").write_text("\n".join([header, *lines[60:]]) + "\n")
    (workplace / "rows.yaml").write_text(CONFIG)
    trained("a", "data.exclude=[sum]")
    return workplace


def trained(name: str, *settings: str) -> None:
    options = [word for setting in settings for word in ("--set", setting)]
    outcome = bptrain("fit", "rows.yaml", "--out", name, "--set", "training.engine=numpy", *options)
    assert outcome.code == 0, outcome.err


def test_the_difference_and_its_interval(place: Path) -> None:
    trained("b", "data.exclude=[sum,z]")
    record = bptrain("eval", "a", "b", "--json").json
    assert record == bptrain("eval", "a", "b", "--json").json
    assert (record["split"], record["rows"]) == ("test", 48)
    alone = [bptrain("eval", name, "--json").json for name in "ab"]
    for one, run in zip(alone, record["runs"], strict=True):
        assert {key: one[key] for key in run} == run
    a, b = alone
    assert record["difference"]["loss"] == pytest.approx(b["loss"] - a["loss"])
    assert record["difference"]["accuracy"] == pytest.approx(
        b["metrics"]["accuracy"] - a["metrics"]["accuracy"]
    )
    for label in ("up", "down"):
        gap = b["metrics"]["recall"][label] - a["metrics"]["recall"][label]
        assert record["difference"]["recall"][label] == pytest.approx(gap)
    models = [load(name) for name in "ab"]
    rows = [
        training_data(model, find_run(Path(name)), np.float32).splits["test"]
        for model, name in zip(models, "ab", strict=True)
    ]
    right = [
        model.schema.classes_of(model.outputs_of(data.X).X_L) == data.y_true
        for model, data in zip(models, rows, strict=True)
    ]
    gap = right[1].astype(float) - right[0]
    half = 1.96 * gap.std(ddof=1) / np.sqrt(len(gap))
    low, high = record["intervals"]["accuracy"]
    assert (low + high) / 2 == pytest.approx(gap.mean(), abs=0.05)
    assert (high - low) / 2 == pytest.approx(half, rel=0.2)
    assert record["intervals"]["recall"].keys() == {"up", "down"}


def test_what_it_shows(place: Path) -> None:
    trained("b", "data.exclude=[sum,z]")
    lines = bptrain("eval", "a", "b").out.splitlines()
    assert lines[0] == "test, 48 rows: A is a, B is b"
    assert lines[1].split() == ["metric", "A", "B", "B", "−", "A", "95", "%", "interval"]
    assert [line.split()[0] for line in lines[2:4]] == ["loss", "accuracy"]
    assert lines[4] == "per class"
    same = bptrain("eval", "a", "a", "--json").json
    assert same["difference"]["loss"] == 0
    assert same["intervals"]["loss"] is None


def test_training_rows_are_refused(place: Path) -> None:
    trained("c", "seed=7", "data.exclude=[sum]")
    trained("d", "data.train=[first.csv,second.csv]", "data.exclude=[sum]")
    trained("e", "data.train=first.csv", "data.exclude=[sum]")
    for line, said in (
        (["a", "c"], " of the 48 rows of the test split are training rows of c"),
        (["c", "a"], " of the 48 rows of the test split are training rows of a"),
        (["a", "a", "--split", "train"], "60 of the 60 rows of the train split are training rows of a"),
        (["a", "c", "--data", "rows.csv"], "60 of the 120 rows of rows.csv are training rows of a"),
        (
            ["d", "a", "--data", "second.csv"],
            "second.csv has rows of second.csv, of which d was trained on some",
        ),
        (["a", "d", "--data", "first.csv", "--data", "second.csv"], "are training rows of d"),
        (["e", "a", "--data", "*t.csv"], "are training rows of e"),
        (["e", "d"], "/first.csv, of which d was trained on some"),
    ):
        outcome = bptrain("eval", *line)
        assert outcome.code == 3, line
        assert said in outcome.err
        assert not outcome.out
    assert bptrain("eval", "a", "e", "--data", "second.csv").code == 0


def test_rows_that_one_cannot_predict_are_left_out(place: Path) -> None:
    """B needs the column with gaps: what is compared are the rows that both predict."""
    trained("b", "data.missing=drop")
    (place / "new.csv").write_text("x,z,sum,kind\n1,1,2,up\n-1,-1,,down\n-1,1,0,up\n-2,1,-1,down\n")
    outcome = bptrain("eval", "a", "b", "--data", "new.csv", "--json")
    assert outcome.json["rows"] == 3
    assert "1 of 4 rows are left out: b drops them for missing cells" in outcome.err
    (place / "kept.csv").write_text("x,z,sum,kind\n1,1,2,up\n-1,1,0,up\n-2,1,-1,down\n")
    report = evaluate_model(Path("b"), data=[Path("kept.csv")])
    assert outcome.json["runs"][1]["metrics"] == report.evaluation.metrics


def test_losses_and_metrics_that_differ_are_left_out(place: Path) -> None:
    trained(
        "b", "data.exclude=[sum]", "loss={name: cross_entropy, label_smoothing: 0.1}", "metrics=[f1,accuracy]"
    )
    outcome = bptrain("eval", "a", "b", "--json")
    assert set(outcome.json["difference"]) == {"accuracy"}
    assert "the losses differ (cross_entropy and cross_entropy, or their options)" in outcome.err


def test_models_that_answer_other_questions(place: Path) -> None:
    trained("b", "data.target=x", "metrics=auto", "loss=half_squared_error", "data.exclude=[sum,kind]")
    for line, said in (
        (["a", "b"], "a and b cannot be compared, since their tasks differ: classification; regression"),
        (["a", "a", "--by", "x"], "--fail-under, --by and --interval are of one run"),
        (["a", "a", "--fail-under", "accuracy=1"], "--fail-under, --by and --interval are of one run"),
        (["a", "a", "--checkpoint", "a/best.safetensors"], "of two runs, choose best or last"),
        (["a", "a", "--split", "test", "--data", "rows.csv"], "--split and --data exclude each other"),
        (["a", "a", "--target", "rows.csv"], "--target needs --data"),
    ):
        outcome = bptrain("eval", *line)
        assert outcome.code == 2, line
        assert said in outcome.err
    assert bptrain("eval", "a", "nothing").code == 5
