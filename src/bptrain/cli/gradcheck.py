"""`bptrain gradcheck`: check the gradient."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bptrain.cli.command import DataRoot, Set, command
from bptrain.engine_names import EngineToCheck

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

Params = Annotated[
    list[str] | None,
    typer.Option(
        "--params", metavar="PATTERN", help="Check only these parameters, such as 'layers.1.*'. Repeatable."
    ),
]
Method = Annotated[
    Literal["auto", "complex_step", "directions", "central"],
    typer.Option(
        help="Numeric gradient: entry by entry, along random directions, or by central differences."
    ),
]
Engine = Annotated[
    EngineToCheck | None,
    typer.Option(help="Engine to check (default: the config's, otherwise numpy).", show_default=False),
]
KinkPolicy = Annotated[
    Literal["interval", "skip", "fail"],
    typer.Option(
        help="At a kink, such as relu at 0: accept any value between the two slopes, leave the row out, or fail."
    ),
]


@command("gradcheck", "Check the gradient, exact to rounding.", plugins=True)
def gradcheck_command(
    screen: "Screen",
    subject: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG|RUN",
            help="A YAML file or a run; without it, all parts are checked.",
            show_default=False,
        ),
    ] = None,
    method: Method = "auto",
    engine: Engine = None,
    rows: Annotated[
        int | None,
        typer.Option(min=1, help="Number of training rows (default 32).", show_default=False),
    ] = None,
    params: Params = None,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Also check the gradient with respect to the inputs.")
    ] = False,
    kinks: KinkPolicy = "interval",
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first mismatch.")] = False,
    set_: Set = None,
    data_root: DataRoot = None,
) -> None:
    """Check the gradient: compare backpropagation with complex-step differentiation, exact to rounding.

    Exit code 1 when they do not match.

    \b
    Examples:
      bptrain gradcheck
      bptrain gradcheck configs/derivation.yaml
      bptrain gradcheck configs/digits.yaml --params 'layers.1.*' --inputs
      bptrain gradcheck runs/iris/001 --rows 100 --engine all
    """
    from bptrain.commands.gradcheck.run import ROWS, GradcheckOptions, check, is_trained
    from bptrain.commands.gradcheck.selftest import SelfTest, check_parts
    from bptrain.console.gradcheck import CheckView, show_gradcheck, show_parts
    from bptrain.errors import VERDICT_EXIT, UsageError
    from bptrain.gradient_check.numeric_gradient import Settings

    patterns = tuple(params or ["*"])
    settings = Settings(method, kinks, patterns, inputs, fail_fast=fail_fast)
    if set_ and (subject is None or is_trained(subject)):
        raise UsageError("--set changes a config: give one")
    if data_root is not None and (subject is None or not is_trained(subject)):
        raise UsageError("--data-root is where the data of a run lies: give a run, or --set data.root=DIR")
    with CheckView(screen) as view:
        if subject is None:
            for name, given in (("--engine", engine), ("--rows", rows), ("--params", params)):
                if given is not None:
                    raise UsageError(f"{name} needs a config or a run: give one")
            selftest = SelfTest(tuple(view.count(check_parts(settings))))
            passed = selftest.passed
        else:
            options = GradcheckOptions(settings, engine, rows or ROWS, data_root)
            checked = view.follow(check(subject, set_ or [], options))
            passed = checked.passed
    if subject is None:
        show_parts(screen, selftest.checks)
        screen.record(selftest.record(), ok=passed)
    else:
        screen.warn_all(checked.warnings)
        show_gradcheck(screen, checked)
        screen.record(checked.record(), ok=passed)
    if not passed:
        raise typer.Exit(VERDICT_EXIT)
