"""`bptrain list`: every part that a config may name."""

from typing import Annotated

import typer

from bptrain.cli.options import Json, Plugin, Quiet, Verbose, command


def list_command(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="activations, losses, optimizers, schedules, initializers, metrics or scalers; without it, all.",
            show_default=False,
        ),
    ] = None,
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the parts that a config may name, each with its formula and its options.

    \b
    Examples:
      bptrain list
      bptrain list activations
      bptrain list optimizers --json
    """
    with command("list", json, quiet, verbose, plugin) as screen:
        from bptrain.commands.list import list_parts
        from bptrain.console.list import show_parts_list

        kinds = list_parts(kind)
        show_parts_list(screen, kinds)
        screen.record({name: [part.record() for part in parts] for name, parts in kinds.items()})
