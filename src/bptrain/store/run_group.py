"""A group of runs: those of one cross-validation, or of several seeds, in a directory with a record of its own.

DIR/group.json        what the runs are of, which they are, and their mean and deviation once all are finished
DIR/fold-1 …          each an ordinary run; DIR/repeat-1/fold-1 … where folds are repeated, DIR/seed-0 … of seeds
DIR/out_of_fold.csv   of folds: each row as the model predicts it that has not seen it

A run in a group is none of its own to a command that looks for the newest run: who wants one names it.
"""

import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bptrain.errors import CheckpointError, UsageError
from bptrain.store.atomic import flush_directory, storage, write_atomically
from bptrain.store.run_directory import RUNS, RunDirectory, clear, locked, numbered, places_with
from bptrain.store.run_places import GROUP
from bptrain.temporary import is_left_over

FORMAT = 1
OUT_OF_FOLD = "out_of_fold.csv"
MEMBER = re.compile(
    r"(?:repeat-[1-9]\d*/)?fold-[1-9]\d*|seed-\d+"
)  # a run's directory below that of the group
LEFT_OVER = r"group\.json|out_of_fold\.csv"

Kind = Literal["folds", "seeds"]
Status = Literal["running", "interrupted", "failed", "finished"]


class GroupRecord(NamedTuple):
    """The content of group.json."""

    kind: Kind
    size: int  # the number of folds, or of seeds
    repeat: int  # how often all folds are made; 1 of seeds
    runs: tuple[str, ...]  # the directories of the runs, below that of the group
    config: dict[str, Any]  # the settings that they share, as checkpoints keep them
    started: str
    status: Status = "running"
    mean: dict[str, Any] | None = (
        None  # split -> metric -> value, of the best models; None until all are finished
    )
    sd: dict[str, Any] | None = None


class RunGroup(NamedTuple):
    """The directory of a group."""

    path: Path

    @property
    def out_of_fold(self) -> Path:
        """The predictions of all rows, each by the model that has not seen it."""
        return self.path / OUT_OF_FOLD

    def run(self, name: str) -> RunDirectory:
        """One of its runs."""
        return RunDirectory(self.path / name)

    def write(self, record: GroupRecord) -> None:
        """Writes group.json, atomically. Raises StorageError."""
        content = {"format": FORMAT, **record._asdict()}
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.path / GROUP, [text.encode()])

    def read(self) -> GroupRecord:
        """The record. Raises CheckpointError where there is none, or no such."""
        file = self.path / GROUP
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            known = {name: content[name] for name in GroupRecord._fields}
            runs = tuple(map(str, known["runs"]))
            if content["format"] != FORMAT or not all(map(MEMBER.fullmatch, runs)):
                raise ValueError("it is of another format")
            return GroupRecord(**{**known, "runs": runs})
        except FileNotFoundError as error:
            raise CheckpointError(f"{self.path} is no group of runs: it has no {GROUP}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"could not read {file}: {type(error).__name__}: {error}") from error

    def results(self, record: GroupRecord) -> list[dict[str, Any]]:
        """The fields of fit's JSON of each run that is finished."""
        return [result for name in record.runs if (result := _result_of(self.run(name))) is not None]

    def has_begun(self, record: GroupRecord) -> bool:
        """Whether one of its runs has a directory."""
        return any(self.run(name).path.exists() for name in record.runs)

    def discard(self) -> None:
        """Removes a group that has no run, and its directory where nothing else is in it. Raises StorageError."""
        with storage(self.path, "remove"):
            for file in (self.path / GROUP, self.path / ".lock"):
                file.unlink(missing_ok=True)
            if not any(self.path.iterdir()):
                self.path.rmdir()


def _result_of(run: RunDirectory) -> dict[str, Any] | None:
    """What a run came to; None for one that is not finished, or damaged."""
    try:
        record = run.read_record()
    except CheckpointError:
        return None
    result = record.get("result")
    return result if record.get("status") == "finished" and isinstance(result, dict) else None


MetricsBySplit = dict[str, dict[str, Any]]  # split -> metric -> value, or label -> value


def mean_and_sd(results: Sequence[Mapping[str, Any]]) -> tuple[MetricsBySplit, MetricsBySplit]:
    """Mean and standard deviation (dividing by N − 1; None for one run) of the best models' metrics."""
    mean: MetricsBySplit = {}
    sd: MetricsBySplit = {}
    metrics = [result["best"]["metrics"] for result in results]
    for split in metrics[0]:
        if not all(split in of_run for of_run in metrics):  # few rows: a run may be without validation
            continue
        for name, value in metrics[0][split].items():
            if not isinstance(value, list):  # a matrix has no mean here
                values = [of_run[split][name] for of_run in metrics]
                mean.setdefault(split, {})[name] = _over_runs(statistics.fmean, values)
                sd.setdefault(split, {})[name] = _over_runs(_deviation, values)
    return mean, sd


def _deviation(values: list[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _over_runs(statistic: Callable[[list[float]], float | None], values: list[Any]) -> Any:
    """A statistic of a metric's values, or of each class's if it has one per class; None if a value is not finite."""
    if isinstance(values[0], Mapping):
        return {label: _over_runs(statistic, [value.get(label) for value in values]) for label in values[0]}
    return None if None in values else statistic(values)


def new_group(name: str) -> RunGroup:
    """Makes runs/<name>/<number> for a group, the next free number. Raises StorageError."""
    path = numbered(name)
    flush_directory(path.parent)
    return RunGroup(path)


def group_at(path: Path, overwrite: bool) -> RunGroup:
    """Makes the directory `path` itself for a group; with `overwrite` a group that is there goes.

    Raises UsageError where the directory holds something else, or may not be overwritten.
    """
    with storage(path, "make"):
        if path.exists() and not path.is_dir():
            raise UsageError(f"--out {path} is a file, not a directory")
        content = [entry.name for entry in path.iterdir()] if path.is_dir() else []
        if any(name != ".lock" and not is_left_over(path / name, LEFT_OVER) for name in content):
            if not overwrite:
                raise UsageError(
                    f"--out {path} is not empty: give another directory, --overwrite, or --resume {path}"
                )
            if GROUP not in content:
                raise UsageError(f"--out {path} holds no group of runs, and nothing else is overwritten")
            _remove_runs(RunGroup(path))
        path.mkdir(parents=True, exist_ok=True)
        flush_directory(path.parent)
    return RunGroup(path)


def _remove_runs(group: RunGroup) -> None:
    """Removes the runs of a group, and what it has said of them; files of the user's stay.

    Raises BusyError where another process works in one of them.
    """
    with ExitStack() as stack:
        stack.enter_context(locked(RunDirectory(group.path)))
        runs = [run for run in map(group.run, group.read().runs) if run.path.is_dir()]
        for run in runs:  # all of them before the first is touched
            stack.enter_context(locked(run))
        for run in runs:
            clear(run)
            (run.path / ".lock").unlink(missing_ok=True)
            for folder in (run.path / "checkpoints", run.path, run.path.parent):
                if folder != group.path and folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
        group.out_of_fold.unlink(missing_ok=True)


def groups_of(name: str) -> list[RunGroup]:
    """The groups that were made for a config of that name, in runs/; in the order of their paths."""
    return [RunGroup(place) for place in sorted(places_with(GROUP, RUNS / name))]
