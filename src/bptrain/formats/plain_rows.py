"""Rows of a text whose cells one character separates, cut into bytes and places.

A piece of the text is cut by array operations where it is plain: one line per row, quotes around whole cells alone. The
csv module reads the other pieces. What is no table at all is left to `delimited`, which knows what to say about it.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from bptrain.formats.cell_words import WORD
from bptrain.formats.conventions import BLANKS, Conventions
from bptrain.formats.markers import markers_of
from bptrain.formats.number_columns import NumberColumns
from bptrain.formats.quoting import quotes_some
from bptrain.formats.text_bytes import LINE, ROOM, TextBytes, is_text, own_memory
from bptrain.formats.text_columns import END, Piece, PlainRows

if TYPE_CHECKING:
    from bptrain.parts.types import Array

PIECE = 1 << 19  # bytes that are cut at a time
LEAST_ROWS = 1000  # of a piece, since each column is taken out of each piece by itself
MOST_OF_A_PIECE = 1 << 25  # bytes, of so many rows
LARGEST = 1 << 32  # bytes of a piece, whose places are 32-bit numbers
TOGETHER = 8  # columns of texts that are told apart together
BLANK, RETURN = b" \r"


class NotATable(Exception):
    """The text is not a table of one width, or has a byte that is reserved here."""


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
    content: TextBytes,
    line: int,
    width: int,
    delimiter: str,
    conventions: Conventions,
    goes_on: bool = False,
    columns: NumberColumns | None = None,
) -> PlainRows:
    """The rows of a text that begins with the line of this number; its bytes may be changed, and become those of cells.

    `goes_on` is whether there is more behind the text, so that its last row may be broken off; then the last rows may
    be left. `columns` read the part before, and read this one the sooner. Raises NotATable where some rows have another
    number of cells, or broken quotes, where a marker of a missing value stands in quotes, for which the text is looked
    at in another way, and for what is no UTF-8.
    """
    import numpy as np

    quote = '"' if conventions.quote is None else conventions.quote
    markers = markers_of(conventions.missing_markers).anywhere
    begin, end = content.begin, content.end
    most = 1 + min(_lines(content.data[begin:end]), (end - begin) // width)  # rows
    columns = columns or NumberColumns()
    columns.start(most)
    ends = own_memory((most, width), np.uint32)
    rows = 0
    pieces: list[Piece] = []
    least = min(LEAST_ROWS * (content.line_end(begin, 0) - begin), MOST_OF_A_PIECE)
    usual = size = max(_even(end - begin, PIECE), least)
    cutter = Cutter(content, width, delimiter, quote, markers)
    while begin < end:
        stop = content.line_end(begin, size)
        if stop - begin > LARGEST - 2 * WORD or not is_text(content.data[begin:stop]):
            raise NotATable
        piece = cutter.cut(begin, stop, line)
        if piece is None:
            part = content.part(begin, stop).decode()
            if quotes_some(markers, part, quote) or part.count("\r") != part.count("\r\n"):
                raise NotATable
            piece = cutter.kept(begin, stop, _read(part, line, width, delimiter, conventions))
            if piece is None and stop < end:
                size *= 2  # the cut may have gone through a quoted cell
                continue
            if piece is None and goes_on and pieces:
                break
            if piece is None:
                raise NotATable
        line += len(piece.ends) if piece.lines is None else part.count("\n")
        if n := len(piece.ends):
            ends[rows : rows + n] = piece.ends
            piece = piece._replace(ends=ends[rows : rows + n])
            columns.add(piece)
            pieces.append(piece)
            rows += n
        begin, size = stop, usual
    if not pieces:
        raise NotATable
    return PlainRows(pieces, width, columns.found(), line, TOGETHER, begin - content.begin)


def _even(total: int, size: int) -> int:
    """A size close to another, in pieces of which a text is cut without a small one at its end.

    They are somewhat larger than even, since each ends with the last line that fits.
    """
    return total * 33 // 32 // max(1, round(total / size)) + 1


def _lines(data: "Array") -> int:
    """How many lines end."""
    import numpy as np

    return sum(int(np.count_nonzero(data[k : k + PIECE] == LINE)) for k in range(0, len(data), PIECE))


class Cutter:
    """Cuts pieces of a text that are plain."""

    def __init__(
        self, content: TextBytes, width: int, delimiter: str, quote: str, markers: Collection[str]
    ) -> None:
        import numpy as np

        self._content, self._width, self._delimiter = content, width, ord(delimiter)
        self._quote, self._markers = ord(quote) if quote else None, markers
        self._room = np.empty(
            (3, 0), bool
        )  # the same again, since memory that is taken anew costs more than its use

    def cut(self, begin: int, stop: int, line: int) -> Piece | None:
        """The rows of some lines; None where the csv module must look at them."""
        import numpy as np

        data = self._content.data
        if data[stop - 1] != LINE:  # at the text's end alone
            data[stop] = LINE
            stop += 1
        body, n = data[begin:stop], stop - begin
        if n > self._room.shape[1]:
            self._room = np.empty((3, n), bool)
        is_end, is_line, is_other = self._room[:, :n]
        if np.equal(body, RETURN, is_other).any():
            if not (is_other[:-1] <= (body[1:] == LINE)).all():
                return None
            body = body[~is_other]
            is_end, is_line, is_other = self._room[:, : len(body)]
        np.equal(body, LINE, is_line)
        np.equal(body, self._delimiter, is_end)
        np.logical_or(is_end, is_line, is_end)
        has_blanks = self._delimiter != BLANK and bool(np.equal(body, BLANK, is_other).any())
        if has_blanks and (is_other[0] or np.logical_and(is_end[:-1], is_other[1:], is_other[1:]).any()):
            return None  # csv skips blanks that begin a cell
        has_quotes = self._quote is not None and bool(np.equal(body, self._quote, is_other).any())
        if self._width == 1 and (has_quotes or _has_blank(body.tobytes())):
            return None
        if self._quote is not None and has_quotes:
            found = _without_quotes(body, is_end, self._quote, self._markers)
            if found is None:
                return None
            body, is_end = found
            is_line = body == LINE
        ends = np.flatnonzero(is_end)
        if len(ends) % self._width or np.count_nonzero(is_line) * self._width != len(ends):
            return None
        places: Array = ends.reshape(-1, self._width)
        if not is_line[places[:, -1]].all():
            return None
        return self._piece(begin, stop, body, places, line)

    def kept(self, begin: int, stop: int, piece: Piece | None) -> Piece | None:
        """A piece that was read from some lines, where these lie now, if it fits there."""
        if piece is None or len(piece.data) - ROOM > stop - begin:
            return piece
        return self._piece(begin, stop, piece.data[ROOM:], piece.ends - ROOM, piece.line, piece.lines)

    def _piece(
        self, begin: int, stop: int, body: "Array", ends: "Array", line: int, lines: "Array | None" = None
    ) -> Piece:
        """The cells of some lines, which lie in their place from now on."""
        data = self._content.data
        if len(body) != stop - begin or lines is not None:
            data[begin : begin + len(body)] = body
        first = (begin - ROOM) // WORD * WORD
        last = -(-(begin + len(body) + 1) // WORD) * WORD
        return Piece(data[first:last], ends + (begin - first), line, lines, begin - first)


def _has_blank(lines: bytes) -> bool:
    """Whether some line has nothing in it, which is no row."""
    return any(not line.strip() for line in lines.decode().split("\n")[:-1])


def _without_quotes(
    body: "Array", is_end: "Array", quote: int, markers: Collection[str]
) -> "tuple[Array, Array] | None":
    """The bytes without quotes and which of them end a cell.

    None where a quote is anywhere but around a whole cell, or where a marker of a missing value may stand in quotes.
    """
    import numpy as np

    is_quote = body == quote
    places = np.flatnonzero(is_quote)
    if len(places) % 2:
        return None
    opening, closing = places[::2], places[1::2]
    before = np.concatenate(([True], is_end))[opening]  # whether a cell begins here
    after = is_end[closing + 1]
    if not (before.all() and after.all()):
        return None
    if _may_be_marker(body, opening + 1, closing, markers):
        return None
    inside = np.zeros(len(body) + 1, np.int8)
    inside[opening] = 1
    inside[closing] = -1
    is_inside = np.cumsum(inside[:-1], dtype=np.int8).view(bool)
    if (is_inside & (body == LINE)).any():
        return None  # a line break in a cell
    kept = ~is_quote
    return body[kept], (is_end & ~is_inside)[kept]


def _may_be_marker(body: "Array", starts: "Array", ends: "Array", markers: Collection[str]) -> bool:
    """Whether some cell in these places is a marker, or may be one that has blanks around it or is long."""
    import numpy as np

    if ((body[starts] == BLANK) | (body[ends - 1] == BLANK)).any() or any(
        len(m.encode()) > 8 for m in markers
    ):
        return True
    short = np.flatnonzero(ends - starts <= 8)
    shift = (8 * (8 - (ends - starts)[short])).astype(np.uint64)
    data = np.concatenate([np.zeros(WORD, np.uint8), body])
    words = np.ndarray((len(body) + 1,), "<u8", data, strides=(1,))[ends[short]] >> np.minimum(shift, 63)
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
