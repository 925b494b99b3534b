"""A table that is read piece by piece and kept in files: the same `Sheet` as one that is read as a whole.

What no piece can settle by itself, all of them do when the last has come: whether a column is numbers, of which type.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from bptrain.data.spooled_texts import NumbersSoFar, SpooledTexts, TextPart, end_to_end, part_of
from bptrain.data.storage import Storage
from bptrain.data.table import text_of
from bptrain.formats import Sheet
from bptrain.formats.base import Cells
from bptrain.formats.problems import Origin
from bptrain.formats.text_columns import ColumnTexts, PlainRows, has_rows, without_others
from bptrain.parts.types import Array

LONG = 1e15  # whole numbers from here on are texts where a cell of their column is missing (formats/arrow_cells.py)
AT_A_TIME = 1 << 16  # numbers that become texts


def spooled(pieces: Iterable[Sheet], storage: Storage) -> Sheet:
    """The pieces, at least one, as one table that lies in `storage`. Raises DataError where one does."""
    columns: dict[str, SpooledColumn] = {}
    lines: list[Array] = []
    notes: dict[str, None] = {}
    rows = 0
    for piece in pieces:
        last = piece
        n = len(piece.cells[piece.names[0]])
        kept = KeptRows(storage)
        for name in piece.names:
            column = columns.get(name)
            if column is None:
                column = columns[name] = SpooledColumn(storage)
                if rows:
                    column.add([""] * rows, kept, True)
            column.add(piece.cells[name], kept, name in piece.typed)
        for name in columns.keys() - piece.cells.keys():
            columns[name].add([""] * n, kept, True)
        lines += [] if piece.origin.lines is None else [storage.kept(piece.origin.lines)]
        notes |= dict.fromkeys(piece.origin.notes)
        rows += n
    typed = frozenset(name for name, column in columns.items() if column.is_typed)
    origin = Origin(last.origin.file, end_to_end(lines, storage) if lines else None, notes=(*notes,))
    return last._replace(
        origin=origin, cells={name: columns[name].cells() for name in last.names}, typed=typed
    )


class KeptRows:
    """The rows of a piece that are cut into bytes, which all of its columns share."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._rows: dict[int, PlainRows] = {}  # by the identity of those that came

    def texts(self, cells: ColumnTexts) -> ColumnTexts:
        """The texts of a column, which lie in files."""
        rows = cells.rows
        if id(rows) not in self._rows:
            self._rows[id(rows)] = self._kept(rows)
        return ColumnTexts(self._rows[id(rows)], cells.place)

    def _kept(self, rows: PlainRows) -> PlainRows:
        keep = self._storage.kept
        pieces = [
            piece._replace(
                data=keep(piece.data),
                ends=keep(piece.ends),
                lines=None if piece.lines is None else keep(piece.lines),
            )
            for piece in map(without_others, filter(has_rows, rows.pieces))
        ]
        return PlainRows(pieces, rows.width, {}, rows.end)


class SpooledColumn:
    """One column, part by part."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._parts: list[TextPart | Array] = []
        self._numbers = NumbersSoFar(storage)
        self._some_typed, self._others = False, False

    @property
    def is_typed(self) -> bool:
        """Whether all cells that are not empty are numbers by their type."""
        return self._some_typed and not self._others

    def add(self, cells: Cells, kept: KeptRows, typed: bool) -> None:
        """The cells of one more piece, `typed` where all are empty or numbers by their type."""
        if isinstance(cells, np.ndarray):
            self._parts.append(self._storage.kept(cells))
            return
        self._some_typed |= typed
        self._others = self._others or not (typed or (isinstance(cells, list) and not any(cells)))
        self._numbers.add(cells)
        texts = kept.texts(cells) if isinstance(cells, ColumnTexts) else cells
        self._parts.append(part_of(texts, typed, self._storage))

    def cells(self) -> Cells:
        """All of them."""
        texts = [part for part in self._parts if isinstance(part, TextPart)]
        arrays = [part for part in self._parts if not isinstance(part, TextPart)]
        if not arrays:
            return SpooledTexts(texts, self._numbers, self._storage, not self.is_typed)
        if not texts and (len({array.dtype for array in arrays}) == 1 or not any(map(_is_long, arrays))):
            return end_to_end(arrays, self._storage)
        return _texts(self._parts, self._storage)


def _is_long(array: Array) -> bool:
    """Whether some number is whole by type and has many digits."""
    return array.dtype.kind in "iu" and bool(array.max() >= LONG or array.min() <= -LONG)


def all_texts(cells: Cells, storage: Storage) -> SpooledTexts:
    """A column whose numbers are texts."""
    if isinstance(cells, SpooledTexts):
        return cells
    assert isinstance(cells, np.ndarray), "the columns of a table in files lie there"
    return _texts([cells], storage)


def _texts(parts: Sequence[TextPart | Array], storage: Storage) -> SpooledTexts:
    """Texts, and numbers as texts, one below the other."""
    made: list[TextPart] = []
    numbers = NumbersSoFar(storage)
    for part in parts:
        for texts in [part] if isinstance(part, TextPart) else _texts_of(part, storage):
            numbers.add(texts.tolist(False))
            made.append(texts)
    return SpooledTexts(made, numbers, storage)


def _texts_of(numbers: Array, storage: Storage) -> Iterable[TextPart]:
    for begin in range(0, len(numbers), AT_A_TIME):
        some = numbers[begin : begin + AT_A_TIME].tolist()
        yield part_of(["" if value != value else text_of(value) for value in some], False, storage)
