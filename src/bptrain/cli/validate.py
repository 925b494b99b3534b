"""`bptrain validate`: whether a config would train."""

from pathlib import Path
from typing import Annotated

import typer

from bptrain.cli.options import Json, Plugin, Quiet, Set, Verbose, command


def validate_command(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)],
    set_: Set = None,
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Check everything that fit would: config, data, network, and one forward and backward pass.

    What passes starts training. Exit codes are those of fit. Time and memory are estimates from counts.

    \b
    Examples:
      bptrain validate configs/iris.yaml
      bptrain validate my.yaml --set network.sizes=[auto,64,auto] --json
    """
    with command("validate", json, quiet, verbose, plugin) as screen:
        from bptrain.commands.validate.run import validating
        from bptrain.console.validate import show_steps, show_validation

        done = show_steps(screen, validating(config, set_ or []))
        show_validation(screen, done)
        screen.record(done.record())
