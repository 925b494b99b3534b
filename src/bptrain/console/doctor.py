"""What the doctor found, in a line or two for each thing."""

import sys

from bptrain.commands.doctor import InstallationCheck, InstallationReport
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import GREEN, RED, YELLOW, styled, width_of, wrapped

STYLES = {"ok": GREEN, "note": YELLOW, "warning": YELLOW, "failure": RED}
ROOM = 9  # columns for the status


def show_check(screen: Screen, check: InstallationCheck) -> None:
    """Its status, what was found, and what to do about it."""
    width = width_of(sys.stdout)
    text = wrapped(f"{check.status:<{ROOM}}{check.topic}: {check.text}", width, further=" " * ROOM)
    status = styled(check.status, STYLES[check.status], sys.stdout)
    screen.result(status + text[len(check.status) :], whole=True)
    if check.advice is not None:
        screen.result(wrapped(f"{'':<{ROOM}}{check.advice}", width), whole=True)


def show_verdict(screen: Screen, report: InstallationReport) -> None:
    """The verdict in a sentence."""
    counts = {
        kind: sum(check.status == kind for check in report.checks) for kind in ("failure", "warning", "note")
    }
    others = ", ".join(
        f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items() if count
    )
    verdict = "bptrain is ready" if report.usable else "this installation is not usable"
    screen.result(f"{verdict}{': ' + others if others else ''}")
