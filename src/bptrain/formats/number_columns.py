"""Pieces of a table whose cells lie one behind the other as bytes, and the columns of numbers among them."""

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from bptrain.formats.decimals import ROOM, decimals_of

if TYPE_CHECKING:
    from bptrain.parts.types import Array

AT_A_TIME = 1 << 15  # cells that are read at a time
SHORT = 8  # characters
PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
BLANKS_OF_FLOAT = " \t\n\r\v\f"  # around an ASCII text that float() reads
LEADING_ZERO = re.compile(r"[-+ ]*0[0-9]")


class Piece(NamedTuple):
    """Some rows."""

    data: "Array"  # ROOM bytes, the cells in UTF-8, each with END behind it, and some more bytes
    ends: "Array"  # rows × width: the place of the byte behind each cell
    line: int  # on which the first row begins
    lines: "Array | None"  # where each row begins, where they are not one below the other


class PlainNumbers(NamedTuple):
    """A column whose cells are all finite numbers in plain notation, as float() reads them."""

    values: "Array"
    has_leading_zero: bool  # as 01 does
    has_point: bool  # whether some cell has a point


def starts_of(ends: "Array") -> "Array":
    """The place of the first byte of each cell."""
    import numpy as np

    flat = ends.ravel()
    starts = np.empty(len(flat), np.int64)
    starts[0] = ROOM
    starts[1:] = flat[:-1]
    starts[1:] += 1
    return starts.reshape(ends.shape)


class PieceStore:
    """Room for the pieces of a table, so that what is kept does not lie between what goes again."""

    def __init__(self, size: int, rows: int, width: int) -> None:
        import numpy as np

        self._data: Array = np.empty(size, np.uint8)  # memory is taken as it is filled
        self._ends: Array = np.empty((rows, width), np.uint32)
        self._size = self._rows = 0

    def keep(self, piece: Piece) -> Piece:
        """The same piece, in this room where it fits."""
        size, rows = self._size + len(piece.data), self._rows + len(piece.ends)
        if size > len(self._data) or rows > len(self._ends):
            return piece
        data, ends = self._data[self._size : size], self._ends[self._rows : rows]
        data[:], ends[:] = piece.data, piece.ends
        self._size, self._rows = size, rows
        return piece._replace(data=data, ends=ends)


class NumberColumns:
    """The columns of which all cells so far are plain numbers."""

    def __init__(self, width: int, rows: int) -> None:
        import numpy as np

        self._places: Array = np.arange(width)
        self._most, self._rows = rows, 0
        self._matrix: Array | None = None  # the columns that were numbers in the first piece, each a row
        self._at: Array = self._places  # the row of each column
        self._zero: Array = np.zeros(width, bool)
        self._point: Array = np.zeros(width, bool)

    def add(self, piece: Piece) -> None:
        """The numbers of some more rows."""
        import numpy as np

        starts, ends, places = starts_of(piece.ends), piece.ends.astype(np.int64), self._places
        longest = (ends - starts).max(axis=0)[places]
        values = np.empty((len(places), len(starts)))
        kept = np.ones(len(places), bool)
        for chosen in (np.flatnonzero(longest <= SHORT), np.flatnonzero(longest > SHORT)):
            for k in range(0, len(chosen), step := max(1, AT_A_TIME // len(starts))):
                few = chosen[k : k + step]
                found, kept[few] = self._read(piece.data, starts[:, places[few]], ends[:, places[few]], few)
                values[few] = found.T
        if not kept.all():
            self._places, self._at, values = places[kept], self._at[kept], values[kept]
        if self._matrix is None:
            self._at = np.arange(len(self._places))
            self._matrix = np.empty((len(self._places), self._most))
        self._matrix[self._at, self._rows : self._rows + len(starts)] = values
        self._rows += len(starts)

    def _read(self, data: "Array", starts: "Array", ends: "Array", few: "Array") -> "tuple[Array, Array]":
        """The numbers of some columns, and which of these are such throughout."""
        import numpy as np

        shape, places = starts.shape, self._places[few]
        found = decimals_of(data, starts.ravel(), ends.ravel())
        values, plain = found.values.reshape(shape), found.is_plain.reshape(shape)
        self._zero[places] |= np.any(found.has_leading_zero.reshape(shape), axis=0)
        self._point[places] |= np.any(found.has_point.reshape(shape), axis=0)
        kept = np.all(plain, axis=0)
        for k in np.flatnonzero(~kept).tolist():
            others = _odd_cells(data, starts[:, k], ends[:, k], ~plain[:, k], values[:, k])
            if others is not None:
                kept[k] = True
                self._zero[places[k]] |= any(map(LEADING_ZERO.match, others))
                self._point[places[k]] |= any("." in text for text in others)
        return values, kept

    def found(self) -> dict[int, PlainNumbers]:
        """The columns that are numbers throughout."""
        if self._matrix is None:
            return {}
        return {
            place: PlainNumbers(
                self._matrix[at, : self._rows], bool(self._zero[place]), bool(self._point[place])
            )
            for place, at in zip(self._places.tolist(), self._at.tolist(), strict=True)
        }


def _odd_cells(
    data: "Array", starts: "Array", ends: "Array", odd: "Array", values: "Array"
) -> list[str] | None:
    """The other cells, each read by itself into `values`; None where one is no finite number in plain notation."""
    import numpy as np

    texts = []
    for row in np.flatnonzero(odd).tolist():
        content = data[starts[row] : ends[row]].tobytes()
        if not content.isascii() or not PLAIN.fullmatch((text := content.decode()).strip(BLANKS_OF_FLOAT)):
            return None
        values[row] = float(text)
        if not math.isfinite(values[row]):
            return None
        texts.append(text)
    return texts
