"""A group of runs: those of one cross-validation, of several seeds, or of an ensemble, in a directory with a record.

DIR/group.json        what the runs are of, which they are, and their mean and deviation once all are finished
DIR/fold-1 …          each an ordinary run; DIR/repeat-1/fold-1 … where folds are repeated, DIR/seed-0 … of seeds,
                      DIR/members/001 … of an ensemble
DIR/out_of_fold.csv   of folds: each row as the model predicts it that has not seen it

An ensemble is a run as well, once it is finished: it has a run.json and a best.safetensors of its own beside these.

A run in a group is none of its own to a command that looks for the newest run: who wants one names it.
"""

import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bptrain.errors import CheckpointError
from bptrain.store.atomic import storage, write_atomically
from bptrain.store.run_directory import RUNS, RunDirectory, places_with
from bptrain.store.run_places import GROUP

FORMAT = 1
OUT_OF_FOLD = "out_of_fold.csv"
MEMBER = re.compile(
    r"(?:repeat-[1-9]\d*/)?fold-[1-9]\d*|seed-\d+|members/\d{3,}"
)  # a run's directory below that of the group
LEFT_OVER = r"group\.json|out_of_fold\.csv|best\.safetensors|config\.yaml|run\.json"

Kind = Literal["folds", "seeds", "ensemble"]
Status = Literal["running", "interrupted", "failed", "finished"]


class GroupRecord(NamedTuple):
    """The content of group.json."""

    kind: Kind
    size: int  # the number of folds, of seeds, or of members
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

    @property
    def own_run(self) -> tuple[Path, Path, Path]:
        """What an ensemble has as a run of its own."""
        run = RunDirectory(self.path)
        return run.best, run.config, run.record

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
            figures = (known["mean"] or {}, known["sd"] or {}, known["config"])
            if (
                content["format"] != FORMAT
                or not runs
                or not all(map(MEMBER.fullmatch, runs))
                or not all(isinstance(value, dict) for value in figures)
            ):
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
            for file in (self.path / GROUP, self.path / ".lock", *self.own_run):
                file.unlink(missing_ok=True)
            if not any(self.path.iterdir()):
                self.path.rmdir()


def member_directory(number: int) -> str:
    """Where the run of a member of an ensemble lies, below that; members are counted from 1."""
    return f"members/{number:03d}"


def member_places(ensemble: Path) -> list[Path]:
    """The runs of the members of an ensemble. Raises CheckpointError."""
    return [ensemble / name for name in RunGroup(ensemble).read().runs]


def refuse_an_ensemble(resume: str | None) -> None:
    """Raises CheckpointError where what is to go on with one network is an ensemble."""
    place = Path(str(resume))
    if (
        resume not in (None, "auto")
        and (place / GROUP).is_file()
        and RunGroup(place).read().kind == "ensemble"
    ):
        raise CheckpointError(
            f"{resume} is an ensemble, and the config is of one network: it has no `ensemble`"
        )


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


def groups_of(name: str) -> list[RunGroup]:
    """The groups that were made for a config of that name, in runs/; in the order of their paths."""
    return [RunGroup(place) for place in sorted(places_with(GROUP, RUNS / name))]
