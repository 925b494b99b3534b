"""`bptrain list`: every part that a config can use."""

from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("list", "List the parts that a config can use.", plugins=True)
def list_command(
    screen: "Screen",
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="activations, losses, optimizers, schedules, initializers, metrics or scalers (default: all).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List the parts that a config can use, each with its formula and options.

    \b
    Examples:
      bptrain list
      bptrain list activations
      bptrain list optimizers --json
    """
    from bptrain.commands.list import list_parts
    from bptrain.console.list import show_parts_list

    kinds = list_parts(kind)
    show_parts_list(screen, kinds)
    screen.record({name: [part.record() for part in parts] for name, parts in kinds.items()})
