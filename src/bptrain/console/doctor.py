"""What the doctor found, a line or two each."""

import sys
from collections.abc import Sequence

from bptrain.commands.doctor import Diagnosis, usable
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import GREEN, RED, YELLOW, styled, width_of, wrapped

STYLES = {"ok": GREEN, "note": YELLOW, "warning": YELLOW, "failure": RED}
ROOM = 9  # columns for the status


def show_finding(screen: Screen, finding: Diagnosis) -> None:
    """Its status, what was found, and what to do about it."""
    width = width_of(sys.stdout)
    text = wrapped(f"{finding.status:<{ROOM}}{finding.topic}: {finding.text}", width, further=" " * ROOM)
    status = styled(finding.status, STYLES[finding.status], sys.stdout)
    screen.result(status + text[len(finding.status) :], whole=True)
    if finding.advice is not None:
        screen.result(wrapped(f"{'':<{ROOM}}{finding.advice}", width), whole=True)


def show_verdict(screen: Screen, findings: Sequence[Diagnosis]) -> None:
    """The verdict in a sentence."""
    counts = {
        kind: sum(finding.status == kind for finding in findings) for kind in ("failure", "warning", "note")
    }
    told = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items() if count)
    verdict = "bptrain is ready" if usable(list(findings)) else "bptrain cannot be relied on here"
    screen.result(f"{verdict}{': ' + told if told else ''}")
