"""The derivation of a network."""

import sys

from bptrain.commands.explain import Explanation
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import cells, width_of


def show_explanation(screen: Screen, explanation: Explanation) -> None:
    """The equations, with their shapes in a column of their own; on a narrow terminal below each."""
    widest = max(cells(line.equation) for s in explanation.sections for line in s.lines if line.shapes)
    shapes = max(cells(line.shapes) for section in explanation.sections for line in section.lines)
    room = width_of(sys.stdout)
    beside = room is None or widest + shapes + 5 < room
    for section in explanation.sections:
        screen.result(section.title)
        for line in section.lines:
            if beside:
                screen.result(f"  {line.equation:<{widest}}   {line.shapes}".rstrip())
            else:
                screen.result(f"  {line.equation}")
                if line.shapes:
                    screen.result(f"      {line.shapes}")
        screen.result()
