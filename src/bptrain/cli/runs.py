"""`bptrain runs`: what has been trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("runs", "List the runs in a directory.")
def runs_command(
    screen: "Screen",
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to search (default: runs/).", show_default=False)
    ] = Path("runs"),
    sort: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="started, run, state, epochs, loss, seconds or a metric; best or newest first.",
        ),
    ] = "started",
) -> None:
    """List the runs in a directory, with their main results.

    Loss and metric are those of the best weights, on the validation rows if there are any.

    \b
    Examples:
      bptrain runs
      bptrain runs runs/iris --sort accuracy
      bptrain runs --sort loss --json
    """
    from bptrain.commands.runs import list_runs
    from bptrain.console.runs import show_runs

    rows = list_runs(directory, sort)
    if rows:
        show_runs(screen, rows)
    else:
        screen.note(f"no runs in {directory}: train one with `bptrain fit CONFIG`")
    screen.record({"directory": str(directory), "runs": [row.record() for row in rows]})
