"""Columns of a text table whose cells lie in bytes, one behind the other.

A cell becomes a text or a number when it is asked for, a column at a time, so that a table takes about as much memory
as its file.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, overload

from bptrain.formats.cell_words import MOST_WORDS, SCRATCH, WORD, take_words
from bptrain.formats.coded_texts import CodedTexts, RowNumbers, coded
from bptrain.formats.text_bytes import ROOM

if TYPE_CHECKING:
    from bptrain.parts.types import Array

FIRST_ROWS = 100  # that tell most columns from whole numbers
MANY_TEXTS = 1 << 16  # different ones: where they are half of all, a dict of texts takes less time and memory
END = 0  # a byte that no text has


class Piece(NamedTuple):
    """Some rows."""

    data: "Array"  # ROOM bytes or more, the cells in UTF-8, each with one byte behind it, and some more bytes
    ends: "Array"  # rows × width: the place of the byte behind each cell
    line: int  # on which the first row begins
    lines: "Array | None"  # where each row begins, where they are not one below the other
    begin: int = ROOM  # the place of the first cell


class PlainNumbers(NamedTuple):
    """A column whose cells are finite numbers in plain notation, as float() reads them, or empty."""

    values: "Array"  # NaN for an empty cell
    has_leading_zero: bool  # as 01 does
    is_whole: bool  # whether the numbers that are there are whole
    is_empty: bool  # whether there is none
    bound: float  # of the size of the numbers, where they are whole


def plain_numbers_of(values: "Array", has_leading_zero: bool) -> PlainNumbers:
    """A column of finite numbers, NaN for an empty cell."""
    import numpy as np

    whole = is_whole(values)
    bound = float(np.fmax.reduce(np.abs(values), initial=0.0)) if whole else np.inf
    return PlainNumbers(values, has_leading_zero, whole, bool(np.isnan(values).all()), bound)


def is_whole(column: "Array") -> bool:
    """Whether the numbers that are there are whole."""
    import numpy as np

    return all(np.all((few == np.floor(few)) | np.isnan(few)) for few in (column[:FIRST_ROWS], column))


class PlainRows:
    """The cells of a table."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        width: int,
        numbers: Mapping[int, PlainNumbers],
        end: int = 0,
        together: int = 1,
        size: int = 0,
    ) -> None:
        self.pieces, self.width, self._numbers = pieces, width, numbers
        self.end, self.size = end, size  # the line behind the last row, and the bytes up to it
        self._together = (
            together  # columns that are told apart together, where `numbers` are all that are none of them
        )
        self.rows = sum(len(piece.ends) for piece in pieces)
        self._coded: dict[int, CodedTexts] = {}  # columns that nobody has asked for yet
        self._told: set[int] = set()  # those that somebody has

    def part(self, rows: slice) -> "PlainRows":
        """Some rows, one below the other."""
        if rows == slice(0, self.rows):
            return PlainRows(self.pieces, self.width, self._numbers)
        pieces, begin = [], 0
        for piece in self.pieces:
            end = begin + len(piece.ends)
            if begin < rows.stop and end > rows.start:
                pieces.append(part_of_piece(piece, max(rows.start - begin, 0), min(rows.stop, end) - begin))
            begin = end
        numbers = {
            place: plain_numbers_of(found.values[rows], found.has_leading_zero)
            for place, found in self._numbers.items()
        }
        return PlainRows(pieces, self.width, numbers)

    def numbers(self, place: int) -> PlainNumbers | None:
        """The column at a place, where all of its cells are plain numbers, or empty."""
        return self._numbers.get(place)

    def texts(self, place: int, most: int | None = None) -> list[str]:
        """The column at a place as texts, of the first `most` rows."""
        found: list[str] = []
        for piece in self.pieces:
            left = None if most is None else most - len(found)
            if left is not None and left <= 0:
                break
            found += texts_of_piece(piece, place, slice(left))
        return found

    def coded(self, place: int) -> CodedTexts:
        """The column at a place as its different texts, and which of them each cell is.

        Those behind it are worked out with it, since their bytes are in the processor's cache then.
        """
        if place not in self._coded:
            behind = (
                k for k in range(place + 1, self.width) if k not in self._numbers and k not in self._told
            )
            chosen = [place] if place in self._told else [place, *islice(behind, self._together - 1)]
            self._coded = self._coded_together(chosen)
        self._told.add(place)
        found = self._coded.pop(place, None)
        return coded(self.texts(place)) if found is None else found

    def coded_alone(self, place: int) -> CodedTexts:
        """The same without any other column, so that nothing is kept in memory."""
        found = self._coded_together([place]).get(place)
        return coded(self.texts(place)) if found is None else found

    def _coded_together(self, places: Sequence[int]) -> dict[int, CodedTexts]:
        """The columns at these places, but for those with long cells, or many different ones."""
        import numpy as np

        numbers = {place: RowNumbers() for place in places}
        codes = {place: np.empty(self.rows, np.int64) for place in places}
        scratch = np.empty((SCRATCH, 0), np.uint64)
        begin = 0
        for piece in self.pieces:
            n = len(piece.ends)
            if n > scratch.shape[1]:
                scratch = np.empty((SCRATCH, n), np.uint64)
            for place in [*numbers]:
                words = _words(piece, place, scratch[:, :n])
                if words is not None:
                    codes[place][begin : begin + n] = numbers[place].add(words, begin)
                if words is None or len(numbers[place].first) > max(MANY_TEXTS, (begin + n) // 2):
                    del numbers[place], codes[place]
            begin += n
        return {
            place: CodedTexts(self._texts_of_rows(place, found.first), codes[place])
            for place, found in numbers.items()
        }

    def _texts_of_rows(self, place: int, rows: "Array") -> list[str]:
        """The texts of a column in these rows, which rise."""
        texts: list[str] = []
        begin = 0
        for piece in self.pieces:
            end = begin + len(piece.ends)
            few = rows[rows.searchsorted(begin) : rows.searchsorted(end)] - begin
            if len(few):
                texts += texts_of_piece(piece, place, few)
            begin = end
        return texts

    def lines(self) -> "Array":
        """The line on which each row begins."""
        import numpy as np

        return np.concatenate(
            [
                np.arange(piece.line, piece.line + len(piece.ends)) if piece.lines is None else piece.lines
                for piece in self.pieces
            ]
        )


class ColumnTexts(Sequence[str]):
    """The texts of a column, which are made when they are asked for; equal to a list of the same."""

    def __init__(self, rows: PlainRows, place: int) -> None:
        self._rows, self._place = rows, place

    @property
    def rows(self) -> PlainRows:
        """The table."""
        return self._rows

    @property
    def place(self) -> int:
        """The place of the column in a row, from 0."""
        return self._place

    @property
    def numbers(self) -> PlainNumbers | None:
        """The column where all of its cells are plain numbers, or empty."""
        return self._rows.numbers(self._place)

    def has_no(self, text: str) -> bool:
        """Whether it is certain, without a look at the texts, that none is this one, which is not empty."""
        try:
            float(text)
        except ValueError:
            return self.numbers is not None
        return False

    def coded(self) -> CodedTexts:
        """The different texts, and which of them each cell is."""
        return self._rows.coded(self._place)

    def tolist(self) -> list[str]:
        """All texts."""
        return self._rows.texts(self._place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.tolist() == [*other]

    def __hash__(self) -> int:
        return hash((*self.tolist(),))

    def __len__(self) -> int:
        return self._rows.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.tolist())

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            most = at.stop if at.stop is not None and at.stop >= 0 else None
            return self._rows.texts(self._place, most)[at]
        if at >= 0:
            return self._rows.texts(self._place, at + 1)[at]
        return self._rows.texts(self._place)[at]


def in_words(data: "Array") -> "Array":
    """Bytes whose number and place are multiples of a word: the same, or a copy."""
    import numpy as np

    n = -len(data) % WORD
    if not n and not data.ctypes.data % WORD:
        return data
    whole: Array = np.empty((len(data) + n) // WORD, np.uint64).view(np.uint8)
    whole[: len(data)] = data
    return whole


def part_of_piece(piece: Piece, begin: int, end: int) -> Piece:
    """Some rows of a piece, one below the other."""
    lines = None if piece.lines is None else piece.lines[begin:end]
    first = int(piece.ends[begin - 1, -1]) + 1 if begin else piece.begin
    return Piece(piece.data, piece.ends[begin:end], piece.line + begin, lines, first)


def has_rows(piece: Piece) -> bool:
    """Whether there is a row in it."""
    return len(piece.ends) > 0


def without_others(piece: Piece) -> Piece:
    """The same rows, of whose bytes no more are left than in_words() needs."""
    first = (piece.begin - ROOM) // WORD * WORD
    last = -(-(int(piece.ends[-1, -1]) + 1) // WORD) * WORD
    return piece._replace(data=piece.data[first:last], ends=piece.ends - first, begin=piece.begin - first)


def bounds(piece: Piece, place: int) -> "tuple[Array, Array]":
    """Where the cells of a column of a piece begin, and the places of the bytes behind them."""
    import numpy as np

    ends = piece.ends[:, place].astype(np.int64)
    starts = np.empty_like(ends)
    if place:
        starts[:] = piece.ends[:, place - 1]
    else:
        starts[0], starts[1:] = piece.begin - 1, piece.ends[:-1, -1]
    starts += 1
    return starts, ends


def bounds_of_rows(piece: Piece, rows: slice, columns: "slice | list[int]") -> "tuple[Array, Array]":
    """The same of some rows of some columns, row by row."""
    import numpy as np

    ends = piece.ends[rows].astype(np.int64)
    starts = np.empty_like(ends)
    cells = starts.reshape(-1)
    cells[0] = piece.ends[rows.start - 1, -1] if rows.start else piece.begin - 1
    cells[1:] = ends.reshape(-1)[:-1]
    starts += 1
    return starts[:, columns].ravel(), ends[:, columns].ravel()


def cells_of_piece(piece: Piece, place: int, rows: "slice | Array" = slice(None)) -> "Array":
    """The bytes of the cells of a column of a piece in these rows, each with END behind it."""
    starts, ends = bounds(piece, place)
    return _bytes_between(piece.data, starts[rows], ends[rows])


def _bytes_between(data: "Array", starts: "Array", ends: "Array") -> "Array":
    """The bytes of the cells between these places, each with END behind it."""
    import numpy as np

    lengths = ends - starts + 1
    behind = np.cumsum(lengths)
    places = np.repeat(starts - behind + lengths, lengths)
    places += np.arange(len(places))
    found: Array = data[places]
    found[behind - 1] = END
    return found


def texts_between(data: "Array", starts: "Array", ends: "Array") -> list[str]:
    """The same as texts."""
    return _bytes_between(data, starts, ends).tobytes().decode().split("\0")[:-1]


def texts_of_piece(piece: Piece, place: int, rows: "slice | Array" = slice(None)) -> list[str]:
    """The texts of a column of a piece in these rows."""
    starts, ends = bounds(piece, place)
    return texts_between(piece.data, starts[rows], ends[rows])


def _words(piece: Piece, place: int, scratch: "Array") -> "Array | None":
    """The cells of a column of a piece as words × rows, as many words as the longest takes; None where they are many.

    No text has a zero byte, so that cells are equal where their words are.
    """
    import numpy as np

    starts, ends = bounds(piece, place)
    lengths = np.subtract(ends, starts, starts)
    n_words = max(1, -(-int(lengths.max(initial=0)) // WORD))
    if n_words > MOST_WORDS:
        return None
    words = np.empty((n_words, len(ends)), np.uint64)
    take_words(in_words(piece.data), ends, lengths, words, scratch)
    return words
