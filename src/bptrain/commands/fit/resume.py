"""Continuing a run: which one, whether it may be continued, and from which checkpoint."""

from collections.abc import Container, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.data import NOT_GIVEN
from bptrain.build.setup import Setup
from bptrain.build.training import build_schedule
from bptrain.config import Loaded, from_plain
from bptrain.config.resolved import to_plain
from bptrain.data.prepared import KeptSchema
from bptrain.data.schema import Schema
from bptrain.errors import CheckpointError, DataError, Problem, Warned, printable
from bptrain.model.moved_data import RunOrigin, Search
from bptrain.parts.methods import UpdateRule
from bptrain.parts.schedules import spans_all_epochs
from bptrain.plugins.records import changes, refuse_missing
from bptrain.store import checkpoint
from bptrain.store.chosen_run import find_run, newest
from bptrain.store.run_directory import RUNS, RunDirectory, locked, run_directories
from bptrain.store.run_places import GROUP
from bptrain.store.run_settings import MAY_CHANGE, differences, portable, setting_differences
from bptrain.training.controls import STOPPED_BY, ended, going_on
from bptrain.training.refit import OUT_OF_TIME
from bptrain.training.state import State


class Resumed(NamedTuple):
    """A run that goes on, or that has ended."""

    run: RunDirectory
    state: State
    record: dict[str, Any]  # its run.json
    facts: checkpoint.Facts  # those it was begun with
    damaged: list[Path]  # checkpoints that were passed over
    finished: bool

    @property
    def numerics(self) -> dict[str, Any]:
        """The versions, engine, BLAS and threads so far."""
        return self.facts.numerics

    def warnings(self, facts: checkpoint.Facts) -> tuple[Warned, ...]:
        """Warnings about continuing with these facts."""
        return tuple(_warnings(self.facts, facts, self.damaged, self.state.before_refit is not None))


def resumed_run(
    resume: str,
    setup: Setup,
    out: Path | None,
    facts: checkpoint.Facts,
    method: UpdateRule,
    stack: ExitStack,
) -> Resumed | None:
    """The run to continue, or None to start a new one.

    `resume` is a run, or "auto" for the newest unfinished run of this config (or the one at `out`). A run that goes
    on is locked until `stack` closes. Raises CheckpointError when a named run cannot go on with this config,
    DataError when its data has changed, BusyError when another process holds it.
    """
    run = _candidate(resume, setup.loaded, out, facts)
    if run is None:
        return None
    stored, damaged = newest_sound(run)
    _refuse_changes(run, stored, facts)
    finished = _is_finished(run, stored, facts)
    if not finished:
        stack.enter_context(locked(run))
        stored, damaged = newest_sound(run)  # another process may have gone on until a moment ago
        for path in damaged:
            run.set_aside(path)
        run.cut_metrics(stored.position["updates"])
    state = checkpoint.state(stored, setup.network, method)
    if not _has_ended(run, stored, facts):
        state = going_on(state)
    elif state.stopped is None:  # it stands where the config now ends it
        state = ended(setup.controls, state, "epochs")
    return Resumed(run, state, run.read_record(), stored.facts, damaged, finished)


def runs_of_one_network(loaded: Loaded) -> list[RunDirectory]:
    """The runs that were made for a config of that name, without ensembles, which go on as groups."""
    found = run_directories(RUNS / loaded.path.stem)
    return [run for run in found if not (run.path / GROUP).is_file()]


def not_continued(setup: Setup, facts: checkpoint.Facts) -> str | None:
    """Why `--resume auto` starts anew: what keeps the newest run of this config from going on; None without a run."""
    run = newest(runs_of_one_network(setup.loaded))
    if run is None:
        return None
    try:
        stored, _ = newest_sound(run)
        differing = setting_differences(stored.facts.config, facts.config)
        if not differing:  # then it can only have done more than is asked for
            _is_finished(run, stored, facts)
        reason = f"{run.path} was trained with other settings: {'; '.join(differing)}"
    except CheckpointError as error:
        reason = error.problems[0].message
    return printable(f"not continued: {reason}; this is a new run")


def refuse_what_is_missing(resume: str, out: Path | None, given: Container[str]) -> None:
    """Raises CheckpointError where the run that is meant uses plug-ins that are not here, DataError where arrays.

    Raised before the config is read, which would only report an unknown part. `given` are the roles for which Python
    gives rows.
    """
    run = RunDirectory(out) if resume == "auto" and out is not None else None
    if resume != "auto":
        run = find_run(Path(resume))
    if run is not None and run.checkpoints():
        facts = newest_sound(run)[0].facts
        refuse_missing(facts.plugins, facts.config, run.path)
        for role in ("train", "validation", "test"):
            rows = facts.config["data"].get(role)
            if isinstance(rows, dict) and "arrays" in rows and role not in given:
                raise DataError(Problem("arrays", f"{run.path}: {NOT_GIVEN}"))


def data_to_go_on(resume: str, loaded: Loaded, out: Path | None) -> tuple[Loaded, KeptSchema | None]:
    """The config with its data where it lies now, and the schema of the run that goes on, by which it is read again.

    No schema, and the config as it is, without such a run, and where the config now says otherwise about data, task or
    loss: such a run is refused later, or another one begun. Raises CheckpointError for a named run that is none,
    DataError where its data is gone.
    """
    if resume != "auto":
        run: RunDirectory | None = find_run(Path(resume))
    elif out is not None:
        run = RunDirectory(out)
    else:
        run = newest(runs_of_one_network(loaded))
    if run is None:
        return loaded, None
    try:
        facts = newest_sound(run)[0].facts
        found = setting_differences(facts.config, portable(to_plain(loaded.absolute())))
        schema = Schema.from_json(facts.schema)
    except (CheckpointError, KeyError, TypeError, ValueError):  # what goes on says why it cannot
        return loaded, None
    if any(line.startswith(("data.", "task:", "loss.")) for line in found):
        return loaded, None
    origin = RunOrigin.of(run)
    of_config = RunDirectory(loaded.path.parent)
    if of_config.record.is_file():  # the config is that of a run, which has absolute paths
        loaded = loaded._replace(written=RunOrigin.of(of_config).written or None)
    origin = origin._replace(written=loaded.written_paths)
    return Search(run.path, origin, facts.data).found(loaded), KeptSchema(schema, facts.data)


def _refuse_changes(run: RunDirectory, stored: checkpoint.Stored, facts: checkpoint.Facts) -> None:
    differing = setting_differences(stored.facts.config, facts.config)
    if differing:
        listed = "; ".join(differing)
        raise CheckpointError(
            f"{run.path} was trained with other settings: {listed}. Only {', '.join(MAY_CHANGE)} may change."
        )
    other = changes(stored.facts.plugins, stored.facts.config)
    if other:
        raise CheckpointError(
            f"{run.path} cannot be resumed with parts other than those it was trained with: {'; '.join(other)}. "
            "Restore the old file, or start a new run."
        )
    if stored.facts.data != facts.data:
        changed = sorted(role for role in facts.data if facts.data[role] != stored.facts.data.get(role))
        raise DataError(f"the {', '.join(changed)} data has changed since {run.path} was trained")


def _warnings(
    begun: checkpoint.Facts, facts: checkpoint.Facts, damaged: list[Path], in_refit: bool
) -> Iterator[Warned]:
    """Why the end may not be that of an uninterrupted run, and what was passed over."""
    for path in damaged:
        yield Warned(
            "corrupt_checkpoint", f"{path} is corrupt and was set aside; using the previous checkpoint"
        )
    other = differences(begun.numerics, facts.numerics)
    if other:
        yield Warned("other_bits", f"the last bits may differ from an uninterrupted run: {'; '.join(other)}")
    before, after = (f.config["training"]["epochs"] for f in (begun, facts))
    config = from_plain(facts.config, "run")
    name = config.schedule.name
    if before != after and not in_refit and spans_all_epochs(build_schedule(config), before, after):
        yield Warned(
            "schedule_span",
            f"the schedule {name} spans all epochs, now {after} instead of {before}: the learning rate jumps, "
            f"and the result differs from a run of {after} epochs from the start",
        )


def _candidate(resume: str, loaded: Loaded, out: Path | None, facts: checkpoint.Facts) -> RunDirectory | None:
    if resume != "auto":
        return find_run(Path(resume))
    if out is not None:
        return RunDirectory(out) if (out / "run.json").is_file() else None
    unfinished: list[RunDirectory] = []
    finished: list[RunDirectory] = []
    for run in runs_of_one_network(loaded):
        try:
            stored, _ = newest_sound(run)
            if not setting_differences(stored.facts.config, facts.config):
                (finished if _is_finished(run, stored, facts) else unfinished).append(run)
        except CheckpointError:  # nothing to go on from; a run that is named itself gets an error
            continue
    return newest(unfinished or finished)


def _is_finished(run: RunDirectory, stored: checkpoint.Stored, facts: checkpoint.Facts) -> bool:
    """Whether nothing is left to do: a fit has ended, and so has the refit, unless there was no time for it.

    Raises CheckpointError as `_has_ended` does.
    """
    if not _has_ended(run, stored, facts):
        return False
    begins = stored.before_refit is None and stored.position.get("stopped") != OUT_OF_TIME
    return not (facts.config["training"]["refit"] and begins)


def _has_ended(run: RunDirectory, stored: checkpoint.Stored, facts: checkpoint.Facts) -> bool:
    """Whether a checkpoint is that of the last epoch's end, or was stopped by what is set as it was.

    That is the end of the first fit or of the refit, whichever it is of. Raises CheckpointError when it is beyond the
    last epoch, and in a refit when the first fit would now go on.
    """
    first, position, epochs = stored.before_refit, stored.position, facts.config["training"]["epochs"]
    done = (position["epoch"], position["step"]) if first is None else (first.epochs, 0)
    if done > (epochs, 0):
        count = f"{done[0]} epochs" + (f" and {done[1]} updates" if done[1] else "")
        raise CheckpointError(f"{run.path} has done {count}, more than training.epochs: {epochs}")
    if first is not None and not _stopped_as_now(first.stopped, stored, facts):
        key = f"training.{STOPPED_BY[first.stopped]}"
        raise CheckpointError(
            f"{run.path} is past its first fit, which {key} ended: with another {key}, start a new run"
        )
    if position["epoch"] == (epochs if first is None or stored.best is None else stored.best["epoch"]):
        return True
    stopped = position.get("stopped")
    return stopped is not None and _stopped_as_now(stopped, stored, facts)


def _stopped_as_now(stopped: str, stored: checkpoint.Stored, facts: checkpoint.Facts) -> bool:
    """Whether what ended a fit is set as it was then; without a key, nothing that is set ended it."""
    key = STOPPED_BY.get(stopped, "")
    then, now = (f.config["training"].get(key) for f in (stored.facts, facts))
    return bool(then == now)


def newest_sound(run: RunDirectory) -> tuple[checkpoint.Stored, list[Path]]:
    """The newest checkpoint that is whole, and the newer ones that are not. Raises CheckpointError for none."""
    damaged: list[Path] = []
    for path in reversed(run.checkpoints()):
        try:
            return checkpoint.read(path), damaged
        except CheckpointError:
            damaged.append(path)
    found = "all its checkpoints are corrupt" if damaged else "it has no checkpoint"
    raise CheckpointError(f"{run.path} cannot be resumed: {found}")
