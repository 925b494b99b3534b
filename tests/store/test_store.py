"""Nothing that was saved is ever half written."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bptrain.engines.base import OptimizerState
from bptrain.errors import CheckpointError, StorageError, UsageError
from bptrain.parts.averaging import with_average
from bptrain.parts.optimizers import optimizers
from bptrain.parts.types import Array
from bptrain.store import checkpoint
from bptrain.store.atomic import write_atomically
from bptrain.store.chosen_run import find_run
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory, new_run, run_at
from bptrain.store.sealed_file import digest_of
from bptrain.training.state import Best, State
from networks import network

FACTS = checkpoint.Facts(
    {"seed": 0}, {"task": "regression"}, {"train": "ab"}, {"numpy": "2"}, {"guess": [1.5]}
)
NET = network((3, 4, 2))


def state(dtype: type = np.float32) -> State:
    rng = np.random.default_rng(0)
    w: Array
    m: Array
    v: Array
    w, m, v = (rng.normal(size=NET.size).astype(dtype) for _ in range(3))
    best = Best(4, 40, 0.25, rng.normal(size=NET.size).astype(dtype))
    return State(
        OptimizerState(w, (m, v), 57), epoch=5, step=7, loss_sum=0.1, rows_seen=570, first_loss=1.0, best=best
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_checkpoint_gives_back_what_it_was_given(tmp_path: Path, dtype: type) -> None:
    adam, before = optimizers.get("adam")(), state(dtype)
    checkpoint.write(tmp_path / "c.safetensors", NET, adam, FACTS, before)
    stored = checkpoint.read(tmp_path / "c.safetensors")
    after = checkpoint.state(stored, NET, adam)
    assert stored.facts == FACTS
    assert np.array_equal(after.optimizer_state.w, before.optimizer_state.w)
    assert after.optimizer_state.w.dtype == dtype
    for one, other in zip(after.optimizer_state.slots, before.optimizer_state.slots, strict=True):
        assert np.array_equal(one, other)
    assert after.best is not None
    assert before.best is not None
    assert np.array_equal(after.best.w, before.best.w)
    assert after.best[:3] == before.best[:3]
    for name in ("epoch", "step", "loss_sum", "rows_seen", "first_loss", "warned_of_growth"):
        assert getattr(after, name) == getattr(before, name)
    after.optimizer_state.w += 1  # what was read may be trained on


def test_every_byte_counts(tmp_path: Path) -> None:
    """Whichever byte of a checkpoint changes, it is refused or reads the same."""
    path = tmp_path / "c.safetensors"
    checkpoint.write(path, NET, optimizers.get("adam")(), FACTS, state())
    content = path.read_bytes()
    stored = checkpoint.read(path)
    for position in range(0, len(content), 37):
        changed = bytearray(content)
        changed[position] ^= 0xFF
        path.write_bytes(changed)
        try:
            again = checkpoint.read(path)
        except CheckpointError:
            continue
        assert again.facts == stored.facts
        assert again.position == stored.position


def test_the_digest_covers_shapes_and_types() -> None:
    """The same bytes as another matrix are another checkpoint."""
    digest = digest_of
    flat: Array = np.arange(12, dtype=np.float32)
    seen = {digest({}, {"a": array}) for array in (flat, flat.reshape(3, 4), flat.view(np.int32))}
    seen |= {digest({}, {"b": flat}), digest({"x": 1}, {"a": flat})}
    assert len(seen) == 5


def test_metrics_are_durable_before_the_checkpoint_that_covers_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bptrain.store.saver import Interval, Saver

    calls: list[str] = []
    monkeypatch.setattr(RunDirectory, "flush_metrics", lambda self: calls.append("metrics"))
    monkeypatch.setattr(checkpoint, "write", lambda *arguments: calls.append("checkpoint"))
    monkeypatch.setattr(checkpoint, "write_best", lambda *arguments: calls.append("best"))
    Saver(RunDirectory(tmp_path), NET, optimizers.get("adam")(), FACTS, Interval(), 2, {}).save(state())
    assert calls == ["metrics", "checkpoint", "best"]


@pytest.mark.parametrize("length", [0, 5, 100, -1])
def test_torn_checkpoints(tmp_path: Path, length: int) -> None:
    path = tmp_path / "c.safetensors"
    checkpoint.write(path, NET, optimizers.get("adam")(), FACTS, state())
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match="corrupt"):
        checkpoint.read(path)


def test_weights_of_another_network(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    checkpoint.write(path, NET, optimizers.get("adam")(), FACTS, state())
    stored = checkpoint.read(path)
    with pytest.raises(CheckpointError, match=r"layers\.1\.weight has shape \(4, 3\), not \(5, 3\)"):
        checkpoint.weights(stored, network((3, 5, 2)))
    with pytest.raises(CheckpointError, match=r"optimizer\.velocity"):
        checkpoint.state(stored, NET, optimizers.get("momentum")())


def test_a_foreign_safetensors_file(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match="not a checkpoint of bptrain"):
        checkpoint.read(tmp_path / "foreign.safetensors")


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, [b"old"])

    def crash(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(StorageError, match="No space left on device"):
        write_atomically(path, [b"new"])
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_is_renamed_was_flushed_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync of the file, rename, fsync of the directory, in this order."""
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(handle: int) -> None:
        calls.append("directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def note_replace(self: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    write_atomically(tmp_path / "file", [b"content"])
    assert calls == ["file", "rename", "directory"]


def test_runs_are_numbered(workplace: Path) -> None:
    assert [str(new_run("a").path) for _ in range(2)] == ["runs/a/001", "runs/a/002"]
    Path("runs/a/007").mkdir()
    assert str(new_run("a").path) == "runs/a/008"
    assert str(new_run("b").path) == "runs/b/001"


def test_out_is_never_overwritten_unasked(workplace: Path) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="not empty"):
        run_at(Path("mine"), overwrite=False)
    with pytest.raises(UsageError, match="not a run"):
        run_at(Path("mine"), overwrite=True)
    assert Path("mine/letter.txt").read_text() == "dear"
    Path("file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        run_at(Path("file"), overwrite=True)
    assert run_at(Path("new/deep"), overwrite=False).path.is_dir()


def test_the_newest_run_is_found(workplace: Path) -> None:
    with pytest.raises(CheckpointError, match="no run under runs/"):
        find_run(None)
    for name, started in (("a", "2026-01-02"), ("b", "2026-01-03"), ("c", "2026-01-01")):
        new_run(name).write_record({"started": started})
    assert find_run(None).path == Path("runs/b/001")
    Path("runs/b/001/run.json").write_text("{torn")
    assert find_run(None).path == Path("runs/a/001")
    with pytest.raises(CheckpointError, match=r"run\.json"):
        find_run(Path("runs/b/001"))


def test_metrics_after_an_update_are_cut(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    for epoch in (1, 2, 3):
        run.append_metrics({"epoch": epoch, "step": 4 * epoch, "train_seconds": epoch / 10})
    with run.metrics.open("a") as file:
        file.write('{"epoch": 4, "tra')
    run.cut_metrics(12)
    with run.metrics.open("a") as file:
        file.write('{"epoch": 3, "step": 12}')  # complete, but for the end of the line
    run.cut_metrics(11)
    assert [json.loads(line)["epoch"] for line in run.metrics.read_text().splitlines()] == [1, 2]
    run.cut_metrics(0)
    assert run.metrics.read_text() == ""


def test_plain_values() -> None:
    values = {"a": np.float32(1.5), "b": [float("nan"), np.inf], 3: np.arange(2), "c": (True, None)}
    assert plain(values) == {"a": 1.5, "b": [None, None], "3": [0, 1], "c": [True, None]}


def test_a_checkpoint_of_another_format(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    for number in (0, 3):
        path = tmp_path / f"{number}.safetensors"
        save_file({"a": np.zeros(3)}, path, {"bptrain": json.dumps({"format": number})})
        said = f"has checkpoint format {number}; this version reads format 1"
        with pytest.raises(CheckpointError, match=said):
            checkpoint.read(path)
        with pytest.raises(CheckpointError, match=said):
            checkpoint.glance(path)


def test_which_weights_a_checkpoint_is_used_with(tmp_path: Path) -> None:
    """The average where there is one, the weights before the first update, and the best where they were restored."""
    averaged = with_average(optimizers.get("gradient_descent")(), 0.9)
    before = state()
    w, average = before.optimizer_state.w, before.optimizer_state.slots[0]

    def used(updates: int, average: Array = average, restored: bool = False) -> Array:
        used_state = OptimizerState(w, (average,), updates)
        path = tmp_path / "c.safetensors"
        checkpoint.write(
            path, NET, averaged, FACTS, replace(before, optimizer_state=used_state, restored=restored)
        )
        return checkpoint.weights(checkpoint.read(path), NET)

    assert before.best is not None
    assert np.array_equal(used(57), average)
    assert np.array_equal(used(0), w)
    assert np.array_equal(used(57, restored=True), before.best.w)
    with pytest.raises(CheckpointError, match="the averaged weights have shape"):
        used(57, average[:-1])
