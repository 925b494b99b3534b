"""A run that ended with a refit: its figures, its files, and what the other commands make of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.commands.fit.fit import RefitStarted, fit_events
from bptrain.model.load import load, load_run
from bptrain.store.checkpoint import read
from bptrain.store.run_directory import RunDirectory
from command import SCRIPT, Outcome, bptrain

REFIT = ("--set", "training.refit=true")
CONFIG = """
data: {train: rows.csv, target: y, split: {validation: 0.3, test: 0.2}}
network: {sizes: [auto, 12, auto]}
loss: half_squared_error
metrics: [rmse, r2]
optimizer: {name: adam, learning_rate: 0.05}
training: {epochs: 8, batch_size: 8, early_stopping: {patience: 1}, engine: numpy}
"""


@pytest.fixture
def rows(workplace: Path) -> Path:
    """A config of few noisy rows."""
    rng = np.random.default_rng(0)
    lines = [f"{a:.3f},{b:.3f},{30 * (a - b * b) + 5 * e:.2f}" for a, b, e in rng.random((90, 3))]
    (workplace / "rows.csv").write_text("\n".join(["a,b,y", *lines]))
    file = workplace / "rows.yaml"
    file.write_text(CONFIG)
    return file


def fitted(config: Path, out: str, *more: object) -> dict[str, Any]:
    outcome = bptrain("fit", config, "--out", out, "--json", *more)
    assert outcome.code == 0, outcome.err
    return outcome.json


def evaluated(*arguments: object) -> dict[str, Any]:
    outcome = bptrain("eval", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def names(record: dict[str, Any]) -> list[str]:
    return [warning["name"] for warning in record["warnings"]]


def same(first: Path, second: Path) -> bool:
    one, other = read(first).tensors, read(second).tensors
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_figures_and_files(rows: Path) -> None:
    """Of train and validation rows those of the first fit, which is as it would be alone; of test rows the refit's."""
    alone, both = fitted(rows, "alone"), fitted(rows, "both", *REFIT)
    epochs = alone["best"]["epoch"]
    assert both["refit"] == {"epochs": epochs, "rows": 72}
    assert epochs < alone["epochs"] == both["epochs"]
    assert both["stopped"] == alone["stopped"] == "early_stopping"
    for key in ("loss", "metrics"):
        for split in ("train", "validation"):
            assert both["best"][key][split] == alone["best"][key][split]
        assert both["best"][key]["test"] == both["final"][key]["test"] != alone["best"][key]["test"]
        assert both["before_refit"][key] == {"test": alone["best"][key]["test"]}
    assert both["final"]["epoch"] == epochs
    assert same(Path("alone/best.safetensors"), Path("both/before_refit.safetensors"))
    assert not same(Path("alone/best.safetensors"), Path("both/best.safetensors"))
    assert not Path("alone/before_refit.safetensors").exists()
    assert not {"refit", "before_refit"} & alone.keys()
    # what predicts, predicts with the refitted model, in the units of the first fit's training rows
    assert load("both").schema == load("alone").schema
    assert evaluated("both")["metrics"] == pytest.approx(both["best"]["metrics"]["test"])
    before = evaluated("both", "--checkpoint", "both/before_refit.safetensors")
    assert before["metrics"] == pytest.approx(alone["best"]["metrics"]["test"])
    assert json.loads(Path("both/run.json").read_text())["result"]["refit"] == both["refit"]


def test_without_test_rows(rows: Path) -> None:
    record = fitted(rows, "run", *REFIT, "--set", "data.split.test=0")
    assert record["refit"]["rows"] == 90
    assert record["before_refit"]["metrics"] == {}
    assert record["best"]["metrics"].keys() == {"train", "validation"}
    assert names(evaluated("run")) == ["trained_on_validation"]


def test_evaluation_of_rows_that_were_trained_on(rows: Path) -> None:
    fitted(rows, "run", *REFIT)
    told = bptrain("eval", "run", "--split", "validation")
    assert "run/best.safetensors was trained on the validation rows too (training.refit)" in told.err
    assert "--checkpoint run/before_refit.safetensors [trained_on_validation]" in told.err
    assert names(evaluated("run", "--split", "validation", "--checkpoint", "last")) == [
        "trained_on_validation"
    ]
    before = ("--checkpoint", "run/before_refit.safetensors")
    for arguments in (("--split", "test"), ("--split", "train"), ("--split", "validation", *before)):
        assert names(evaluated("run", *arguments)) == []
    predicted = bptrain("predict", "run", "--split", "validation")
    assert "[trained_on_validation]" in predicted.err
    assert predicted.code == 0
    silent = (*REFIT, "--set", "silence=[trained_on_validation]")
    fitted(rows, "silent", *silent)
    assert names(evaluated("silent", "--split", "validation")) == []


def test_prediction_intervals_are_of_the_model_before(rows: Path) -> None:
    """Their errors are of validation rows that the model had not seen."""
    fitted(rows, "alone")
    fitted(rows, "both", *REFIT)
    kept = [
        read(Path(file)).absolute_errors
        for file in ("alone/best.safetensors", "both/before_refit.safetensors", "both/best.safetensors")
    ]
    assert kept[0] is not None
    assert kept[0] == kept[1] == kept[2]
    half = [
        evaluated(run, "--split", "test", "--interval", 0.8)["interval"]["mean_width"]
        for run in ("alone", "both")
    ]
    assert half[0] == half[1]


def test_what_is_shown(rows: Path) -> None:
    shown = bptrain("fit", rows, "--out", "run", *REFIT)
    record = json.loads(Path("run/run.json").read_text())["result"]
    epochs = record["refit"]["epochs"]
    assert f"refit: {epochs} epochs on 72 train and validation rows" in shown.err
    assert f"refit: epoch {epochs}/{epochs}  loss" in shown.err
    assert "the figures on test are the refitted model's, the others those before it" in shown.err
    table = [line.split()[0] for line in shown.out.splitlines() if line.startswith("  ")]
    assert table == ["split", "train", "validation", "test", "test"]
    assert "test before refit" in shown.out
    again = bptrain("fit", rows, "--resume", "run", *REFIT)
    assert "this run is finished" in again.err
    assert again.out == shown.out
    inspected = bptrain("inspect", "run").out
    assert "loss by epoch:" in inspected
    assert "loss by epoch of the refit: * train" in inspected
    (row,) = bptrain("runs", "run", "--json").json["runs"]
    assert row["metrics"] == record["best"]["metrics"]["validation"]
    assert row["test"] == record["best"]["metrics"]["test"]
    valid = bptrain("validate", rows, *REFIT)
    assert "72 train and validation rows" in valid.out
    assert bptrain("validate", rows, *REFIT, "--json").json["refit_rows"] == 72
    assert bptrain("validate", rows, "--json").json["refit_rows"] is None
    assert "training.refit" in bptrain("explain", rows, *REFIT).out
    assert "training.refit" not in bptrain("explain", rows).out


def test_best_weights_without_their_file(rows: Path) -> None:
    """The last checkpoint has those of the refit; a repair writes both files again."""
    fitted(rows, "run", *REFIT)
    files = [Path("run", name) for name in ("best.safetensors", "before_refit.safetensors")]
    content = [file.read_bytes() for file in files]
    report = evaluated("run")
    for gone in (files[:1], files[1:], files):
        for file in gone:
            file.unlink()
        assert evaluated("run")["metrics"] == report["metrics"]
        assert bptrain("fit", rows, "--resume", "run", *REFIT).code == 0
        assert [file.read_bytes() for file in files] == content


def test_in_mid_refit_the_best_model_is_that_of_the_first_fit(rows: Path) -> None:
    events = fit_events(rows, {"training.refit": True}, Path("run"))
    for event in events:
        if isinstance(event, RefitStarted):
            break
    next(events)
    events.close()
    fitted(rows, "alone")
    run = RunDirectory(Path("run"))
    best = load("run")
    assert np.array_equal(best.w, load("alone").w)
    run.best.unlink()
    without = load("run")
    assert np.array_equal(without.w, best.w)
    assert without.stored.before_refit is None
    assert names(evaluated("run", "--split", "validation")) == []
    last = evaluated("run", "--split", "validation", "--checkpoint", "last")
    assert names(last) == ["trained_on_validation"]
    assert load_run(run, "last").stored.position["epoch"] == 1
    (row,) = bptrain("runs", "run", "--json").json["runs"]
    assert (row["state"], row["split"]) == ("interrupted", "validation")
    assert row["epochs"] == json.loads(Path("alone/run.json").read_text())["result"]["epochs"]


def test_a_refitted_run_is_replaced_and_pruned_as_a_whole(rows: Path) -> None:
    fitted(rows, "runs/rows/001", *REFIT)
    fitted(rows, "runs/rows/001", "--overwrite")
    assert not Path("runs/rows/001/before_refit.safetensors").exists()
    fitted(rows, "runs/rows/001", "--overwrite", *REFIT, "--set", "optimizer.learning_rate=0.0001")
    for name in ("002", "003"):
        fitted(rows, f"runs/rows/{name}", *REFIT)
    pruned = bptrain("runs", "prune", "runs", "--keep", 2, "--json").json
    assert [run["run"] for run in pruned["deleted"]] == ["runs/rows/001"]
    assert not Path("runs/rows/001").exists()
    linked = Path("runs/rows/002/before_refit.safetensors")
    linked.unlink()
    linked.symlink_to("best.safetensors")
    refused = bptrain("fit", rows, "--resume", "runs/rows/002", *REFIT)
    assert refused.code == 5
    assert "is a symbolic link" in refused.err


def test_two_runs_are_compared_on_rows_that_neither_was_trained_on(rows: Path) -> None:
    fitted(rows, "a")
    fitted(rows, "b", *REFIT)
    assert bptrain("eval", "a", "b", "--json").json["rows"] == 18
    refused = bptrain("eval", "a", "b", "--split", "validation")
    assert refused.code == 3
    assert "27 of the 27 rows of the validation split are training rows of b" in refused.err
    head, *lines = Path("rows.csv").read_text().splitlines()
    Path("own.csv").write_text("\n".join([head, *lines[:20]]))
    own = ("--set", "data.validation=own.csv", "--set", "silence=[identical_rows]")
    fitted(rows, "c", *own)
    fitted(rows, "d", *own, *REFIT)
    assert bptrain("eval", "c", "c", "--data", "own.csv").code == 0
    refused = bptrain("eval", "c", "d", "--data", "own.csv")
    assert "20 of the 20 rows of own.csv are training rows of d" in refused.err
    assert "training rows of d" in bptrain("eval", "c", "d", "--split", "validation").err


def test_each_fold_and_each_seed_is_refitted(rows: Path) -> None:
    folds = bptrain("fit", rows, "--folds", 3, *REFIT, "--out", "cv", "--jobs", 1, "--json").json
    for run in folds["runs"]:
        assert run["refit"]["rows"] == 60
        assert Path(run["run"], "before_refit.safetensors").exists()
    scores = [run["best"]["metrics"]["test"]["rmse"] for run in folds["runs"]]
    assert folds["mean"]["test"]["rmse"] == pytest.approx(np.mean(scores))
    lines = Path(folds["out_of_fold"]).read_text().splitlines()[1:]
    errors = [float(line.split(",")[2]) - float(line.split(",")[3]) for line in lines]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.sqrt(np.mean(np.square(scores))))
    seeds = bptrain("fit", rows, "--seeds", 2, *REFIT, "--verbose", "--jobs", 1)
    assert "seed 1: refit epoch 1/" in seeds.err


@pytest.mark.parametrize("by", ["seed", "fold"])
def test_members_of_an_ensemble_are_refitted(by: str, rows: Path) -> None:
    """Its figures on train and validation rows, and its intervals, are of the members before their refits."""
    rows.write_text(CONFIG.replace("validation: 0.3, ", "") if by == "fold" else CONFIG)
    ensemble = ("--jobs", 1, "--set", f"ensemble={{members: 2, by: {by}}}")
    alone, both = fitted(rows, "alone", *ensemble), fitted(rows, "both", *ensemble, *REFIT)
    assert all(member["refit"]["rows"] == 72 for member in both["members"])
    for split in ("train", "validation"):
        assert both["best"]["metrics"][split] == alone["best"]["metrics"][split]
    assert both["best"]["metrics"]["test"] != alone["best"]["metrics"]["test"]
    assert evaluated("both")["metrics"] == pytest.approx(both["best"]["metrics"]["test"])
    assert names(evaluated("both", "--split", "validation")) == ["trained_on_validation"]
    assert names(evaluated("alone", "--split", "validation")) == []
    widths = [evaluated(run, "--interval", 0.8)["interval"]["mean_width"] for run in ("alone", "both")]
    assert widths[0] == widths[1]
    refused = bptrain("eval", "alone", "both", "--split", "validation")
    assert refused.code == 3


def killed_in_the_refit(config: Path, out: str, number: signal.Signals) -> Outcome:
    """A process that is sent a signal as soon as its refit has had an epoch."""
    command = [sys.executable, "-c", SCRIPT, "fit", str(config), "--out", out, *LONG]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    metrics, deadline = Path(out, "metrics.jsonl"), time.monotonic() + 60
    while not (metrics.exists() and '"phase": "refit"' in metrics.read_text()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, number)
    printed, told = process.communicate(timeout=60)
    return Outcome(process.returncode, printed, told)


LONG = (*REFIT, "--set", "training.epochs=80", "--set", "training.early_stopping=null",
        "--set", "training.mode=sgd", "--set", "training.batch_size=null",
        "--set", "optimizer.learning_rate=0.00005", "--set", "checkpoint.every={epochs: 9}")  # fmt: skip


@pytest.mark.slow
def test_killed_in_the_refit_and_resumed(rows: Path) -> None:
    whole = fitted(rows, "whole", *LONG)
    for number, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        outcome = killed_in_the_refit(rows, out := f"killed-{code}", number)
        assert outcome.code == code
        assert not Path(out, "before_refit.safetensors").exists()
        if number == signal.SIGINT:
            assert f" of the refit; to continue, add --resume {out}" in outcome.err
        resumed = bptrain("fit", rows, "--resume", out, *LONG)
        assert resumed.code == 0, resumed.err
        assert "continuing after" in resumed.err
        for name in ("best.safetensors", "before_refit.safetensors"):
            assert Path(out, name).read_bytes() == Path("whole", name).read_bytes()
        lines = Path(out, "metrics.jsonl").read_text().splitlines()
        assert len(lines) == whole["epochs"] + whole["refit"]["epochs"]
