"""`bptrain ensemble`: one model of several finished runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import DataRoot, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("ensemble", "Make one model of several finished runs.", plugins=True)
def ensemble_command(
    screen: "Screen",
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Finished runs.", show_default=False)],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The directory of the ensemble.", show_default=False)
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the ensemble in --out.")] = False,
    data_root: DataRoot = None,
) -> None:
    """Make one model of several finished runs: it answers with the mean of what they say.

    The runs must have the same columns, targets and labels. They are copied to DIR/members. To train an ensemble,
    write `ensemble: {members: 8}` in a config and use `bptrain fit`.

    \b
    Examples:
      bptrain ensemble runs/iris/001 runs/iris/002 --out runs/both
      bptrain ensemble runs/iris/00* --out runs/all --json
    """
    from bptrain.commands.ensemble.finished_runs import ensemble_of_runs
    from bptrain.console.ensemble import show_ensemble

    made = ensemble_of_runs(runs, out, overwrite, data_root)
    screen.warn_all(made.warnings)
    show_ensemble(screen, made)
    screen.result(made.result["run"], whole=True)
    screen.record(made.record())
    screen.note(f"next: bptrain eval {made.result['run']}", whole=True)
