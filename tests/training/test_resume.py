"""A resumed run equals the uninterrupted one, bit for bit, wherever it was stopped."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bptrain.commands.fit.fit import Done, Started, fit_events
from bptrain.engines import base
from bptrain.engines.compiled.running import NumbaEngine
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.engines.registry import engine_entry
from bptrain.errors import BusyError, CheckpointError, DataError
from bptrain.store.run_directory import RunDirectory, locked
from bptrain.training.events import EpochEnd, Progress

OPTIONS: dict[str, dict[str, object]] = {
    "adam, mini-batches, cosine": {"optimizer": "adam", "schedule": "cosine"},
    "momentum, sgd": {"optimizer": "momentum", "training.mode": "sgd"},
    "batch mode": {"training.mode": "batch"},
    "no validation rows": {"data.split.validation": 0.0},
    "batch mode, no validation rows": {"training.mode": "batch", "data.split.validation": 0.0},
    "dropout, noise and weights": {
        "network.dropout": [0.1, 0.4],
        "training.noise": {"std": 0.1},
        "training.clip_norm": 0.5,
        "loss.class_weight": "balanced",
        "training.accumulate": 2,
        "training.batch_size": 8,
    },
    "float64, file order": {"network.dtype": "float64", "training.shuffle": False},
}
if engine_entry("numba").missing() is None:
    compiled = {"training.engine": "numba"}
    OPTIONS |= {
        "compiled, adam, mini-batches": {**compiled, "optimizer": "adam"},
        "compiled, momentum, sgd": {**compiled, "optimizer": "momentum", "training.mode": "sgd"},
        "compiled, batch mode": {**compiled, "training.mode": "batch"},
        "compiled, dropout, noise and weights": {**compiled, **OPTIONS["dropout, noise and weights"]},
    }


def finish(config: Path, overrides: Mapping[str, object], out: Path, resume: str | None = None) -> Done:
    *_, done = fit_events(config, overrides, out, resume)
    assert isinstance(done, Done)
    return done


def files(out: Path) -> dict[str, bytes]:
    """Everything about a run that must not depend on an interruption."""
    run = RunDirectory(out)
    return {path.name: path.read_bytes() for path in [run.checkpoints()[-1], run.best]}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.slow
def test_stopped_after_any_slice(name: str, iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    engine = NumbaEngine if name.startswith("compiled") else NumpyEngine
    monkeypatch.setattr(base, "SLICE_WORK", 3 * engine.step_work)  # a few updates in a slice
    overrides = {**OPTIONS[name], "training.epochs": 3}
    whole = finish(iris, overrides, iris.parent / "whole")
    slices = sum(
        isinstance(event, Progress | EpochEnd) for event in fit_events(iris, overrides, iris.parent / "count")
    )
    assert slices >= 3
    for stop in range(1, slices, max(1, slices // 12)):  # of many slices some 12
        out = iris.parent / f"stopped-{stop}"
        events = fit_events(iris, overrides, out)
        seen = 0
        for event in events:
            seen += isinstance(event, Progress | EpochEnd)
            if seen == stop:
                break
        events.close()
        assert RunDirectory(out).read_record()["status"] == "interrupted"
        resumed = finish(iris, overrides, out, resume=str(out))
        assert files(out) == files(iris.parent / "whole")
        assert resumed.result["best"] == whole.result["best"]
        assert resumed.result["final"] == whole.result["final"]
        assert resumed.result["steps"] == whole.result["steps"]
        lines = RunDirectory(out).metrics.read_text().splitlines()
        assert len(lines) == 3


def test_killed_between_two_checkpoints(iris: Path) -> None:
    """After kill -9 the newest checkpoint is older than metrics.jsonl, which may end in half a line."""
    whole = finish(iris, {}, iris.parent / "whole")
    out = iris.parent / "killed"
    finish(iris, {"checkpoint.every": {"epochs": 1}, "checkpoint.keep": 6}, out)
    run = RunDirectory(out)
    for newer in run.checkpoints()[3:]:
        newer.unlink()
    run.best.unlink()
    run.write_record(run.read_record() | {"status": "running"})
    with run.metrics.open("a") as file:
        file.write('{"epoch": 7, "tr')
    resumed = finish(iris, {}, out, resume=str(out))
    assert resumed.result["final"] == whole.result["final"]
    assert files(out).keys() == files(iris.parent / "whole").keys()
    assert len(run.metrics.read_text().splitlines()) == 6


def test_a_torn_checkpoint_is_passed_over(iris: Path) -> None:
    whole = finish(iris, {}, iris.parent / "whole")
    out = iris.parent / "torn"
    finish(iris, {"checkpoint.every": {"epochs": 1}}, out)
    newest = RunDirectory(out).checkpoints()[-1]
    newest.write_bytes(newest.read_bytes()[:-7])
    started, *_, done = fit_events(iris, {}, out, resume=str(out))
    assert isinstance(started, Started)
    assert isinstance(done, Done)
    assert started.state.epoch == 5
    assert "corrupt_checkpoint" in [name for name, _ in started.warnings]
    assert done.result["final"] == whole.result["final"]


def test_more_epochs_than_before(iris: Path) -> None:
    """Six epochs, and then six more, are twelve."""
    whole = finish(iris, {"training.epochs": 12}, iris.parent / "whole")
    out = iris.parent / "extended"
    finish(iris, {}, out)
    assert (
        finish(iris, {"training.epochs": 12}, out, resume=str(out)).result["final"] == whole.result["final"]
    )


def test_finished_runs_are_reported(iris: Path) -> None:
    out = iris.parent / "run"
    first = finish(iris, {}, out)
    before = (out / "run.json").read_bytes()
    (again,) = fit_events(iris, {}, out, resume="auto")
    assert isinstance(again, Done)
    assert again.already
    assert (out / "run.json").read_bytes() == before
    for key in first.result.keys() - {"checkpoint_seconds"}:
        assert again.result[key] == first.result[key]
    assert len(again.summary.splits) == 3


def test_auto_takes_the_newest_unfinished_run_of_this_config(iris: Path) -> None:
    def stop_after_one(overrides: Mapping[str, object]) -> Path:
        events = fit_events(iris, overrides)
        started = next(events)
        next(events)
        events.close()
        assert isinstance(started, Started)
        return started.run

    stop_after_one({})
    newer = stop_after_one({})
    other = stop_after_one({"seed": 1})
    events = fit_events(iris, resume="auto")
    started = next(events)
    assert isinstance(started, Started)
    assert started.run == newer
    assert started.resumed
    assert started.state.epoch == 1
    events.close()
    assert other.name == "003"
    fresh = next(fit_events(iris, {"seed": 9}, resume="auto"))
    assert isinstance(fresh, Started)
    assert not fresh.resumed


def test_a_changed_setting_is_refused(iris: Path) -> None:
    out = iris.parent / "run"
    finish(iris, {}, out)
    with pytest.raises(CheckpointError, match=r"optimizer\.learning_rate: 0\.1 -> 0\.2"):
        finish(iris, {"optimizer.learning_rate": 0.2}, out, resume=str(out))


def test_changed_data_is_refused(iris: Path) -> None:
    source = iris.parent / "iris.csv"
    text = iris.read_text()
    path = text.split("train: ")[1].split(",")[0]
    source.write_bytes(Path(path).read_bytes())
    iris.write_text(text.replace(path, str(source)))
    out = iris.parent / "run"
    finish(iris, {}, out)
    source.write_text(source.read_text().replace("5.1,3.5", "5.2,3.5", 1))
    with pytest.raises(DataError, match="train data has changed"):
        finish(iris, {}, out, resume=str(out))


def test_a_busy_run_is_left_alone(iris: Path) -> None:
    out = iris.parent / "run"
    finish(iris, {}, out)
    with locked(RunDirectory(out)):
        assert finish(iris, {}, out, resume=str(out)).already  # to report, no lock is needed
        with pytest.raises(BusyError, match="busy"):
            finish(iris, {"training.epochs": 9}, out, resume=str(out))


def test_no_such_run(iris: Path) -> None:
    with pytest.raises(CheckpointError, match="no run at"):
        finish(iris, {}, iris.parent / "x", resume="runs/nowhere")
