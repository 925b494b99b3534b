"""Cells that a file quotes: "NA" in quotes is a text, where other cells of its column stand without."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bptrain.errors import DataError, Problem
from bptrain.formats.conventions import BLANKS

if TYPE_CHECKING:
    from bptrain.parts.types import Array

FIRST_CHARACTERS = 1 << 16  # in which the quotes of each column are looked at


class QuotedText(str):
    """A cell that is a text although it reads as a marker of a missing value, since the file quotes it."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(('"', str(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuotedText) and str(self) == str(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def quotes_some(markers: Collection[str], text: str, quote: str | None = None) -> bool:
    """Whether some marker of a missing value stands in quotes."""
    quote = '"' if quote is None else quote
    if not quote or quote not in text:
        return False
    any_marker = "|".join(map(re.escape, filter(None, markers)))
    return re.search(f"{re.escape(quote)} *(?:{any_marker}) *{re.escape(quote)}", text) is not None


def with_quoted_texts(
    columns: list[list[str]],
    text: str,
    lines: Sequence[int],
    markers: Collection[str],
    delimiter: str,
    quote: str | None = None,
) -> list[list[str]]:
    """The columns of a file, N cells each, in which markers of a missing value that are quoted are texts.

    They are so where the column has cells without quotes, too. `lines` are the lines of the rows in the file's text,
    counted from 1. Where a marker is quoted at all, the text is read once more, since the csv module does not tell.
    """
    if delimiter == BLANKS or not quotes_some(markers, text, quote):
        return columns
    quoted, bare = _quotes(text, lines, markers, delimiter, quote)
    return _with_texts(columns, {place: rows for place, rows in quoted.items() if place in bare})


def _with_texts(columns: list[list[str]], rows_of: Mapping[int, Sequence[int]]) -> list[list[str]]:
    """The columns, in which the cells of these rows are quoted texts."""
    made = [*columns]
    for place, rows in rows_of.items():
        if place < len(columns):
            made[place] = list(columns[place])
            for row in rows:
                made[place][row] = QuotedText(made[place][row])
    return made


def _quotes(
    text: str, lines: Sequence[int], markers: Collection[str], delimiter: str, quote: str | None
) -> tuple[dict[int, list[int]], set[int]]:
    """The rows in which a column has a marker in quotes, by its place; and the columns with cells without quotes."""
    row_of = {line: row for row, line in enumerate(lines)}
    quoted: dict[int, list[int]] = {}
    bare: set[int] = set()
    for line, place, inner in cells_of_text(text, delimiter, '"' if quote is None else quote):
        row = row_of.get(line)
        if row is None:
            continue
        if inner is None:
            bare.add(place)
        elif (marker := inner.strip()) and marker in markers:
            quoted.setdefault(place, []).append(row)
    return quoted, bare


class QuotesSoFar:
    """The same for a file that is read a block at a time: what its blocks so far say of the quotes of each column.

    A column is one of quoted cells while no cell without quotes was seen in it, so that a marker in quotes is missing.
    """

    def __init__(self, file: str, markers: Collection[str], delimiter: str, quote: str | None) -> None:
        self._file, self._markers, self._delimiter = file, markers, delimiter
        self._quote = '"' if quote is None else quote
        self._bare: set[int] = set()
        self._missing: dict[int, int] = {}  # a column of quoted cells -> the first line with a marker

    def settle(self, text: str, lines: "Sequence[int] | Array", width: int) -> None:
        """Notes which columns have cells without quotes, by the first rows of a file."""
        end = text.find("\n", FIRST_CHARACTERS) + 1 or len(text)
        n_lines = text.count("\n", 0, end)
        if not self._quote or self._quote not in text[:end]:
            self._bare = set(range(width))
            return
        first = [int(line) for line in lines[: n_lines + 1] if line <= n_lines or end == len(text)]
        last = -1 if end < len(text) else None  # which may be cut within quotes
        self._bare = _quotes(text[:end], first[:last], (), self._delimiter, self._quote)[1]

    def columns(
        self, columns: list[list[str]], text: str, lines: Sequence[int], begin: int
    ) -> list[list[str]]:
        """The columns of a block whose first line has this number. Raises DataError where it belies those before."""
        if not self.has_markers(text):
            self.see(self.has_quotes(text), begin, len(columns))
            return columns
        quoted, bare = _quotes(
            text, [line - begin + 1 for line in lines], self._markers, self._delimiter, self._quote
        )
        self._note(bare, begin)
        for place in quoted.keys() - self._bare:
            self._missing.setdefault(place, lines[quoted[place][0]])
        return _with_texts(columns, {place: quoted[place] for place in quoted.keys() & self._bare})

    def has_markers(self, text: str) -> bool:
        """Whether some marker stands in quotes."""
        return quotes_some(self._markers, text, self._quote)

    def has_quotes(self, text: str | bytes) -> bool:
        """Whether there is some quote in a text, or in its bytes."""
        if isinstance(text, bytes):
            return bool(self._quote) and self._quote.encode() in text
        return bool(self._quote) and self._quote in text

    def see(self, has_quotes: bool, begin: int, width: int) -> None:
        """Notes a block without markers in quotes; one that has no quotes at all has none in any column."""
        if self._quote and not has_quotes:
            self._note(set(range(width)), begin)

    def _note(self, bare: set[int], begin: int) -> None:
        """Notes columns with cells without quotes. Raises DataError where that changes what was read before."""
        for place in sorted(bare & self._missing.keys() - self._bare):
            message = (
                f"from this line on column {place + 1} has cells without quotes, and the marker of a missing value on "
                f"line {self._missing[place]} has them: write that cell without quotes if it is missing, and all "
                "texts of the column in quotes if it is a text, too"
            )
            raise DataError(Problem("quoted_marker", message, file=self._file, line=begin))
        self._bare |= bare


def cells_of_text(text: str, delimiter: str, quote: str) -> Iterator[tuple[int, int, str | None]]:
    """The line where its row begins, the place in it, and what is between quotes, of each cell; None without quotes."""
    q, d = re.escape(quote), re.escape(delimiter)
    blanks = "" if delimiter == " " else " *"
    end = rf"({d}|\r\n|\r|\n|\Z)"
    cell = re.compile(rf"{blanks}{q}((?:[^{q}]|{q}{q})*){q}{blanks}{end}")
    other = re.compile(rf"[^{d}\r\n]*{end}")
    line = begun = 1
    place = at = 0
    while at < len(text):
        found = cell.match(text, at)
        inner = None if found is None else found[1]
        found = found or other.match(text, at)
        assert found is not None
        yield begun, place, inner
        at, ended = found.end(), found[found.lastindex or 1]
        if inner is not None:
            line += len(re.findall(r"\r\n|\r|\n", inner))
        place += 1
        if ended != delimiter:
            line += 1
            begun, place = line, 0
