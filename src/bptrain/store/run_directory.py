"""The run directory: made atomically, locked while it is worked in, read by everything that comes later.

config.yaml       the resolved config; runs again as it is
run.json          provenance, times, status, and the figures of the finished run
metrics.jsonl     one line per epoch
checkpoints/      step-000000001234.safetensors, the newest few
best.safetensors  the best weights
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bptrain.errors import BusyError, CheckpointError, UsageError
from bptrain.store.atomic import flush_directory, storage, write_atomically

RUNS = Path("runs")
# What a run leaves that was killed while it was being made: nothing is lost with it.
UNFINISHED = re.compile(
    r"checkpoints|\.lock|\.run\.json\.tmp|checkpoints/\.?step-\d{12}\.safetensors(\.tmp)?"
)


class RunDirectory:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.record = path / "run.json"
        self.metrics = path / "metrics.jsonl"
        self.best = path / "best.safetensors"

    def checkpoints(self) -> list[Path]:
        """The checkpoints by update, oldest first."""
        return sorted((self.path / "checkpoints").glob("step-*.safetensors"))

    def set_aside(self, checkpoint: Path) -> None:
        """Renames a damaged checkpoint, so that it is not counted among those to keep. Raises StorageError."""
        with storage(checkpoint, "rename"):
            checkpoint.replace(checkpoint.with_name(checkpoint.name + ".damaged"))

    def checkpoint_path(self, updates: int) -> Path:
        """Where the checkpoint after that many updates belongs."""
        return self.path / "checkpoints" / f"step-{updates:012d}.safetensors"

    def prune(self, keep: int) -> None:
        """Removes all but the newest checkpoints, and what a crash left half written. Raises StorageError."""
        with storage(self.path, "remove old checkpoints of"):
            for old in self.checkpoints()[:-keep]:
                old.unlink()
            for torn in [*self.path.glob(".*.tmp"), *self.path.glob("checkpoints/.*.tmp")]:
                torn.unlink()

    def write_config(self, text: str) -> None:
        """Writes config.yaml, atomically. Raises StorageError."""
        write_atomically(self.config, [text.encode()])

    def write_record(self, record: dict[str, Any]) -> None:
        """Writes run.json, atomically. Raises StorageError."""
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.record, [text.encode()])

    def read_record(self) -> dict[str, Any]:
        """The content of run.json. Raises CheckpointError when it is missing or no JSON object."""
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise CheckpointError(f"{self.path} is not a run: it has no run.json") from error
        except (OSError, ValueError) as error:
            raise CheckpointError(f"could not read {self.record}: {error}") from error
        if not isinstance(record, dict):
            raise CheckpointError(f"{self.record} is corrupt: it holds no JSON object")
        return record

    def append_metrics(self, line: dict[str, Any]) -> None:
        """Adds one epoch to metrics.jsonl. Raises StorageError."""
        with storage(self.metrics, "write to"), self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl, up to one that a crash left unfinished. Raises CheckpointError."""
        found: list[dict[str, Any]] = []
        try:
            lines = self.metrics.read_bytes().splitlines() if self.metrics.exists() else []
        except OSError as error:
            raise CheckpointError(f"could not read {self.metrics}: {error.strerror or error}") from error
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                break
            if not isinstance(record, dict) or not isinstance(record.get("train"), dict):
                break
            found.append(record)
        return found

    def flush_metrics(self) -> None:
        """Makes the lines of metrics.jsonl durable. Raises StorageError."""
        if self.metrics.exists():
            with storage(self.metrics, "write to"), self.metrics.open("a") as file:
                os.fsync(file.fileno())

    def cut_metrics(self, epochs: int) -> None:
        """Drops the lines after an epoch, and a line that a crash left unfinished: they will be written again.

        Raises StorageError.
        """
        if not self.metrics.exists():
            return
        kept = []
        with storage(self.metrics, "read"):
            lines = self.metrics.read_bytes().splitlines(keepends=True)
        for line in lines:
            try:
                sound = line.endswith(b"\n") and json.loads(line)["epoch"] <= epochs
            except (ValueError, KeyError, TypeError):  # not UTF-8, not JSON, or not ours
                sound = False
            if not sound:
                break
            kept.append(line)
        write_atomically(self.metrics, kept)


def new_run(name: str) -> RunDirectory:
    """Makes runs/<name>/<number>, the next free number, so that no two processes get the same one."""
    parent = RUNS / name
    with storage(parent, "make"):
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.name) for p in parent.iterdir() if p.name.isdecimal()), default=0)
        while True:
            path = parent / f"{number:03d}"
            try:
                path.mkdir()
                break
            except FileExistsError:
                number += 1
        return _furnish(path)


def run_at(path: Path, overwrite: bool) -> RunDirectory:
    """Makes the run directory `path` itself. Raises UsageError when it holds something and may not be overwritten."""
    with storage(path, "make"):
        if path.exists() and not path.is_dir():
            raise UsageError(f"--out {path} is a file, not a directory")
        content = {str(entry.relative_to(path)) for entry in path.rglob("*")} if path.is_dir() else set()
        if any(UNFINISHED.fullmatch(name) is None for name in content):
            if not overwrite:
                raise UsageError(
                    f"--out {path} is not empty: give another directory, --overwrite, or --resume {path}"
                )
            if "run.json" not in content:
                raise UsageError(
                    f"--out {path} holds something that is not a run, which --overwrite does not replace"
                )
        path.mkdir(parents=True, exist_ok=True)
        return _furnish(path)


def clear(run: RunDirectory) -> None:
    """Removes the files of an earlier run in the same directory; call it under the lock. Raises StorageError.

    run.json goes last: as long as it is there, the directory is known as a run.
    """
    with storage(run.path, "clear"):
        damaged = (run.path / "checkpoints").glob("*.damaged")
        for file in [*run.checkpoints(), *damaged, run.best, run.metrics, run.config]:
            file.unlink(missing_ok=True)
        run.prune(keep=1)
        run.record.unlink(missing_ok=True)


def _furnish(path: Path) -> RunDirectory:
    (path / "checkpoints").mkdir(exist_ok=True)
    flush_directory(path)
    flush_directory(path.parent)
    return RunDirectory(path)


def find_run(path: Path | None) -> RunDirectory:
    """The run at `path`, or the newest under runs/. Raises CheckpointError when there is none."""
    if path is not None:
        if not path.is_dir():
            raise CheckpointError(f"no run at {path}: there is no such directory")
        run = RunDirectory(path)
        run.read_record()
        return run
    found = newest(run_directories(RUNS))
    if found is None:
        raise CheckpointError("no run under runs/ here: train one with `bptrain fit CONFIG`, or name a run")
    return found


def run_directories(directory: Path) -> list[RunDirectory]:
    """Every run below a directory, in the order of their paths."""
    return [RunDirectory(record.parent) for record in sorted(directory.rglob("run.json"))]


def newest(runs: list[RunDirectory]) -> RunDirectory | None:
    """The run that was started last."""
    return max(runs, key=lambda run: (_started(run), run.path.name), default=None)


def _started(run: RunDirectory) -> str:
    try:
        return str(run.read_record().get("started", ""))
    except CheckpointError:  # a damaged run is not the newest; named outright, it says what is wrong
        return ""


@contextmanager
def locked(run: RunDirectory) -> Iterator[None]:
    """Holds the run directory for this process. Raises BusyError when another one holds it."""
    from filelock import FileLock, Timeout

    lock = FileLock(run.path / ".lock", timeout=0)
    with storage(run.path, "lock"):
        try:
            lock.acquire()
        except Timeout as error:
            raise BusyError(f"{run.path} is busy: another bptrain process is using it") from error
    try:
        yield
    finally:
        lock.release()
