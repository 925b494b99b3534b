"""Cells that a file quotes: "NA" in quotes is a text, where other cells of its column stand without."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bptrain.parts.types import Array


class QuotedText(str):
    """A cell that is a text although it reads as a marker of a missing value, since the file quotes it."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(('"', str(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuotedText) and str(self) == str(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def quotes_any(text: str, markers: Collection[str], quote: str = '"') -> bool:
    """Whether some marker of a missing value stands in quotes somewhere in a file."""
    return any(marker and f"{quote}{marker}{quote}" in text for marker in markers)


def with_quoted_texts(
    columns: Mapping[str, list[str]],
    text: str,
    lines: "Array",
    markers: Collection[str],
    delimiter: str = ",",
    quote: str = '"',
) -> dict[str, list[str]]:
    """The columns of a file, N cells each, in which markers of a missing value that are quoted are texts.

    They are so where the column has cells without quotes, too. `lines` are the lines of the rows in the file's text,
    counted from 1. The text is read once more, since the csv module does not tell what was quoted.
    """
    q, d = re.escape(quote), re.escape(delimiter)
    cell = re.compile(rf" *(?:{q}((?:[^{q}]|{q}{q})*){q}|([^{d}\r\n{q}][^{d}\r\n]*)?) *({d}|\r\n|\r|\n|\Z)")
    row_of = {int(line): row for row, line in enumerate(lines)}
    names: Sequence[str] = [*columns]
    quoted: dict[str, list[int]] = {name: [] for name in names}  # rows whose cell is a marker in quotes
    bare: set[str] = set()  # columns that have cells without quotes
    line, place, at = 1, 0, 0
    begun = line
    while at < len(text):
        found = cell.match(text, at)
        if found is None:  # a quote within a cell; the csv module has read it
            end = re.compile(rf"{d}|\r\n|\r|\n|\Z").search(text, at)
            assert end is not None
            inner, end_of_cell, at = None, end[0], end.end()
        else:
            inner, end_of_cell, at = found[1], found[3], found.end()
        row = row_of.get(begun)
        if row is not None and place < len(names):
            name = names[place]
            if inner is None:
                bare.add(name)
            elif inner.strip() in markers:
                quoted[name].append(row)
        if inner is not None:
            line += len(re.findall(r"\r\n|\r|\n", inner))
        place += 1
        if end_of_cell != delimiter:
            line += 1
            begun, place = line, 0
    made = dict(columns)
    for name in bare:
        if quoted[name]:
            made[name] = list(columns[name])
            for row in quoted[name]:
                made[name][row] = QuotedText(made[name][row])
    return made
