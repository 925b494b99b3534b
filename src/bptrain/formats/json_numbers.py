"""Numbers by pydantic's JSON parser, which reads a number as float() does, and takes no text of it before."""

from typing import TYPE_CHECKING

from bptrain.formats.text_columns import Piece

if TYPE_CHECKING:
    from bptrain.parts.types import Array

AT_A_TIME = 1 << 14  # cells; more of them are memory that is taken anew each time
COMMA = ord(",")
NOT_IN_NUMBERS = (b'"', b"[", b"{", b"t", b"f", b"n", b"N", b"I")  # what begins other JSON than numbers


def numbers_by_json(piece: Piece, places: "Array") -> "Array | None":
    """Some columns of a piece, rows × their number; None where JSON does not read them as numbers."""
    import numpy as np

    rows, width = piece.ends.shape
    if not len(places):
        return np.empty((rows, 0))
    step = max(1, AT_A_TIME // len(places))
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
