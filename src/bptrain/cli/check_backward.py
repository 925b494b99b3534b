"""`bptrain check-backward`: check a user's own backpropagation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("check-backward", "Grade your own backpropagation, δ by δ.", plugins=True)
def check_backward_command(
    screen: "Screen",
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A Python file with forward and backward.", show_default=False),
    ],
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)],
    set_: Set = None,
) -> None:
    """Check your own backpropagation, δ by δ: find the first layer that is wrong, and the likely slip.

    FILE defines forward(W, b, f, x_0) -> x, z and backward(W, b, df, dE, x, z, t) -> delta, dW, db, and may define
    step(W, b, f, df, dE, x_0, t, rate) -> W, b. Its code is run. Exit code 1 if anything in it is wrong.

    \b
    Examples:
      bptrain check-backward my_backprop.py configs/derivation.yaml
      bptrain check-backward my_backprop.py my.yaml --set network.dtype=float64
    """
    from bptrain.commands.check_backward import check_backward
    from bptrain.console.check_backward import show_grade
    from bptrain.errors import VERDICT_EXIT

    grade = check_backward(file, config, set_)
    show_grade(screen, grade)
    screen.record(grade.record(), ok=grade.passed)
    if not grade.passed:
        raise typer.Exit(VERDICT_EXIT)
