"""A column of texts as its different texts, and which of them each cell is."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bptrain.parts.types import Array

# Odd numbers of 64 random bits: a multiplier for each round of `first_equals`, and one for all.
ROUNDS = (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)
STEP = 0x2545F4914F6CDD1D


class CodedTexts(NamedTuple):
    """N texts, of which many may be the same."""

    texts: list[str]  # the different ones, in the order in which they come first
    codes: "Array"  # N: the place of each text in this list

    def counts(self) -> dict[str, int]:
        """How often each text is there."""
        import numpy as np

        found = np.bincount(self.codes, minlength=len(self.texts)).tolist()
        return dict(zip(self.texts, found, strict=True))

    def row_of(self, texts: Iterable[str]) -> int | None:
        """The first cell that is one of these texts."""
        rows = self.rows_of(texts)
        return int(rows[0]) if len(rows) else None

    def rows_of(self, texts: Iterable[str]) -> "Array":
        """The cells that are one of these texts."""
        import numpy as np

        chosen = frozenset(texts)
        is_chosen = np.fromiter((text in chosen for text in self.texts), bool, len(self.texts))
        return np.flatnonzero(is_chosen[self.codes])


def coded(cells: Sequence[str]) -> CodedTexts:
    """The same of a list."""
    import numpy as np

    place_of: dict[str, int] = {}
    codes = np.fromiter((place_of.setdefault(cell, len(place_of)) for cell in cells), np.int64, len(cells))
    return CodedTexts([*place_of], codes)


def coded_words(words: "Sequence[Array]") -> "tuple[Array, Array]":
    """The rows that are unlike all rows before them, and for each row which of those it is like.

    `words` are columns of 64-bit numbers, N each: a row is as many numbers as there are columns.
    """
    import numpy as np

    first = first_equals(words)
    rows = np.flatnonzero(first == np.arange(len(first)))
    number = np.empty(len(first), np.int64)
    number[rows] = np.arange(len(rows))
    return rows, number[first]


def first_equals(words: "Sequence[Array]") -> "Array":
    """For each row the first one that is equal, by tables of the rows' hashes: no sorting, and no doubt.

    Each round finds the rows whose place in the table is taken by an equal row; two rows that differ share a place
    seldom, and in the next round, with other hashes, hardly again.
    """
    import numpy as np

    n = len(words[0])
    first = np.empty(n, np.int64)
    left = np.arange(n)
    bits = max(8, n.bit_length())
    table = np.empty(1 << bits, np.int64)
    for multiplier in ROUNDS:
        mine = [word[left] for word in words]
        mixed: Array = np.zeros(len(left), np.uint64)
        for word in mine:
            mixed = ((mixed ^ word) * np.uint64(multiplier)) ^ (mixed >> np.uint64(32))
        places = ((mixed ^ (mixed >> np.uint64(32))) * np.uint64(STEP)) >> np.uint64(64 - bits)
        table[places[::-1]] = left[::-1]  # of rows with one place the first stays
        found = table[places]
        is_equal = np.ones(len(left), bool)
        for word, own in zip(words, mine, strict=True):
            is_equal &= word[found] == own
        first[left[is_equal]] = found[is_equal]
        left = left[~is_equal]
        if not len(left):
            return first
    seen: dict[tuple[int, ...], int] = {}
    for row, key in zip(
        left.tolist(), zip(*(word[left].tolist() for word in words), strict=True), strict=True
    ):
        first[row] = seen.setdefault(key, row)
    return first
