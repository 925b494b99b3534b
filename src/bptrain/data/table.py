"""A table: the columns of a file as arrays, and where each row stands in the file."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bptrain.data.cell_notes import NOTHING_ODD, CellReading
from bptrain.data.storage import IN_MEMORY, Memory, Storage
from bptrain.data.text_cells import TextCells
from bptrain.formats.problems import Origin
from bptrain.parts.types import Array

EXACT = 1e15  # whole numbers from here on have more digits than a float keeps
CHUNK = 1 << 20  # numbers of a large matrix that are examined at a time


class ColumnBlock(NamedTuple):
    """Columns side by side: the numbers as one N × k array of the file's own type, the texts by their codes."""

    origin: Origin
    names: tuple[str, ...]  # all columns, in order
    numbers: Array  # N × k, NaN where a cell is missing; N × 0 where there is no number
    number_names: tuple[str, ...]
    texts: dict[str, TextCells]
    integers: frozenset[str] = frozenset()  # columns of whole numbers only
    booleans: frozenset[str] = frozenset()  # columns of true and false only, which are numbers 0 and 1
    reading: CellReading = NOTHING_ODD  # how the cells of a table were read
    storage: Storage = IN_MEMORY  # where its numbers lie, and whatever large is made of it

    @property
    def rows(self) -> int:
        """N."""
        return len(self.numbers)

    def number(self, name: str) -> Array:
        """One column of numbers, N, as a view."""
        column: Array = self.numbers[:, self.number_names.index(name)]
        return column

    def renamed(self, names: tuple[str, ...]) -> "ColumnBlock":
        """The same columns under other names, in their order."""
        if self.names == names:
            return self
        new = dict(zip(self.names, names, strict=True))
        texts = {new[name]: cells for name, cells in self.texts.items()}
        return self._replace(
            names=names, number_names=tuple(new[name] for name in self.number_names), texts=texts
        )

    def missing(self) -> Iterator[tuple[str, Array]]:
        """The columns where some rows lack a value, and which of the N rows do, one after the other."""
        if self.numbers.dtype.kind == "f":
            some = np.zeros(len(self.number_names), bool)
            for part in chunks(self.rows, self.numbers.shape[1]):
                missing = np.isnan(self.numbers[part])
                if missing.any():  # of the whole first: a sum for each column takes eight times as long
                    some |= missing.any(axis=0)
            for k in np.flatnonzero(some):
                yield self.number_names[k], np.isnan(self.numbers[:, k])
        numbers = frozenset(self.number_names)
        for name, cells in self.texts.items():
            if name not in numbers and None in cells.texts and (mask := cells.missing()).any():
                yield name, mask


class Table(NamedTuple):
    """The features and the targets of the same N rows."""

    features: ColumnBlock
    target: ColumnBlock | None = None  # None for rows whose target nobody knows yet
    weight: ColumnBlock | None = None  # one column: what each row weighs
    others: tuple[str, ...] = ()  # the columns of a table that are none of these
    split: ColumnBlock | None = (
        None  # one column, perhaps also a feature: what splits the rows, or tells their groups
    )

    @property
    def blocks(self) -> list[ColumnBlock]:
        """Those that there are."""
        return [block for block in (self.features, self.target, self.weight, self.split) if block is not None]


def chunks(rows: int, width: int, numbers: int | None = None) -> Iterator[slice]:
    """Slices over the rows of a wide table, each of about `numbers` numbers (CHUNK by default)."""
    step = max(1, (numbers or CHUNK) // max(1, width))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def side_by_side(columns: Sequence[Array], rows: int, storage: Storage) -> Array:
    """Columns of N numbers each as one N × k array of float64."""
    matrix = storage.empty((rows, len(columns)), np.float64)
    for part in chunks(rows, len(columns)):
        for k, column in enumerate(columns):
            matrix[part, k] = column[part]
    return matrix


def chosen_columns(numbers: Array, places: list[int], storage: Storage) -> Array:
    """Some columns of an array, as a copy."""
    if isinstance(storage, Memory):
        found: Array = numbers[:, places]
        return found
    chosen = storage.empty((len(numbers), len(places)), numbers.dtype)
    for part in chunks(*numbers.shape):
        chosen[part] = numbers[part][:, places]
    return chosen


def as_texts(column: Array, storage: Storage = IN_MEMORY) -> TextCells:
    """Numbers as the texts that stand for them among categories, N, None where one is missing."""
    places: dict[str | None, int] = {}
    codes = storage.empty((len(column),), np.int64)
    for part in chunks(len(column), 1):
        values, inverse = np.unique(column[part], return_inverse=True)
        texts = [None if value != value else text_of(value) for value in values.tolist()]
        codes[part] = np.array([places.setdefault(text, len(places)) for text in texts], np.int64)[inverse]
    return TextCells([*places], codes)


def text_of(value: object) -> str:
    """A value as the text that stands for it among categories: 1.0 is "1"."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return str(value)
