"""`bptrain config show`: what applies, and where it comes from."""

from pathlib import Path
from typing import Annotated

import typer

from bptrain.cli.options import Json, Plugin, Quiet, Set, Verbose, command

config_app = typer.Typer(rich_markup_mode=None)


@config_app.callback()
def callback() -> None:
    """Look at a config.

    \b
    Example:
      bptrain config show configs/iris.yaml
    """


def show_command(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)],
    set_: Set = None,
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print a config with every default filled in, and where each value comes from.

    The place stands behind each value: default, file:line, or --set; no value comes from the environment. What is
    printed is a config itself. Its data is not read: what auto stands for is decided by fit.

    \b
    Examples:
      bptrain config show configs/iris.yaml
      bptrain config show my.yaml --set optimizer=adam --json
    """
    with command("config show", json, quiet, verbose, plugin) as screen:
        from bptrain.commands.config_show import resolve
        from bptrain.console.config_show import show_config

        shown = resolve(config, set_ or [])
        show_config(screen, shown)
        screen.record(shown.record())
