"""Row weights in metrics: everywhere that figures stand, against scikit-learn's; class weights in the loss alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain
from bptrain.build.setup import open_config
from bptrain.build.training import build_plan
from bptrain.commands.fit.older_metrics import weighed_anew
from bptrain.engines.base import OptimizerState
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.parts.controls import Watch
from bptrain.store import checkpoint
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory
from bptrain.training.controls import going_on
from bptrain.training.evaluation import baseline
from bptrain.training.state import Best, State
from command import bptrain as command
from engines.installed import ENGINES

METRICS = "[accuracy, {name: recall, average: per_class}, balanced_accuracy, log_loss, confusion_matrix]"
ROWS = 90


def written(directory: Path, weighs: bool = True) -> list[tuple[str, float]]:
    """A config on two classes of overlapping numbers. A row of "no" weighs 5 where it lies among those of "yes"."""
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(ROWS) < 0.6, "yes", "no")
    x = rng.normal(size=ROWS) + (labels == "yes")
    v = np.where((labels == "no") & (x > 0), 5.0, rng.integers(0, 4, ROWS) / 2)
    rows = [f"{a:.6f},{label},{w}" for a, label, w in zip(x, labels, v, strict=True)]
    (directory / "rows.csv").write_text("x,answer,v\n" + "\n".join(rows) + "\n")
    (directory / "rows.yaml").write_text(
        f"""
data: {{train: rows.csv, target: answer, {"weight: v" if weighs else "exclude: [v]"}}}
network: {{sizes: [1, 3, 2]}}
loss: cross_entropy
metrics: {METRICS}
training: {{epochs: 4}}
"""
    )
    return list(zip(labels.tolist(), v.tolist(), strict=True))


def of_sklearn(data: Path, run: str, weighted: bool) -> dict[str, Any]:
    """scikit-learn's figures of a run's model on all rows."""
    theirs = pytest.importorskip("sklearn.metrics", reason="comes with the extra `dev`")
    x, labels, v = zip(*(line.split(",") for line in data.read_text().split()[1:]), strict=True)
    model = bptrain.load(run)
    X = np.array(x, float)[:, None]
    p, classes = model.outputs(X), ["no", "yes"]
    said, V = [classes[k] for k in p.argmax(axis=1)], np.array(v, float) if weighted else None
    recall = theirs.recall_score(labels, said, average=None, labels=classes, sample_weight=V)
    return {
        "accuracy": theirs.accuracy_score(labels, said, sample_weight=V),
        "recall": dict(zip(classes, recall, strict=True)),
        "balanced_accuracy": theirs.balanced_accuracy_score(labels, said, sample_weight=V),
        "log_loss": theirs.log_loss(labels, p, sample_weight=V),
        "confusion_matrix": theirs.confusion_matrix(labels, said, sample_weight=V).tolist(),
    }


def close(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        np.testing.assert_allclose(
            list(found[name].values()) if isinstance(value, dict) else found[name],
            list(value.values()) if isinstance(value, dict) else value,
            rtol=1e-6,
            err_msg=name,
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_eval_weighs_as_scikit_learn_does(engine: str, workplace: Path) -> None:
    written(workplace)
    fitted = command("fit", "rows.yaml", "--out", "run", "--set", f"training.engine={engine}")
    assert fitted.code == 0, fitted.err
    found = command("eval", "run", "--data", "rows.csv", "--json").json
    close(found["metrics"], of_sklearn(workplace / "rows.csv", "run", weighted=True))
    close(found["metrics_unweighted"], of_sklearn(workplace / "rows.csv", "run", weighted=False))
    assert abs(found["metrics"]["accuracy"] - found["metrics_unweighted"]["accuracy"]) > 0.02
    assert found["confusion_matrix"] == found["metrics_unweighted"]["confusion_matrix"]  # of rows
    assert sum(map(sum, found["confusion_matrix"])) == ROWS


def test_the_same_figures_stand_everywhere(workplace: Path) -> None:
    written(workplace)
    fitted = command("fit", "rows.yaml", "--out", "run", "--json").json
    assert [*fitted["best"]["metrics_unweighted"]] == ["train", "validation", "test"]
    lines = [json.loads(line) for line in (workplace / "run" / "metrics.jsonl").read_text().splitlines()]
    assert fitted["final"]["metrics"]["validation"].items() <= lines[-1]["validation"].items()
    assert lines[-1]["metrics_unweighted"] == {
        "validation": fitted["final"]["metrics_unweighted"]["validation"]
    }
    assert command("inspect", "run", "--json").json["history"] == lines
    for split in ("train", "validation", "test"):
        found = command("eval", "run", "--split", split, "--json").json
        assert found["metrics"] == fitted["best"]["metrics"][split]
        assert found["metrics_unweighted"] == fitted["best"]["metrics_unweighted"][split]
    (listed,) = command("runs", ".", "--json").json["runs"]
    assert listed["metrics"] == fitted["best"]["metrics"]["validation"]
    weighted, once = (found[key]["accuracy"] for key in ("metrics", "metrics_unweighted"))
    low, high = sorted((weighted, once))
    assert low < high
    verdict = command("eval", "run", "--fail-under", f"accuracy={(low + high) / 2}").code
    assert verdict == (0 if weighted == high else 1)
    ends = [word for end in found["intervals"]["accuracy"] for word in (f"{end:.4f}", "to")][:3]
    assert [line.split() for line in command("eval", "run").out.splitlines()[1:4]][::2] == [
        ["metric", "value", "95", "%", "interval", "baseline", "unweighted"],
        ["accuracy", f"{weighted:.4f}", *ends, f"{found['baseline']['accuracy']:.4f}", f"{once:.4f}"],
    ]


def test_the_baseline_is_that_of_the_weights(workplace: Path) -> None:
    """Most rows say yes; those that say no weigh more."""
    rows = written(workplace)
    by_label = {label: sum(v for own, v in rows if own == label) for label in ("yes", "no")}
    assert sum(label == "yes" for label, _ in rows) > ROWS / 2
    assert by_label["no"] > by_label["yes"]
    command("fit", "rows.yaml", "--out", "run", "--set", "data.split={validation: 0, test: 0}")
    shown = command("eval", "run")
    assert "always no" in shown.out
    found = command("eval", "run", "--json").json["baseline"]
    assert found["accuracy"] == pytest.approx(by_label["no"] / sum(by_label.values()))


def test_early_stopping_goes_by_the_weighted_metric(workplace: Path) -> None:
    written(workplace)
    setting = "training.early_stopping={monitor: log_loss, patience: 50}"
    fitted = command("fit", "rows.yaml", "--out", "run", "--json", "--set", setting).json
    lines = RunDirectory(workplace / "run").read_metrics()
    losses = [line["validation"]["log_loss"] for line in lines]
    assert fitted["best"]["epoch"] == 1 + int(np.argmin(losses))
    assert fitted["best"]["metrics"]["validation"]["log_loss"] == min(losses)


def test_class_weights_enter_the_loss_alone(workplace: Path) -> None:
    """And without row weights there is no sibling."""
    written(workplace, weighs=False)
    command("fit", "rows.yaml", "--out", "plain")
    command("fit", "rows.yaml", "--out", "run", "--set", "loss.class_weight={yes: 1, no: 9}")
    plain, weighted = (command("eval", run, "--data", "rows.csv", "--json").json for run in ("plain", "run"))
    assert weighted["loss"] != pytest.approx(plain["loss"], rel=0.1)
    close(weighted["metrics"], of_sklearn(workplace / "rows.csv", "run", weighted=False))
    for found in (plain, weighted, RunDirectory(workplace / "run").read_record()["result"]["best"]):
        assert "metrics_unweighted" not in found
    assert "metrics_unweighted" not in RunDirectory(workplace / "run").read_metrics()[-1]


def test_a_file_without_the_weights(workplace: Path) -> None:
    """Every row weighs 1, as a warning says."""
    written(workplace)
    command("fit", "rows.yaml", "--out", "run")
    rows = (workplace / "rows.csv").read_text().splitlines()
    (workplace / "bare.csv").write_text("\n".join(row.rpartition(",")[0] for row in rows) + "\n")
    found = command("eval", "run", "--data", "bare.csv", "--json")
    assert "no_weights" in found.err
    assert "metrics_unweighted" not in found.json
    close(found.json["metrics"], of_sklearn(workplace / "rows.csv", "run", weighted=False))


def test_rows_that_weigh_nothing(workplace: Path) -> None:
    """Figures that are not defined are null."""
    written(workplace)
    command("fit", "rows.yaml", "--out", "run")
    (workplace / "none.csv").write_text("x,answer,v\n1,yes,0\n0,no,0\n")
    found = command("eval", "run", "--data", "none.csv", "--json")
    assert found.code == 0, found.err
    assert found.json["metrics"]["accuracy"] is None
    assert found.json["metrics"]["recall"] == {"no": None, "yes": None}
    assert command("eval", "run", "--data", "none.csv").code == 0
    assert found.json["metrics_unweighted"]["accuracy"] is not None


def made_older(run: RunDirectory, monitor: str) -> tuple[float, float]:
    """Makes the newest checkpoint one of version 0.1.0, every row counted once; the best value, and what it was."""
    setup = open_config(Path("rows.yaml"), [f"training.early_stopping={{monitor: {monitor}, patience: 50}}"])
    plan = build_plan(setup.loaded.config, setup.network, len(setup.prepared.splits["train"].X))
    path = run.checkpoints()[-1]
    stored = checkpoint.read(path)
    state = going_on(checkpoint.state(stored, setup.network, plan.method))
    assert state.best is not None
    line = run.read_metrics()[state.best.epoch - 1]
    weighted, once = state.best.value, line["metrics_unweighted"]["validation"][monitor]
    assert weighted == line["validation"][monitor]
    train = setup.prepared.splits["train"]
    facts = stored.facts._replace(
        numerics={**stored.facts.numerics, "bptrain": "0.1.0"},
        baseline=plain(baseline(setup.prepared.schema, train.y_true).to_json()),
    )
    best = state.best._replace(value=once)
    older = replace(state, best=best, patience=state.patience._replace(best=once))
    checkpoint.write(path, setup.network, plan.method, facts, older)
    checkpoint.write_best(run.best, setup.network, facts, best)
    return weighted, once


@pytest.mark.parametrize("monitor", ["accuracy", "log_loss"])
def test_a_run_from_before_metrics_were_weighed_goes_on_by_weighted_ones(
    monitor: str, workplace: Path
) -> None:
    """Its best value is worked out again, as is its baseline: no figure is compared with one of another kind."""
    written(workplace)
    setting = f"training.early_stopping={{monitor: {monitor}, patience: 50}}"
    first = command("fit", "rows.yaml", "--out", "run", "--set", setting)
    assert first.code == 0, first.err
    run = RunDirectory(workplace / "run")
    new = checkpoint.read(run.best).facts.baseline
    weighted, once = made_older(run, monitor)
    assert abs(weighted - once) > 0.02
    assert checkpoint.read(run.best).facts.baseline != new
    longer = ["--set", setting, "--set", "training.epochs=9"]
    went_on = command("fit", "rows.yaml", "--resume", "run", *longer)
    assert went_on.code == 0, went_on.err
    assert "[older_metrics]" in went_on.err
    assert f"no longer {once:.6g}" in went_on.err
    values = [line["validation"][monitor] for line in run.read_metrics()]
    place = int(np.argmax(values) if monitor == "accuracy" else np.argmin(values))
    for path in (run.checkpoints()[-1], run.best):
        stored = checkpoint.read(path)
        assert stored.best is not None
        assert (stored.best["epoch"], stored.best["value"]) == (1 + place, pytest.approx(values[place]))
        assert stored.facts.baseline == new
    patience = checkpoint.read(run.checkpoints()[-1]).position["patience"]["best"]
    assert patience == pytest.approx(values[place])
    again = command("fit", "rows.yaml", "--resume", "run", *longer[:3], "training.epochs=10")
    assert "older_metrics" not in again.err


def test_a_run_from_before_that_goes_by_the_loss_goes_on_as_it_was(workplace: Path) -> None:
    written(workplace)
    command("fit", "rows.yaml", "--out", "run", "--set", "training.epochs=2")
    went_on = command("fit", "rows.yaml", "--resume", "run")
    assert went_on.code == 0
    assert "older_metrics" not in went_on.err


def test_a_plateau_from_before_metrics_were_weighed_is_found_again(workplace: Path) -> None:
    """No weights that were the best by its metric are kept: later values are compared with the next epoch's."""
    written(workplace)
    setup = open_config(Path("rows.yaml"), ["schedule={name: reduce_on_plateau, monitor: accuracy}"])
    w = np.zeros(setup.network.size, np.float32)
    before = State(OptimizerState(w, ()), epoch=2, best=Best(1, 3, 0.5, w), plateau=Watch(0.9, 1, 2))
    engine = NumpyEngine(build_plan(setup.loaded.config, setup.network, 62))
    after, warned = weighed_anew(setup, {"bptrain": "0.1.0"}, before, engine.outputs)
    assert [warning.name for warning in warned] == ["older_metrics"]
    assert "accuracy" in warned[0].message
    np.testing.assert_equal(after.plateau, Watch(np.nan, 1, 2))
    assert after.best == before.best  # it goes by the loss
    assert weighed_anew(setup, {"bptrain": "0.2.0"}, before, engine.outputs) == (before, ())
