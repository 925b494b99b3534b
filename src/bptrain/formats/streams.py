"""A source piece by piece: a file or a pipe that is read once, of which no more than a piece is in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bptrain.formats.array_pieces import pieces_of_array
from bptrain.formats.base import Cells, Contents, Sheet
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.header_row import TableColumns, without_index
from bptrain.formats.incoming import incoming
from bptrain.formats.parquet import sheets_of_groups
from bptrain.formats.text_columns import ColumnTexts

if TYPE_CHECKING:
    from bptrain.parts.types import Array

ROWS = 1 << 16  # of a piece, at most


def pieces(
    source: Path | BinaryIO, key: str = "", conventions: Conventions = RECOGNIZED, rows: int = ROWS
) -> Iterator[Contents]:
    """A source of any format, at most so many rows at a time, in order; an opened stream is read to its end.

    Of a wide table or array there are fewer rows, so that a piece has no more than a million numbers (limits.py).

    A cell means in a piece what it means in the whole, where the columns that a model needs are named
    (`Conventions.needed`) and their cells are read by its schema: how a table is written is settled by its first rows.
    What these cannot settle, and a later row belies, is an error. Each piece of a table knows its lines, or its first
    row (`Origin`); those of JSON lines may have columns more than the ones before. Pieces of named arrays go on as long
    as one of the arrays that were asked for does.

    `key` is the config key that named the source, or "". Raises DataError for what is damaged, foreign, or no table;
    rows before that were already handed out.
    """
    with incoming(source, key, conventions) as coming:
        form = coming.format()
        if form.pieces is not None:
            found = form.pieces(coming, key, conventions, rows)
        elif coming.is_pipe:
            raise coming.needs_its_end("a file of this format")
        else:
            found = pieces_of(form.read(coming.path, key, conventions), rows)
        for piece in found:
            yield settled(piece, coming.path, key, conventions) if isinstance(piece, Sheet) else piece


def pieces_of_groups(
    path: Path, groups: range, conventions: Conventions, rows: int = ROWS
) -> Iterator[Sheet]:
    """The rows of some row groups of a Parquet file, as `pieces` has them. Raises DataError."""
    for sheet in sheets_of_groups(path, "", groups, rows):
        yield settled(sheet, path, "", conventions)


def settled(sheet: Sheet, path: Path, key: str, conventions: Conventions) -> Sheet:
    """A table, with what was declared about its cells. Raises DataError for an index that it does not have."""
    if sheet.conventions == conventions:  # its reader went by all of them
        return sheet
    places = tuple(range(len(sheet.names)))
    columns = without_index(TableColumns(sheet.names, places), conventions, str(path), key)
    return sheet._replace(names=columns.names, conventions=conventions)


def pieces_of(contents: Contents, rows: int) -> Iterator[Contents]:
    """What was read as a whole, so many rows at a time; named arrays as they are."""
    if isinstance(contents, Sheet):
        yield from pieces_of_sheet(contents, rows)
    elif isinstance(contents, tuple):
        yield contents
    else:
        yield from pieces_of_array(contents, rows)


def pieces_of_sheet(sheet: Sheet, rows: int) -> Iterator[Sheet]:
    """A table that is there, so many rows at a time."""
    origin = sheet.origin
    cells = {name: _sliceable(column) for name, column in sheet.cells.items()}
    n = len(next(iter(cells.values())))
    for begin in range(0, n, rows):
        part = slice(begin, begin + rows)
        lines = None if origin.lines is None else origin.lines[part]
        yield sheet._replace(
            origin=origin._replace(lines=lines, begin=origin.begin + begin),
            cells={name: column[part] for name, column in cells.items()},
        )


def _sliceable(cells: Cells) -> "list[str] | Array":
    return cells.tolist() if isinstance(cells, ColumnTexts) else cells
