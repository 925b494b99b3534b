"""`bptrain fit`: train a network."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Train with N seeds, and print mean and standard deviation."),
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
    """
    from bptrain.errors import UsageError

    if resume is not None and (overwrite or seeds is not None):
        raise UsageError("--resume continues one run: leave out --overwrite and --seeds")
    if resume not in (None, "auto") and out is not None:
        raise UsageError(f"--resume {resume} continues that run: leave out --out, or give --resume auto")
    if dry_run and (seeds is not None or out is not None or resume is not None):
        raise UsageError("--dry-run makes no run: leave out --seeds, --out and --resume")
    if overwrite and out is None:
        raise UsageError("--overwrite needs --out DIR: without it every run has a new directory")
    overrides = set_ or []
    if data_root is not None:
        overrides = [*overrides, f"data.root={json.dumps(str(data_root.absolute()))}"]
    if dry_run:
        try_out(screen, config, overrides)
    elif seeds is not None:
        fit_seeds(screen, config, overrides, seeds, out, overwrite)
    else:
        fit_one(screen, config, overrides, out, resume, overwrite, plugin or [])


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

    with FitView(screen) as view:
        done = run_to_end(fit_events(config, overrides, out, resume, overwrite), view.show)
    show_fit(screen, done)
    screen.result(done.result["run"], whole=True)
    screen.record(done.result)
    with_plugins = "".join(f" --plugin {shlex.quote(file)}" for file in plugins)
    screen.note(f"next: bptrain eval {done.result['run']}{with_plugins}", whole=True)


def fit_seeds(
    screen: "Screen", config: Path, overrides: list[str], seeds: int, out: Path | None, overwrite: bool
) -> None:
    """Several runs and their summary."""
    from bptrain.commands.fit.follow import run_to_end
    from bptrain.console.fit import FitView, show_seeds
    from bptrain.experiments.seeds import seeded_fits, summarize_seeds

    results = []
    for seed, events in seeded_fits(config, overrides, seeds, out, overwrite):
        screen.note(f"seed {seed}")
        with FitView(screen) as view:
            results.append((seed, run_to_end(events, view.show).result))
    summary = summarize_seeds(results)
    show_seeds(screen, summary)
    for _, result in results:
        screen.result(result["run"], whole=True)
    screen.record(summary.record())


def try_out(screen: "Screen", config: Path, overrides: list[str]) -> None:
    """Everything that a fit does before its first update."""
    from bptrain.commands.validate.validate import validating
    from bptrain.console.validate import show_steps, show_validation

    done = show_steps(screen, validating(config, overrides))
    show_validation(screen, done)
    screen.record({"dry_run": True, **done.record()})
