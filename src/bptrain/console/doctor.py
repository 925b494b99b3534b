"""What the doctor found, in a line or two for each thing."""

from bptrain.commands.doctor import InstallationCheck, InstallationReport
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import GREEN, RED, YELLOW

STYLES = {"ok": GREEN, "note": YELLOW, "warning": YELLOW, "failure": RED}
ROOM = 9  # columns for the status


def show_check(screen: Screen, check: InstallationCheck) -> None:
    """Its status, what was found, and what to do about it."""
    text = f"{check.status:<{ROOM}}{check.topic}: {check.text}"
    screen.result(text, style=STYLES[check.status], further=" " * ROOM)
    if check.advice is not None:
        screen.result(f"{'':<{ROOM}}{check.advice}")


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
