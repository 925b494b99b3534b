"""The columns of numbers of a table: decimals by array operations, others by pydantic's JSON parser, or by float().

All three read a cell alike, to the bit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bptrain.formats.decimals import DecimalReader
from bptrain.formats.json_numbers import COMMA, json_numbers, numbers_by_json
from bptrain.formats.text_bytes import own_memory
from bptrain.formats.text_columns import (
    END,
    FIRST_ROWS,
    Piece,
    PlainNumbers,
    bounds_of_rows,
    cells_of_piece,
    in_words,
    plain_numbers_of,
    texts_between,
    texts_of_piece,
)

if TYPE_CHECKING:
    from bptrain.parts.types import Array

AT_A_TIME = 3 << 13  # cells that are read at a time, so that the processor's cache holds the arrays
TELLING_ROWS = 3  # whose cells show by their first character which columns are texts
MANY = (
    0.5  # of the cells of a column that array operations leave: then the others are not read by them either
)
MANY_LONGER = 1 / 32  # the same of columns of decimals of one word, which are read as longer ones then
MAY_BEGIN_A_NUMBER = frozenset(b"+-.0123456789 \t\n\r\v\f")
LEADING_ZERO = re.compile(r"\n[-+ ]*0[0-9]")


class NumberColumns:
    """The columns of which all cells so far are plain numbers, or empty."""

    def __init__(self) -> None:
        import numpy as np

        self._reader = DecimalReader()
        self._room = np.empty(0, np.int64)
        self._chosen: dict[tuple[int, ...], tuple[Array, Array]] = {}
        # Cells that were left: their starts and ends, their rows, and the places of their columns.
        self._left: list[tuple[Array, Array, Array, Array]] = []
        # Places in the table, by how the cells are read: decimals of one word or less, of two, and all else.
        self._short: list[int] = []
        self._long: list[int] = []
        self._exact: list[int] = []
        self.start(0)

    def start(self, rows: int) -> None:
        """Begins a table, or another part of the same one, of at most so many rows."""
        import numpy as np

        self._most, self._rows = rows, 0
        self._matrix: Array | None = None  # rows × columns that had numbers in the first rows
        self._at: dict[int, int] = {}  # place of a column in the table -> its place in the matrix
        # Places in the matrix.
        self._zeros = np.zeros(0, bool)  # those that have a cell like 01
        self._whole = np.arange(0)  # those of whole numbers so far
        self._empty = np.arange(0)  # those without a number so far
        self._bound = 0.0  # of the size of whole numbers

    def add(self, piece: Piece) -> None:
        """The numbers of some more rows."""
        data = in_words(piece.data)
        matrix = self._begin(piece) if self._matrix is None else self._matrix
        part = matrix[self._rows : self._rows + len(piece.ends)]
        places = self._places_of(piece)
        whole = {*self._whole.tolist()}  # without points, most often, and so read faster by themselves
        for is_whole in (True, False):
            chosen = [place for place in self._short if (self._at[place] in whole) == is_whole]
            if longer := self._read_decimals(data, places, part, chosen, False):
                self._short = [place for place in self._short if place not in longer]
                self._long = sorted([*self._long, *longer])
        others = self._read_decimals(data, places, part, self._long, True)
        self._read_left(data, part)
        self._long = [place for place in self._long if place in self._at and place not in others]
        self._short = [place for place in self._short if place in self._at]
        self._exact = sorted([*self._exact, *(others & self._at.keys())])
        self._read_exactly(piece, part)
        self._look_at(part)
        if not self._rows and not self._short:
            self._short, self._long = self._long, []
        self._rows += len(piece.ends)

    def _places_of(self, piece: Piece) -> "Array":
        """The place of the byte before the first cell, and of that behind each cell, row by row."""
        import numpy as np

        n = piece.ends.size + 1
        if n > len(self._room):
            self._room = np.empty(n, np.int64)
        places = self._room[:n]
        places[0] = piece.begin - 1
        places[1:].reshape(piece.ends.shape)[:] = piece.ends
        return places

    def _begin(self, piece: Piece) -> "Array":
        """Room for the columns that may be of numbers."""
        import numpy as np

        places = _that_begin_so(piece)
        self._at = {place: k for k, place in enumerate(places)}
        self._short = [place for place in self._short if place in self._at]  # as in the part before
        self._long = [place for place in places if place not in {*self._short}]
        self._exact = []
        n = len(places)
        self._zeros = np.zeros(n, bool)
        self._whole, self._empty = np.arange(n), np.arange(n)
        self._matrix = own_memory((self._most, n), np.float64)
        return self._matrix

    def _read_decimals(
        self, data: "Array", behind: "Array", part: "Array", places: list[int], long: bool
    ) -> set[int]:
        """Reads columns by array operations. The places of those that must be read in another way."""
        import numpy as np

        others: set[int] = set()
        if not places:
            return others
        rows, n = len(part), len(places)
        width = len(behind) // rows
        steps = -(-rows * n // AT_A_TIME)
        step = -(-rows // steps)
        cells, room = self._cells(step, width, places)
        runs = [*_runs(places, self._at)]
        for begin in range(0, rows, step):
            some = part[begin : begin + step]
            there = behind[begin * width :]
            starts, ends = room[:, : len(some) * n]
            there.take(cells[: len(starts)], out=starts, mode="clip")
            there[1:].take(cells[: len(ends)], out=ends, mode="clip")
            np.add(starts, 1, starts)
            found = self._reader.read(data, starts, ends, long)
            values = found.values.reshape(-1, n)
            for own, columns in runs:
                some[:, columns] = values[:, own]
            if found.has_zero is not None:
                self._zeros[[self._at[place] for place in places]] |= found.has_zero.reshape(-1, n).any(
                    axis=0
                )
            if found.left is None:
                continue
            left = np.flatnonzero(found.left)
            most = (MANY if long else MANY_LONGER) * len(some)
            counts = np.bincount(left % n, minlength=n)
            others.update(places[k] for k in np.flatnonzero(counts > most).tolist())
            left = left[counts[left % n] <= most]
            self._left.append((starts[left], ends[left], left // n + begin, np.take(places, left % n)))
        return others

    def _cells(self, rows: int, width: int, places: list[int]) -> "tuple[Array, Array]":
        """Which of all cells those of some columns are, in so many rows or more; room for their starts and ends."""
        import numpy as np

        known = self._chosen.get((*places,))
        if known is None or len(known[0]) < rows * len(places):
            cells = (np.arange(rows)[:, None] * width + places).ravel()
            known = self._chosen[(*places,)] = cells, np.empty((2, len(cells)), np.int64)
        return known

    def _read_left(self, data: "Array", part: "Array") -> None:
        """Reads the cells that array operations left by float()."""
        import numpy as np

        if not self._left:
            return
        starts, ends, rows, of_cells = map(np.concatenate, zip(*self._left, strict=True))
        self._left.clear()
        texts, places = texts_between(data, starts, ends), of_cells.tolist()
        if self._at.keys() >= {*places}:
            values = _floats(texts)
            if values is not None and not _has_leading_zero(texts):
                part[rows, [self._at[place] for place in places]] = values
                return
        of_place: dict[int, list[int]] = {}
        for k, place in enumerate(places):
            of_place.setdefault(place, []).append(k)
        for place in of_place.keys() & self._at.keys():
            own = [texts[k] for k in of_place[place]]
            values = _floats(own)
            if values is None:
                self._drop(place)
            else:
                part[rows[of_place[place]], self._at[place]] = values
                self._zeros[self._at[place]] |= _has_leading_zero(own)

    def _read_exactly(self, piece: Piece, part: "Array") -> None:
        """Reads the columns whose cells array operations leave."""
        import numpy as np

        if not self._exact:
            return
        values = numbers_by_json(piece, np.array(self._exact))
        if values is not None:
            part[:, [self._at[place] for place in self._exact]] = values
            return
        for place in [*self._exact]:
            cells = cells_of_piece(piece, place)
            cells[cells == END] = COMMA
            values = json_numbers(cells.tobytes(), len(part))
            if values is None:
                found = numbers_of_texts(texts_of_piece(piece, place))
                if found is None:
                    self._exact.remove(place)
                    self._drop(place)
                    continue
                values = found.values
                self._zeros[self._at[place]] |= found.has_leading_zero
            part[:, self._at[place]] = values

    def _drop(self, place: int) -> None:
        """Forgets a column that is none of numbers."""
        k = self._at.pop(place)
        self._whole, self._empty = self._whole[self._whole != k], self._empty[self._empty != k]

    def _look_at(self, part: "Array") -> None:
        """Notes what the numbers of some more rows are, while they lie in the processor's cache."""
        import numpy as np

        for rows in (part,) if self._rows else (part[:FIRST_ROWS], part):
            if len(self._empty):
                self._empty = self._empty[np.isnan(rows[:, self._empty]).all(axis=0)]
            numbers = rows[:, _range(self._whole.tolist())]
            is_whole = numbers == np.floor(numbers)
            if not is_whole.all():
                self._whole = self._whole[(is_whole | np.isnan(numbers)).all(axis=0)]
                numbers = rows[:, _range(self._whole.tolist())]
        self._bound = max(self._bound, float(np.fmax.reduce(np.abs(numbers), axis=None, initial=0.0)))

    def found(self) -> dict[int, PlainNumbers]:
        """The columns that are numbers throughout."""
        if self._matrix is None:
            return {}
        whole, empty = {*self._whole.tolist()}, {*self._empty.tolist()}
        return {
            place: PlainNumbers(
                self._matrix[: self._rows, k], bool(self._zeros[k]), k in whole, k in empty, self._bound
            )
            for place, k in self._at.items()
        }


def shared_matrix(columns: "Sequence[Array]") -> "Array | None":
    """The N × k array of which k columns are all there is, in this order; None where they are not such."""
    matrix = columns[0].base
    if matrix is None or matrix.ndim != 2 or matrix.shape[1] != len(columns):
        return None
    begin = matrix.__array_interface__["data"][0]
    for k, column in enumerate(columns):
        if column.base is not matrix or column.__array_interface__["data"][0] != begin + k * matrix.itemsize:
            return None
    rows: Array = matrix[: len(columns[0])]
    return rows


def _range(places: list[int]) -> "slice | list[int]":
    """Places in rising order, as a slice where they follow one another: what it takes from an array is no copy."""
    if places and places[-1] - places[0] == len(places) - 1:
        return slice(places[0], places[-1] + 1)
    return places


def _runs(places: list[int], at: "Mapping[int, int]") -> "Iterator[tuple[slice, slice]]":
    """The columns at these places that lie side by side in the matrix: among these, and there."""
    begin = 0
    for k, place in enumerate(places):
        if k + 1 == len(places) or at[places[k + 1]] != at[place] + 1:
            first = at[places[begin]]
            yield slice(begin, k + 1), slice(first, first + k + 1 - begin)
            begin = k + 1


def numbers_of_texts(cells: list[str]) -> PlainNumbers | None:
    """The finite numbers that all cells are which are not empty; None where one is something else."""
    import numpy as np

    there = [*filter(None, cells)]
    numbers = _floats(there)
    if numbers is None:
        return None
    if len(there) < len(cells):
        values = np.full(len(cells), np.nan)
        values[np.fromiter(map(bool, cells), bool, len(cells))] = numbers
        numbers = values
    return plain_numbers_of(numbers, _has_leading_zero(there))


def _floats(cells: list[str]) -> "Array | None":
    """The finite numbers that all cells are; None where one is something else."""
    import numpy as np

    text = "\n".join(cells)
    if "_" in text or not text.isascii():  # float() would take 1_000, and digits of other scripts
        return None
    try:
        numbers = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _has_leading_zero(cells: list[str]) -> bool:
    """Whether some cell begins as 01 does."""
    return LEADING_ZERO.search("\n".join(["", *cells])) is not None


def _that_begin_so(piece: Piece) -> list[int]:
    """The columns whose first cells begin as numbers do."""
    import numpy as np

    starts, ends = bounds_of_rows(piece, slice(0, TELLING_ROWS), slice(None))
    begins = np.isin(piece.data[starts], [*MAY_BEGIN_A_NUMBER]) | (starts == ends)
    return np.flatnonzero(begins.reshape(-1, piece.ends.shape[1]).all(axis=0)).tolist()
