"""Cells that a file quotes: "NA" in quotes is a text, where other cells of its column stand without."""

import re
from collections.abc import Collection, Iterator, Sequence

from bptrain.formats.conventions import BLANKS


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
    quote = '"' if quote is None else quote
    row_of = {line: row for row, line in enumerate(lines)}
    quoted: list[list[int]] = [[] for _ in columns]  # rows whose cell is a marker in quotes
    bare: set[int] = set()  # columns that have cells without quotes
    for line, place, inner in cells_of_text(text, delimiter, quote):
        row = row_of.get(line)
        if row is None or place >= len(columns):
            continue
        if inner is None:
            bare.add(place)
        elif inner.strip() in markers:
            quoted[place].append(row)
    made = [*columns]
    for place in bare:
        if quoted[place]:
            made[place] = list(columns[place])
            for row in quoted[place]:
                made[place][row] = QuotedText(made[place][row])
    return made


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
