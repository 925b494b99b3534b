"""Prediction intervals of a trained model: what its checkpoint keeps, `eval --interval`, `predict --interval`."""

import csv
from pathlib import Path

import numpy as np
import pytest

import bptrain as package
from bptrain.build.training import build_plan
from bptrain.errors import CheckpointError, DataError, UsageError
from bptrain.model.load import load, training_data
from bptrain.store import checkpoint
from bptrain.store.chosen_run import find_run
from bptrain.training.bootstrap import wilson
from command import bptrain

CONFIG = """
data: {train: rows.csv, target: y, split: {validation: 0.3, test: 0.3}, missing: {x: error}}
network: {sizes: [1, 3, auto]}
loss: half_squared_error
training: {epochs: 6, engine: numpy}
"""
OLD = Path(__file__).parent.parent / "store" / "run_of_0.1.0"


@pytest.fixture
def place(workplace: Path) -> Path:
    """y and z are lines with noise of other sizes; the runs `one` and `two` have one target and both."""
    rng = np.random.default_rng(0)
    x, e, f = rng.normal(size=(3, 100))
    rows = [f"{a:.4f},{10 * a + b:.4f},{1000 - 50 * a + 20 * c:.3f}" for a, b, c in zip(x, e, f, strict=True)]
    (workplace / "rows.csv").write_text("x,y,z\n" + "\n".join(rows) + "\n")
    (workplace / "new.csv").write_text("x,k\n0.5,1\n,2\n-1,3\n")
    (workplace / "rows.yaml").write_text(CONFIG)
    fit("one", "data.exclude=[z]")
    return workplace


def fit(out: str, *settings: str) -> None:
    options = [word for setting in settings for word in ("--set", setting)]
    outcome = bptrain("fit", "rows.yaml", "--out", out, *options)
    assert outcome.code == 0, outcome.err


def test_the_errors_are_those_of_the_validation_rows_at_the_best_weights(place: Path) -> None:
    model = load("one")
    rows = training_data(model, find_run(Path("one")), np.float32).splits["validation"]
    errors = np.abs(model.schema.decode(model.outputs_of(rows.X).X_L) - rows.y_true)
    kept = model.stored.absolute_errors
    assert kept is not None
    assert kept["rows"] == 30
    assert kept["errors"] == [np.sort(errors[:, 0]).tolist()]


def test_eval_gives_coverage_and_width(place: Path) -> None:
    record = bptrain("eval", "one", "--interval", "0.9", "--json").json
    found, model = record["interval"], load("one")
    rows = training_data(model, find_run(Path("one")), np.float32).splits["test"]
    assert model.stored.absolute_errors is not None
    half = model.stored.absolute_errors["errors"][0][27]  # ⌈31 × 0.9⌉ = 28
    covered = np.abs(model.schema.decode(model.outputs_of(rows.X).X_L) - rows.y_true)[:, 0] <= half
    assert found == {
        "level": 0.9,
        "validation_rows": 30,
        "coverage": covered.mean(),
        "coverage_interval": pytest.approx(wilson(covered.mean(), 30)),
        "mean_width": 2 * half,
    }
    assert model.evaluate("rows.csv", interval=0.9)["interval"]["mean_width"] == 2 * half
    shown = bptrain("eval", "one", "--interval", "0.9").out
    assert "prediction intervals of level 0.9, by the errors of 30 validation rows" in shown
    assert "interval" not in bptrain("eval", "one", "--json").json


def test_rows_that_belong_together_say_less_about_the_coverage(place: Path) -> None:
    """Five rows of one group that are alike tell no more than one of them."""
    header, *rows = (place / "rows.csv").read_text().splitlines()
    alike = [f"{row},{k}" for k, row in enumerate(rows) for _ in range(5)]
    (place / "rows.csv").write_text("\n".join([f"{header},g", *alike]) + "\n")
    fit("alike", "data.exclude=[z,g]", "data.split.group=g")
    record = bptrain("eval", "alike", "--interval", "0.7", "--json").json
    found = record["interval"]
    low, high = found["coverage_interval"]
    a, b = wilson(found["coverage"], record["rows"] // 5) or (0, 0)
    assert 0 < low < found["coverage"] < high < 1
    assert (low, high) == pytest.approx((a, b), abs=0.05)


def test_predict_adds_both_ends(place: Path) -> None:
    outcome = bptrain(
        "predict", "one", "new.csv", "--interval", "0.9", "--on-bad-row", "blank", "--keep", "x"
    )
    lines = [*csv.DictReader(outcome.out.splitlines())]
    assert [*lines[0]] == ["x", "prediction", "lower", "upper"]
    model = load("one")
    assert model.stored.absolute_errors is not None
    half = model.stored.absolute_errors["errors"][0][27]
    for line in lines[::2]:
        y, low, high = (float(line[name]) for name in ("prediction", "lower", "upper"))
        assert (y - low, high - y) == pytest.approx((half, half))
    assert [*lines[1].values()] == ["", "", "", ""]
    lower, upper = model.predict_interval(np.array([[0.5], [-1.0]]))
    assert lower[:, 0].tolist() == [float(line["lower"]) for line in lines[::2]]
    assert upper[:, 0].tolist() == [float(line["upper"]) for line in lines[::2]]
    own = bptrain("predict", "one", "--split", "test", "--interval", "0.5").out.splitlines()
    assert own[0] == "row,y,prediction,lower,upper"


def test_several_targets(place: Path) -> None:
    fit("two", "data.target=[y,z]")
    header = bptrain(
        "predict", "two", "new.csv", "--interval", "0.9", "--on-bad-row", "blank"
    ).out.splitlines()[0]
    assert header == "prediction_y,prediction_z,lower_y,upper_y,lower_z,upper_z"
    found = bptrain("eval", "two", "--interval", "0.9", "--json").json["interval"]
    assert found["coverage"].keys() == found["coverage_interval"].keys() == {"y", "z"}
    assert found["mean_width"]["z"] > 3 * found["mean_width"]["y"]


def test_columns_of_one_name(place: Path) -> None:
    (place / "named.csv").write_text("x,upper\n1,2\n")
    outcome = bptrain("predict", "one", "named.csv", "--keep", "upper", "--interval", "0.9")
    assert outcome.code == 2
    assert "two columns would be named upper" in outcome.err


@pytest.mark.parametrize("command", [["eval"], ["predict", "new.csv"]])
def test_levels_that_cannot_be_had(place: Path, command: list[str]) -> None:
    words = [command[0], "one", *command[1:], "--interval"]
    for level, code, said in (
        ("1", 2, "give a level between 0 and 1"),
        ("0", 2, "give a level between 0 and 1"),
        ("nan", 2, "give a level between 0 and 1"),
        ("0.99", 3, "intervals of level 0.99 need 99 validation rows, and this model had 30"),
    ):
        outcome = bptrain(*words, level)
        assert outcome.code == code, level
        assert said in outcome.err
        assert not outcome.out


def test_models_without_them(place: Path, iris: Path) -> None:
    fit("none", "data.exclude=[z]", "data.split={validation: 0, test: 0.3}")
    assert bptrain("fit", iris, "--out", "flowers").code == 0
    for model, code, said in (
        ("none", 5, "none/best.safetensors keeps no errors of validation rows"),
        ("flowers", 2, "this model predicts classes, and --interval is of numbers"),
    ):
        assert load(model).stored.absolute_errors is None
        for words in (["eval", model], ["predict", model, "new.csv"]):
            outcome = bptrain(*words, "--interval", "0.9")
            assert outcome.code == code
            assert said in outcome.err
    outcome = bptrain("eval", "one", "--checkpoint", "last", "--interval", "0.9")
    assert outcome.code == 5
    assert "they are kept with the best weights" in outcome.err


def test_errors_in_python(place: Path, iris: Path) -> None:
    model = load("one")
    with pytest.raises(UsageError, match="between 0 and 1"):
        model.predict_interval([[1.0]], 1.5)
    with pytest.raises(DataError, match="need 999 validation rows"):
        model.predict_interval([[1.0]], 0.999)
    with pytest.raises(CheckpointError, match="keeps no errors"):
        package.load(sorted(Path("one/checkpoints").iterdir())[-1]).predict_interval([[1.0]])


def test_a_resumed_run_keeps_the_same_bytes(place: Path) -> None:
    whole = Path("one/best.safetensors").read_bytes()
    fit("parts", "data.exclude=[z]", "training.epochs=3")
    before = load("parts").stored.absolute_errors
    assert bptrain("fit", "rows.yaml", "--resume", "parts", "--set", "data.exclude=[z]").code == 0
    assert load("parts").stored.absolute_errors != before
    assert Path("parts/best.safetensors").read_bytes() == whole


def test_what_a_kill_at_the_very_end_left_undone_is_done(place: Path) -> None:
    """Best weights without the errors, as they are written while a run trains, or by an earlier version."""
    whole, model = Path("one/best.safetensors").read_bytes(), load("one")
    run = find_run(Path("one"))
    stored = checkpoint.read(run.checkpoints()[-1])
    method = build_plan(model.config, model.network, 40).method
    best = checkpoint.state(stored, model.network, method).best
    assert best is not None
    checkpoint.write_best(run.best, model.network, model.stored.facts, best)
    assert bptrain("predict", "one", "new.csv", "--interval", "0.9").code == 5
    assert bptrain("fit", "rows.yaml", "--resume", "one", "--set", "data.exclude=[z]").code == 0
    assert run.best.read_bytes() == whole


def test_a_run_of_an_earlier_version(place: Path) -> None:
    found = sorted(OLD.rglob("best.safetensors"))
    assert found
    for file in found:
        assert checkpoint.read(file).absolute_errors is None
