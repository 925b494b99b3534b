"""The run directory: made atomically, locked while it is worked in, read by everything that comes later.

config.yaml       the resolved config; runs again as it is
run.json          provenance, times, status, and the figures of the finished run
metrics.jsonl     one line per epoch
checkpoints/      step-000000001234.safetensors, the newest few
best.safetensors  the best weights, or those of a refit
before_refit.safetensors  the best weights of the first fit, once the refit has ended
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from bptrain.errors import BusyError, CheckpointError, UsageError
from bptrain.store.atomic import storage, write_atomically
from bptrain.store.checkpoint import updates_at
from bptrain.store.checkpoint_names import DAMAGED, STEP, step_name, update_of
from bptrain.store.plain import parsed
from bptrain.store.run_places import GROUP, Entries, entries_of, walk
from bptrain.temporary import flush_directory, is_left_over

RUNS = Path("runs")
FILES = ("config.yaml", "run.json", "metrics.jsonl", "best.safetensors", "before_refit.safetensors")
# Every name that a run writes to, below it.
OWN = (*FILES, ".lock", "checkpoints")
TEMPORARY = "|".join([*map(re.escape, FILES), STEP.pattern])
# What a run leaves that was killed while it was being made, and its temporary files: nothing is lost with it.
UNFINISHED = ("checkpoints", ".lock", "checkpoints/step-000000000000.safetensors")


class RunDirectory:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config(self) -> Path:
        """config.yaml."""
        return self.path / "config.yaml"

    @property
    def record(self) -> Path:
        """run.json."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """metrics.jsonl."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """best.safetensors."""
        return self.path / "best.safetensors"

    @property
    def before_refit(self) -> Path:
        """before_refit.safetensors."""
        return self.path / "before_refit.safetensors"

    def refuse_links(self, entries: Entries | None = None) -> Entries:
        """Raises CheckpointError where a file of the run is a symbolic link: what is written to it would go elsewhere.

        Likewise where it is no plain file: to read a pipe would never end.

        The run directory itself may be one, and what it lies in. `entries` is what is in it, where that has been
        looked up; returned is what is in `checkpoints`.
        """
        entries = entries_of(self.path) if entries is None else entries
        for name in OWN:
            if name in entries and not entries[name].is_file(follow_symlinks=False):
                self._refuse_link(entries[name])
        below = entries_of(entries["checkpoints"].path) if "checkpoints" in entries else {}
        for name, entry in below.items():
            if not entry.is_file(follow_symlinks=False) and update_of(name) is not None:
                self._refuse_link(entry)
        return below

    def _refuse_link(self, entry: "os.DirEntry[str]") -> None:
        if entry.is_symlink():
            raise CheckpointError(
                f"{Path(entry.path)} is a symbolic link to {os.readlink(entry.path)}: a run keeps its files in its own "
                "directory (which may be a link itself). Put the file in the place of the link, or remove the link"
            )
        if not (entry.is_dir() if entry.name == "checkpoints" else entry.is_file()):
            raise CheckpointError(
                f"{Path(entry.path)} is not a plain file: a run keeps no pipe, device or directory there"
            )

    def checkpoints(self) -> list[Path]:
        """The checkpoints by update, oldest first; damaged ones, which do not say their update, are among them.

        One that says another update than its name is a copy of the user's, and no checkpoint of the run. Raises
        CheckpointError for a link.
        """
        found = self.refuse_links()
        return [path for updates, path in self.numbered(found) if updates_in(path) in (updates, None)]

    def numbered(self, found: Entries | None = None) -> list[tuple[int, Path]]:
        """The files with the name of a checkpoint, by update, each with the update in its name.

        `found` is what is in `checkpoints`, where that has been looked up.
        """
        found = entries_of(self.path / "checkpoints") if found is None else found
        steps = [(update_of(name), entry) for name, entry in found.items()]
        files = [(updates, entry.path) for updates, entry in steps if updates is not None and entry.is_file()]
        return [(updates, Path(path)) for updates, path in sorted(files)]

    def set_aside(self, checkpoint: Path) -> None:
        """Renames a damaged checkpoint, so that it is not looked at again. Raises StorageError."""
        with storage(checkpoint, "rename"):
            checkpoint.replace(checkpoint.with_name(checkpoint.name + DAMAGED))

    def checkpoint_path(self, updates: int) -> Path:
        """Where the checkpoint after that many updates belongs."""
        return self.path / "checkpoints" / step_name(updates)

    def prune(self, keep: int, written: Path | None) -> None:
        """Removes all but the newest sound checkpoints and the one just written. Raises StorageError."""
        with storage(self.path, "remove old checkpoints of"):
            sound = [path for updates, path in self.numbered() if updates_in(path) == updates]
            for old in sound[:-keep]:
                if old != written:
                    old.unlink()
            self.sweep()

    def sweep(self) -> None:
        """Removes what a killed process has left half written. Raises OSError."""
        for folder in (self.path, self.path / "checkpoints"):
            for file in folder.glob(".*.tmp"):
                if is_left_over(file, TEMPORARY):
                    file.unlink()

    def write_config(self, text: str) -> None:
        """Writes config.yaml, atomically. Raises StorageError."""
        write_atomically(self.config, [text.encode()])

    def write_record(self, record: dict[str, Any]) -> None:
        """Writes run.json, atomically. Raises StorageError."""
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.record, [text.encode()])

    def read_record(self) -> dict[str, Any]:
        """The content of run.json. Raises CheckpointError when it is missing or no JSON object, and for a link."""
        self.refuse_links()
        return self.record_of_files()

    def record_of_files(self) -> dict[str, Any]:
        """The content of run.json of a run without links. Raises CheckpointError where it is missing or no object."""
        try:
            record = parsed(self.record.read_bytes())
        except FileNotFoundError as error:
            if (self.path / GROUP).is_file():
                message = (
                    f"{self.path} is a group of runs: name one of those that `bptrain runs {self.path}` lists; an "
                    "ensemble can be named itself when it is finished"
                )
                raise CheckpointError(message) from error
            raise CheckpointError(f"{self.path} is not a run: it has no run.json") from error
        except (OSError, ValueError) as error:
            raise CheckpointError(f"could not read {self.record}: {error}") from error
        if not isinstance(record, dict):
            raise CheckpointError(f"{self.record} is corrupt: it holds no JSON object")
        return record

    def append_metrics(self, line: dict[str, Any]) -> None:
        """Adds one epoch to metrics.jsonl. Raises StorageError."""
        with storage(self.metrics, "write to"), self._open_metrics() as file:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")

    def _open_metrics(self) -> TextIO:
        """metrics.jsonl, to write at its end; not through a link. Raises OSError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        return os.fdopen(os.open(self.metrics, flags, 0o666), "a", encoding="utf-8")

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
            with storage(self.metrics, "write to"), self._open_metrics() as file:
                os.fsync(file.fileno())

    def cut_metrics(self, updates: int) -> None:
        """Drops the lines after so many updates, and one that a crash left unfinished: they will be written again.

        Raises StorageError.
        """
        if not self.metrics.exists():
            return
        kept = []
        with storage(self.metrics, "read"):
            lines = self.metrics.read_bytes().splitlines(keepends=True)
        for line in lines:
            try:
                sound = line.endswith(b"\n") and json.loads(line)["step"] <= updates
            except (ValueError, KeyError, TypeError):  # not UTF-8, not JSON, or not ours
                sound = False
            if not sound:
                break
            kept.append(line)
        write_atomically(self.metrics, kept)


def updates_in(checkpoint: Path) -> int | None:
    """After how many updates a checkpoint was written, as it says itself; None for one that is damaged."""
    try:
        return updates_at(checkpoint)
    except CheckpointError:
        return None


def new_run(name: str) -> RunDirectory:
    """Makes runs/<name>/<number> for a run."""
    path = numbered(name)
    with storage(path, "make"):
        return _furnish(path)


def numbered(name: str) -> Path:
    """Makes runs/<name>/<number>, the next free number, so that no two processes get the same one."""
    parent = RUNS / name
    with storage(parent, "make"):
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.name) for p in parent.iterdir() if p.name.isdecimal()), default=0)
        while True:
            path = parent / f"{number:03d}"
            try:
                path.mkdir()
                return path
            except FileExistsError:
                number += 1


def run_at(path: Path, overwrite: bool) -> RunDirectory:
    """Makes the run directory `path` itself.

    Raises UsageError when it holds something and may not be overwritten, CheckpointError where that is a link.
    """
    with storage(path, "make"):
        if path.exists() and not path.is_dir():
            raise UsageError(f"--out {path} is a file, not a directory")
        content = {str(entry.relative_to(path)) for entry in path.rglob("*")} if path.is_dir() else set()
        if any(name not in UNFINISHED and not is_left_over(path / name, TEMPORARY) for name in content):
            if not overwrite:
                raise UsageError(
                    f"--out {path} is not empty: give another directory, --overwrite, or --resume {path}"
                )
            if "run.json" not in content or GROUP in content:
                raise UsageError(
                    f"--out {path} holds something that is not a run, which --overwrite does not replace"
                )
        RunDirectory(path).refuse_links()
        path.mkdir(parents=True, exist_ok=True)
        return _furnish(path)


def clear(run: RunDirectory) -> None:
    """Removes the files of an earlier run in the same directory; call it under the lock. Raises StorageError.

    run.json goes last: as long as it is there, the directory is known as a run.
    """
    with storage(run.path, "clear"):
        aside = (run.path / "checkpoints").glob(f"*{DAMAGED}")
        damaged = [file for file in aside if update_of(file.name.removesuffix(DAMAGED)) is not None]
        for file in [*run.checkpoints(), *damaged, run.best, run.before_refit, run.metrics, run.config]:
            file.unlink(missing_ok=True)
        run.sweep()
        run.record.unlink(missing_ok=True)


def _furnish(path: Path) -> RunDirectory:
    (path / "checkpoints").mkdir(exist_ok=True)
    flush_directory(path)
    flush_directory(path.parent)
    return RunDirectory(path)


def run_directories(directory: Path) -> list[RunDirectory]:
    """Every run below a directory, in the order of their paths; without those of groups below it."""
    return [RunDirectory(path) for path in sorted(places_with("run.json", directory))]


def places_with(name: str, directory: Path) -> Iterator[Path]:
    """The directories, from this one down, with an entry of that name; through linked ones too, and each once.

    What lies in a group of runs is left out, unless the directory is one itself.
    """
    for folder in walk(directory):
        if name in folder.entries:
            yield Path(folder.path)


@contextmanager
def locked(run: RunDirectory) -> Iterator[None]:
    """Holds the run directory for this process.

    Raises BusyError when another one holds it, CheckpointError where a file of the run is a link.
    """
    from filelock import FileLock, Timeout

    run.refuse_links()  # first of all, since to take the lock empties its file
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
