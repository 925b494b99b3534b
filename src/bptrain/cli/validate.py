"""`bptrain validate`: check a config without training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("validate", "Check a config and its data without training.", plugins=True)
def validate_command(
    screen: "Screen",
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)],
    set_: Set = None,
) -> None:
    """Check everything that fit would: config, data, network, and one forward and backward pass.

    A config that passes starts training. Exit codes are those of fit. Time and memory are rough estimates.

    \b
    Examples:
      bptrain validate configs/iris.yaml
      bptrain validate my.yaml --set network.sizes=[auto,64,auto] --json
    """
    from bptrain.commands.validate.validate import validating
    from bptrain.console.validate import show_steps, show_validation

    done = show_steps(screen, validating(config, set_ or []))
    show_validation(screen, done)
    screen.record(done.record())
