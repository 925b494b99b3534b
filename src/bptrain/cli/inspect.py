"""`bptrain inspect`: what is in a trained model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import DataRoot, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("inspect", "Inspect a trained model.", plugins=True)
def inspect_command(
    screen: "Screen",
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN|CHECKPOINT", help="A run, or a checkpoint file.", show_default=False),
    ],
    data_root: DataRoot = None,
) -> None:
    """Inspect a trained model: layers, dead units, columns, history.

    For a run, its best weights are inspected. Dead and saturated units are measured on the training rows, if the data
    is still there.

    \b
    Examples:
      bptrain inspect runs/iris/001
      bptrain inspect runs/iris/001/best.safetensors --json
    """
    from bptrain.commands.inspect import inspect
    from bptrain.console.inspect import show_inspection

    seen = inspect(run, data_root)
    screen.warn_all(seen.model.warnings)
    show_inspection(screen, seen)
    screen.record(seen.record())
