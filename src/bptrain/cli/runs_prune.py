"""`bptrain runs prune`: delete old runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

runs_app = typer.Typer(rich_markup_mode=None)


@runs_app.callback()
def callback() -> None:
    """List runs, and delete old ones.

    \b
    Examples:
      bptrain runs
      bptrain runs prune --keep 30
    """


@command("runs prune", "Delete old runs, but never the best.")
def runs_prune_command(
    screen: "Screen",
    keep: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many of the newest runs stay.", show_default=False)
    ],
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to search (default: runs/).", show_default=False)
    ] = Path("runs"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")
    ] = False,
) -> None:
    """Delete all runs in a directory but the newest N.

    The best run of each config stays, whatever its age, and so do runs in use, damaged ones, those behind links, and
    those in which there is anything that is not bptrain's. Nothing is asked: try --dry-run first.

    \b
    Examples:
      bptrain runs prune --keep 30 --dry-run
      bptrain runs prune runs/iris --keep 10
    """
    from bptrain.commands.runs_prune import Pruning, prune
    from bptrain.console.runs_prune import show_pruned, show_pruning

    for event in prune(directory, keep, dry_run):
        if isinstance(event, Pruning):
            show_pruning(screen, event)
            screen.record(event.record())
        else:
            show_pruned(screen, event, dry_run)
