"""A column of texts as its different texts, and which of them each cell is."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bptrain.parts.types import Array

# Odd numbers of 64 random bits: for the words of a row, by their place, and for all of them together.
FACTORS = (
    0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB,
    0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F, 0xEB44ACCAB455D165,
)  # fmt: skip
STEP = 0x2545F4914F6CDD1D
FIRST_BITS, MOST_BITS = 12, 18  # of the places of a table
FIRST_ROWS = 256  # that are looked up in the dict, to begin with
PLACES_OF_A_ROW = 64  # of different rows few share a place, then


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


class RowNumbers:
    """Numbers rows of 64-bit words in the order in which they come first, equal ones alike.

    Most rows are found by a table that says which row was first at the place of their hash; a dict has those that are
    new, or share a place with another, so that the table is never wrong.
    """

    def __init__(self) -> None:
        import numpy as np

        self._numbers: dict[tuple[int, ...], int] = {}
        self._rows: Array = np.zeros((0, 0), np.uint64)  # words × different rows
        self._table: Array = np.zeros(1 << FIRST_BITS, np.int64)  # place of a hash -> number of a row
        self.first: Array = np.zeros(0, np.int64)  # by number: which row it was

    def add(self, words: "Array", begin: int) -> "Array":
        """The numbers of N more rows, `words` × N, the first of which is row `begin` of all."""
        import numpy as np

        words = self._of_one_width(words)
        if not self._numbers:
            self._add_new(words, np.arange(min(FIRST_ROWS, words.shape[1])), begin)
        places = self._places(words)
        numbers: Array = self._table.take(places, mode="clip")
        is_found = self._rows[0].take(numbers, mode="clip") == words[0]
        for known, word in zip(self._rows[1:], words[1:], strict=True):
            is_found &= known.take(numbers, mode="clip") == word
        left = np.flatnonzero(~is_found)
        if len(left):
            numbers[left] = self._add_new(words, left, begin)
        return numbers

    def _of_one_width(self, words: "Array") -> "Array":
        """The same rows with as many words as all have now; a word that is not there is 0."""
        import numpy as np

        more = len(words) - len(self._rows)
        if more > 0:
            self._rows = np.concatenate([self._rows, np.zeros((more, self._rows.shape[1]), np.uint64)])
            self._numbers = {(*row, *[0] * more): number for row, number in self._numbers.items()}
        elif more < 0:
            words = np.concatenate([words, np.zeros((-more, words.shape[1]), np.uint64)])
        return words

    def _add_new(self, words: "Array", left: "Array", begin: int) -> "Array":
        """The numbers of the rows in these places, of which some may be new."""
        import numpy as np

        before, known = len(self._numbers), self._numbers
        rows = zip(*(word[left].tolist() for word in words), strict=True)
        numbers = np.array([known.setdefault(row, len(known)) for row in rows], np.int64)
        is_new = numbers > np.maximum.accumulate(np.concatenate(([before - 1], numbers[:-1])))
        new = left[is_new]
        if len(new):
            self.first = np.concatenate([self.first, new + begin])
            self._rows = np.concatenate([self._rows, words[:, new]], axis=1)
            if len(known) * PLACES_OF_A_ROW > len(self._table) < 1 << MOST_BITS:
                bits = min((len(known) * PLACES_OF_A_ROW).bit_length() + 1, MOST_BITS)
                self._table = np.zeros(1 << bits, np.int64)
                before = 0
            places = self._places(self._rows[:, before:])
            is_free = self._table[places] == 0
            self._table[places[is_free]] = np.arange(before, len(known))[is_free]
        return numbers

    def _places(self, words: "Array") -> "Array":
        """Where rows lie in the table."""
        import numpy as np

        bits = len(self._table).bit_length() - 1
        mixed = words[0] * np.uint64(FACTORS[0])
        for factor, word in zip(FACTORS[1:], words[1:], strict=False):
            mixed += word * np.uint64(factor)
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(STEP)
        mixed >>= np.uint64(64 - bits)
        return mixed.view(np.int64)
