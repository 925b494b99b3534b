"""Texts of a column that came part by part, each of which lies in files, and is looked at by itself."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, overload

import numpy as np

from bptrain.data.storage import Storage
from bptrain.formats.coded_texts import CodedTexts, coded
from bptrain.formats.number_columns import numbers_of_texts
from bptrain.formats.quoting import QuotedText
from bptrain.formats.text_bytes import ROOM
from bptrain.formats.text_columns import END, ColumnTexts, Piece, PlainNumbers, PlainRows
from bptrain.formats.typed_number import TypedNumber
from bptrain.parts.types import Array

MOST_OTHERS = 64  # different texts that may stand among the numbers of a column


class CodedPart(NamedTuple):
    """Some cells of which few are different, or which are more than texts."""

    cells: CodedTexts

    def __len__(self) -> int:
        return len(self.cells.codes)

    def coded(self) -> CodedTexts:
        """The cells."""
        return self.cells

    def tolist(self) -> list[str]:
        """The same one by one."""
        return [*map(self.cells.texts.__getitem__, self.cells.codes.tolist())]


class TextPart(NamedTuple):
    """Some cells of a column, one below the other."""

    cells: ColumnTexts | CodedPart
    typed: bool = False  # whether those that are not empty are numbers by their type

    def coded(self, tells_types: bool) -> CodedTexts:
        """The different texts, and which of them each cell is."""
        cells = self.cells
        texts, codes = (
            cells.rows.coded_alone(cells.place) if isinstance(cells, ColumnTexts) else cells.coded()
        )
        return CodedTexts(self._told(texts, tells_types), codes)

    def tolist(self, tells_types: bool) -> list[str]:
        """All texts."""
        return self._told(self.cells.tolist(), tells_types)

    def _told(self, texts: list[str], tells_types: bool) -> list[str]:
        if not tells_types:
            return [str(text) if isinstance(text, TypedNumber) else text for text in texts]
        return [text and TypedNumber(text) for text in texts] if self.typed else texts


def part_of(cells: list[str] | ColumnTexts, typed: bool, storage: Storage) -> TextPart:
    """Some cells as they lie in files; those of a table that is cut into bytes are there already."""
    if isinstance(cells, ColumnTexts):
        return TextPart(cells, typed)
    if any(type(cell) is not str or "\0" in cell for cell in cells):
        texts, codes = coded(cells)
        return TextPart(CodedPart(CodedTexts(texts, storage.kept(codes))), typed)
    content = "\0".join([*cells, ""]).encode("utf-8", "surrogatepass")
    data = storage.empty((ROOM + len(content),), np.uint8)
    data[ROOM:] = np.frombuffer(content, np.uint8)
    ends = storage.kept((np.flatnonzero(data[ROOM:] == END) + ROOM).astype(np.uint32)[:, None])
    return TextPart(ColumnTexts(PlainRows([Piece(data, ends, 1, None)], 1, {}), 0), typed)


class NumbersSoFar:
    """The numbers of a column, while nearly all of its cells are plain numbers, or empty."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.parts: list[Array] | None = []  # NaN where a cell is no number; None: too many are none
        self.has_leading_zero, self.is_whole, self.is_empty, self.bound = False, True, True, 0.0
        self.values: Array | None = None  # of all parts, once somebody has asked for them
        self.others: Counter[str] = Counter()  # the texts that are none

    def add(self, cells: list[str] | ColumnTexts) -> None:
        """The numbers of some more cells."""
        if self.parts is None:
            return
        found = cells.numbers if isinstance(cells, ColumnTexts) else None
        found = found or self._among(cells if isinstance(cells, list) else cells.tolist())
        if found is None:
            self.parts = None
            return
        self.parts.append(self._storage.kept(found.values))
        self._note(found)

    def add_all(self, more: "NumbersSoFar") -> None:
        """The numbers of another column, which stand below these."""
        self.parts = None if self.parts is None or more.parts is None else [*self.parts, *more.parts]
        self._note(more)
        self.others += more.others

    def _note(self, more: "PlainNumbers | NumbersSoFar") -> None:
        self.has_leading_zero |= more.has_leading_zero
        self.is_whole &= more.is_whole
        self.is_empty &= more.is_empty
        self.bound = max(self.bound, more.bound)

    def _among(self, cells: list[str]) -> PlainNumbers | None:
        """The numbers of cells that are such, but for few different texts; None where they are more."""
        bare = ["" if cell in self.others else cell for cell in cells]
        found = numbers_of_texts(bare)
        if found is None:
            for cell in dict.fromkeys(bare):
                if numbers_of_texts([cell]) is None:
                    if isinstance(cell, QuotedText) or len(self.others) == MOST_OTHERS:
                        return None
                    self.others[cell] = 0
            bare = ["" if cell in self.others else cell for cell in bare]
            found = numbers_of_texts(bare)
        self.others.update(filter(self.others.__contains__, cells))
        return found


class SpooledTexts(ColumnTexts):
    """The texts of a column, of which no more than those of a part are in memory as long as nobody asks for all."""

    def __init__(
        self, parts: Sequence[TextPart], numbers: NumbersSoFar, storage: Storage, tells_types: bool = False
    ) -> None:
        self.parts, self._found, self._storage = parts, numbers, storage
        self.tells_types = tells_types  # whether numbers by type are told from texts

    def untyped(self) -> "SpooledTexts":
        """The cells as texts alone."""
        return SpooledTexts(self.parts, self._found, self._storage)

    @classmethod
    def below(cls, columns: "Sequence[SpooledTexts]", storage: Storage, tells_types: bool) -> "SpooledTexts":
        """Several columns, one below the other."""
        numbers = NumbersSoFar(storage)
        for column in columns:
            numbers.add_all(column._found)
        return cls([part for column in columns for part in column.parts], numbers, storage, tells_types)

    @property
    def numbers(self) -> PlainNumbers | None:
        """The column where all of its cells are plain numbers, or empty."""
        return None if self.others else self.numbers_and_gaps

    @property
    def numbers_and_gaps(self) -> PlainNumbers | None:
        """The column where all of its cells but `others` are plain numbers, or empty; NaN for the others, too."""
        found = self._found
        if found.parts is None:
            return None
        if found.values is None:
            found.values = end_to_end(found.parts, self._storage)
        return PlainNumbers(found.values, found.has_leading_zero, found.is_whole, found.is_empty, found.bound)

    @property
    def others(self) -> Counter[str]:
        """The few texts that stand among the numbers, with the number of their cells."""
        return self._found.others

    def different(self) -> Iterator[str]:
        """The texts, each at least once."""
        for part in self.parts:
            yield from part.coded(self.tells_types).texts

    def coded(self) -> CodedTexts:
        """The different texts, and which of them each cell is."""
        places: dict[str, int] = {}
        codes, begin = self._storage.empty((len(self),), np.int64), 0
        for part in self.parts:
            found = part.coded(self.tells_types)
            end = begin + len(found.codes)
            table = np.array([places.setdefault(text, len(places)) for text in found.texts], np.int64)
            codes[begin:end] = table[found.codes]
            begin = end
        return CodedTexts([*places], codes)

    def tolist(self) -> list[str]:
        """All texts."""
        return [*self]

    def __len__(self) -> int:
        return sum(len(part.cells) for part in self.parts)

    def __iter__(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.tolist(self.tells_types)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            stop = at.stop if at.stop is not None and at.stop >= 0 else None
            return [*islice(self, stop)][at]
        return next(islice(self, at if at >= 0 else len(self) + at, None))


def end_to_end(parts: Sequence[Array], storage: Storage) -> Array:
    """Arrays one after the other, of the type that holds the values of all."""
    whole = storage.empty((sum(map(len, parts)), *parts[0].shape[1:]), np.result_type(*parts))
    begin = 0
    for part in parts:
        whole[begin : begin + len(part)] = part
        begin += len(part)
    return whole
