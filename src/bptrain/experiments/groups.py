"""Fits that belong together, from the directory of their group to their mean: folds of a cross-validation, seeds."""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.setup import open_loaded
from bptrain.commands.fit.ready import open_fit
from bptrain.config import Loaded
from bptrain.config.resolved import to_plain
from bptrain.data.memory import InMemory
from bptrain.errors import BptrainError, CheckpointError, Interrupted, StorageError, printable
from bptrain.experiments.many import SharedByFits, run_many
from bptrain.experiments.news import FitsPlanned, News
from bptrain.experiments.planned import Overrides, PlannedFit, changed
from bptrain.experiments.pool import NOTHING_CHANGED
from bptrain.store.new_groups import group_at, new_group
from bptrain.store.provenance import now
from bptrain.store.run_directory import RunDirectory, locked
from bptrain.store.run_group import GroupRecord, Kind, RunGroup, groups_of, mean_and_sd
from bptrain.store.run_settings import portable, setting_differences


class Member(NamedTuple):
    """One fit of a group."""

    directory: str  # below that of the group
    name: str  # what messages call it
    fields: dict[str, int]  # what its record in JSON begins with
    changes: dict[str, Any]  # values of the config by dotted key


class OpenGroup(NamedTuple):
    """A group that is about to run, and what is said of it."""

    group: RunGroup
    record: GroupRecord
    resumed: bool
    note: str | None = None  # why one that might have gone on does not


class GroupSummary(NamedTuple):
    """The results of many fits: mean and standard deviation (dividing by N − 1) of the best models' metrics."""

    runs: list[
        dict[str, Any]
    ]  # the fields of fit's JSON, each with what tells it from the others, such as "seed"
    mean: dict[str, dict[str, Any]]  # split -> metric -> value, or label -> value
    sd: dict[str, dict[str, Any]]

    def record(self) -> dict[str, Any]:
        """The fields of the JSON of `fit --seeds`."""
        return self._asdict()


def with_one_thread(loaded: Loaded) -> dict[str, Any]:
    """What many fits change in a config: each has one thread, unless it is said how many."""
    return {"training.threads": 1} if loaded.config.training.threads is None else {}


def fit_members(
    shared: SharedByFits,
    overrides: Overrides,
    members: Sequence[Member],
    places: Sequence[Path] | OpenGroup,
    jobs: int,
    show: Callable[[News], None],
) -> GroupSummary:
    """Fits the members in run directories of their own, or in those of their group. Raises the errors of the fits."""
    directory, note, goes_on = None, None, False
    if isinstance(places, OpenGroup):
        directory, note, goes_on = str(places.group.path), places.note, places.resumed
        places = [places.group.path / member.directory for member in members]
    fits = [
        PlannedFit(member.name, changed(overrides, member.changes), place, goes_on)
        for member, place in zip(members, places, strict=True)
    ]
    show(FitsPlanned([fit.name for fit in fits], directory, note))
    results = run_many(shared, fits, jobs, show)
    runs = [{**member.fields, **result} for member, result in zip(members, results, strict=True)]
    return GroupSummary(runs, *mean_and_sd(results))


def finish(opened: OpenGroup, summary: GroupSummary) -> None:
    """Keeps in the record of a group what its runs came to. Raises StorageError."""
    opened.group.write(opened.record._replace(status="finished", mean=summary.mean, sd=summary.sd))


def open_group(
    kind: Kind,
    size: int,
    repeat: int,
    members: Sequence[Member],
    loaded: Loaded,
    out: Path | None,
    resume: str | None,
    overwrite: bool,
    given: Mapping[str, InMemory],
    whole: Loaded | None = None,
) -> OpenGroup:
    """The directory of a group, new or one that goes on; `loaded` is the config of its first member.

    `whole` is that of the group, where it is another one.

    `resume` is "auto" (the one in `out`, or the newest unfinished one of this config) or a group. With `overwrite` the
    first fit is got ready before anything is removed. Raises UsageError, CheckpointError where a group that is named is
    another one, and what that fit raises.
    """
    if overwrite:
        open_fit(open_loaded(loaded, given))
    settings = portable(to_plain((whole or loaded).absolute()))
    record = GroupRecord(kind, size, repeat, tuple(member.directory for member in members), settings, now())
    note = None
    if resume is not None:
        found, note = _resumed(resume, record, loaded.path.stem, out)
        if found is not None:
            stored = found.read()
            return OpenGroup(found, record._replace(started=stored.started), True)
    group = group_at(out, record.runs, overwrite) if out is not None else new_group(loaded.path.stem)
    return OpenGroup(group, record, False, note)


def _resumed(
    resume: str, record: GroupRecord, name: str, out: Path | None
) -> tuple[RunGroup | None, str | None]:
    """The group that goes on, or None, and then why the newest one does not."""
    if resume != "auto" or (out is not None and (out / "group.json").is_file()):
        group = RunGroup(out if resume == "auto" and out is not None else Path(resume))
        other = differences_between(group.read(), record)
        if other:
            raise CheckpointError(f"{group.path} was trained with other settings: {'; '.join(other)}")
        return group, None
    if out is not None:
        return None, None
    unfinished: list[tuple[str, RunGroup]] = []
    finished: list[tuple[str, RunGroup]] = []
    note = None
    for group in groups_of(name):
        try:
            stored = group.read()
        except CheckpointError as error:
            note = f"not continued: {error.problems[0].message}; these are new runs"
            continue
        other = differences_between(stored, record)
        if other:
            listed = "; ".join(other)
            note = (
                f"not continued: {group.path} was trained with other settings: {listed}; these are new runs"
            )
        else:
            (finished if len(group.results(stored)) == len(stored.runs) else unfinished).append(
                (stored.started, group)
            )
    candidates = unfinished or finished
    if candidates:
        return max(candidates, key=lambda pair: (pair[0], pair[1].path))[1], None
    return None, None if note is None else printable(note)


def differences_between(old: GroupRecord, new: GroupRecord) -> list[str]:
    """In what two groups differ, but for settings that may be others when a run goes on."""
    found = [
        f"{said}: {getattr(old, name)} -> {getattr(new, name)}"
        for name, said in (("kind", "kind"), ("size", f"number of {old.kind}"), ("repeat", "repeat"))
        if getattr(old, name) != getattr(new, name)
    ]
    return found or setting_differences(old.config, new.config)


@contextmanager
def kept(opened: OpenGroup) -> Iterator[None]:
    """Holds the directory of a group for this process, and keeps in its record how it stands.

    An error that ends the block says how to go on; a group of which no run has begun is removed again.
    """
    group, record = opened.group, opened.record
    with locked(RunDirectory(group.path)):
        group.write(record)
        try:
            try:
                yield
            except KeyboardInterrupt:  # between two fits, or after the last
                raise Interrupted(NOTHING_CHANGED, signal.SIGINT) from None
        except BaseException as error:
            if not group.has_begun(record) and not opened.resumed:
                group.discard()
                raise
            with suppress(StorageError):  # what went wrong first is what is said
                group.write(
                    record._replace(status="interrupted" if isinstance(error, Interrupted) else "failed")
                )
            if not isinstance(error, BptrainError):
                raise
            standing = f"{len(group.results(record))} of {len(record.runs)} runs are finished"
            standing += f"; to continue, add --resume {group.path}"
            if isinstance(error, Interrupted):
                raise Interrupted(f"stopped and saved; {standing}", error.signal_number) from None
            *others, last = error.problems
            error.reworded([*others, last._replace(message=f"{last.message} ({standing})")])
            raise
