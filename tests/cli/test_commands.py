"""What the commands print, where, and with which exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bptrain.store.run_directory import RunDirectory
from command import SCRIPT, bptrain, training_process

FIT_FIELDS = {
    "run",
    "engine",
    "epochs",
    "steps",
    "rows_seen",
    "train_seconds",
    "compile_seconds",
    "evaluation_seconds",
    "checkpoint_seconds",
    "stopped",
    "best",
    "final",
    "warnings",
}
HEAD = {"schema_version", "command", "ok"}


@pytest.fixture
def run(iris: Path) -> str:
    """A trained run."""
    path: str = bptrain("fit", iris, "--json").json["run"]
    return path


def test_fit_prints_the_metrics_and_last_the_run(iris: Path) -> None:
    fit = bptrain("fit", iris)
    assert fit.code == 0
    lines = fit.out.splitlines()
    assert lines[-1] == "runs/iris/001"
    table = fit.out
    for word in ("train", "validation", "test", "106", "22", "accuracy", "baseline"):
        assert word in table
    assert fit.err.splitlines()[-1] == "next: bptrain eval runs/iris/001"
    assert fit.err.startswith("run: runs/iris/001\ntask: classification (")
    assert "epoch 6/6" in fit.err
    assert "\x1b" not in fit.out + fit.err
    assert bptrain("fit", iris).out.splitlines()[-1] == "runs/iris/002"


def test_fit_json(iris: Path) -> None:
    fit = bptrain("fit", iris, "--json")
    assert set(fit.json) == HEAD | FIT_FIELDS
    assert fit.json["command"] == "fit"
    assert fit.json["ok"] is True
    assert fit.json["epochs"] == 6
    assert fit.json["steps"] == 6 * 4
    assert fit.json["rows_seen"] == 6 * 106
    assert fit.json["stopped"] == "epochs"
    assert set(fit.json["best"]) == {"epoch", "loss", "metrics"}
    assert set(fit.json["final"]["metrics"]) == {"train", "validation", "test"}
    assert len(fit.out.splitlines()) == 1


def test_eval_reports_what_fit_did(iris: Path) -> None:
    fit = bptrain("fit", iris, "--json").json
    for split in ("train", "validation", "test"):
        for which, weights in (("best", "best"), ("last", "final")):
            record = bptrain("eval", fit["run"], "--split", split, "--checkpoint", which, "--json").json
            assert record["metrics"] == fit[weights]["metrics"][split]
            assert record["loss"] == fit[weights]["loss"][split]


def test_eval_json(run: str) -> None:
    record = bptrain("eval", "--json").json
    fields = {
        "run",
        "checkpoint",
        "split",
        "rows",
        "loss",
        "metrics",
        "intervals",
        "baseline",
        "labels",
        "confusion_matrix",
        "warnings",
    }
    assert set(record) == HEAD | fields
    assert record["run"] == run
    assert record["split"] == "test"
    assert record["rows"] == 22
    assert record["labels"] == ["setosa", "versicolor", "virginica"]
    matrix = record["confusion_matrix"]
    assert sum(map(sum, matrix)) == 22
    assert sum(matrix[k][k] for k in range(3)) == round(record["metrics"]["accuracy"] * 22)
    assert record["baseline"]["accuracy"] == pytest.approx(7 / 22, abs=1.01 / 22)


def test_eval_shows_the_confusion_matrix(run: str) -> None:
    shown = bptrain("eval", run).out
    assert "confusion matrix" in shown
    assert "versicolor" in shown


def test_eval_takes_a_raw_file(run: str, iris: Path) -> None:
    """The rows of a file are scaled as the training rows were: all of iris gives the mean over its splits."""
    source = iris.read_text().split("train: ")[1].split(",")[0]
    whole = bptrain("eval", run, "--data", source, "--json").json
    assert whole["split"] == "data"
    assert whole["rows"] == 150
    parts = [bptrain("eval", run, "--split", s, "--json").json for s in ("train", "validation", "test")]
    right = sum(round(part["metrics"]["accuracy"] * part["rows"]) for part in parts)
    assert round(whole["metrics"]["accuracy"] * 150) == right


def test_regression_in_original_units(line: Path) -> None:
    fit = bptrain("fit", line, "--json")
    test = fit.json["best"]["metrics"]["test"]
    assert test["r2"] > 0.999
    assert test["rmse"] < 10
    record = bptrain("eval", "--json").json
    assert record["labels"] is None
    assert record["confusion_matrix"] is None
    assert record["baseline"]["rmse"] > 1000


@pytest.mark.parametrize(
    ("bound", "code"), [("accuracy=0.1", 0), ("accuracy=1.01", 1), ("loss=9", 0), ("loss=0", 1)]
)
def test_fail_under(run: str, bound: str, code: int) -> None:
    outcome = bptrain("eval", run, "--fail-under", bound, "--json")
    assert outcome.code == code
    assert outcome.json["ok"] is (code == 0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["eval", "runs/nowhere"], 5, "no run"),
        (["eval", ".", "--json"], 5, "not a run"),
        (["eval", "RUN", "--split", "dev"], 2, "train"),
        (["eval", "RUN", "--fail-under", "acc=1"], 2, "accuracy"),
        (["eval", "RUN", "--fail-under", "accuracy"], 2, "METRIC=NUMBER"),
        (["eval", "RUN", "--data", "no.csv"], 3, "no.csv"),
        (["eval", "RUN", "--data", "no.csv", "--split", "test"], 2, "--split"),
        (["eval", "RUN", "--target", "no.npy"], 2, "--data"),
        (["eval", "RUN", "--checkpoint", "no.safetensors"], 5, "no.safetensors"),
        (["fit", "iris.yaml", "--out", "RUN"], 2, "not empty"),
        (["fit", "iris.yaml", "--out", "."], 2, "not empty"),
        (["fit", "iris.yaml", "--out", ".", "--overwrite"], 2, "not a run"),
        (["fit", "iris.yaml", "--overwrite"], 2, "--out"),
        (["fit", "iris.yaml", "--seeds", "1"], 2, "2 or more"),
        (["fit", "iris.yaml", "--seeds", "2", "--resume", "auto"], 2, "--seeds"),
        (["fit", "iris.yaml", "--resume", "runs/nowhere"], 5, "no run"),
        (["fit", "iris.yaml", "--set", "seed"], 2, "seed"),
        (["fit", "iris.yaml", "--frobnicate"], 2, "frobnicate"),
        (["fit"], 2, "CONFIG"),
        (["fitt"], 2, "fit"),
        (["gradcheck", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["gradcheck", "--set", "seed=1"], 2, "--set"),
        (["explain", "nowhere.yaml"], 2, "nowhere.yaml"),
    ],
    ids=str,
)
def test_mistakes_on_the_command_line(run: str, arguments: list[str], code: int, words: str) -> None:
    outcome = bptrain(*[run if argument == "RUN" else argument for argument in arguments])
    assert outcome.code == code, outcome.err
    assert words in outcome.err + outcome.out
    assert "Traceback" not in outcome.err
    if "--json" in arguments:
        assert outcome.json["errors"]


def test_out_and_overwrite(iris: Path) -> None:
    assert bptrain("fit", iris, "--out", "here").out.splitlines()[-1] == "here"
    before = Path("here/best.safetensors").read_bytes()
    assert bptrain("fit", iris, "--out", "here").code == 2
    assert bptrain("fit", iris, "--out", "here", "--overwrite", "--set", "seed=5").code == 0
    assert Path("here/best.safetensors").read_bytes() != before
    assert len(Path("here/metrics.jsonl").read_text().splitlines()) == 6


def test_dry_run(iris: Path) -> None:
    outcome = bptrain("fit", iris, "--dry-run", "--json")
    assert outcome.code == 0
    assert outcome.json["rows"] == {"train": 106, "validation": 22, "test": 22}
    assert outcome.json["parameters"] == 4 * 6 + 6 + 6 * 3 + 3
    assert not Path("runs").exists()


def test_seeds(iris: Path) -> None:
    outcome = bptrain("fit", iris, "--seeds", "3", "--jobs", "1", "--out", "many", "--json")
    record = outcome.json
    assert set(record) == HEAD | {"runs", "mean", "sd"}
    assert [one["seed"] for one in record["runs"]] == [0, 1, 2]
    assert [one["run"] for one in record["runs"]] == ["many/seed-0", "many/seed-1", "many/seed-2"]
    values = [one["best"]["metrics"]["test"]["accuracy"] for one in record["runs"]]
    mean = sum(values) / 3
    assert record["mean"]["test"]["accuracy"] == pytest.approx(mean)
    assert record["sd"]["test"]["accuracy"] == pytest.approx(
        (sum((v - mean) ** 2 for v in values) / 2) ** 0.5
    )
    alone = bptrain("fit", iris, "--set", "seed=2", "--json").json
    assert alone["final"] == record["runs"][2]["final"]


def test_gradcheck_json(run: str, iris: Path) -> None:
    for subject in (run, iris):
        record = bptrain("gradcheck", subject, "--json").json
        assert set(record) >= HEAD | {"method", "entries", "max_relative_error", "tolerance", "layers"}
        assert record["method"] == "complex_step"
        assert record["entries"] == 51
        assert record["max_relative_error"] < 1e-12
        assert [(layer["layer"], layer["parameter"], layer["shape"]) for layer in record["layers"]] == [
            (1, "weight", [6, 4]),
            (1, "bias", [6]),
            (2, "weight", [3, 6]),
            (2, "bias", [3]),
        ]
        assert {layer["verdict"] for layer in record["layers"]} == {"pass"}
    assert "pass" in bptrain("gradcheck", run).out


@pytest.mark.slow
def test_gradcheck_of_every_part() -> None:
    outcome = bptrain("gradcheck", "--json")
    assert outcome.code == 0
    assert outcome.json["max_relative_error"] < 1e-12


def test_explain_the_derivation() -> None:
    """The check of dimensions that the derivation does by hand for its own network."""
    from conftest import ROOT

    shown = bptrain("explain", ROOT / "configs" / "derivation.yaml").out
    lines = {tuple(line.split()) for line in shown.splitlines()}
    for equation, shapes in [
        ("z_2 = W_2 x_1", "3×1 = 3×5 · 5×1"),
        ("δ_3 = (x_3 − t) ∘ f_3'(z_3)", "2×1 = 2×1 ∘ 2×1"),
        ("∂E/∂W_3 = δ_3 x_2ᵀ", "2×3 = 2×1 · 1×3"),
        ("δ_1 = (W_2ᵀ δ_2) ∘ f_1'(z_1)", "5×1 = (5×3 · 3×1) ∘ 5×1"),
        ("∂E/∂W_2 = δ_2 x_1ᵀ", "3×5 = 3×1 · 1×5"),
    ]:
        assert tuple(f"{equation} {shapes}".split()) in lines


def test_explain_needs_no_data_where_the_config_says_it_all(workplace: Path) -> None:
    (workplace / "c.yaml").write_text(
        "data: {train: nowhere.csv, target: y}\nloss: half_squared_error\n"
        "network: {sizes: [3, 2, 1], activations: tanh}\n"
    )
    assert bptrain("explain", "c.yaml").code == 0


def test_version_and_help() -> None:
    assert bptrain("--version").out == "bptrain 0.4.0\n"
    for command in ("fit", "eval", "gradcheck", "explain"):
        assert command in bptrain("--help").out
        assert "Example" in bptrain(command, "--help").out
    assert bptrain().code == 0


def test_quiet_and_verbose(iris: Path) -> None:
    assert bptrain("fit", iris, "--quiet").err == ""
    loud = bptrain("fit", iris, "--verbose", "--set", "training.epochs=50").err
    usual = bptrain("fit", iris, "--set", "training.epochs=50").err
    assert loud.count("\nepoch ") == 50
    assert usual.count("\nepoch ") < 30


def test_ten_thousand_epochs_make_a_short_log(iris: Path) -> None:
    log = bptrain("fit", iris, "--set", "training.epochs=2000", "--set", "training.mode=batch").err
    assert len(log) < 20_000


def test_a_bug_is_told_as_one(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("bptrain.commands.fit.ready.build_plan", broken)
    outcome = bptrain("fit", iris)
    assert outcome.code == 70
    assert "Traceback" not in outcome.err
    path = Path(outcome.err.split("The traceback is in ")[1].split(";")[0])
    assert "ZeroDivisionError: planted" in path.read_text()
    path.unlink()


def test_a_full_disk(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = bptrain("fit", iris)
    assert outcome.code == 6
    assert "No space left on device" in outcome.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.slow
def test_interrupted_and_resumed(iris: Path, number: signal.Signals, code: int) -> None:
    """A signal in mid-run saves it; resumed, it ends with the bits of a run that was left alone."""
    options = ["--set", "training.epochs=400", "--set", "training.mode=sgd"]
    process = training_process(iris, *options, out="stopped")
    metrics = Path("stopped/metrics.jsonl")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "stopped and saved" in err
    assert "Traceback" not in err
    assert out == ""
    done = len(metrics.read_text().splitlines())
    assert 0 < done < 400
    assert RunDirectory(Path("stopped")).read_record()["status"] == "interrupted"
    assert bptrain("fit", iris, "--out", "stopped", "--resume", "auto", *options).code == 0
    assert bptrain("fit", iris, "--out", "whole", *options).code == 0
    assert Path("stopped/best.safetensors").read_bytes() == Path("whole/best.safetensors").read_bytes()


def test_killed_and_resumed(iris: Path) -> None:
    """kill -9 leaves a run that goes on from its last checkpoint."""
    options = ["--set", "training.epochs=300", "--set", "checkpoint.every={epochs: 5}"]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "fit", str(iris), "--out", "killed", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(list(Path("killed/checkpoints").glob("step-*[1-9]*.safetensors"))) < 1:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert bptrain("fit", iris, "--out", "killed", "--resume", "auto", *options).code == 0
    assert bptrain("fit", iris, "--out", "whole", *options).code == 0
    assert Path("killed/best.safetensors").read_bytes() == Path("whole/best.safetensors").read_bytes()


def test_a_reader_that_has_seen_enough(iris: Path) -> None:
    """`bptrain explain … | head -1` ends quietly."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "explain", str(iris)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 141


def test_python_m(iris: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bptrain", "fit", str(iris), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["ok"] is True


def test_a_command_in_another_thread(iris: Path) -> None:
    """Signals belong to the main thread; a command run elsewhere leaves them alone."""
    import threading

    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(bptrain("fit", iris, "--json").code))
    thread.start()
    thread.join()
    assert codes == [0]
