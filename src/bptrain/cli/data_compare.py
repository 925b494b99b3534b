"""`bptrain data compare`: how far a file is from the data that a run was trained on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("data compare", "Compare a data file with the data of a run.", plugins=True)
def data_compare_command(
    screen: "Screen",
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run or a checkpoint.", show_default=False)],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to compare with it.", show_default=False)
    ],
    target: Annotated[
        Path | None,
        typer.Option(help="The file with the targets, if FILE holds a single array."),
    ] = None,
    fail_on_drift: Annotated[
        float | None,
        typer.Option(metavar="X", min=0.0, help="Exit with 1 if the drift of a column is above X."),
    ] = None,
) -> None:
    """Compare each column of a file with the training rows of a run: how far has it drifted?

    The figure is the population stability index: 0 is the same, above 0.25 is a large change. Beside it stands what
    chance alone makes of so few rows, and how many cells are missing, unknown or outside the training range.

    \b
    Examples:
      bptrain data compare runs/iris/001 new.csv
      bptrain data compare runs/iris/001 new.csv --fail-on-drift 0.25
    """
    from bptrain.commands.data_compare import compare_data
    from bptrain.console.data_compare import show_comparison
    from bptrain.errors import VERDICT_EXIT

    found = compare_data(run, file, target)
    far = [] if fail_on_drift is None else found.drifted(fail_on_drift)
    screen.warn_all(found.warnings)
    show_comparison(screen, found)
    asked = {} if fail_on_drift is None else {"fail_on_drift": [one.name for one in far]}
    screen.record(found.record() | asked, ok=not far)
    for one in far:
        screen.warn("fail_on_drift", f"the drift of {one.name} is {one.psi:.4g}, above {fail_on_drift:g}")
    if far:
        raise typer.Exit(VERDICT_EXIT)
