"""What `bptrain runs prune` does: old runs go, but never the best, one in use, or what is not bptrain's."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.runs.run_reading import is_held
from bptrain.commands.runs.run_rows import RunRow
from bptrain.commands.runs.runs import all_runs, less_is_better
from bptrain.errors import BusyError, CheckpointError, UsageError
from bptrain.store.run_directory import RunDirectory
from bptrain.store.run_places import GROUP
from bptrain.store.run_removal import Content, NotOursError, left_over, remove, remove_aside

BEST, IN_USE = "the best of its kind", "in use"
# What settings begin with that runs must have alike, so that one can be better than another; and by their losses.
ALIKE = ("loss.name", "data.train", "data.validation", "data.target")
LOSS_ALIKE = (*ALIKE, "loss.", "data.scale_target")
UNSOUND = ("damaged", "diverged")  # states of which none is the best


class PrunedRun(NamedTuple):
    """A run that was deleted, or would be."""

    run: str
    started: str | None
    bytes: int


class SparedRun(NamedTuple):
    """A run that is older than those to keep, and stays."""

    run: str
    reason: str


class Pruning(NamedTuple):
    """What was deleted, and what was not."""

    directory: Path
    keep: int
    dry_run: bool
    deleted: list[PrunedRun]
    spared: list[SparedRun]
    kept: int  # runs that are still there

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return {
            "directory": str(self.directory),
            "keep": self.keep,
            "dry_run": self.dry_run,
            "deleted": [run._asdict() for run in self.deleted],
            "spared": [run._asdict() for run in self.spared],
            "kept": self.kept,
            "bytes": sum(run.bytes for run in self.deleted),
        }


def prune(directory: Path, keep: int, dry_run: bool = False) -> Iterator[PrunedRun | Pruning]:
    """Deletes all runs below a directory but the newest, and those that must stay; yields each, and last the summary.

    A group of runs counts as one. Raises UsageError, CheckpointError where the directory is not there, StorageError.
    """
    if keep < 1:
        raise UsageError(f"--keep {keep}: keep at least one run")
    here = directory.resolve()
    group = next((path for path in (here, here.parent) if (path / GROUP).is_file()), None)
    if group is not None:
        raise UsageError(
            f"{group} is a group of runs, which goes as a whole: prune the directory that it lies in"
        )
    rows = all_runs(directory)
    newest = sorted(rows, key=lambda row: row.started or "", reverse=True)
    best = {row.run for row in best_runs(rows)}
    deleted: list[PrunedRun] = []
    spared: list[SparedRun] = []
    if not dry_run:
        for content in left_over(directory):
            remove_aside(content)
    for row in newest[keep:]:
        try:
            reason = why_it_stays(row, directory, best)
            size = 0 if reason else Content.of(Path(row.run)).size
            if reason is None and not dry_run:
                remove(Path(row.run))
        except BusyError:
            reason = IN_USE
        except NotOursError as error:
            reason = str(error)
        except CheckpointError as error:
            reason = error.problems[0].message
        if reason is not None:
            spared.append(SparedRun(row.run, reason))
            continue
        deleted.append(PrunedRun(row.run, row.started, size))
        yield deleted[-1]
    yield Pruning(directory, keep, dry_run, deleted, spared, len(rows) - len(deleted))


def why_it_stays(row: RunRow, directory: Path, best: set[str]) -> str | None:
    """Why a run is not deleted whatever its age; None if nothing speaks against it. Raises CheckpointError."""
    path = Path(row.run)
    if row.state == "damaged":
        return f"damaged: {row.reason}"
    if row.run in best:
        return BEST
    if path.resolve() != directory.resolve() / path.relative_to(directory):
        return "it lies behind a symbolic link"
    if path.resolve() == directory.resolve():
        return "it is the directory itself"
    return IN_USE if is_held(RunDirectory(path)) else None


def best_runs(rows: Sequence[RunRow]) -> list[RunRow]:
    """Of the runs in one directory that can be compared, the best.

    They can where the figure, the rows that it is of, the loss, the target and the names of the files are the same; by
    the loss, also all that decides its size. The figure is that of training.early_stopping.monitor, else the loss; of a
    group of runs the first metric.
    """
    found: dict[tuple[Any, ...], tuple[float, RunRow]] = {}
    for row in sorted(rows, key=lambda row: row.started or ""):
        name = str(row.settings.get("training.early_stopping.monitor", "loss"))
        if row.group is not None and name == "loss":
            name = next((metric for metric, value in row.metrics.items() if isinstance(value, float)), name)
        value = row.loss if name == "loss" else row.metrics.get(name)
        if row.state in UNSOUND or not isinstance(value, int | float) or math.isnan(value):
            continue
        alike = LOSS_ALIKE if name == "loss" else ALIKE
        compared = sorted(f"{key}={value}" for key, value in row.settings.items() if key.startswith(alike))
        of = None if row.group is None else row.group.get("kind", "")
        kind = (Path(row.run).parent, name, row.split, of, *compared)
        value = -value if not less_is_better(name) else value
        if kind not in found or value <= found[kind][0]:  # of equal ones the newest
            found[kind] = (value, row)
    return [row for _, row in found.values()]
