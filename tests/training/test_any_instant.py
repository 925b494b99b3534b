"""An exception at any instant leaves a state from which the run ends with the same bits."""

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bptrain.commands.fit.fit import Done, fit_events
from bptrain.engines import base
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.errors import NumericalError
from bptrain.mapped_rows import mapping
from bptrain.parts.types import Array
from bptrain.store import checkpoint
from bptrain.store.run_directory import RunDirectory
from bptrain.training import trainer
from bptrain.training.events import EpochEnd, Progress

OVERRIDES = {"optimizer": "momentum", "training.epochs": 2}


def result(events: Iterator[object]) -> Done:
    *_, done = events
    assert isinstance(done, Done)
    return done


@pytest.mark.parametrize("large", [base.LARGE, 0])  # bytes from which on a state lies in a file
def test_ctrl_c_at_any_instant(iris: Path, monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    """KeyboardInterrupt at every reading of the trainer's clock, before and after the updates of each slice."""
    monkeypatch.setattr(base, "LARGE", large)
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    monkeypatch.setattr(base, "SLICE_WORK", 3 * NumpyEngine.step_work)
    whole = result(fit_events(iris, OVERRIDES, Path("whole"))).result
    stops = 0
    for instant in range(1, 40):
        calls = 0

        def clock(instant: int = instant) -> float:
            nonlocal calls
            calls += 1
            if calls == instant:
                raise KeyboardInterrupt
            return time.monotonic()

        out = Path(f"stopped-{instant}")
        with monkeypatch.context() as patch:
            patch.setattr(trainer, "time", SimpleNamespace(perf_counter=clock))
            try:
                list(fit_events(iris, OVERRIDES, out))
            except KeyboardInterrupt:
                stops += 1
        resumed = result(fit_events(iris, OVERRIDES, out, resume=str(out))).result
        assert resumed["final"] == whole["final"]
        assert resumed["rows_seen"] == whole["rows_seen"]
        last = RunDirectory(out).checkpoints()[-1]
        assert last.read_bytes() == RunDirectory(Path("whole")).checkpoints()[-1].read_bytes()
    assert stops >= 8


@pytest.mark.parametrize("large", [base.LARGE, 0])
def test_a_state_that_was_yielded_never_changes(
    iris: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    """Every state, and the best weights in it, hold at the end of the run what they held when they were yielded."""
    monkeypatch.setattr(base, "LARGE", large)
    kept, then = [], []
    for event in fit_events(iris, OVERRIDES | {"training.epochs": 5}, Path("run")):
        if isinstance(event, EpochEnd):
            assert event.state.best is not None
            arrays = (event.state.optimizer_state.w, *event.state.optimizer_state.slots, event.state.best.w)
            kept.append(arrays)
            then.append([array.copy() for array in arrays])
            assert (mapping(event.state.optimizer_state.w) is not None) == (large == 0)
    assert len(kept) == 5
    assert all(
        np.array_equal(now, before)
        for one, other in zip(kept, then, strict=True)
        for now, before in zip(one, other, strict=True)
    )
    assert not [file for file in Path("run").iterdir() if file.suffix == ".tmp"]


def test_states_in_files_and_in_memory_end_with_the_same_bits(
    iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(fit_events(iris, OVERRIDES, Path("in_memory")))
    monkeypatch.setattr(base, "LARGE", 0)
    list(fit_events(iris, OVERRIDES, Path("in_files")))
    ends = [RunDirectory(Path(run)).checkpoints()[-1].read_bytes() for run in ("in_memory", "in_files")]
    assert ends[0] == ends[1]


def test_without_room_on_the_disk_states_are_copied(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> list[Array]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(base, "LARGE", 0)
    monkeypatch.setattr(base, "in_a_file", full)
    done = result(fit_events(iris, OVERRIDES, Path("run")))
    assert done.result["epochs"] == 2


def test_what_is_not_finite_leaves_the_state_before_the_slice_in_a_file_too(
    iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "LARGE", 0)
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    monkeypatch.setattr(base, "SLICE_WORK", 1.0)
    overrides = {"optimizer": {"name": "gradient_descent", "learning_rate": 1e38}}
    events: list[object] = []
    with pytest.raises(NumericalError, match="training diverged in epoch"):
        events.extend(fit_events(iris, overrides, Path("run")))
    last = events[-1]
    assert isinstance(last, Progress | EpochEnd)
    stored = checkpoint.read(RunDirectory(Path("run")).checkpoints()[-1])
    assert stored.position["updates"] == last.state.optimizer_state.t > 0
    assert all(np.isfinite(tensor).all() for tensor in stored.tensors.values())


def test_seconds_of_a_run_that_was_stopped_in_mid_epoch(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every update counts one second here, and none is forgotten."""
    monkeypatch.setattr(base, "LEAST_ROWS", 1)
    monkeypatch.setattr(base, "SLICE_WORK", 1.0)  # one update per slice: 4 in an epoch
    ticks = iter(range(10_000))
    monkeypatch.setattr(trainer, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))
    overrides = {"training.epochs": 3, "data.split.validation": 0.0}
    whole = result(fit_events(iris, overrides, Path("whole"))).result
    events = fit_events(iris, overrides, Path("stopped"))
    for _ in range(7):  # Started, and 6 slices: in the second epoch
        next(events)
    events.close()
    assert RunDirectory(Path("stopped")).read_record()["seconds"]["train"] == 6
    resumed = result(fit_events(iris, overrides, Path("stopped"), resume="stopped")).result
    assert resumed["train_seconds"] == whole["train_seconds"] == whole["steps"]
    assert resumed["evaluation_seconds"] == whole["evaluation_seconds"] > 0


def test_checkpoints_by_seconds_and_how_many_are_kept(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bptrain.store import saver

    now = 0.0

    def monotonic() -> float:
        return now

    clocks = SimpleNamespace(monotonic=monotonic, perf_counter=time.perf_counter)
    monkeypatch.setattr(saver, "time", clocks)
    overrides = {"checkpoint": {"every": {"seconds": 25}, "keep": 3}, "training.epochs": 12}
    seen = []
    for event in fit_events(iris, overrides, Path("run")):
        now += 10.0  # each epoch takes ten seconds
        if not isinstance(event, Done):
            seen.append([int(p.stem[5:]) for p in RunDirectory(Path("run")).checkpoints()])
    assert seen[0] == [0]
    assert all(len(kept) <= 3 for kept in seen)
    assert len(seen[-1]) == 3
    saved = sorted({step for kept in seen for step in kept})
    assert saved == [0, 12, 24, 36, 48]  # 4 updates per epoch; due after 30, 60, 90 and 120 seconds


def test_slots_that_overflow_are_told(workplace: Path) -> None:
    """adam's mean of squares overflows in float32 long before the loss does; its step would be 0 for ever."""
    rows = "\n".join(f"{k * 1e18},{k}" for k in range(1, 41))
    (workplace / "far.csv").write_text(f"x,y\n{rows}\n")
    (workplace / "far.yaml").write_text(
        "data: {train: far.csv, target: y, scale: none}\n"
        "network: {sizes: [1, 1], initializer: {name: normal, std: 1e-18}}\n"
        "optimizer: adam\nloss: half_squared_error\n"
    )
    with pytest.raises(NumericalError, match="square"):
        list(fit_events(workplace / "far.yaml"))
