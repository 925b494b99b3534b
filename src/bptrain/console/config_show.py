"""A resolved config as YAML, with a comment behind each value."""

import sys

from bptrain.commands.config_show import ResolvedConfig, yaml_lines
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import cells, width_of

FAR = 48  # columns; behind a longer line the comment comes at once


def show_config(screen: Screen, shown: ResolvedConfig) -> None:
    """The values, each with where it comes from; on a narrow terminal as near as there is room for it."""
    lines = yaml_lines(shown)
    width = width_of(sys.stdout)
    column = max((cells(text) for text, origin in lines if origin and cells(text) <= FAR), default=0)
    widest = max((cells(origin) for _, origin in lines), default=0)
    aligned = width is None or column + widest + 4 < width
    for text, origin in lines:
        indent = " " * (len(text) - len(text.lstrip()))
        if not origin:
            screen.result(text, whole=True)
        elif aligned:
            screen.result(f"{text}{' ' * (column - cells(text))}  # {origin}", whole=True)
        elif width is not None and cells(text) + cells(origin) + 4 < width:
            screen.result(f"{text}  # {origin}", whole=True)
        else:
            screen.result(text, whole=True)
            screen.result(f"{indent}  # {origin}", whole=True)
