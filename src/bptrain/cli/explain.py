"""`bptrain explain`: the derivation of a config's network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("explain", "Print the derivation of a network.", plugins=True)
def explain_command(
    screen: "Screen",
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="The YAML file, or a run.", show_default=False)
    ],
    set_: Set = None,
    kernel: Annotated[
        bool,
        typer.Option("--kernel", help="Print the training loop of the compiled engine instead, as Python."),
    ] = False,
) -> None:
    """Print the forward, backward and update equations of a network, with the shape of every factor and product.

    \b
    Examples:
      bptrain explain configs/derivation.yaml
      bptrain explain --kernel configs/xor.yaml
    """
    from bptrain.commands.explain import explain
    from bptrain.commands.explain import kernel as kernel_of
    from bptrain.console.explain import show_explanation

    if config.is_dir():  # a run: its config is what is meant
        config = config / "config.yaml"
    if kernel:
        source = kernel_of(config, set_ or [])
        screen.text(source.rstrip())
        screen.record({"kernel": source})
        return
    explanation = explain(config, set_ or [])
    show_explanation(screen, explanation)
    screen.record(explanation.record())
