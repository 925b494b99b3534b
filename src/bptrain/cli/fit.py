"""`bptrain fit`: train a network."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from bptrain.cli.command import Plugin, Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("fit", "Train a network from a YAML file.", plugins=True)
def fit_command(
    screen: "Screen",
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)],
    set_: Set = None,
    out: Annotated[
        Path | None, typer.Option(help="The run directory (default: runs/<config>/<number>).")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="auto|RUN", help="Continue a run; auto: the newest unfinished run of this config."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check config and data without training.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in --out.")] = False,
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="K", help="Cross-validate: train K times, each with another K-th of the rows as test set."
        ),
    ] = None,
    repeat: Annotated[
        int | None, typer.Option(metavar="R", help="Make the folds R times, with other seeds.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Train with N seeds, and print mean and standard deviation."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="J",
            help="Processes that train at a time, of folds, seeds or members (default: one per CPU).",
        ),
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Directory that relative paths of data start from; with --resume, where data that has moved is found.",
        ),
    ] = None,
    plugin: Plugin = None,
) -> None:
    """Train a network from a YAML file.

    The last line on stdout is the path of the run; progress goes to stderr.

    \b
    Examples:
      bptrain fit configs/iris.yaml
      bptrain fit my.yaml --set training.epochs=20 --out runs/try
      bptrain fit my.yaml --resume auto
      bptrain fit my.yaml --folds 10
    """
    from bptrain.config import is_of_ensemble

    overrides = set_ or []
    options = WhichFits(folds, repeat, seeds, jobs, out, resume, overwrite)
    chosen = options.checked(dry_run, several=is_of_ensemble(config, overrides))
    if data_root is not None:
        overrides = [*overrides, f"data.root={json.dumps(str(data_root.absolute()))}"]
    if dry_run:
        try_out(screen, config, overrides)
    elif chosen.seeds is not None:
        fit_with_seeds(screen, config, overrides, chosen)
    elif chosen.folds is not None:
        cross_validate(screen, config, overrides, chosen)
    elif chosen.several:
        fit_members(screen, config, overrides, chosen, plugin or [])
    else:
        fit_one(screen, config, overrides, out, resume, overwrite, plugin or [])


class WhichFits(NamedTuple):
    """The options that say which fits are made."""

    folds: int | None = None
    repeat: int | None = None
    seeds: int | None = None
    jobs: int | None = None
    out: Path | None = None
    resume: str | None = None
    overwrite: bool = False
    several: bool = False  # whether the config is of an ensemble

    def checked(self, dry_run: bool, several: bool) -> "WhichFits":
        """The same; how many folds or seeds there are is taken from a group that is resumed. Raises UsageError."""
        from bptrain.errors import UsageError

        if self.folds is not None and self.seeds is not None:
            raise UsageError(
                "--folds and --seeds exclude each other: --repeat makes the folds with other seeds"
            )
        if self.resume is not None and self.overwrite:
            raise UsageError("--resume continues what is there: leave out --overwrite")
        if self.resume not in (None, "auto") and self.out is not None:
            raise UsageError(
                f"--resume {self.resume} continues that run: leave out --out, or give --resume auto"
            )
        if dry_run and self != WhichFits():
            raise UsageError("--dry-run makes no run: leave out all options but --set and --plugin")
        if self.overwrite and self.out is None:
            raise UsageError("--overwrite needs --out DIR: without it every run has a new directory")
        chosen = self._with_those_of_a_group()._replace(several=several)
        if chosen.repeat is not None and chosen.folds is None:
            raise UsageError(
                "--repeat needs --folds, which it makes again with other seeds; --seeds N repeats a fit"
            )
        if chosen.jobs is not None and chosen.folds is None and chosen.seeds is None and not several:
            raise UsageError("--jobs needs --folds, --seeds or an ensemble: one fit is made in one process")
        return chosen

    def _with_those_of_a_group(self) -> "WhichFits":
        """With folds or seeds as in the group that is resumed by its name; they need not be given again."""
        if self.resume in (None, "auto") or self.folds is not None or self.seeds is not None:
            return self
        from bptrain.store.run_group import RunGroup
        from bptrain.store.run_places import GROUP

        if not Path(str(self.resume), GROUP).is_file():
            return self
        record = RunGroup(Path(str(self.resume))).read()
        if record.kind == "ensemble":
            return self
        if record.kind == "seeds":
            return self._replace(seeds=record.size)
        return self._replace(folds=record.size, repeat=record.repeat if self.repeat is None else self.repeat)


def fit_one(
    screen: "Screen",
    config: Path,
    overrides: list[str],
    out: Path | None,
    resume: str | None,
    overwrite: bool,
    plugins: list[str],
) -> None:
    """One run, from its events to its table."""
    from bptrain.commands.fit.fit import fit_events
    from bptrain.commands.fit.follow import run_to_end
    from bptrain.console.fit import FitView, show_fit
    from bptrain.store.run_group import refuse_an_ensemble

    refuse_an_ensemble(resume)
    with FitView(screen) as view:
        done = run_to_end(fit_events(config, overrides, out, resume, overwrite), view.show)
    show_fit(screen, done)
    screen.result(done.result["run"], whole=True)
    screen.record(done.result)
    with_plugins = "".join(f" --plugin {shlex.quote(file)}" for file in plugins)
    screen.note(f"next: bptrain eval {done.result['run']}{with_plugins}", whole=True)


def fit_with_seeds(screen: "Screen", config: Path, overrides: list[str], chosen: WhichFits) -> None:
    """Several runs with other seeds, and their summary."""
    from bptrain.console.many_fits import ManyFitsView, show_means
    from bptrain.experiments.seeds import fit_seeds

    with ManyFitsView(screen, "seed") as view:
        summary = fit_seeds(
            config,
            overrides,
            chosen.seeds or 0,
            jobs=chosen.jobs,
            out=chosen.out,
            resume=chosen.resume,
            overwrite=chosen.overwrite,
            each_epoch=screen.verbose,
            show=view.show,
        )
    show_means(screen, summary, f"{len(summary.runs)} seeds")
    for run in summary.runs:
        screen.result(run["run"], whole=True)
    screen.record(summary.record())


def cross_validate(screen: "Screen", config: Path, overrides: list[str], chosen: WhichFits) -> None:
    """The runs of all folds, and their summary."""
    from bptrain.console.many_fits import ManyFitsView, show_means
    from bptrain.experiments.folds import fit_folds

    folds, repeat = chosen.folds or 0, chosen.repeat or 1
    with ManyFitsView(screen, "fold") as view:
        done = fit_folds(
            config,
            overrides,
            folds,
            1 if chosen.repeat is None else chosen.repeat,
            jobs=chosen.jobs,
            out=chosen.out,
            resume=chosen.resume,
            overwrite=chosen.overwrite,
            each_epoch=screen.verbose,
            show=view.show,
        )
    times = f", {repeat} times" if repeat > 1 else ""
    show_means(screen, done.summary, f"{folds} folds{times}")
    screen.note(f"each row by the model that has not seen it: {done.group.out_of_fold}", whole=True)
    screen.result(str(done.group.path), whole=True)
    screen.record(done.record())
    screen.note(f"next: bptrain runs {done.group.path}", whole=True)


def fit_members(
    screen: "Screen", config: Path, overrides: list[str], chosen: WhichFits, plugins: list[str]
) -> None:
    """The members of an ensemble, and what they come to together."""
    from bptrain.console.ensemble import show_ensemble
    from bptrain.console.many_fits import ManyFitsView
    from bptrain.experiments.ensembles import fit_ensemble

    with ManyFitsView(screen, "member") as view:
        done = fit_ensemble(
            config,
            overrides,
            jobs=chosen.jobs,
            out=chosen.out,
            resume=chosen.resume,
            overwrite=chosen.overwrite,
            each_epoch=screen.verbose,
            show=view.show,
        )
    show_ensemble(screen, done)
    screen.result(done.result["run"], whole=True)
    screen.record(done.record())
    with_plugins = "".join(f" --plugin {shlex.quote(file)}" for file in plugins)
    screen.note(f"next: bptrain eval {done.result['run']}{with_plugins}", whole=True)


def try_out(screen: "Screen", config: Path, overrides: list[str]) -> None:
    """Everything that a fit does before its first update."""
    from bptrain.commands.validate.validate import validating
    from bptrain.console.validate import show_steps, show_validation

    done = show_steps(screen, validating(config, overrides))
    show_validation(screen, done)
    screen.record({"dry_run": True, **done.record()})
