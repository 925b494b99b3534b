"""Cross-validation: every fold is the test set of one fit, and each row is predicted by the model that has not seen it.

The folds are data.split.fold and data.split.folds of ordinary runs (data/folding.py).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.setup import NOTHING, load_given
from bptrain.commands.predict.prediction_columns import OutColumn
from bptrain.config import Loaded
from bptrain.data.memory import InMemory
from bptrain.errors import BptrainError, UsageError
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
from bptrain.experiments.out_of_fold import out_of_fold, write_out_of_fold
from bptrain.experiments.planned import Overrides, changed
from bptrain.store.run_group import RunGroup

FOLDS, FOLD = "data.split.folds", "data.split.fold"


class FoldsSummary(NamedTuple):
    """A finished cross-validation."""

    group: RunGroup
    summary: GroupSummary
    columns: list[OutColumn]  # of out_of_fold.csv

    def record(self) -> dict[str, Any]:
        """The fields of the JSON of `fit --folds`."""
        record = {"directory": str(self.group.path), **self.summary.record()}
        return {**record, "out_of_fold": str(self.group.out_of_fold)}


@contextmanager
def said_of_the_option() -> Iterator[None]:
    """What is wrong with the keys that `--folds` sets is said of that option."""
    try:
        yield
    except BptrainError as error:
        error.reworded(
            problem._replace(path="", file="--folds", line=None, column=None, source=None)
            if problem.path in (FOLDS, FOLD)
            else problem
            for problem in error.problems
        )
        raise


@said_of_the_option()
def fit_folds(
    config: Path | Mapping[str, Any],
    overrides: Overrides,
    folds: int,
    repeat: int = 1,
    *,
    jobs: int | None = None,
    out: Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
    given: Mapping[str, InMemory] = NOTHING,
    each_epoch: bool = False,
    show: Callable[[News], None] = lambda news: None,
) -> FoldsSummary:
    """Fits each fold, `repeat` times with other seeds, in one directory, and writes out_of_fold.csv there.

    Raises UsageError, and the errors of the fits.
    """
    if folds < 2:
        raise UsageError(f"--folds {folds}: give 2 or more, since a fold is tested by a model of the others")
    if repeat < 1:
        raise UsageError(f"--repeat {repeat}: give 1 or more")
    loaded = load_given(config, changed(overrides, {FOLDS: folds, FOLD: 1}), given)
    refuse_ensemble(loaded, "--folds")
    members = members_of_folds(folds, repeat, loaded)
    first = load_given(config, changed(overrides, members[0].changes), given)
    shared = SharedByFits(config, given, loaded.config.training.threads or 1, each_epoch)
    jobs = settled_jobs(shared, jobs)
    opened = open_group("folds", folds, repeat, members, first, out, resume, overwrite, given)
    with kept(opened):
        summary = fit_members(shared, overrides, members, opened, jobs, show)
        root = loaded.absolute().data.root if resume is not None else None
        columns = out_of_fold(opened.group, members, given, None if root is None else Path(root))
        write_out_of_fold(opened.group, columns)
        finish(opened, summary)
    return FoldsSummary(opened.group, summary, columns)


def members_of_folds(folds: int, repeat: int, loaded: Loaded) -> list[Member]:
    """The fits of a cross-validation; repeat r has the config's seeds plus r − 1, and so other folds and weights."""
    found = []
    seed, split_seed = loaded.config.seed, loaded.config.data.split.seed
    for r in range(1, repeat + 1):
        seeds = {"seed": seed + r - 1} if r > 1 else {}
        if r > 1 and split_seed is not None:
            seeds["data.split.seed"] = split_seed + r - 1
        for k in range(1, folds + 1):
            changes = {**with_one_thread(loaded), **seeds, FOLDS: folds, FOLD: k}
            if repeat == 1:
                found.append(Member(f"fold-{k}", f"fold {k}", {"fold": k}, changes))
            else:
                directory, name = f"repeat-{r}/fold-{k}", f"repeat {r}, fold {k}"
                found.append(Member(directory, name, {"repeat": r, "fold": k}, changes))
    return found
