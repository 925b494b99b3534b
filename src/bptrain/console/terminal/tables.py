"""Tables: in columns if there is room, else one row below the other."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from bptrain.console.terminal.spelling import as_printed
from bptrain.console.terminal.terminal import BOLD, cells, styled, width_of, wrapped
from bptrain.errors import printable

Row = Sequence[str]


def show_table(stream: TextIO, title: str, columns: Row, rows: Sequence[Row]) -> None:
    """A table: the first column to the left, the others to the right; turned where a terminal is too narrow for it."""
    width, title = width_of(stream), printable(title, spaces=True)
    columns, *rows = [[printable(cell, spaces=True) for cell in row] for row in (columns, *rows)]
    if title:
        print(wrapped(title, width), file=stream)
    columns, *rows = [[as_printed(cell, stream) for cell in row] for row in (columns, *rows)]
    widths = [max(map(cells, column)) for column in zip(columns, *rows, strict=True)]
    if width is not None and sum(widths) + 2 * len(widths) >= width:
        lines = turned(columns, rows, width)
    else:
        head, *others = (line_of(row, widths) for row in (columns, *rows))
        rule = [] if width is None else ["  " + "  ".join("─" * each for each in widths)]
        lines = iter([styled(head, BOLD, stream), *rule, *others])
    for line in lines:
        print(line, file=stream)
    stream.flush()


def line_of(row: Row, widths: Sequence[int]) -> str:
    """A row in columns."""
    first, *others = ((cell, " " * (each - cells(cell))) for cell, each in zip(row, widths, strict=True))
    return "  " + "  ".join([first[0] + first[1], *(room + cell for cell, room in others)]).rstrip()


def turned(columns: Row, rows: Sequence[Row], width: int) -> Iterator[str]:
    """Each row under the other: its first cell, and below it a line for each of the others."""
    longest = max((cells(column) for column in columns[1:]), default=0)
    for row in rows:
        head = f"{columns[0]} {row[0]}".strip() or "-"
        yield wrapped(f"  {head}", width)
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                yield wrapped(f"    {column}{' ' * (longest - cells(column))}  {cell}", width)
