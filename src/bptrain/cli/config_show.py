"""`bptrain config show`: the full config, and where each value comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

config_app = typer.Typer(rich_markup_mode=None)


@config_app.callback()
def callback() -> None:
    """Show a config.

    \b
    Example:
      bptrain config show configs/iris.yaml
    """


@command("config show", "Print the full config, and where each value comes from.", plugins=True)
def config_show_command(
    screen: "Screen",
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)],
    set_: Set = None,
) -> None:
    """Print a config with every default filled in, and where each value comes from.

    The source follows each value: default, file:line, or --set; no value comes from the environment. The output is
    itself a valid config. Data is not read, so auto stays auto until fit.

    \b
    Examples:
      bptrain config show configs/iris.yaml
      bptrain config show my.yaml --set optimizer=adam --json
    """
    from bptrain.commands.config_show import resolve
    from bptrain.console.config_show import show_config

    shown = resolve(config, set_ or [])
    show_config(screen, shown)
    screen.record(shown.record())
