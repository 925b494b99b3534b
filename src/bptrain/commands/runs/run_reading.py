"""What is read of a run to list it: its main results and its settings, whatever state it is in."""

import math
from collections.abc import Mapping
from typing import Any

from bptrain.commands.runs.run_rows import RunRow
from bptrain.config.overrides import PARTS
from bptrain.errors import BusyError, CheckpointError, StorageError
from bptrain.store import checkpoint
from bptrain.store.loss_history import of_refit
from bptrain.store.run_directory import RunDirectory, locked
from bptrain.store.run_group import GroupRecord, MetricsBySplit, RunGroup, mean_and_sd
from bptrain.store.run_places import Entries


def row_of(run: RunDirectory, entries: Entries | None = None) -> RunRow:
    """One run, read from run.json, or from metrics.jsonl while it has not ended.

    `entries` is what is in its directory, where that has been looked up.
    """
    path = str(run.path)
    try:
        checkpoints = run.refuse_links(entries)
        record = run.record_of_files()
        try:
            stored = newest_glance(run, checkpoints)
        except CheckpointError as error:
            return RunRow(path, "damaged", error.problems[0].message, started=started_of(record))
        result = record.get("result")
        row = of_result(path, record, result) if result else of_metrics(run, record)
        return row._replace(settings=flat(stored["config"]))
    except CheckpointError as error:
        return RunRow(path, "damaged", error.problems[0].message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return RunRow(path, "damaged", f"run.json is not what a run writes: {type(error).__name__}: {error}")


def row_of_group(group: RunGroup) -> RunRow:
    """A group of runs as one: the mean of those that are finished."""
    path = str(group.path)
    try:
        record = group.read()
        finished, mean, sd = standing(group, record)
        settings = settings_of_group(group, record)
        loss = None
        if (
            record.kind == "ensemble" and record.status == "finished"
        ):  # the figures of the mean of the members
            best = RunDirectory(group.path).record_of_files()["result"]["best"]
            mean, sd, loss = dict(best["metrics"]), {}, best["loss"]
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
        loss=number(loss[split]) if loss and split else None,
        metrics=mean[split] if split else {},
        test=mean.get("test", {}),
        started=str(record.started),
        group={"kind": record.kind, "runs": len(record.runs), "finished": finished, "sd": sd},
        settings=settings,
    )


def settings_of_group(group: RunGroup, record: GroupRecord) -> dict[str, Any]:
    """What the runs of a group have in common, as its first run has resolved it, once that has begun."""
    try:
        config = newest_glance(group.run(record.runs[0]))["config"]
    except CheckpointError:
        config = record.config
    own = ("data.split.fold", "data.split.validation_fold")
    return {key: value for key, value in flat(config).items() if key not in own}


def standing(group: RunGroup, record: GroupRecord) -> tuple[int, MetricsBySplit, MetricsBySplit]:
    """How many runs of a group are finished, and mean and deviation of their metrics; as it says itself at its end."""
    if record.status == "finished" and record.mean is not None and record.sd is not None:
        return len(record.runs), record.mean, record.sd
    results = group.results(record)
    return (len(results), *mean_and_sd(results)) if results else (0, {}, {})


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Each setting of a config by its key, such as optimizer.name: adam; a list is one value."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        key = prefix + name
        if isinstance(value, dict) and value:
            found |= flat(value, f"{key}.")
        elif key in PARTS and isinstance(value, str):
            found[f"{key}.name"] = value
        else:
            found[key] = value
    return found


def newest_glance(run: RunDirectory, found: Entries | None = None) -> dict[str, Any]:
    """What the newest checkpoint says of itself. Raises CheckpointError where it is damaged, or there is none.

    `found` is what is in `checkpoints`, where that has been looked up.
    """
    for updates, path in reversed(run.numbered(found)):
        stored = checkpoint.glance(path)
        if stored["position"]["updates"] == updates:  # else it is a copy of the user's
            return stored
    raise CheckpointError("it has no checkpoint")


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
        started=started_of(record),
        seconds=seconds_of(record),
    )


def of_metrics(run: RunDirectory, record: dict[str, Any]) -> RunRow:
    """A run that has not ended by itself: what it had come to after its last whole epoch."""
    lines = [line for line in run.read_metrics() if not of_refit(line)]
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
        started=started_of(record),
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


def started_of(record: dict[str, Any]) -> str | None:
    """When a run was started."""
    started = record.get("started")
    return started if isinstance(started, str) else None


def seconds_of(record: dict[str, Any]) -> float | None:
    """How long a run has taken so far."""
    seconds = record.get("seconds")
    return math.fsum(seconds.values()) if isinstance(seconds, dict) else None


def number(value: Any) -> float | None:
    """A figure; None for what was not finite."""
    return None if value is None else float(value)
