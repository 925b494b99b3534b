"""`bptrain data inspect`: what a data file holds, as YAML for a config."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

data_app = typer.Typer(rich_markup_mode=None)


@data_app.callback()
def callback() -> None:
    """Look at data files, and compare new ones with training data.

    \b
    Examples:
      bptrain data inspect titanic.csv
      bptrain data compare runs/titanic/001 new.csv
    """


@command("data inspect", "Show the columns of a data file as a config has them.")
def data_inspect_command(
    screen: "Screen",
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The data file.", show_default=False)],
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Target column; repeatable. For a file with one array, such as npy: the file of the targets.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="How the file is written, such as data.header=false. Repeatable.",
        ),
    ] = None,
) -> None:
    """Show each column of a data file as training would take it: kind, range or levels, missing cells, why left out.

    The output is the section `data` of a config, with the facts in comments. Nothing is written.

    \b
    Examples:
      bptrain data inspect titanic.csv
      bptrain data inspect titanic.csv --target Survived --json
    """
    from bptrain.commands.data_inspect import inspect_data
    from bptrain.console.data_inspect import show_data

    found = inspect_data(file, target or [], set_ or [])
    show_data(screen, found)
    screen.record(found.record())
