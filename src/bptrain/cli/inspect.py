"""`bptrain inspect`: what is in a trained model."""

from pathlib import Path
from typing import Annotated

import typer

from bptrain.cli.options import Json, Plugin, Quiet, Verbose, command


def inspect_command(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN|CHECKPOINT", help="A run, or a checkpoint file.", show_default=False),
    ],
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Look into a trained model: layers, dead units, columns, history.

    Of a run, its best weights. Dead and saturated units are looked for on the training rows, if the data is still
    there.

    \b
    Examples:
      bptrain inspect runs/iris/001
      bptrain inspect runs/iris/001/best.safetensors --json
    """
    with command("inspect", json, quiet, verbose, plugin) as screen:
        from bptrain.commands.inspect import inspect
        from bptrain.console.inspect import show_inspection

        seen = inspect(run)
        for name, message in seen.model.warnings:
            screen.warn(name, message)
        show_inspection(screen, seen)
        screen.record(seen.record())
