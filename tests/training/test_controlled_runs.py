"""Runs that are stopped, slowed and averaged: when, with which weights, what is printed, and how they are resumed."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bptrain.build.network import initial_weights
from bptrain.build.setup import open_config
from bptrain.build.training import build_plan
from bptrain.commands.fit.fit import Done, fit_events
from bptrain.core import reference
from bptrain.core.network import views
from bptrain.engines import base
from bptrain.engines.base import initial_optimizer_state
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.engines.registry import engine_entry
from bptrain.errors import CheckpointError
from bptrain.model.load import load, load_checkpoint, load_run
from bptrain.parts.controls import Plateau, Watch, reduced
from bptrain.parts.random import stream
from bptrain.parts.types import Array
from bptrain.store import checkpoint
from bptrain.store.run_directory import RunDirectory
from bptrain.training import trainer
from bptrain.training.events import EpochEnd, Progress
from bptrain.training.state import Best, State
from command import bptrain

STOPPING: dict[str, Any] = {
    "optimizer.learning_rate": 2.0,  # so large that the validation loss goes up and down
    "training.epochs": 60,
    "training.early_stopping": {"patience": 4},
}


def run(config: Path, overrides: dict[str, Any], out: str, resume: str | None = None) -> Done:
    *_, done = fit_events(config, overrides, Path(out), resume)
    assert isinstance(done, Done)
    return done


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in RunDirectory(Path(out)).metrics.read_text().splitlines()]


def last(out: str) -> Array:
    """The weights for use of a run's newest checkpoint."""
    return load_run(RunDirectory(Path(out)), "last").w


# --- early stopping -----------------------------------------------------------------------------------------------


def test_early_stopping_ends_the_run_and_its_best_weights_are_final(iris: Path) -> None:
    done = run(iris, STOPPING, "run")
    losses = [line["validation"]["loss"] for line in lines("run")]
    best = int(np.argmin(losses)) + 1
    assert done.result["stopped"] == "early_stopping"
    assert done.result["epochs"] == len(losses) == best + 4 < 60
    assert done.result["best"]["epoch"] == best
    assert done.result["final"] == done.result["best"]
    assert done.summary.reason == "the validation loss has not improved for 4 epochs"
    # bit for bit those of a run that ends with that epoch
    plain = {key: value for key, value in STOPPING.items() if key != "training.early_stopping"}
    run(iris, {**plain, "training.epochs": best}, "short")
    assert np.array_equal(last("run"), last("short"))
    assert np.array_equal(load("run").w, last("short"))


def test_without_restore_best_the_final_weights_are_the_last(iris: Path) -> None:
    stopping = {"patience": 4, "restore_best": False}
    done = run(iris, {**STOPPING, "training.early_stopping": stopping}, "run")
    epochs = done.result["epochs"]
    assert done.result["final"]["epoch"] == epochs == done.result["best"]["epoch"] + 4
    assert done.result["final"]["loss"]["validation"] == pytest.approx(lines("run")[-1]["validation"]["loss"])
    plain = {key: value for key, value in STOPPING.items() if key != "training.early_stopping"}
    run(iris, {**plain, "training.epochs": epochs}, "short")
    assert np.array_equal(last("run"), last("short"))
    assert not np.array_equal(last("run"), load("run").w)


def test_the_best_weights_are_final_also_after_the_last_epoch(iris: Path) -> None:
    stopping = {"patience": 59}
    done = run(iris, {**STOPPING, "training.early_stopping": stopping, "training.epochs": 20}, "run")
    assert done.result["stopped"] == "epochs"
    assert done.summary.reason is None
    assert done.result["final"] == done.result["best"]
    assert done.result["best"]["epoch"] < 20


def test_best_is_by_the_monitor_in_its_direction(iris: Path) -> None:
    """accuracy is best where it is highest, error_rate where it is lowest: at the same epoch."""
    values = {**STOPPING, "metrics": ["accuracy", "error_rate"], "training.epochs": 30}
    epochs = set()
    for name, pick in (("accuracy", np.argmax), ("error_rate", np.argmin)):
        done = run(iris, {**values, "training.early_stopping": {"monitor": name, "patience": 12}}, name)
        figures = [line["validation"][name] for line in lines(name)]
        assert done.result["best"]["epoch"] == int(pick(figures)) + 1 == done.result["epochs"] - 12
        epochs.add(done.result["best"]["epoch"])
        assert done.result["best"]["metrics"]["validation"][name] == figures[int(pick(figures))]
    assert len(epochs) == 1
    losses = [line["validation"]["loss"] for line in lines("accuracy")]
    assert int(np.argmin(losses)) + 1 not in epochs  # else by the loss would be the same


def test_min_delta_counts_for_patience_and_not_for_the_best(iris: Path) -> None:
    values = {**STOPPING, "optimizer.learning_rate": 0.1}
    stopping = {"patience": 3, "min_delta": 1.0}
    done = run(iris, {**values, "training.early_stopping": stopping}, "run")
    losses = [line["validation"]["loss"] for line in lines("run")]
    assert len(losses) == 4  # the first epoch, and three that improve by less
    assert done.result["best"]["epoch"] == int(np.argmin(losses)) + 1 == 4


# --- other ends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("validation", [0.15, 0.0])
def test_a_target_loss(iris: Path, validation: float) -> None:
    """Of validation; of training without validation rows."""
    split = {"data.split": {"validation": validation}, "training.epochs": 200}
    done = run(iris, {**split, "training.stop_at": {"loss": 0.3}}, "run")
    figures = [line["validation" if validation else "train"]["loss"] for line in lines("run")]
    assert done.result["stopped"] == "target_loss"
    assert figures[-1] <= 0.3 < min(figures[:-1])
    assert done.summary.reason == "the loss has reached training.stop_at.loss, 0.3"


@pytest.mark.parametrize("mode", ["batch", "minibatch"])
def test_a_gradient_norm(iris: Path, mode: str) -> None:
    values = {
        "training.mode": mode,
        "network.dtype": "float64",
        "training.epochs": 200,
        "training.stop_at": {"gradient_norm": 0.25},
        "checkpoint.every": {"epochs": 1},
    }
    done = run(iris, values, "run")
    norms = [line["gradient_norm"] for line in lines("run")]
    assert done.result["stopped"] == "gradient_norm"
    assert norms[-1] < 0.25 <= min(norms[:-1])
    setup = open_config(iris, values)
    rows, model = setup.prepared.splits["train"], load_run(RunDirectory(Path("run")), "last")
    g = reference.gradient(model.network, views(model.network, model.w), rows.X, rows.T)
    assert norms[-1] == pytest.approx(math.sqrt(sum(float(x) ** 2 for x in g)), rel=1e-12)


def test_nobody_asked_for_the_norm(iris: Path) -> None:
    run(iris, {}, "run")
    assert "gradient_norm" not in lines("run")[-1]


def one_second_a_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every slice and every evaluation takes one second."""
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    monkeypatch.setattr(base, "SLICE_WORK", 1.0)  # one update per slice: 4 in an epoch
    ticks = iter(range(100_000))
    monkeypatch.setattr(trainer, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))


@pytest.mark.parametrize(("seconds", "epochs", "steps"), [(3, 0, 3), (5, 1, 4), (8, 1, 7), (14.5, 3, 12)])
def test_max_time(
    iris: Path, seconds: float, epochs: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four updates and an evaluation make an epoch of five seconds; the run ends with the slice that uses them up."""
    one_second_a_reading(monkeypatch)
    whole = run(iris, {}, "whole")
    done = run(iris, {"training.max_time": seconds}, "run")
    assert (done.result["epochs"], done.result["steps"], done.result["stopped"]) == (
        epochs,
        steps,
        "max_time",
    )
    assert done.result["train_seconds"] + done.result["evaluation_seconds"] >= seconds
    assert RunDirectory(Path("run")).read_record()["status"] == "finished"
    again = run(iris, {"training.max_time": seconds}, "run", resume="auto")
    assert again.already
    assert again.result["stopped"] == "max_time"
    if epochs == 0:  # there are no best weights yet: the last ones are
        assert done.result["best"] == done.result["final"]
        assert np.array_equal(load("run").w, last("run"))
    # a later part of the run counts what was used before, and more time lets it go on to the very end
    longer = run(iris, {"training.max_time": seconds + 1}, "run", resume="run")
    assert longer.result["train_seconds"] + longer.result["evaluation_seconds"] <= seconds + 2
    free = run(iris, {}, "run", resume="auto")
    assert free.result["stopped"] == "epochs"
    assert free.result["final"] == whole.result["final"]
    assert free.result["best"] == whole.result["best"]


def test_time_that_is_used_up_with_the_last_epoch_stops_nothing(
    iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_second_a_reading(monkeypatch)
    assert run(iris, {"training.max_time": 30}, "run").result["stopped"] == "epochs"


# --- reduce_on_plateau --------------------------------------------------------------------------------------------


def test_reduce_on_plateau_follows_the_validation_loss(iris: Path) -> None:
    plateau = Plateau(factor=0.5, patience=1, cooldown=1, floor=0.01)
    options = {**plateau._asdict(), "monitor": "loss"}
    values = {**STOPPING, "training.early_stopping": None, "training.epochs": 25}
    run(iris, {**values, "schedule": {"name": "reduce_on_plateau", **options}}, "run")
    factor, watch = 1.0, Watch()
    for line in lines("run"):
        assert line["learning_rate_factor"] == factor
        watch, factor = reduced(plateau, watch, factor, line["validation"]["loss"])
    assert factor <= 0.25


def test_reduce_on_plateau_lowers_the_rate_that_is_used(iris: Path) -> None:
    """A plateau after every epoch: each epoch of gradient descent at half the rate of the one before."""
    values = {"network.dtype": "float64", "training.mode": "batch", "training.epochs": 3}
    plateau = {"name": "reduce_on_plateau", "factor": 0.5, "patience": 1, "min_delta": 1e6}
    run(iris, {**values, "schedule": plateau}, "run")
    assert [line["learning_rate_factor"] for line in lines("run")] == [1.0, 1.0, 0.5]
    setup = open_config(iris, values)
    network, rows = setup.network, setup.prepared.splits["train"]
    w = initial_weights(setup.loaded.config, network, np.float64)
    for factor in (1.0, 1.0, 0.5):
        w = w - 0.1 * factor * reference.gradient(network, views(network, w), rows.X, rows.T)
    np.testing.assert_allclose(last("run"), w, rtol=1e-12)


def test_reduce_on_plateau_watches_the_training_loss_without_validation_rows(iris: Path) -> None:
    values = {
        **STOPPING,
        "training.early_stopping": None,
        "training.epochs": 25,
        "data.split.validation": 0.0,
    }
    run(iris, {**values, "schedule": {"name": "reduce_on_plateau", "patience": 2}}, "run")
    factor, watch = 1.0, Watch()
    for line in lines("run"):
        assert line["learning_rate_factor"] == factor
        watch, factor = reduced(Plateau(patience=2), watch, factor, line["train"]["loss"])
    assert factor < 1.0


# --- averaged weights ---------------------------------------------------------------------------------------------


def test_averaged_weights_are_evaluated_kept_and_used(iris: Path) -> None:
    """Against a literal run of gradient descent and its average, update after update."""
    values: dict[str, Any] = {
        "network.dtype": "float64",
        "training.epochs": 3,
        "optimizer.learning_rate": 0.5,
    }
    averaging = {**values, "training.average": {"decay": 0.8}}
    done = run(iris, averaging, "run")
    setup = open_config(iris, values)
    network, rows = setup.network, setup.prepared.splits["train"]
    w = initial_weights(setup.loaded.config, network, np.float64)
    average, t = np.zeros_like(w), 0
    for epoch in (1, 2, 3):
        order = stream(0, "shuffle", epoch=epoch).permutation(106)
        for a in range(0, 106, 32):
            t, take = t + 1, order[a : a + 32]
            w = w - 0.5 * reference.gradient(network, views(network, w), rows.X[take], rows.T[take])
            beta = min(0.8, (t - 1) / (t + 8))
            average = beta * average + (1 - beta) * w
    np.testing.assert_allclose(last("run"), average, rtol=1e-10, atol=1e-13)
    assert done.result["best"]["epoch"] == 3
    assert np.array_equal(load("run").w, last("run"))  # the best weights are averaged ones too
    newest = RunDirectory(Path("run")).checkpoints()[-1]
    plan = build_plan(open_config(iris, averaging).loaded.config, network, 106)
    trained = checkpoint.state(checkpoint.read(newest), network, plan.optimizer).optimizer_state.w
    np.testing.assert_allclose(
        trained, w, rtol=1e-10, atol=1e-13
    )  # and training goes on from those of the rule
    validation = done.result["final"]["loss"]["validation"]
    assert lines("run")[-1]["validation"]["loss"] == validation
    for which in ("best", "last", str(newest)):
        assert bptrain("eval", "run", "--split", "validation", "--checkpoint", which, "--json").json[
            "loss"
        ] == pytest.approx(validation, rel=1e-14)
    plain = run(iris, values, "plain")
    assert plain.result["final"]["loss"] != done.result["final"]["loss"]


def test_the_start_has_no_average(iris: Path) -> None:
    """A run that is stopped before its first update has its initial weights for use, and not a slot of zeros."""
    events = fit_events(iris, {"training.average": {}}, Path("run"))
    next(events)
    events.close()
    setup = open_config(iris, {})
    assert np.array_equal(last("run"), initial_weights(setup.loaded.config, setup.network, np.float32))


# --- resuming -----------------------------------------------------------------------------------------------------

CONTROLLED: dict[str, Any] = {
    **STOPPING,
    "optimizer.name": "momentum",
    "optimizer.learning_rate": 0.5,
    "training.epochs": 12,
    "training.early_stopping": {"patience": 4, "monitor": "accuracy"},
    "schedule": {"name": "reduce_on_plateau", "factor": 0.5, "patience": 1, "min_delta": 0.05, "cooldown": 1},
    "training.average": {"decay": 0.9},
    "training.stop_at": {"gradient_norm": 1e-6},
}
ENGINE_NAMES = ["numpy", *(["numba"] if engine_entry("numba").missing() is None else [])]


def files(out: str) -> list[bytes]:
    run = RunDirectory(Path(out))
    return [path.read_bytes() for path in (run.checkpoints()[-1], run.best)]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.slow
def test_stopped_after_any_slice(engine: str, iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In mid-patience, in a cooldown, with a lowered rate and an average: the end is that of an uninterrupted run."""
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    monkeypatch.setattr(base, "SLICE_WORK", 3 * NumpyEngine.step_work if engine == "numpy" else 6e3)
    overrides = {**CONTROLLED, "training.engine": engine}
    *passed, whole = fit_events(iris, overrides, Path("whole"))
    assert isinstance(whole, Done)
    slices = [event for event in passed if isinstance(event, Progress | EpochEnd)]
    ends = [event.state for event in slices if isinstance(event, EpochEnd)]
    assert whole.result["stopped"] == "early_stopping"
    assert any(
        end.plateau.rest and end.patience.wait and end.optimizer_state.rate_factor < 1 for end in ends[:-1]
    )
    assert len(ends) < 12
    for stop in range(1, len(slices), 2):
        out = f"stopped-{stop}"
        events = fit_events(iris, overrides, Path(out))
        seen = 0
        for event in events:
            seen += isinstance(event, Progress | EpochEnd)
            if seen == stop:
                break
        events.close()
        resumed = run(iris, overrides, out, resume=out)
        assert files(out) == files("whole")
        for key in ("best", "final", "steps", "epochs", "stopped", "rows_seen"):
            assert resumed.result[key] == whole.result[key]
        assert len(lines(out)) == len(ends)


def test_a_run_that_was_stopped_early_is_finished(iris: Path) -> None:
    """More epochs do not change that; more patience does, and the run goes on as one that had it from the start."""
    first = run(iris, STOPPING, "run")
    for epochs in (60, 90):
        again = run(iris, {**STOPPING, "training.epochs": epochs}, "run", resume="auto")
        assert again.already
        for key in ("stopped", "best", "final", "epochs"):
            assert again.result[key] == first.result[key]
        assert again.summary.reason == first.summary.reason
    patient = {**STOPPING, "training.early_stopping": {"patience": 9}, "training.epochs": 40}
    on = run(iris, patient, "run", resume="auto")
    assert not on.already
    assert on.result["epochs"] > first.result["epochs"]
    whole = run(iris, patient, "whole")
    assert on.result["final"] == whole.result["final"]
    assert on.result["stopped"] == whole.result["stopped"]
    assert files("run") == files("whole")


def test_what_else_is_monitored_cannot_change(iris: Path) -> None:
    run(iris, STOPPING, "run")
    other = {**STOPPING, "training.early_stopping": {"patience": 4, "monitor": "accuracy"}}
    with pytest.raises(CheckpointError, match=r"training\.early_stopping\.monitor: loss -> accuracy"):
        run(iris, other, "run", resume="run")


def test_fewer_epochs_may_end_a_run_where_it_stands(iris: Path) -> None:
    """Its final weights are its best ones all the same."""
    events = fit_events(iris, STOPPING, Path("run"))
    for event in events:
        if isinstance(event, EpochEnd) and event.epoch == 3:
            break
    events.close()
    done = run(iris, {**STOPPING, "training.epochs": 3}, "run", resume="run")
    whole = run(iris, {**STOPPING, "training.epochs": 3}, "whole")
    assert done.already
    assert done.result["final"] == done.result["best"] == whole.result["final"]
    assert np.array_equal(last("run"), last("whole"))


def test_a_checkpoint_keeps_what_is_not_a_number(iris: Path) -> None:
    """A metric may be undefined in every epoch so far; JSON has no NaN."""
    setup = open_config(iris, {})
    plan = build_plan(setup.loaded.config, setup.network, 106)
    optimizer_state = replace(
        initial_optimizer_state(np.ones(setup.network.size), plan.optimizer), t=4, rate_factor=0.25
    )
    best = Best(1, 4, math.nan, optimizer_state.w)
    state = State(optimizer_state, epoch=1, best=best, patience=Watch(math.nan, 1), plateau=Watch(0.5, 2, 3))
    facts = checkpoint.Facts({}, {}, {}, {}, {})
    checkpoint.write(Path("x.safetensors"), setup.network, plan.optimizer, facts, state)
    back = checkpoint.state(checkpoint.read(Path("x.safetensors")), setup.network, plan.optimizer)
    assert back.best is not None
    assert math.isnan(back.best.value)
    assert math.isnan(back.patience.best)
    assert (back.patience.wait, back.plateau, back.optimizer_state.rate_factor) == (1, Watch(0.5, 2, 3), 0.25)


def test_a_checkpoint_from_before_there_were_controls(iris: Path) -> None:
    """What it does not say is as at the start of a run without controls."""
    run(iris, {}, "run")
    setup = open_config(iris, {})
    plan = build_plan(setup.loaded.config, setup.network, 106)
    stored = checkpoint.read(RunDirectory(Path("run")).checkpoints()[-1])
    now = checkpoint.state(stored, setup.network, plan.optimizer)
    for key in checkpoint.LATER:
        del stored.position[key]
    assert stored.best is not None
    stored.best["loss"] = stored.best.pop("value")
    before = checkpoint.state(stored, setup.network, plan.optimizer)
    assert before.best is not None
    assert now.best is not None
    assert before.best.value == now.best.value
    assert (before.stopped, before.patience.wait, before.optimizer_state.rate_factor) == (None, 0, 1.0)


# --- what is printed ----------------------------------------------------------------------------------------------


def test_the_command_says_why_in_one_line(iris: Path) -> None:
    iris.write_text(
        iris.read_text().replace("epochs: 6", "epochs: 50, early_stopping: {patience: 2, min_delta: 9}")
    )
    fit = bptrain("fit", iris, "--json", "--out", "run")
    assert (fit.code, fit.json["stopped"], fit.json["epochs"]) == (0, "early_stopping", 3)
    why = "stopped after 3 epochs: the validation loss has not improved by more than 9 for 2 epochs"
    assert fit.err.count(why) == 1
    assert "epoch 3/50" in fit.err  # the last epoch has its line
    again = bptrain("fit", iris, "--resume", "auto", "--out", "run")
    assert again.code == 0
    assert "this run is finished: 3 epochs" in again.err
    assert why in again.err
    assert isinstance(load_checkpoint(RunDirectory(Path("run")).checkpoints()[-1]).w, np.ndarray)
