"""The columns of numbers of a table: decimals by array operations, others by pydantic's JSON parser, or by float().

All three read a cell alike, to the bit.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bptrain.formats.cell_words import WORD
from bptrain.formats.decimals import DecimalReader
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

AT_A_TIME = 1 << 16  # cells of all columns that are read at a time: the processor's cache holds their arrays
JSON_AT_A_TIME = 1 << 14  # cells; more of them are memory that is taken anew each time
TELLING_ROWS = 3  # whose cells show by their first character which columns are texts
MANY = (
    0.5  # of the cells of a column that array operations leave: then the others are not read by them either
)
COMMA = ord(",")
MAY_BEGIN_A_NUMBER = frozenset(b"+-.0123456789 \t\n\r\v\f")
NOT_IN_NUMBERS = (b'"', b"[", b"{", b"t", b"f", b"n", b"N", b"I")  # what begins other JSON than numbers
LEADING_ZERO = re.compile(r"\n[-+ ]*0[0-9]")


class NumberColumns:
    """The columns of which all cells so far are plain numbers, or empty."""

    def __init__(self, rows: int) -> None:
        import numpy as np

        self._reader = DecimalReader()
        self._most, self._rows = rows, 0
        self._matrix: Array | None = None  # rows × columns that had numbers in the first rows
        self._at: dict[int, int] = {}  # place of a column in the table -> its place in the matrix
        # Places in the table, by how the cells are read: decimals of one word or less, of two, and all else.
        self._short: list[int] = []
        self._long: list[int] = []
        self._exact: list[int] = []
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
        if longer := self._read_decimals(piece, data, part, self._short, False):
            self._short = [place for place in self._short if place not in longer]
            self._long = sorted([*self._long, *longer])
        others = self._read_decimals(piece, data, part, self._long, True)
        self._long = [place for place in self._long if place in self._at and place not in others]
        self._exact = sorted([*self._exact, *(others & self._at.keys())])
        self._read_exactly(piece, part)
        if not self._rows:
            lengths = _longest(piece)
            self._short = [place for place in self._long if lengths[place] <= WORD]
            self._long = [place for place in self._long if lengths[place] > WORD]
        self._look_at(part)
        self._rows += len(piece.ends)

    def _begin(self, piece: Piece) -> "Array":
        """Room for the columns that may be of numbers."""
        import numpy as np

        self._long = _that_begin_so(piece)
        self._at = {place: k for k, place in enumerate(self._long)}
        n = len(self._long)
        self._zeros = np.zeros(n, bool)
        self._whole, self._empty = np.arange(n), np.arange(n)
        self._matrix = np.empty((self._most, n))
        return self._matrix

    def _read_decimals(
        self, piece: Piece, data: "Array", part: "Array", places: list[int], long: bool
    ) -> set[int]:
        """Reads columns by array operations. The places of those that must be read in another way."""
        import numpy as np

        others: set[int] = set()
        rows, n = len(part), len(places)
        chosen, columns = _range(places), _range([self._at[place] for place in places])
        step = max(1, AT_A_TIME // piece.ends.shape[1])
        for begin in range(0, rows if n else 0, step):
            some = slice(begin, min(begin + step, rows))
            starts, ends = bounds_of_rows(piece, some, chosen)
            found = self._reader.read(data, starts, ends, long)
            part[some, columns] = found.values.reshape(-1, n)
            if found.has_zero is not None:
                self._zeros[columns] |= found.has_zero.reshape(-1, n).any(axis=0)
            if found.left is None:
                continue
            cells = np.flatnonzero(found.left)
            most = MANY * (some.stop - begin) if long else 0
            counts = np.bincount(cells % n, minlength=n)
            others.update(places[k] for k in np.flatnonzero(counts > most).tolist())
            cells = cells[counts[cells % n] <= most]
            texts = texts_between(data, starts[cells], ends[cells])
            self._read_left(part[some], texts, cells // n, [places[k] for k in (cells % n).tolist()])
        return others

    def _read_left(self, part: "Array", texts: list[str], rows: "Array", places: list[int]) -> None:
        """Reads the cells in these rows and places by float()."""
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
        values = _numbers(piece, np.array(self._exact))
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

        for rows in (part[:FIRST_ROWS], part):
            self._empty = self._empty[np.isnan(rows[:, self._empty]).all(axis=0)]
            numbers = rows[:, _range(self._whole.tolist())]
            is_whole = numbers == np.floor(numbers)
            if not is_whole.all():
                self._whole = self._whole[(is_whole | np.isnan(numbers)).all(axis=0)]
        numbers = part[:, _range(self._whole.tolist())]
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


def _longest(piece: Piece) -> "Array":
    """The bytes of the longest cell of each column."""
    starts, ends = bounds_of_rows(piece, slice(0, len(piece.ends)), slice(None))
    longest: Array = (ends - starts).reshape(piece.ends.shape).max(axis=0)
    return longest


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


def _numbers(piece: Piece, places: "Array") -> "Array | None":
    """Some columns of a piece, rows × their number; None where JSON does not read them as numbers."""
    import numpy as np

    rows, width = piece.ends.shape
    if not len(places):
        return np.empty((rows, 0))
    step = max(1, JSON_AT_A_TIME // len(places))
    values = np.empty((rows, len(places)))
    for row in range(0, rows, step):
        ends = piece.ends[row : row + step].astype(np.int64)
        begin = int(piece.ends[row - 1, -1]) + 1 if row else piece.begin
        cells = piece.data[begin : ends[-1, -1] + 1].copy()
        ends -= begin
        cells[ends] = COMMA
        if len(places) < width:
            cells = cells[_bytes_of(ends, places)]
        found = json_numbers(cells.tobytes(), len(ends) * len(places))
        if found is None:
            return None
        values[row : row + step] = found.reshape(-1, len(places))
    return values


def _bytes_of(ends: "Array", places: "Array") -> "Array":
    """Which bytes belong to some columns, by where each cell ends."""
    import numpy as np

    rows, width = ends.shape
    is_chosen = np.zeros(width, bool)
    is_chosen[places] = True
    # The last column of each run of columns that are chosen, or are not.
    last = np.flatnonzero(np.append(is_chosen[1:] != is_chosen[:-1], True))
    lengths = np.diff(ends[:, last].ravel(), prepend=-1)
    return np.repeat(np.tile(is_chosen[last], rows), lengths)


def json_numbers(cells: bytes, count: int) -> "Array | None":
    """So many finite numbers, each with a comma behind it, NaN for an empty cell; None where one is not JSON."""
    import numpy as np
    from pydantic_core import from_json

    if any(sign in cells for sign in NOT_IN_NUMBERS):
        return None
    data = np.frombuffer(b"," + cells, np.uint8)
    is_comma = data == COMMA
    is_full = not (is_comma[1:] & is_comma[:-1]).any()
    if not is_full:
        cells = data.tobytes().replace(b",,", b",NaN,").replace(b",,", b",NaN,")[1:]
    is_zero = (data[1:-1] == ord("0")) & is_comma[2:]
    if (is_zero & (data[:-2] == ord("-"))).any():  # -0, which JSON takes for the integer 0
        return None
    try:
        found = from_json(b"[" + cells[:-1] + b"]", allow_inf_nan=True, cache_strings="none")
        if len(found) != count:  # some cell has a comma
            return None
        numbers = np.fromiter(found, np.float64, count)
    except (ValueError, OverflowError):
        return None
    is_fine = np.isfinite(numbers).all() if is_full else not np.isinf(numbers).any()
    return numbers if is_fine else None
