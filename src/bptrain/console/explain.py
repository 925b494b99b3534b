"""The derivation of a network."""

import sys

from bptrain.commands.explain import DerivationLine, DerivationSection, Explanation
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.spelling import as_printed
from bptrain.console.terminal.terminal import cells, width_of


def show_explanation(screen: Screen, explanation: Explanation) -> None:
    """The equations, with their shapes in a column of their own; on a narrow terminal below each."""
    sections = [in_print(section) for section in explanation.sections]
    widest = max(cells(line.equation) for section in sections for line in section.lines if line.shapes)
    shapes = max(cells(line.shapes) for section in sections for line in section.lines)
    room = width_of(sys.stdout)
    beside = room is None or widest + shapes + 5 < room
    for section in sections:
        screen.result(section.title)
        for line in section.lines:
            if beside:
                screen.result(f"  {line.equation:<{widest}}   {line.shapes}".rstrip())
            else:
                screen.result(f"  {line.equation}")
                if line.shapes:
                    screen.result(f"      {line.shapes}")
        screen.result()


def in_print(section: DerivationSection) -> DerivationSection:
    """A section with the signs that the output has, so that the shapes stand below one another."""
    lines = (
        DerivationLine(as_printed(line.equation, sys.stdout), as_printed(line.shapes, sys.stdout))
        for line in section.lines
    )
    return DerivationSection(section.title, tuple(lines))
