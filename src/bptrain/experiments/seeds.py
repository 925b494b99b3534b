"""The same config with several seeds, and the mean of its results."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bptrain.build.setup import NOTHING, load_given
from bptrain.data.memory import InMemory
from bptrain.errors import Interrupted, UsageError
from bptrain.experiments.ensembles import refuse_ensemble
from bptrain.experiments.groups import (
    GroupSummary,
    Member,
    finish,
    fit_members,
    kept,
    open_group,
    with_one_thread,
)
from bptrain.experiments.many import SharedByFits, settled_jobs
from bptrain.experiments.news import News
from bptrain.experiments.planned import Overrides, changed
from bptrain.store.run_directory import RunDirectory, numbered


def fit_seeds(
    config: Path | Mapping[str, Any],
    overrides: Overrides,
    seeds: int,
    *,
    jobs: int | None = None,
    out: Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
    given: Mapping[str, InMemory] = NOTHING,
    each_epoch: bool = False,
    show: Callable[[News], None] = lambda news: None,
) -> GroupSummary:
    """Fits seed, seed + 1, …: runs of their own, or with `out` a group in that directory, which can be resumed.

    Raises UsageError, and the errors of the fits.
    """
    if seeds < 2:
        raise UsageError(f"--seeds {seeds}: give 2 or more, since one seed has no standard deviation")
    if resume == "auto" and out is None:
        raise UsageError("--resume auto beside --seeds goes on with a directory of runs: name it with --out")
    loaded = load_given(config, overrides, given)
    refuse_ensemble(loaded, "--seeds")
    shared = SharedByFits(config, given, loaded.config.training.threads or 1, each_epoch)
    jobs = settled_jobs(shared, jobs)
    members = [
        Member(f"seed-{seed}", f"seed {seed}", {"seed": seed}, {**with_one_thread(loaded), "seed": seed})
        for seed in range(loaded.config.seed, loaded.config.seed + seeds)
    ]
    if out is None and resume is None:
        with reserved(loaded.path.stem, seeds) as places:
            return fit_members(shared, overrides, members, places, jobs, show)
    first = load_given(config, changed(overrides, members[0].changes), given)
    opened = open_group("seeds", seeds, 1, members, first, out, resume, overwrite, given)
    with kept(opened):
        summary = fit_members(shared, overrides, members, opened, jobs, show)
        finish(opened, summary)
    return summary


@contextmanager
def reserved(name: str, count: int) -> Iterator[list[Path]]:
    """Numbered run directories for some fits, in their order whichever begins first; unused ones go at the end."""
    places = [numbered(name) for _ in range(count)]
    try:
        yield places
    except Interrupted as error:
        begun = [str(place) for place in places if RunDirectory(place).record.exists()]
        if not begun:
            raise
        message = (
            f"stopped and saved; the runs are {', '.join(begun)}; one that is not finished goes on with "
        )
        message += "bptrain fit RUN/config.yaml --resume RUN"
        raise Interrupted(message, error.signal_number) from None
    finally:
        for place in places:
            with suppress(OSError):  # a run has begun there
                place.rmdir()
