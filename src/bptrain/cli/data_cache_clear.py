"""`bptrain data cache clear`: delete converted data."""

from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import command
from bptrain.cli.data_cache_list import Cache

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("data cache clear", "Delete converted data.")
def data_cache_clear_command(
    screen: "Screen",
    entries: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENTRY]...",
            help="The beginning of an entry's name, or its data file.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All converted data.")] = False,
    unused: Annotated[
        float | None, typer.Option(metavar="DAYS", min=0.0, help="What was not used for so many days.")
    ] = None,
    cache: Cache = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")
    ] = False,
) -> None:
    """Delete data that was converted for configs with data.memory. A fit that needs it again converts it again.

    A fit that is running goes on with the data that it uses. What is being converted stays, and so does an entry in
    which there is anything that is not bptrain's.

    \b
    Examples:
      bptrain data cache clear 3f2a91c0
      bptrain data cache clear data/flights.csv
      bptrain data cache clear --unused 30 --dry-run
      bptrain data cache clear --all
    """
    from bptrain.commands.data_cache_clear import CacheClearing, clear_cache
    from bptrain.console.data_cache_clear import show_cleared, show_clearing

    for event in clear_cache(entries or (), everything, unused, cache, dry_run):
        if isinstance(event, CacheClearing):
            show_clearing(screen, event)
            screen.record(event.record())
        else:
            show_cleared(screen, event, dry_run)
