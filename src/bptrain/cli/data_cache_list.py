"""`bptrain data cache list`: the converted data that is kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

cache_app = typer.Typer(rich_markup_mode=None)

Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="The directory that data.cache names; default: the user's cache directory.",
    ),
]


@cache_app.callback()
def callback() -> None:
    """List and delete the data that was converted for configs with data.memory.

    \b
    Examples:
      bptrain data cache list
      bptrain data cache clear --unused 30
    """


@command("data cache list", "List the converted data that is kept.")
def data_cache_list_command(screen: "Screen", cache: Cache = None) -> None:
    """List the data that was converted for configs with data.memory: of what, how large, used when.

    \b
    Examples:
      bptrain data cache list
      bptrain data cache list --cache /scratch/me --json
    """
    from bptrain.commands.data_cache_list import list_cache
    from bptrain.console.data_cache_list import show_cache

    found = list_cache(cache)
    show_cache(screen, found)
    screen.record(found.record())
