"""`bptrain doctor`: whether this installation works."""

from typing import TYPE_CHECKING

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("doctor", "Check this installation.")
def doctor_command(screen: "Screen") -> None:
    """Check this installation: versions, BLAS, extras, disk, caches, self-test.

    Exit code 1 if the installation is broken; suggestions are printed. BPTRAIN_CACHE_DIR moves the caches.

    \b
    Examples:
      bptrain doctor
      bptrain doctor --json
    """
    from bptrain.commands.doctor import InstallationReport, diagnose_installation
    from bptrain.console.doctor import show_check, show_verdict
    from bptrain.errors import VERDICT_EXIT

    checks = []
    for check in diagnose_installation():
        checks.append(check)
        show_check(screen, check)
    report = InstallationReport(tuple(checks))
    show_verdict(screen, report)
    screen.record(report.record(), ok=report.usable)
    if not report.usable:
        raise typer.Exit(VERDICT_EXIT)
