"""The Python API, with the same validation and the same events as the command line."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.check_backward.grade import Grade
from bptrain.commands.check_backward.grade_file import check_backward
from bptrain.commands.fit.fit import fit_events
from bptrain.commands.fit.follow import run_to_end
from bptrain.commands.gradcheck.run import ROWS, GradcheckOptions, GradcheckResult, check
from bptrain.commands.gradcheck.selftest import CombinationCheck, check_parts
from bptrain.config import is_of_ensemble
from bptrain.data.memory import sources_in_memory
from bptrain.drain import drain
from bptrain.engine_names import EngineToCheck
from bptrain.errors import UsageError, printable
from bptrain.gradient_check.numeric_gradient import RequestedMethod, Settings
from bptrain.gradient_check.verdicts import KinkPolicy
from bptrain.model.ensemble import Ensemble
from bptrain.model.load import load_model
from bptrain.model.model import Model
from bptrain.model.trained_model import TrainedModel
from bptrain.parts.types import Array
from bptrain.plugins.loading import plugged_in

__all__ = [
    "CrossValidation", "Ensemble", "GradcheckResult", "Grade", "Model", "Run", "SeededRuns",
    "check_backward", "cross_validate", "ensemble", "fit", "gradcheck", "load", "seeds",
]  # fmt: skip

Plugins = Iterable[str | Path]


class Run(NamedTuple):
    """A finished fit."""

    path: Path
    result: dict[str, Any]  # the fields of `bptrain fit --json`


def fit(
    config: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
    plugins: Plugins = (),
    *,
    data: Any = None,
    validation: Any = None,
    test: Any = None,
    jobs: int | None = None,
) -> Run:
    """Trains a config: a file, or a dict of its sections, whose runs are runs/model/001 and so on.

    overrides           values by dotted key, such as {"training.epochs": 20}
    plugins             files with your own parts
    data                rows to train on in place of `data.train`: (X, y), whose columns are x1 … xn and y, or those of
                        the frame X; or a dict of columns, or a frame of pandas, polars or Arrow, of which `data.target`
                        names the target
    validation, test    the same in place of `data.validation` and `data.test`
    jobs                of a config with `ensemble`: that of `cross_validate`; the result has `members` and `best`

    To resume a run that was trained on arrays, give the same arrays. Raises the errors of
    `bptrain.errors`; Interrupted, after saving, on Ctrl-C.
    """
    with plugged_in(plugins):
        config = config if isinstance(config, Mapping) else Path(config)
        out = Path(out) if out else None
        given = sources_in_memory(data=data, validation=validation, test=test)
        if is_of_ensemble(config, overrides or {}):
            from bptrain.experiments.ensembles import fit_ensemble

            made = fit_ensemble(
                config, overrides or {}, jobs=jobs, out=out, resume=resume, overwrite=overwrite, given=given
            )
            return Run(Path(made.result["run"]), made.result)
        if jobs is not None:
            raise UsageError("jobs is of an ensemble: one fit is made in one process")
        events = fit_events(config, overrides or {}, out, resume, overwrite, given)
        del given
        done = run_to_end(events, lambda event: None)
    return Run(Path(done.result["run"]), done.result)


def ensemble(
    runs: Sequence[str | Path],
    out: str | Path,
    overwrite: bool = False,
    plugins: Plugins = (),
    *,
    data_root: str | Path | None = None,
) -> Run:
    """One model of finished runs, in the directory `out`, as `bptrain ensemble`: it answers with their mean.

    The runs have the same columns, targets and labels, and are copied. The result has `members` and `best`; to train
    an ensemble, `fit` takes a config with `ensemble`. Raises the errors of `bptrain.errors`.
    """
    from bptrain.commands.ensemble.finished_runs import ensemble_of_runs

    with plugged_in(plugins):
        root = None if data_root is None else Path(data_root)
        made = ensemble_of_runs([Path(run) for run in runs], Path(out), overwrite, root)
    return Run(Path(made.result["run"]), made.result)


class CrossValidation(NamedTuple):
    """A finished cross-validation."""

    path: Path  # the directory of its runs, with out_of_fold.csv
    runs: tuple[Run, ...]  # the result of each has `fold`, and `repeat` where there are several
    mean: dict[str, dict[str, Any]]  # split -> metric -> mean over the runs, of their best models
    sd: dict[str, dict[str, Any]]  # likewise the standard deviation, dividing by N − 1
    out_of_fold: dict[str, Array]  # the columns of out_of_fold.csv, by name


class SeededRuns(NamedTuple):
    """Finished fits of one config with several seeds."""

    runs: tuple[Run, ...]  # the result of each has `seed`
    mean: dict[str, dict[str, Any]]  # split -> metric -> mean over the runs, of their best models
    sd: dict[str, dict[str, Any]]  # likewise the standard deviation, dividing by N − 1


def cross_validate(
    config: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    folds: int = 5,
    repeat: int = 1,
    jobs: int | None = None,
    out: str | Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
    plugins: Plugins = (),
    data: Any = None,
    validation: Any = None,
) -> CrossValidation:
    """Trains `folds` times, each time with another part of the rows as test set, as `bptrain fit --folds`.

    repeat    how often: the seeds of the r-th time are those of the config plus r − 1
    jobs      processes that train at a time; by default as many as there are processors for, and 1 for rows, or parts
              registered by this script, that are in this process alone. Each fit has one thread, unless
              training.threads says otherwise, and the same bits whatever `jobs` is
    resume    "auto", or the directory of a cross-validation that was not finished

    The other arguments are those of `fit`. Raises the errors of `bptrain.errors`; Interrupted, after saving, on Ctrl-C.
    """
    from bptrain.experiments.folds import fit_folds
    from bptrain.experiments.out_of_fold import as_arrays

    with plugged_in(plugins):
        done = fit_folds(
            config if isinstance(config, Mapping) else Path(config),
            overrides or {},
            folds,
            repeat,
            jobs=jobs,
            out=Path(out) if out else None,
            resume=resume,
            overwrite=overwrite,
            given=sources_in_memory(data=data, validation=validation, test=None),
        )
    summary = done.summary
    return CrossValidation(
        done.group.path, runs_of(summary.runs), summary.mean, summary.sd, as_arrays(done.columns)
    )


def seeds(
    config: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    seeds: int = 5,
    jobs: int | None = None,
    out: str | Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
    plugins: Plugins = (),
    data: Any = None,
    validation: Any = None,
    test: Any = None,
) -> SeededRuns:
    """Trains with the config's seed, that plus 1, … as `bptrain fit --seeds`: `seeds` runs.

    They are runs of their own, or in the directory `out`, which `resume` goes on with. `jobs` is that of
    `cross_validate`; the other arguments are those of `fit`. Raises the errors of `bptrain.errors`.
    """
    from bptrain.experiments.seeds import fit_seeds

    with plugged_in(plugins):
        summary = fit_seeds(
            config if isinstance(config, Mapping) else Path(config),
            overrides or {},
            seeds,
            jobs=jobs,
            out=Path(out) if out else None,
            resume=resume,
            overwrite=overwrite,
            given=sources_in_memory(data=data, validation=validation, test=test),
        )
    return SeededRuns(runs_of(summary.runs), summary.mean, summary.sd)


def runs_of(results: Iterable[dict[str, Any]]) -> tuple[Run, ...]:
    """Finished fits by the fields of their JSON."""
    return tuple(Run(Path(result["run"]), result) for result in results)


def load(path: str | Path, plugins: Plugins = ()) -> Any:
    """The model of a run (its best weights) or of any checkpoint file, with the plug-ins that it was trained with.

    It is a Model, one network, or an Ensemble of several, which answers likewise.

    Raises CheckpointError, for a plug-in that is missing too; warns of one that has changed.
    """
    with plugged_in(plugins):
        model = load_model(path)
    for name, message in model.warnings:
        warnings.warn(printable(f"{message} [{name}]", spaces=True), stacklevel=2)
    return model


def gradcheck(
    subject: str | Path | TrainedModel | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    method: RequestedMethod = "auto",
    engine: EngineToCheck | None = None,
    rows: int = ROWS,
    params: Sequence[str] = ("*",),
    inputs: bool = False,
    kinks: KinkPolicy = "interval",
    fail_fast: bool = False,
    plugins: Plugins = (),
    data_root: str | Path | None = None,
) -> GradcheckResult | list[CombinationCheck]:
    """Checks the gradient of a config file, a run, a checkpoint or a loaded model; without one, of every part.

    method     auto, complex_step (entry by entry), directions (random ones, by the complex step), central
    engine     an engine's name such as numpy or numba, or all; by default the config's or run's, otherwise numpy
    rows       how many of the training rows
    params     patterns of parameters, such as layers.1.*
    inputs     also check the gradient with respect to the inputs, ∂E/∂x_0
    kinks      interval: at a kink anything between the gradients of both sides is right; skip: rows at a kink
               are left out; fail: they are a mismatch
    plugins    files with your own parts
    data_root  the directory where the data of a run lies now, if it has moved

    Raises the errors of `bptrain.errors`.
    """
    settings = Settings(method=method, kinks=kinks, params=tuple(params), inputs=inputs, fail_fast=fail_fast)
    with plugged_in(plugins):
        if subject is None:
            return list(check_parts(settings))
        if isinstance(subject, Ensemble):
            place = subject.stored.path.parent / "members" / "001"
            raise UsageError(
                f"gradcheck is of one network, and this is an ensemble: load a member, such as {place}"
            )
        of = subject if isinstance(subject, Model) else Path(str(subject))
        root = None if data_root is None else Path(data_root)
        checked = drain(check(of, overrides or {}, GradcheckOptions(settings, engine, rows, root)))
    for name, message in checked.warnings:
        warnings.warn(printable(f"{message} [{name}]", spaces=True), stacklevel=2)
    return checked
