"""A refit trains as a config does that has the validation rows among its training rows from the start."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bptrain.build.setup import open_config
from bptrain.commands.fit import ready
from bptrain.commands.fit.fit import Done, RefitStarted, Started, fit_events
from bptrain.commands.fit.follow import position
from bptrain.engines import base
from bptrain.errors import CheckpointError, DataError, NumericalError, UsageError
from bptrain.model.load import load, load_run
from bptrain.store.checkpoint import Stored, read
from bptrain.store.run_directory import RunDirectory
from bptrain.training import refit, trainer
from bptrain.training.events import EpochEnd, Progress
from bptrain.training.rows import TrainingRows
from engines.installed import needs_compiler

ROWS = 90
REFIT: dict[str, Any] = {"training.refit": True}
STOPPING: dict[str, Any] = {**REFIT, "training.early_stopping": {"patience": 2}}
CLASSES: dict[str, Any] = {
    "data.target": "kind",
    "loss": "cross_entropy",
    "network.activations": ["tanh", "softmax"],
}
BATCH: dict[str, Any] = {"training.mode": "batch", "training.batch_size": None}
ONE_ROW: dict[str, Any] = {"training.mode": "sgd", "training.batch_size": None}
CASES: dict[str, dict[str, Any]] = {
    "adam and cosine": {"optimizer": {"name": "adam", "learning_rate": 0.05}, "schedule": "cosine"},
    "warmup, dropout and average": {
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "one_cycle", "warmup": 2},
        "network.dropout": 0.2,
        "training.average": {"decay": 0.8},
    },
    "each row, in order": {
        **ONE_ROW,
        "training.shuffle": False,
        "optimizer": {"name": "momentum", "learning_rate": 0.01},
    },
    "batch mode": {**BATCH, "optimizer": {"name": "gradient_descent", "learning_rate": 0.3}},
    "rprop": {**BATCH, "optimizer": "rprop"},
    "weights": {"data.weight": "w", "optimizer": {"name": "nadam", "learning_rate": 0.05}},
    "noise, clipping, accumulation": {
        "training.noise": {"std": 0.1},
        "training.clip_norm": 0.5,
        "training.accumulate": 2,
    },
    "plateaus": {"schedule": {"name": "reduce_on_plateau", "patience": 1, "min_delta": 0.1}},
    "float64": {"network.dtype": "float64", "optimizer": {"name": "rmsprop", "learning_rate": 0.02}},
    "classes": {**CLASSES, "optimizer": "adam"},
    "lbfgs": {**BATCH, "optimizer": "lbfgs"},
    "levenberg_marquardt": {**BATCH, "optimizer": "levenberg_marquardt"},
}
COMPILED = ["warmup, dropout and average", "each row, in order", "batch mode", "weights", "classes", "lbfgs"]


@pytest.fixture
def config(workplace: Path) -> Path:
    """Few noisy rows, of which a network soon learns too much."""
    rng = np.random.default_rng(0)
    rows = [
        f"{a:.3f},{b:.3f},{a - b * b + 0.3 * noise:.3f},{'rst'[int(2.99 * c)]},{0.1 + c:.3f}"
        for a, b, c, noise in zip(*rng.random((3, ROWS)), rng.normal(size=ROWS), strict=True)
    ]
    (workplace / "rows.csv").write_text("\n".join(["a,b,y,kind,w", *rows]))
    file = workplace / "c.yaml"
    file.write_text(
        "data: {train: rows.csv, target: y, features: [a, b], scale: none, scale_target: none,\n"
        "       split: {validation: 0.3, test: 0.2}}\n"
        "network: {sizes: [auto, 12, auto], activations: [tanh, identity]}\n"
        "loss: half_squared_error\n"
        "optimizer: {name: gradient_descent, learning_rate: 0.2}\n"
        "training: {epochs: 30, batch_size: 8}\n"
    )
    return file


def fit(config: Path, overrides: dict[str, Any], out: str, resume: str | None = None) -> Done:
    *_, done = fit_events(config, overrides, Path(out), resume)
    assert isinstance(done, Done)
    return done


def run_of(out: str) -> RunDirectory:
    return RunDirectory(Path(out))


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run_of(out).metrics.read_text().splitlines()]


def tensors(stored: Stored, prefix: str = "") -> dict[str, bytes]:
    return {
        name.removeprefix(prefix): tensor.tobytes()
        for name, tensor in stored.tensors.items()
        if name.startswith(prefix)
    }


def rows_in_order(config: Path, overrides: dict[str, Any]) -> Path:
    """A file with the rows that a refit trains on, in its order."""
    splits = open_config(config, overrides).prepared.splits
    head, *rows = (config.parent / "rows.csv").read_text().splitlines()
    numbers = [*splits["train"].row_index, *splits["validation"].row_index]
    file = config.parent / "together.csv"
    file.write_text("\n".join([head, *(rows[number] for number in numbers)]))
    return file


@pytest.mark.parametrize(
    ("case", "engine"),
    [
        *((case, "numpy") for case in CASES),
        *(pytest.param(case, "numba", marks=needs_compiler) for case in COMPILED),
    ],
)
def test_the_bits_are_those_of_a_fit_on_all_rows(case: str, engine: str, config: Path) -> None:
    overrides = {**STOPPING, **CASES[case], "training.engine": engine}
    done = fit(config, overrides, "run")
    epochs = done.result["best"]["epoch"]
    together = {
        **overrides,
        "data.train": str(rows_in_order(config, overrides)),
        "data.split": {"validation": 0.0, "test": 0.0},
        "training.refit": False,
        "training.early_stopping": None,
        "training.epochs": epochs,
    }
    fit(config, together, "together")
    assert np.array_equal(load("run").w, load_run(run_of("together"), "last").w)
    refitted, own = read(run_of("run").checkpoints()[-1]), read(run_of("together").checkpoints()[-1])
    for prefix in ("layers.", "optimizer."):
        assert tensors(refitted, prefix) == tensors(own, prefix)
    first = [line for line in lines("run") if "phase" not in line]
    again = [line for line in lines("run") if line.get("phase") == "refit"]
    assert len(first) + len(again) == len(lines("run"))
    for line, alone in zip(again, lines("together"), strict=True):
        assert "validation" not in line
        assert line["step"] == first[-1]["step"] + alone["step"]
        assert line["rows_seen"] == first[-1]["rows_seen"] + alone["rows_seen"]
        for key in ("epoch", "learning_rate_factor", "train"):
            assert line[key] == alone[key]
    assert done.result["epochs"] == len(first)
    assert done.result["steps"] == again[-1]["step"]
    assert done.result["refit"] == {"epochs": epochs, "rows": 72}


def test_sparse_weights(config: Path) -> None:
    """Rows of a file without weights weigh 1, beside those of a file with weights."""
    head, *rows = Path("rows.csv").read_text().splitlines()
    Path("more.csv").write_text("\n".join(["a,b,y,kind", *(row.rpartition(",")[0] for row in rows[:30])]))
    weighted = "\n".join([head, *rows, *(f"{row.rpartition(',')[0]},1" for row in rows[:30])])
    Path("together.csv").write_text(weighted)
    values = {"data.weight": "w", "training.epochs": 3, "silence": ["no_weights", "identical_rows"]}
    split = {"data.split": {"validation": 0.0, "test": 0.0}}
    done = fit(config, {**REFIT, **values, "data.validation": "more.csv", **split}, "run")
    assert done.result["refit"] == {"epochs": 3, "rows": 120}
    fit(config, {**values, "data.train": "together.csv", **split}, "together")
    assert np.array_equal(load("run").w, load_run(run_of("together"), "last").w)


# --- resuming -----------------------------------------------------------------------------------------------------

RESUMED: dict[str, Any] = {
    **STOPPING,
    "optimizer": {"name": "adam", "learning_rate": 0.05},
    "schedule": "cosine",
    "network.dropout": 0.1,
    "training.average": {"decay": 0.8},
    "training.early_stopping": {"patience": 1},
    "training.epochs": 8,
}


def files(out: str) -> dict[str, bytes]:
    """Everything about a run that must not depend on an interruption."""
    run = run_of(out)
    return {path.name: path.read_bytes() for path in (run.checkpoints()[-1], run.best, run.before_refit)}


def is_whole(out: str, done: Done, whole: Done) -> None:
    assert files(out) == files("whole")
    for key in ("best", "final", "before_refit", "refit", "epochs", "steps", "rows_seen", "stopped"):
        assert done.result[key] == whole.result[key]
    kept = [{**line, "train_seconds": 0} for line in lines(out)]
    assert kept == [{**line, "train_seconds": 0} for line in lines("whole")]


@pytest.mark.parametrize("engine", ["numpy", pytest.param("numba", marks=needs_compiler)])
@pytest.mark.slow
def test_stopped_after_any_slice(engine: str, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first fit, between the two, in the refit: the end is that of a run that was left alone."""
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    monkeypatch.setattr(base, "SLICE_WORK", 1.0)  # an update per slice
    overrides = {**RESUMED, "training.engine": engine}
    fit(config, overrides, "compiled")  # an event that is there the first time alone
    *events, whole = fit_events(config, overrides, Path("whole"))
    assert isinstance(whole, Done)
    refit = next(k for k, event in enumerate(events) if isinstance(event, RefitStarted))
    assert whole.result["refit"]["epochs"] < whole.result["epochs"]
    for stop in (3, refit - 1, refit, refit + 11):
        out = f"stopped-{stop}"
        passed = fit_events(config, overrides, Path(out))
        for _ in range(stop + 1):
            next(passed)
        passed.close()
        assert run_of(out).read_record()["status"] == "interrupted"
        is_whole(out, fit(config, overrides, out, resume=out), whole)


def test_killed_at_any_instant(config: Path) -> None:
    """As kill -9 leaves a run: a checkpoint that is older than metrics.jsonl, and no word of how it ended."""
    overrides = {**RESUMED, "checkpoint": {"every": {"epochs": 1}, "keep": 50}}
    whole = fit(config, overrides, "whole")
    copies = {path.name: path.read_bytes() for path in run_of("whole").checkpoints()}
    n = whole.result["epochs"]
    for newest in (sorted(copies)[k] for k in (0, n - 1, n, n + 1, -2, -1)):
        out = f"killed-{newest}"
        shutil.copytree("whole", out)
        run = run_of(out)
        for path in run.checkpoints():
            if path.name > newest:
                path.unlink()
        run.best.unlink()
        run.before_refit.unlink()
        run.write_record(run.read_record() | {"status": "running"})
        if newest != max(copies):
            with run.metrics.open("a") as file:
                file.write('{"phase": "refit", "ep')
        is_whole(out, fit(config, overrides, out, resume=out), whole)
        assert {path.name: path.read_bytes() for path in run.checkpoints()} == copies


def test_checkpoints_of_the_two_fits_never_meet(config: Path) -> None:
    done = fit(config, {**RESUMED, "checkpoint": {"every": {"epochs": 1}, "keep": 50}}, "run")
    names = [int(path.stem[5:]) for path in run_of("run").checkpoints()]
    first = read(run_of("run").before_refit).position["updates"] // done.result["best"]["epoch"]
    assert names[: done.result["epochs"] + 1] == [first * k for k in range(done.result["epochs"] + 1)]
    assert len(names) == 1 + done.result["epochs"] + done.result["refit"]["epochs"]
    assert names[-1] == done.result["steps"]


def test_what_ended_the_first_fit_cannot_change_after_it(config: Path) -> None:
    overrides = {**REFIT, "training.epochs": 4}
    fit(config, overrides, "run")
    with pytest.raises(CheckpointError, match=r"past its first fit, which training\.epochs ended"):
        fit(config, {**overrides, "training.epochs": 6}, "run", resume="run")
    with pytest.raises(CheckpointError, match=r"training\.refit: True -> False"):
        fit(config, {**overrides, "training.refit": False}, "run", resume="run")
    patient = {**RESUMED, "training.epochs": 20}
    stopped = fit(config, patient, "stopped")
    again = fit(
        config, {**patient, "training.epochs": 30}, "stopped", resume="stopped"
    )  # which changes nothing
    assert again.already
    assert again.result["best"] == stopped.result["best"]
    with pytest.raises(CheckpointError, match=r"which training\.early_stopping ended"):
        fit(config, {**patient, "training.early_stopping": {"patience": 9}}, "stopped", resume="stopped")
    events = fit_events(config, {**overrides, "training.epochs": 6}, resume="run", out=None)
    with pytest.raises(CheckpointError):
        next(events)


def test_a_first_fit_that_has_not_ended_may_go_on_longer(config: Path) -> None:
    """What may change of a run may change until its refit begins."""
    longer = {**RESUMED, "training.early_stopping": None, "schedule": "constant"}
    whole = fit(config, longer, "whole")
    events = fit_events(config, {**longer, "training.epochs": 20}, Path("run"))
    for event in events:
        if isinstance(event, EpochEnd) and event.epoch == 3:
            break
    events.close()
    is_whole("run", fit(config, longer, "run", resume="run"), whole)


# --- what ends a refit --------------------------------------------------------------------------------------------


def test_what_ends_the_first_fit_does_not_end_the_refit(config: Path) -> None:
    """A goal that the first fit has reached is no goal of the refit, nor a gradient's norm."""
    for goal in ({"loss": 0.08}, {"gradient_norm": 0.1}):
        done = fit(config, {**REFIT, "training.stop_at": goal}, f"run-{next(iter(goal))}").result
        assert done["stopped"] == ("target_loss" if "loss" in goal else "gradient_norm")
        assert done["epochs"] < 30
        assert done["refit"]["epochs"] == done["best"]["epoch"]


def test_a_refit_ends_with_its_last_weights(config: Path) -> None:
    """Not with its best by the training loss, as a fit without validation rows would."""
    values = {**REFIT, **CLASSES, "optimizer.learning_rate": 8.0, "training.epochs": 30}
    done = fit(config, values, "run")
    losses = [line["train"]["loss"] for line in lines("run") if "phase" in line]
    assert min(losses) < losses[-1]  # else this test could not fail
    model = load("run")
    assert model.stored.position["epoch"] == done.result["refit"]["epochs"]
    assert np.array_equal(model.w, load_run(run_of("run"), "last").w)
    assert done.result["final"]["epoch"] == done.result["refit"]["epochs"]


def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading of the trainer's clock is a second later, so that a slice takes one, and an evaluation one."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(trainer, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))


@pytest.mark.parametrize("limit", [5, 15])
def test_out_of_time(limit: int, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first fit and in the refit: the first fit's best weights are the run's, until there is more time."""
    values = {**RESUMED, "training.engine": "numpy"}
    plain = {**values, "training.refit": False}
    whole, first = fit(config, values, "whole"), fit(config, plain, "first")
    seconds(monkeypatch)
    limited = {**values, "training.max_time": limit}
    done = fit(config, limited, "run")
    assert done.result["stopped"] == "max_time"
    assert "refit" not in done.result
    assert "refit_left_out" in [one["name"] for one in done.result["warnings"]]
    again = fit(config, limited, "run", resume="run")
    assert again.already
    assert again.result["warnings"] == done.result["warnings"]
    for key in ("best", "final", "epochs", "steps"):
        assert again.result[key] == done.result[key]
    assert not run_of("run").before_refit.exists()
    assert load("run").stored.before_refit is None
    if limit == 15:  # in the refit
        assert done.result["epochs"] == whole.result["epochs"]
        assert done.result["best"] == first.result["best"]
        assert lines("run")[-1]["phase"] == "refit"
    is_whole("run", fit(config, values, "run", resume="run"), whole)


def test_a_refit_that_diverges_leaves_the_first_fits_model(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {**REFIT, "training.epochs": 5}
    fit(config, {**values, "training.refit": False}, "first")
    real = Path("rows.csv").read_text()
    together = refit.together

    def spoiled(*rows: Any) -> TrainingRows:
        both = together(*rows)
        X = both.X.copy()
        return both._replace(X=np.where(np.arange(len(X))[:, None] == len(X) - 1, np.float32(np.nan), X))

    monkeypatch.setattr(ready, "together", spoiled)
    monkeypatch.setattr(ready, "part_of", lambda rows, both, places: rows)
    with pytest.raises(
        NumericalError, match=r"in the refit, training diverged in epoch 1, .* is the model before"
    ):
        fit(config, values, "run")
    assert run_of("run").read_record()["status"] == "diverged"
    assert tensors(read(run_of("run").best)) == tensors(read(run_of("first").best))
    assert Path("rows.csv").read_text() == real


# --- what cannot be refitted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "path", "words"),
    [
        ({"data.split": {"validation": 0.0}}, "training.refit", "there is no validation set"),
        (
            {"schedule": {"name": "reduce_on_plateau", "monitor": "rmse"}, "metrics": ["rmse"]},
            "schedule.monitor",
            "monitor loss",
        ),
    ],
)
def test_contradictions(overrides: dict[str, Any], path: str, words: str, config: Path) -> None:
    with pytest.raises(UsageError) as raised:
        fit(config, {**REFIT, **overrides}, "run")
    (problem,) = raised.value.problems
    assert problem.path == path
    assert words in problem.message


def test_too_small_a_share_has_the_place_of_the_key(config: Path) -> None:
    config.write_text(config.read_text().replace("batch_size: 8}", "batch_size: 8, refit: true}"))
    with pytest.raises(DataError) as raised:
        fit(config, {"data.split.validation": 0.001, "silence": ["small_split"]}, "run")
    (problem,) = raised.value.problems
    assert (problem.path, problem.line, problem.column) == ("training.refit", 6, 46)
    assert not Path("run").exists()


# --- where it stands ----------------------------------------------------------------------------------------------


def test_where_a_run_stands(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    monkeypatch.setattr(base, "SLICE_WORK", 1.0)
    words: list[str] = []
    plan = None
    for event in fit_events(config, {**REFIT, "training.epochs": 1}, Path("run")):
        if isinstance(event, Started | RefitStarted):
            plan = event.plan
        if isinstance(event, Started | RefitStarted | Progress | EpochEnd):
            assert plan is not None
            words.append(position(event.state, plan))
    assert words[:2] == ["epoch 0", "update 1 of 6 in epoch 1"]
    assert words[6:9] == ["epoch 1", "epoch 0 of the refit", "update 1 of 9 in epoch 1 of the refit"]
    assert words[-1] == "epoch 1 of the refit"
