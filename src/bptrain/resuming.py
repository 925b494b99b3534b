"""Going on with a run: which one, whether it may, and from which checkpoint."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.config import Loaded
from bptrain.core.network import Network
from bptrain.errors import CheckpointError, DataError
from bptrain.parts.optimizers import Optimizer
from bptrain.store import checkpoint
from bptrain.store.run import RUNS, RunDirectory, find_run, list_runs, locked, newest
from bptrain.training.state import State

# What may differ from the run that is resumed: it decides how long and how safely, not what.
MAY_CHANGE = ("training.epochs", "checkpoint.every", "checkpoint.keep")


class Resumed(NamedTuple):
    """A run that goes on."""

    run: RunDirectory
    state: State
    record: dict[str, Any]  # its run.json
    train_seconds: float  # so far
    warnings: tuple[tuple[str, str], ...]


def finished_or_resumed(
    resume: str,
    loaded: Loaded,
    out: Path | None,
    facts: checkpoint.Facts,
    network: Network,
    optimizer: Optimizer,
    stack: ExitStack,
) -> dict[str, Any] | Resumed | None:
    """The result of a run that is already finished, the run to go on with, or None to start afresh.

    `resume` is a run, or "auto" for the newest run of this very config (or the one at `out`). The run is locked until
    `stack` closes. Raises CheckpointError when a named run cannot go on with this config, DataError when its data has
    changed, BusyError when another process holds it.
    """
    run = _candidate(resume, loaded, out, facts)
    if run is None:
        return None
    stack.enter_context(locked(run))
    record = run.read_record()
    stored, skipped = newest_sound(run)
    if stored is None:
        raise CheckpointError(f"{run.path} has no checkpoint to go on from")
    differing = differences(stored.facts.config, facts.config)
    if differing:
        listed = "; ".join(differing)
        raise CheckpointError(
            f"{run.path} was trained with other settings: {listed}. Only {', '.join(MAY_CHANGE)} may change."
        )
    if stored.facts.data != facts.data:
        changed = sorted(role for role in facts.data if facts.data[role] != stored.facts.data.get(role))
        raise DataError(f"the {', '.join(changed)} data has changed since {run.path} was trained")
    epochs = loaded.config.training.epochs
    if record.get("status") == "finished" and stored.position["epoch"] >= epochs:
        return dict(record["result"])
    state = checkpoint.state(stored, network, optimizer)
    last = run.cut_metrics(state.epoch)
    warnings = list(skipped)
    if stored.facts.bits != facts.bits:
        changes = differences(stored.facts.bits, facts.bits)
        warnings.append(
            ("other_bits", f"the last bits may differ from an uninterrupted run: {'; '.join(changes)}")
        )
    return Resumed(run, state, record, float(last["train_seconds"]) if last else 0.0, tuple(warnings))


def _candidate(resume: str, loaded: Loaded, out: Path | None, facts: checkpoint.Facts) -> RunDirectory | None:
    if resume != "auto":
        return find_run(Path(resume))
    if out is not None:
        return RunDirectory(out) if (out / "run.json").is_file() else None
    runs = []
    for run in list_runs(RUNS / loaded.path.stem):
        stored, _ = newest_sound(run)
        if stored is not None and not differences(stored.facts.config, facts.config):
            runs.append(run)
    return newest(runs)


def newest_sound(run: RunDirectory) -> tuple[checkpoint.Stored | None, tuple[tuple[str, str], ...]]:
    """The newest checkpoint that is whole, and a warning for each newer one that is not."""
    warnings: list[tuple[str, str]] = []
    for path in reversed(run.checkpoints()):
        try:
            return checkpoint.read(path), tuple(warnings)
        except CheckpointError as error:
            warnings.append(("corrupt_checkpoint", f"{error}; going back to the one before"))
    if warnings:
        raise CheckpointError("; ".join(message for _, message in warnings))
    return None, ()


def differences(old: dict[str, Any], new: dict[str, Any], path: str = "") -> list[str]:
    """The settings in which two configs differ, as `key: old -> new`, but for those that may."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        here = f"{path}{key}"
        a, b = old.get(key), new.get(key)
        if a == b or here in MAY_CHANGE:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, here + ".")
        else:
            found.append(f"{here}: {a} -> {b}")
    return found
