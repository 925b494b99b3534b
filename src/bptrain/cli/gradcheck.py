"""`bptrain gradcheck`: prove the gradient."""

from pathlib import Path
from typing import Annotated

import typer

from bptrain.cli.options import Json, Quiet, Set, Verbose, command


def gradcheck_command(
    subject: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG|RUN", help="A YAML file or a run; without it, every part.", show_default=False
        ),
    ] = None,
    set_: Set = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Prove the gradient: backpropagation against the complex step, exact to rounding.

    Exit code 1 when they do not match.

    Examples: bptrain gradcheck configs/derivation.yaml · bptrain gradcheck runs/iris/001 · bptrain gradcheck
    """
    with command("gradcheck", json, quiet, verbose) as screen:
        from bptrain.api import check
        from bptrain.checking import check_parts, gradcheck_record, parts_record
        from bptrain.console.results import show_gradcheck, show_parts
        from bptrain.errors import VERDICT_EXIT, UsageError

        if set_ and (subject is None or subject.is_dir()):
            raise UsageError("--set changes a config: name one")
        if subject is None:
            checks = check_parts()
            passed = all(checked.report.passed for checked in checks)
            show_parts(screen, checks)
            screen.record(parts_record(checks), ok=passed)
        else:
            checked = check(subject, set_ or [])
            passed = checked.report.passed
            show_gradcheck(screen, checked)
            screen.record(gradcheck_record(checked), ok=passed)
        if not passed:
            raise typer.Exit(VERDICT_EXIT)
