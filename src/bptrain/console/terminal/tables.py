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
    columns, *rows = [
        # without the call for what needs it not: a table may have a hundred thousand cells
        [cell if cell.isprintable() else printable(cell, spaces=True) for cell in row]
        for row in (columns, *rows)
    ]
    if title:
        print(wrapped(title, width), file=stream)
    columns, *rows = [
        [cell if cell.isascii() else as_printed(cell, stream) for cell in row] for row in (columns, *rows)
    ]
    widths = [max(map(cells, column)) for column in zip(columns, *rows, strict=True)]
    if width is not None and sum(widths) + 2 * len(widths) >= width:
        lines = turned(columns, rows, width)
    else:
        head, *others = (line_of(row, widths) for row in (columns, *rows))
        rule = [] if width is None else ["  " + "  ".join("─" * each for each in widths)]
        lines = iter([styled(head, BOLD, stream), *rule, *others])
    stream.writelines(f"{line}\n" for line in lines)
    stream.flush()


def line_of(row: Row, widths: Sequence[int]) -> str:
    """A row in columns."""
    filled = [" " * (each - cells(cell)) + cell for cell, each in zip(row, widths, strict=True)]
    filled[0] = row[0] + " " * (widths[0] - cells(row[0]))
    return "  " + "  ".join(filled).rstrip()


def turned(columns: Row, rows: Sequence[Row], width: int) -> Iterator[str]:
    """Each row under the other: its first cell, and below it a line for each of the others."""
    longest = max((cells(column) for column in columns[1:]), default=0)
    for row in rows:
        head = f"{columns[0]} {row[0]}".strip() or "-"
        yield wrapped(f"  {head}", width)
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                yield wrapped(f"    {column}{' ' * (longest - cells(column))}  {cell}", width)
