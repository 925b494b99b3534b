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


class NumberColumns:
    """The columns of which all cells so far are plain numbers."""

    def __init__(self, width: int) -> None:
        self._values: dict[int, list[Array]] = {place: [] for place in range(width)}
        self._zero: set[int] = set()
        self._point: set[int] = set()

    def add(self, piece: Piece) -> None:
        """The numbers of some more rows."""
        import numpy as np

        starts = starts_of(piece.ends)
        lengths = (piece.ends - starts).max(axis=0)
        short = [place for place in self._values if lengths[place] <= SHORT]
        for places in (short, [place for place in self._values if lengths[place] > SHORT]):
            for k in range(0, len(places), step := max(1, AT_A_TIME // len(starts))):
                few = places[k : k + step]
                self._add(piece.data, starts[:, few], piece.ends[:, few].astype(np.int64), few)

    def _add(self, data: "Array", starts: "Array", ends: "Array", places: list[int]) -> None:
        import numpy as np

        found = decimals_of(data, starts.ravel(), ends.ravel())
        plain: Array = found.is_plain.reshape(starts.shape)
        zero: Array = np.any(found.has_leading_zero.reshape(starts.shape), axis=0)
        point: Array = np.any(found.has_point.reshape(starts.shape), axis=0)
        is_plain: Array = np.all(plain, axis=0)
        values = found.values.reshape(starts.shape)
        for k, place in enumerate(places):
            column = values[:, k].copy()
            others: list[str] | None = []
            if not is_plain[k]:
                others = _odd_cells(data, starts[:, k], ends[:, k], ~plain[:, k], column)
            if others is None:
                del self._values[place]
                continue
            self._values[place].append(column)
            if zero[k] or any(map(LEADING_ZERO.match, others)):
                self._zero.add(place)
            if point[k] or any("." in text for text in others):
                self._point.add(place)

    def found(self) -> dict[int, PlainNumbers]:
        """The columns that are numbers throughout."""
        import numpy as np

        return {
            place: PlainNumbers(np.concatenate(values), place in self._zero, place in self._point)
            for place, values in self._values.items()
            if values
        }


def _odd_cells(
    data: "Array", starts: "Array", ends: "Array", odd: "Array", values: "Array"
) -> list[str] | None:
    """The other cells, each read by itself into `values`; None where one is no finite number in plain notation."""
    import numpy as np

    texts = []
    for row in np.flatnonzero(odd).tolist():
        content = data[starts[row] : ends[row]].tobytes()
        if not content.isascii() or not PLAIN.fullmatch(text := content.decode().strip()):
            return None
        values[row] = float(text)
        if not math.isfinite(values[row]):
            return None
        texts.append(text)
    return texts
