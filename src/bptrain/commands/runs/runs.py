"""What `bptrain runs` lists: every run in a directory with its main results, damaged runs too."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.runs.differing import differing
from bptrain.commands.runs.run_rows import INDEXED, RunRow
from bptrain.commands.runs.where import conditions, fulfilling
from bptrain.errors import CheckpointError, Problem, UsageError
from bptrain.store.checkpoint_names import update_of
from bptrain.store.run_index import RunIndex, Stamp
from bptrain.store.run_places import GROUP, Entries, Folder, entries_of, walk

KEYS = ("run", "state", "epochs", "loss", "seconds", "started")  # to sort by, in addition to metrics
ENDED = ("finished", "stopped", "interrupted", "diverged")  # states that stay until run.json is written again


class RunList(NamedTuple):
    """The runs in a directory that were asked for, in order."""

    directory: Path
    rows: list[RunRow]
    differing: list[str]  # the settings in which they differ, those with the most different values first

    def record(self) -> dict[str, Any]:
        """The fields of the JSON of `bptrain runs`: of each run, the settings in which they differ."""
        rows = [
            row._replace(settings={key: row.settings[key] for key in self.differing if key in row.settings})
            for row in self.rows
        ]
        return {
            "directory": str(self.directory),
            "differing": self.differing,
            "runs": [row.record() for row in rows],
        }


def list_runs(directory: Path, sort: str = "started", where: Sequence[str] = ()) -> RunList:
    """The runs below a directory for which all conditions hold.

    Raises CheckpointError where the directory is not there, UsageError for an unknown key.
    """
    wanted = conditions(where)
    rows = all_runs(directory)
    if wanted:
        hold = fulfilling(wanted, [row.values for row in rows])
        rows = [row for row, holds in zip(rows, hold, strict=True) if holds]
    return RunList(directory, in_order(rows, sort), differing(row.settings for row in rows))


def all_runs(directory: Path) -> list[RunRow]:
    """Every run below a directory, by their paths; what the index says, where it is still so.

    Raises CheckpointError where the directory is not there.
    """
    if not directory.is_dir():
        raise CheckpointError(f"no runs at {directory}: there is no such directory")
    index, top = RunIndex(directory, INDEXED), str(directory)
    rows = []
    for folder in walk(directory):
        is_group = GROUP in folder.entries and folder.path != top
        if not is_group and (GROUP in folder.entries or not is_run(folder)):
            continue
        name = folder.path[len(top) :].lstrip(os.sep) or "."
        run = name if top == "." else top if name == "." else f"{top}{os.sep}{name}"
        stamp = Stamp.of(folder, GROUP if is_group else "run.json")
        kept = index.get(name, stamp)
        if kept is not None:
            values, settings = kept
            row = RunRow._make([run, *values, settings])
        else:
            row = read_group(run) if is_group else read(run, folder.entries)
            row = row._replace(settings=index.compact(row.settings))
            if row.state in (("finished",) if is_group else ENDED):  # runs of others may go on by themselves
                index.put(name, stamp, row[1:-1], row.settings)
        rows.append(row)
    index.save()
    return sorted(rows, key=lambda row: row.run)


def read(run: str, entries: Entries) -> RunRow:
    """A run that no index has."""
    from bptrain.commands.runs.run_reading import row_of  # what it takes to read a run is not loaded before
    from bptrain.store.run_directory import RunDirectory

    return row_of(RunDirectory(Path(run)), entries)


def read_group(group: str) -> RunRow:
    """A group of runs that no index has."""
    from bptrain.commands.runs.run_reading import row_of_group
    from bptrain.store.run_group import RunGroup

    return row_of_group(RunGroup(Path(group)))


def is_run(folder: Folder) -> bool:
    """Whether a directory is a run; also one that has lost its run.json, or was killed before it."""
    if "run.json" in folder.entries:
        return True
    if "checkpoints" not in folder.entries:
        return False
    # or of another tool
    return any(update_of(name) is not None for name in entries_of(folder.entries["checkpoints"].path))


def in_order(rows: list[RunRow], sort: str) -> list[RunRow]:
    """The rows by a key, best or newest first; those without a value last. Raises UsageError."""
    known = [*KEYS, *dict.fromkeys(name for row in rows for name in row.metrics)]
    if sort not in known:
        from bptrain.config import shown
        from bptrain.config.suggestions import suggest

        message = f"{shown(sort)} is not a sort key: choose one of {', '.join(known)}"
        raise UsageError(Problem("wrong_choice", f"--sort {message}", suggestion=suggest.value(sort, known)))
    if sort in ("run", "state"):
        return sorted(rows, key=lambda row: getattr(row, sort))
    value: Callable[[RunRow], Any] = (
        (lambda row: getattr(row, sort)) if sort in KEYS else (lambda row: row.metrics.get(sort))
    )
    with_value: list[RunRow] = []
    without: list[RunRow] = []
    for row in rows:
        known_value = value(row)
        (with_value if is_number(known_value) or isinstance(known_value, str) else without).append(row)
    ordered = sorted(with_value, key=value, reverse=not less_is_better(sort))
    return ordered + without


def less_is_better(key: str) -> bool:
    """Whether of two runs the one with the lower value is the better."""
    if key in KEYS:
        return key == "loss"
    from bptrain.parts.metrics import metrics

    return key in metrics and metrics.get(key)().better == "lower"


def is_number(value: Any) -> bool:
    """Whether a value can be put in order with numbers."""
    return isinstance(value, int | float) and value == value
