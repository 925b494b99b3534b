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
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Only runs with this setting or result; also !=, <, <=, >, >=. Repeatable.",
        ),
    ] = None,
) -> None:
    """List the runs in a directory, with their main results.

    Loss and metric are those of the best weights, on the validation rows if there are any. Beside them stand the
    settings in which the runs differ. Old runs are deleted by `bptrain runs prune`.

    \b
    Examples:
      bptrain runs
      bptrain runs runs/iris --sort accuracy
      bptrain runs --where optimizer.name=adam --where 'loss<0.1'
      bptrain runs --sort loss --json
    """
    from bptrain.commands.runs.runs import list_runs
    from bptrain.console.runs import show_runs

    found = list_runs(directory, sort, where or [])
    if found.rows:
        show_runs(screen, found)
    elif where:
        screen.note(f"no runs in {directory} with {' and '.join(where)}")
    else:
        screen.note(f"no runs in {directory}: train one with `bptrain fit CONFIG`")
    if screen.json:  # which of many runs takes a while
        screen.record(found.record())
