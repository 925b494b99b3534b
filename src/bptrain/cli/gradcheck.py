"""`bptrain gradcheck`: prove the gradient."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bptrain.cli.command import Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

Params = Annotated[
    list[str] | None,
    typer.Option("--params", metavar="PATTERN", help="Only these, such as 'layers.1.*'. Repeatable."),
]
UpdateRule = Annotated[
    Literal["auto", "complex_step", "directions", "central"],
    typer.Option(help="Entry by entry, along random directions, or by central differences."),
]
Engine = Annotated[
    Literal["numpy", "numba", "all"] | None,
    typer.Option(help="Whose gradient; the config's own, else NumPy's, unless told.", show_default=False),
]
Kinks = Annotated[
    Literal["interval", "skip", "fail"],
    typer.Option(
        help="At a corner, as of relu at 0: allow all between its slopes, leave the row out, or fail."
    ),
]


@command("gradcheck", "Check the gradient, exact to rounding.", plugins=True)
def gradcheck_command(
    screen: "Screen",
    subject: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG|RUN", help="A YAML file or a run; without it, every part.", show_default=False
        ),
    ] = None,
    method: UpdateRule = "auto",
    engine: Engine = None,
    rows: Annotated[
        int | None,
        typer.Option(min=1, help="So many of the training rows; 32 unless told.", show_default=False),
    ] = None,
    params: Params = None,
    inputs: Annotated[bool, typer.Option("--inputs", help="Check the gradient by the inputs too.")] = False,
    kinks: Kinks = "interval",
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first mismatch.")] = False,
    set_: Set = None,
) -> None:
    """Prove the gradient: backpropagation against the complex step, exact to rounding.

    Exit code 1 when they do not match.

    \b
    Examples:
      bptrain gradcheck
      bptrain gradcheck configs/derivation.yaml
      bptrain gradcheck configs/digits.yaml --params 'layers.1.*' --inputs
      bptrain gradcheck runs/iris/001 --rows 100 --engine all
    """
    from bptrain.commands.gradcheck.record import gradcheck_record, parts_record
    from bptrain.commands.gradcheck.run import ROWS, Wanted, check, is_trained
    from bptrain.commands.gradcheck.selftest import check_parts
    from bptrain.console.gradcheck import CheckView, show_gradcheck, show_parts
    from bptrain.errors import VERDICT_EXIT, UsageError
    from bptrain.gradient_check import Settings

    patterns = tuple(params or ["*"])
    settings = Settings(method, kinks, patterns, inputs, fail_fast=fail_fast)
    if set_ and (subject is None or is_trained(subject)):
        raise UsageError("--set changes a config: name one")
    with CheckView(screen) as view:
        if subject is None:
            for name, given in (("--engine", engine), ("--rows", rows), ("--params", params)):
                if given is not None:
                    raise UsageError(f"{name} is of a config or a run: name one")
            checks = view.count(check_parts(settings))
            passed = all(checked.report.passed for checked in checks)
        else:
            checked = view.follow(check(subject, set_ or [], Wanted(settings, engine, rows or ROWS)))
            passed = checked.passed
    if subject is None:
        show_parts(screen, checks)
        screen.record(parts_record(checks), ok=passed)
    else:
        for name, message in checked.warnings:
            screen.warn(name, message)
        show_gradcheck(screen, checked)
        screen.record(gradcheck_record(checked), ok=passed)
    if not passed:
        raise typer.Exit(VERDICT_EXIT)
