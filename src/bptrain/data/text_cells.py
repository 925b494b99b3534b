"""A column of texts as its different texts, and which of them each cell is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.storage import IN_MEMORY, Memory, Storage
from bptrain.parts.types import Array

Cell = str | None

AT_A_TIME = 1 << 16  # cells that are looked up together, so that no further number per row is in memory


class TextCells:
    """N texts, None where a cell is missing."""

    def __init__(self, texts: Sequence[Cell], codes: Array) -> None:
        self.texts = texts  # different ones, of which some may be in no cell
        self.codes = codes  # N: the place of each cell's text among these

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> "TextCells":
        """The same of texts one by one."""
        places: dict[Cell, int] = {}
        codes = np.fromiter((places.setdefault(cell, len(places)) for cell in cells), np.int64)
        return cls([*places], codes)

    @classmethod
    def meaning(cls, meanings: Iterable[Cell], codes: Array, storage: Storage = IN_MEMORY) -> "TextCells":
        """Cells whose codes are places among meanings, of which several may be the same."""
        places: dict[Cell, int] = {}
        table = np.array([places.setdefault(one, len(places)) for one in meanings], np.int64)
        return cls([*places], codes if len(places) == len(table) else looked_up(table, codes, storage))

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[Cell]:
        return map(self.texts.__getitem__, self.codes.tolist())

    def __contains__(self, text: object) -> bool:
        return text in self.counts()

    @overload
    def __getitem__(self, rows: int) -> Cell: ...
    @overload
    def __getitem__(self, rows: slice | Array) -> "TextCells": ...
    def __getitem__(self, rows: int | slice | Array) -> "Cell | TextCells":
        if isinstance(rows, slice | np.ndarray):
            return TextCells(self.texts, self.codes[rows])
        return self.texts[int(self.codes[rows])]

    def tolist(self) -> list[Cell]:
        """All cells."""
        return [*self]

    def objects(self) -> Array:
        """All cells as an array of objects, N."""
        return np.array([*self.texts, None], object)[:-1][self.codes]

    def counts(self) -> dict[Cell, int]:
        """How often each text is there, of those that are, None included."""
        numbers = np.zeros(len(self.texts), np.int64)
        for part in parts(len(self.codes)):
            numbers += np.bincount(self.codes[part], minlength=len(self.texts))
        return {text: n for text, n in zip(self.texts, numbers.tolist(), strict=True) if n}

    def looked_up(
        self, meaning: Callable[[Cell], float | None], dtype: DTypeLike, storage: Storage = IN_MEMORY
    ) -> Array:
        """What each cell's text means, N."""
        return looked_up(np.array([meaning(text) for text in self.texts], dtype), self.codes, storage)

    def missing(self) -> Array:
        """Which cells are, true and false, N."""
        return self.looked_up(lambda text: text is None, bool)

    def are(self, texts: Iterable[Cell]) -> Array:
        """Which cells are one of these texts, true and false, N."""
        chosen = frozenset(texts)
        return self.looked_up(chosen.__contains__, bool)

    def without(self, gone: Array) -> "TextCells":
        """The same, where these cells are missing too, by true and false, N."""
        texts = [*self.texts, None]
        return TextCells.meaning(texts, np.where(gone, len(self.texts), self.codes))


def looked_up(table: Array, codes: Array, storage: Storage = IN_MEMORY) -> Array:
    """The entry of a table for each code, N."""
    if isinstance(storage, Memory):
        found: Array = table[codes]
        return found
    made = storage.empty(codes.shape, table.dtype)
    for part in parts(len(codes)):
        made[part] = table[codes[part]]
    return made


def parts(cells: int) -> Iterator[slice]:
    """Slices over many cells."""
    return (slice(begin, min(begin + AT_A_TIME, cells)) for begin in range(0, cells, AT_A_TIME))
