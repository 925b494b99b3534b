"""Tables: in columns if there is room, else one row below the other."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from bptrain.console.terminal.spelling import as_printed
from bptrain.console.terminal.terminal import BOLD, cells, styled, width_of, wrapped
from bptrain.errors import printable

Row = Sequence[str]


def show_table(stream: TextIO, title: str, columns: Row, rows: Sequence[Row]) -> None:
    """A table: the first column to the left, the others to the right; turned where a terminal is too narrow for it.

    It is made column by column: of a hundred thousand cells most need nothing, which is seen of a column as a whole.
    """
    width, title = width_of(stream), printable(title, spaces=True)
    if title:
        print(wrapped(title, width), file=stream)
    shown = [as_shown(column, stream) for column in zip(columns, *rows, strict=True)]
    widths = [width_of_column(column) for column in shown]
    if width is not None and sum(widths) + 2 * len(widths) >= width:
        columns, *rows = zip(*shown, strict=True)
        lines = turned(columns, rows, width)
    else:
        first, *others = zip(shown, widths, strict=True)
        filled = [padded(*first, left=True), *(padded(*other) for other in others)]
        head, *below = ("  " + "  ".join(row).rstrip() for row in zip(*filled, strict=True))
        rule = [] if width is None else ["  " + "  ".join("─" * each for each in widths)]
        lines = iter([styled(head, BOLD, stream), *rule, *below])
    stream.writelines(f"{line}\n" for line in lines)
    stream.flush()


def as_shown(column: Row, stream: TextIO) -> Row:
    """The cells of a column as the stream prints them: on one line, and with signs that it has."""
    whole = "".join(column)
    if whole.isascii() and whole.isprintable():
        return column
    return [as_printed(printable(cell, spaces=True), stream) for cell in column]


def width_of_column(column: Row) -> int:
    """How many columns of a terminal the widest cell takes."""
    return max(map(len if "".join(column).isascii() else cells, column))


def padded(column: Row, width: int, left: bool = False) -> Row:
    """The cells of a column with blanks behind or before them."""
    fill = str.ljust if left else str.rjust
    return [fill(cell, width + len(cell) - cells(cell)) for cell in column]


def turned(columns: Row, rows: Sequence[Row], width: int) -> Iterator[str]:
    """Each row under the other: its first cell, and below it a line for each of the others."""
    longest = max((cells(column) for column in columns[1:]), default=0)
    for row in rows:
        head = f"{columns[0]} {row[0]}".strip() or "-"
        yield wrapped(f"  {head}", width)
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                yield wrapped(f"    {column}{' ' * (longest - cells(column))}  {cell}", width)
