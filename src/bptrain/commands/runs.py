"""What `bptrain runs` lists: every run in a directory with its main results, damaged runs too."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from bptrain.config import shown
from bptrain.config.suggestions import suggest
from bptrain.errors import BusyError, CheckpointError, Problem, StorageError, UsageError
from bptrain.parts.metrics import metrics
from bptrain.store import checkpoint
from bptrain.store.run_directory import RunDirectory, locked, places_with, run_directories, update_of
from bptrain.store.run_group import RunGroup, groups_below, mean_and_sd

NOTHING: Mapping[str, Any] = MappingProxyType({})
KEYS = ("run", "state", "epochs", "loss", "seconds", "started")  # to sort by, in addition to metrics


class RunRow(NamedTuple):
    """One run."""

    run: str  # its path
    state: str  # finished | stopped | interrupted | diverged | running | killed | damaged
    reason: str | None = None  # why it stopped early, or what is damaged
    epochs: int | None = None
    best: int | None = None  # the epoch of the best weights
    split: str | None = None  # validation, or train without it: what loss and metrics are of
    loss: float | None = None
    metrics: Mapping[str, Any] = NOTHING
    test: Mapping[str, Any] = NOTHING
    started: str | None = None
    seconds: float | None = None  # of updates, evaluations and what else belongs to training
    group: Mapping[str, Any] | None = None  # of a group of runs: kind, runs, finished, and sd of the metrics

    def record(self) -> dict[str, Any]:
        """The run in the JSON of `bptrain runs`."""
        return self._asdict()


def list_runs(directory: Path, sort: str = "started") -> list[RunRow]:
    """The runs below a directory. Raises CheckpointError where it is not there, UsageError for an unknown key."""
    if not directory.is_dir():
        raise CheckpointError(f"no runs at {directory}: there is no such directory")
    found = {run.path: run for run in run_directories(directory)}
    for place in places_with("checkpoints", directory):
        # of a run that has lost its run.json, or was killed before it, and not of another tool
        if any(
            update_of(file.name) is not None for file in (place / "checkpoints").glob("step-*.safetensors")
        ):
            found.setdefault(place, RunDirectory(place))
    rows = [row_of(found[path]) for path in sorted(found)] + [
        row_of_group(one) for one in groups_below(directory)
    ]
    return in_order(rows, sort)


def in_order(rows: list[RunRow], sort: str) -> list[RunRow]:
    """The rows by a key, best or newest first; those without a value last. Raises UsageError."""
    known = [*KEYS, *dict.fromkeys(name for row in rows for name in row.metrics)]
    if sort not in known:
        message = f"{shown(sort)} is not a sort key: choose one of {', '.join(known)}"
        raise UsageError(Problem("wrong_choice", f"--sort {message}", suggestion=suggest.value(sort, known)))
    if sort in ("run", "state"):
        return sorted(rows, key=lambda row: getattr(row, sort))
    value: Callable[[RunRow], Any] = (
        (lambda row: getattr(row, sort)) if sort in KEYS else (lambda row: row.metrics.get(sort))
    )
    with_value = [row for row in rows if is_number(value(row)) or isinstance(value(row), str)]
    lower_first = sort == "loss" or (sort in metrics and metrics.get(sort)().better == "lower")
    ordered = sorted(with_value, key=value, reverse=not lower_first)
    return ordered + [row for row in rows if row not in with_value]


def row_of(run: RunDirectory) -> RunRow:
    """One run, read from run.json, or from metrics.jsonl while it has not ended."""
    path = str(run.path)
    try:
        record = run.read_record()
        damage = damage_of(run)
        if damage is not None:
            return RunRow(path, "damaged", damage, started=record.get("started"))
        result = record.get("result")
        return of_result(path, record, result) if result else of_metrics(run, record)
    except CheckpointError as error:
        return RunRow(path, "damaged", error.problems[0].message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return RunRow(path, "damaged", f"run.json is not what a run writes: {type(error).__name__}: {error}")


def row_of_group(group: RunGroup) -> RunRow:
    """A group of runs as one: the mean of those that are finished."""
    path = str(group.path)
    try:
        record = group.read()
        results = group.results(record)
        mean, sd = mean_and_sd(results) if results else ({}, {})
    except CheckpointError as error:
        return RunRow(path, "damaged", error.problems[0].message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return RunRow(
            path, "damaged", f"a run.json is not what a run writes: {type(error).__name__}: {error}"
        )
    state: str = record.status
    if state == "running" and not is_held(RunDirectory(group.path)):
        state = "killed"
    split = next((name for name in ("validation", "train") if name in mean), None)
    return RunRow(
        path,
        state,
        split=split,
        metrics=mean[split] if split else {},
        test=mean.get("test", {}),
        started=record.started,
        group={"kind": record.kind, "runs": len(record.runs), "finished": len(results), "sd": sd},
    )


def damage_of(run: RunDirectory) -> str | None:
    """What makes a run useless though its record can be read."""
    found = run.checkpoints()
    if not found:
        return "it has no checkpoint"
    try:
        checkpoint.glance(found[-1])
    except CheckpointError as error:
        return error.problems[0].message
    return None


def of_result(path: str, record: dict[str, Any], result: dict[str, Any]) -> RunRow:
    """A run that has ended by itself."""
    best = result["best"]
    split = "validation" if "validation" in best["loss"] else "train"
    stopped = result["stopped"]
    early = stopped != "epochs"
    return RunRow(
        path,
        "stopped" if early else "finished",
        str(stopped) if early else None,
        epochs=int(result["epochs"]),
        best=int(best["epoch"]),
        split=split,
        loss=number(best["loss"][split]),
        metrics=dict(best["metrics"][split]),
        test=dict(best["metrics"].get("test", {})),
        started=record.get("started"),
        seconds=seconds_of(record),
    )


def of_metrics(run: RunDirectory, record: dict[str, Any]) -> RunRow:
    """A run that has not ended by itself: what it had come to after its last whole epoch."""
    lines = run.read_metrics()
    split = "validation" if lines and "validation" in lines[-1] else "train"
    losses = [(loss, line) for line in lines if (loss := number(line[split]["loss"])) is not None]
    loss, best = min(losses, key=lambda pair: pair[0], default=(None, None))
    figures = {} if best is None else {name: value for name, value in best[split].items() if name != "loss"}
    state = str(record["status"])
    if state == "running" and not is_held(run):
        state = "killed"
    return RunRow(
        str(run.path),
        state,
        epochs=int(lines[-1]["epoch"]) if lines else 0,
        best=None if best is None else int(best["epoch"]),
        split=split,
        loss=loss,
        metrics=figures,
        started=record.get("started"),
        seconds=seconds_of(record),
    )


def is_held(run: RunDirectory) -> bool:
    """Whether a process works in a run. To find out, it takes the lock for an instant."""
    if not (run.path / ".lock").exists():
        return False
    try:
        with locked(run):
            return False
    except BusyError:
        return True
    except StorageError:  # somebody else's, that may not be written to
        return False


def seconds_of(record: dict[str, Any]) -> float | None:
    """How long a run has taken so far."""
    seconds = record.get("seconds")
    return math.fsum(seconds.values()) if isinstance(seconds, dict) else None


def number(value: Any) -> float | None:
    """A figure; None for what was not finite."""
    return None if value is None else float(value)


def is_number(value: Any) -> bool:
    """Whether a value can be put in order with numbers."""
    return isinstance(value, int | float) and value == value
