"""Training an ensemble: its members, side by side, and what they come to together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bptrain.build.setup import NOTHING, load_given
from bptrain.commands.ensemble.assembly import EnsembleSummary, assemble, write_ensemble
from bptrain.config import Loaded, as_member
from bptrain.config.ensemble import member_changes
from bptrain.config.resolved import dump_yaml, to_plain
from bptrain.data.memory import InMemory
from bptrain.errors import BptrainError, Problem, UsageError
from bptrain.experiments.groups import Member, finish, fit_members, kept, open_group, with_one_thread
from bptrain.experiments.many import SharedByFits, settled_jobs
from bptrain.experiments.news import News
from bptrain.experiments.planned import Overrides
from bptrain.store.run_directory import RunDirectory
from bptrain.store.run_group import member_directory


def fit_ensemble(
    config: Path | Mapping[str, Any],
    overrides: Overrides,
    *,
    jobs: int | None = None,
    out: Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
    given: Mapping[str, InMemory] = NOTHING,
    each_epoch: bool = False,
    show: Callable[[News], None] = lambda news: None,
) -> EnsembleSummary:
    """Fits the members of a config with `ensemble`, in DIR/members/001 …, and makes DIR/best.safetensors of them.

    Raises UsageError, and the errors of the fits.
    """
    loaded = load_given(config, overrides, given)
    shared = SharedByFits(config, given, loaded.config.training.threads or 1, each_epoch)
    jobs = settled_jobs(shared, jobs)
    members = members_of(loaded)
    first = as_member(loaded)
    with said_of_members(loaded):
        opened = open_group(
            "ensemble", len(members), 1, members, first, out, resume, overwrite, given, whole=loaded
        )
    group = opened.group
    with said_of_members(loaded), kept(opened):
        RunDirectory(group.path).write_config(dump_yaml(to_plain(loaded.absolute())))
        summary = fit_members(shared, overrides, members, opened, jobs, show)
        root = loaded.absolute().data.root if resume is not None else None
        places = [group.path / member.directory for member in members]
        results = [{key: run[key] for key in run if key != "member"} for run in summary.runs]
        root_now = None if root is None else Path(root)
        made = assemble(group.path, places, given, root_now)
        done = write_ensemble(group.path, made, results, opened.record.started)
        finish(opened, summary)
    return done


@contextmanager
def said_of_members(loaded: Loaded) -> Iterator[None]:
    """What is wrong with the number of folds, which no one has written, is said of that of the members."""
    try:
        yield
    except BptrainError as error:
        path = "ensemble.members"
        error.reworded(
            problem._replace(path=path, **loaded.locate(path)._asdict())
            if problem.path == "data.split.validation_folds"
            else problem
            for problem in error.problems
        )
        raise


def members_of(loaded: Loaded) -> list[Member]:
    """The fits of an ensemble."""
    assert loaded.config.ensemble is not None
    return [
        Member(
            member_directory(k),
            f"member {k}",
            {"member": k},
            {**with_one_thread(loaded), **member_changes(loaded.config, k)},
        )
        for k in range(1, loaded.config.ensemble.members + 1)
    ]


def refuse_ensemble(loaded: Loaded, option: str) -> None:
    """Raises UsageError where each of the fits that an option makes would be an ensemble."""
    if loaded.config.ensemble is not None:
        with loaded.locating():
            message = f"trains several networks, and {option} trains one at a time: leave one of the two out"
            raise UsageError(Problem("contradiction", message, path="ensemble"))
