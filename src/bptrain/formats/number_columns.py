"""The columns of numbers of a table, read by pydantic's JSON parser: exact as float() is, without a text per cell."""

import re
from typing import TYPE_CHECKING

from bptrain.formats.text_columns import END, ROOM, Piece, PlainNumbers, cells_of_piece, texts_of_piece

if TYPE_CHECKING:
    from bptrain.parts.types import Array

AT_A_TIME = 1 << 14  # cells that are read at a time; more of them are memory that is taken anew each time
FIRST_ROWS = 3  # whose cells show by their first character which columns are texts
COMMA = ord(",")
MAY_BEGIN_A_NUMBER = frozenset(b"+-.0123456789 \t\n\r\v\f\0")
NOT_IN_NUMBERS = (b'"', b"[", b"{", b"t", b"f", b"n", b"N", b"I")  # what begins other JSON than numbers
LEADING_ZERO = re.compile(r"\n[-+ ]*0[0-9]")


class NumberColumns:
    """The columns of which all cells so far are plain numbers, or empty."""

    def __init__(self, rows: int) -> None:
        import numpy as np

        self._most, self._rows = rows, 0
        self._matrix: Array | None = None  # a row for each column that had numbers in the first piece
        self._at: dict[int, int] = {}  # place of a column -> its row in the matrix
        self._json: Array = np.arange(0)  # the columns that JSON reads
        self._others: dict[int, bool] = {}  # columns that float() reads -> whether a cell is like 01

    def add(self, piece: Piece) -> None:
        """The numbers of some more rows."""
        import numpy as np

        if self._matrix is None:
            self._json = _that_begin_so(piece)
            self._at = {place: k for k, place in enumerate(self._json.tolist())}
            self._matrix = np.empty((len(self._json), self._most))
        part = self._matrix[:, self._rows : self._rows + len(piece.ends)].T
        values = _numbers(piece, self._json)
        if values is not None:
            if len(self._json) == part.shape[1]:
                part[:] = values
            else:
                part[:, [self._at[place] for place in self._json.tolist()]] = values
        else:
            self._one_by_one(piece, part)
        for place, had_zero in [*self._others.items()]:
            self._read_texts(piece, part, place, had_zero)
        self._rows += len(piece.ends)

    def _one_by_one(self, piece: Piece, part: "Array") -> None:
        """The numbers of columns that JSON does not read all together."""
        import numpy as np

        kept = []
        for place in self._json.tolist():
            cells = cells_of_piece(piece, place)
            cells[cells == END] = COMMA
            values = json_numbers(cells.tobytes(), len(part))
            if values is None:
                self._others[place] = False
            else:
                part[:, self._at[place]] = values
                kept.append(place)
        self._json = np.array(kept, int)

    def _read_texts(self, piece: Piece, part: "Array", place: int, had_zero: bool) -> None:
        """The numbers of a column that float() reads."""
        found = numbers_of_texts(texts_of_piece(piece, place))
        if found is None:
            del self._others[place], self._at[place]
            return
        part[:, self._at[place]] = found.values
        self._others[place] = had_zero or found.has_leading_zero

    def found(self) -> dict[int, PlainNumbers]:
        """The columns that are numbers throughout."""
        if self._matrix is None:
            return {}
        return {
            place: PlainNumbers(self._matrix[k, : self._rows], self._others.get(place, False))
            for place, k in self._at.items()
        }


def numbers_of_texts(cells: list[str]) -> PlainNumbers | None:
    """The finite numbers that all cells are which are not empty; None where one is something else."""
    import numpy as np

    text = "\n".join(["", *cells])
    if "_" in text or not text.isascii():  # float() would take 1_000, and digits of other scripts
        return None
    there = [*filter(None, cells)]
    try:
        numbers = np.fromiter(map(float, there), np.float64, len(there))
    except ValueError:
        return None
    if not np.isfinite(numbers).all():
        return None
    if len(there) < len(cells):
        values = np.full(len(cells), np.nan)
        values[np.fromiter(map(bool, cells), bool, len(cells))] = numbers
        numbers = values
    return PlainNumbers(numbers, LEADING_ZERO.search(text) is not None)


def _that_begin_so(piece: Piece) -> "Array":
    """The columns whose first cells begin as numbers do."""
    import numpy as np

    starts = np.concatenate(([ROOM], piece.ends[:FIRST_ROWS].ravel()[:-1].astype(np.int64) + 1))
    begins = np.isin(piece.data[starts], [*MAY_BEGIN_A_NUMBER])
    found: Array = np.flatnonzero(begins.reshape(-1, piece.ends.shape[1]).all(axis=0))
    return found


def _numbers(piece: Piece, places: "Array") -> "Array | None":
    """Some columns of a piece, rows × their number; None where JSON does not read them as numbers."""
    import numpy as np

    rows, width = piece.ends.shape
    if not len(places):
        return np.empty((rows, 0))
    step = max(1, AT_A_TIME // len(places))
    values = np.empty((rows, len(places)))
    for row in range(0, rows, step):
        ends = piece.ends[row : row + step].astype(np.int64)
        begin = int(piece.ends[row - 1, -1]) + 1 if row else ROOM
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
