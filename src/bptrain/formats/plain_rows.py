"""Rows of a text whose cells one character separates, cut into bytes and places.

A piece of the text is cut by array operations where it is plain: one line per row, quotes around whole cells alone. The
csv module reads the other pieces. What is no table at all is left to `delimited`, which knows what to say about it.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from bptrain.formats.conventions import BLANKS, Conventions
from bptrain.formats.markers import markers_of
from bptrain.formats.number_columns import NumberColumns
from bptrain.formats.quoting import quotes_some
from bptrain.formats.text_columns import END, ROOM, Piece, PlainRows

if TYPE_CHECKING:
    from bptrain.parts.types import Array

PIECE = 1 << 18  # characters that are cut at a time
LEAST_ROWS = 1000  # of a piece, since each column is taken out of each piece by itself
MOST_OF_A_PIECE = 1 << 25  # characters, of so many rows
MORE_THAN_CELLS = 64  # bytes of a piece, at most
LARGEST = 1 << 32  # bytes of a piece, whose places are 32-bit numbers
BLANK = ord(" ")


class NotATable(Exception):
    """The text is not a table of one width, or has a byte that is reserved here."""


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


def can_be_plain(text: str, delimiter: str, conventions: Conventions) -> bool:
    """Whether a table is read here, by how it is written."""
    quote = conventions.quote
    return (
        delimiter != BLANKS
        and delimiter.isascii()
        and (quote is None or quote == "" or quote.isascii())
        and (conventions.comment is None or conventions.comment not in text)
        and "\n" in text
    )


def plain_rows(
    text: str,
    begin: int,
    line: int,
    width: int,
    delimiter: str,
    conventions: Conventions,
    goes_on: bool = False,
) -> PlainRows:
    """The rows from a place of a text on, where a line with this number begins.

    `goes_on` is whether there is more behind the text, so that its last row may be broken off; then the last rows may
    be left. Raises NotATable where some rows have another number of cells, or broken quotes, and where a marker of a
    missing value stands in quotes, for which the text is looked at in another way.
    """
    quote = '"' if conventions.quote is None else conventions.quote
    markers = markers_of(conventions.missing_markers).anywhere
    most = 1 + min(text.count("\n", begin), (len(text) - begin) // width)  # rows
    columns = NumberColumns(most)
    size = (len(text) - begin) * (1 if text.isascii() else 4)
    store = PieceStore(size + size // PIECE * MORE_THAN_CELLS, most, width)
    pieces: list[Piece] = []
    usual = size = max(PIECE, min(LEAST_ROWS * (text.find("\n", begin) + 1 - begin), MOST_OF_A_PIECE))
    while begin < len(text):
        end = len(text)
        if begin + size < end:
            end = text.rfind("\n", begin, begin + size) + 1 or text.find("\n", begin + size) + 1 or end
        part = text[begin:end]
        if (
            "\0" in part
            or ("\r" in part and part.count("\r") != part.count("\r\n"))
            or len(part) * 4 > LARGEST
        ):
            raise NotATable
        piece = _cut(part, line, width, delimiter, quote, markers)
        if piece is None:
            piece = _read(part, line, width, delimiter, conventions)
            if quotes_some(markers, part, quote):
                raise NotATable
            if piece is None and end < len(text):
                size *= 2  # the cut may have gone through a quoted cell
                continue
            if piece is None and goes_on and pieces:
                break
            if piece is None:
                raise NotATable
        if len(piece.ends):
            columns.add(piece)
            pieces.append(store.keep(piece))
        begin, size = end, usual
        line += len(piece.ends) if piece.lines is None else part.count("\n")
    if not pieces:
        raise NotATable
    return PlainRows(pieces, width, columns.found(), line)


def _cut(
    part: str, line: int, width: int, delimiter: str, quote: str, markers: Collection[str]
) -> Piece | None:
    """The rows of lines that are plain; None where the csv module must look at them."""
    import numpy as np

    if "\r" in part:
        part = part.replace("\r\n", "\n")
    content = part.encode()
    if not content.endswith(b"\n"):
        content += b"\n"
    data = np.frombuffer(bytearray(ROOM) + content, np.uint8)
    body = data[ROOM:]
    is_end = (body == ord(delimiter)) | (body == ord("\n"))
    if delimiter != " " and " " in part and (body[0] == BLANK or (is_end[:-1] & (body[1:] == BLANK)).any()):
        return None  # csv skips blanks that begin a cell
    if width == 1 and ((quote and quote in part) or _has_blank(part)):
        return None
    if quote and quote in part:
        found = _without_quotes(data, is_end, ord(quote), markers)
        if found is None:
            return None
        data, is_end = found
        body = data[ROOM:]
    ends = np.flatnonzero(is_end)
    if len(ends) % width:
        return None
    places: Array = ends.reshape(-1, width)
    is_line = body[places] == ord("\n")
    if not is_line[:, -1].all() or is_line[:, :-1].any():
        return None
    body[places] = END
    return Piece(data, (places + ROOM).astype(np.uint32), line, None)


def _has_blank(part: str) -> bool:
    """Whether some line has nothing in it, which is no row."""
    return any(not line.strip() for line in part.split("\n")[:-1])


def _without_quotes(
    data: "Array", is_end: "Array", quote: int, markers: Collection[str]
) -> "tuple[Array, Array] | None":
    """The bytes without quotes and the ends of cells.

    None where a quote is anywhere but around a whole cell, or where a marker of a missing value may stand in quotes.
    """
    import numpy as np

    body = data[ROOM:]
    is_quote = body == quote
    places = np.flatnonzero(is_quote)
    if len(places) % 2:
        return None
    opening, closing = places[::2], places[1::2]
    before = np.concatenate(([True], is_end))[opening]  # whether a cell begins here
    after = is_end[closing + 1]
    if not (before.all() and after.all()):
        return None
    if _may_be_marker(data, opening + 1 + ROOM, closing + ROOM, markers):
        return None
    inside = np.zeros(len(body) + 1, np.int8)
    inside[opening] = 1
    inside[closing] = -1
    is_inside = np.cumsum(inside[:-1], dtype=np.int8).view(bool)
    if (is_inside & (body == ord("\n"))).any():
        return None  # a line break in a cell
    kept = ~is_quote
    is_end = (is_end & ~is_inside)[kept]
    return np.concatenate([data[:ROOM], body[kept]]), is_end


def _may_be_marker(data: "Array", starts: "Array", ends: "Array", markers: Collection[str]) -> bool:
    """Whether some cell in these places is a marker, or may be one that has blanks around it or is long."""
    import numpy as np

    if ((data[starts] == BLANK) | (data[ends - 1] == BLANK)).any() or any(
        len(m.encode()) > 8 for m in markers
    ):
        return True
    short = np.flatnonzero(ends - starts <= 8)
    shift = (8 * (8 - (ends - starts)[short])).astype(np.uint64)
    words = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))[ends[short] - 8] >> np.minimum(shift, 63)
    return any(bool((words == np.uint64(int.from_bytes(m.encode(), "little"))).any()) for m in markers if m)


def _read(part: str, line: int, width: int, delimiter: str, conventions: Conventions) -> Piece | None:
    """The rows by the csv module; None where they are broken off, or not of this width."""
    import csv

    import numpy as np

    from bptrain.formats.separators import csv_reader

    reader = csv_reader(part, delimiter, conventions)
    cells: list[str] = []
    lines: list[int] = []
    begun = 0
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                if len(row) != width:
                    return None
                cells += row
                lines.append(line + begun)
            begun = reader.line_num
    except csv.Error:
        return None
    content = "\0".join([*cells, ""]).encode()
    data = np.frombuffer(bytearray(ROOM) + content, np.uint8)
    ends = np.flatnonzero(data[ROOM:] == END) + ROOM
    return Piece(data, ends.astype(np.uint32).reshape(-1, width), line, np.array(lines, np.int64))
