"""`bptrain doctor`: is this installation sound?"""

from typing import TYPE_CHECKING

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("doctor", "Look at this installation.")
def doctor_command(screen: "Screen") -> None:
    """Look at this installation: versions, BLAS, extras, disk, self-test.

    Exit code 1 when bptrain cannot be relied on here; what could be better is told, with what to do.

    \b
    Examples:
      bptrain doctor
      bptrain doctor --json
    """
    from bptrain.commands.doctor import InstallationReport, diagnose_installation
    from bptrain.console.doctor import show_diagnosis, show_verdict
    from bptrain.errors import VERDICT_EXIT

    diagnoses = []
    for diagnosis in diagnose_installation():
        diagnoses.append(diagnosis)
        show_diagnosis(screen, diagnosis)
    report = InstallationReport(tuple(diagnoses))
    show_verdict(screen, report)
    screen.record(report.record(), ok=report.usable)
    if not report.usable:
        raise typer.Exit(VERDICT_EXIT)
