"""`bptrain doctor`: is this installation sound?"""

from typing import TYPE_CHECKING

import typer

from bptrain.cli.options import command

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
    from bptrain.commands.doctor import diagnose_installation, record, usable
    from bptrain.console.doctor import show_finding, show_verdict
    from bptrain.errors import VERDICT_EXIT

    findings = []
    for finding in diagnose_installation():
        findings.append(finding)
        show_finding(screen, finding)
    sound = usable(findings)
    show_verdict(screen, findings)
    screen.record(record(findings), ok=sound)
    if not sound:
        raise typer.Exit(VERDICT_EXIT)
