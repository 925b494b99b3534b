"""What the doctor found, in a line or two for each thing."""

import sys

from bptrain.commands.doctor import Diagnosis, InstallationReport
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import GREEN, RED, YELLOW, styled, width_of, wrapped

STYLES = {"ok": GREEN, "note": YELLOW, "warning": YELLOW, "failure": RED}
ROOM = 9  # columns for the status


def show_diagnosis(screen: Screen, diagnosis: Diagnosis) -> None:
    """Its status, what was found, and what to do about it."""
    width = width_of(sys.stdout)
    text = wrapped(
        f"{diagnosis.status:<{ROOM}}{diagnosis.topic}: {diagnosis.text}", width, further=" " * ROOM
    )
    status = styled(diagnosis.status, STYLES[diagnosis.status], sys.stdout)
    screen.result(status + text[len(diagnosis.status) :], whole=True)
    if diagnosis.advice is not None:
        screen.result(wrapped(f"{'':<{ROOM}}{diagnosis.advice}", width), whole=True)


def show_verdict(screen: Screen, report: InstallationReport) -> None:
    """The verdict in a sentence."""
    counts = {
        kind: sum(diagnosis.status == kind for diagnosis in report.diagnoses)
        for kind in ("failure", "warning", "note")
    }
    others = ", ".join(
        f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items() if count
    )
    verdict = "bptrain is ready" if report.usable else "this installation is not usable"
    screen.result(f"{verdict}{': ' + others if others else ''}")
