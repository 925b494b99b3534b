"""Cells of bytes as numbers, many at a time by array operations: each equal to what float() reads, bit for bit.

A decimal is a whole number M over a power of ten. Where M < 2^53 and the power is at most 10^22, float64 has both
exactly, and their quotient, rounded once, is the float64 nearest to the decimal: that is what float() gives, too
(Clinger, "How to read floating point numbers accurately", 1990). Eight digits lie in one 64-bit word, and three
multiplications add them up (Lemire, "Number parsing at a gigabyte per second", 2021).

The point is read as a digit 0 at first. With g - 1 digits behind it a cell reads V = W 10^g + F, where W are its whole
digits and F < 10^(g-1) those of the fraction, and M = W 10^(g-1) + F = V - 9 W 10^(g-1). As F / 10^g < 0.1, W is
the whole number nearest to V / 10^g however that quotient is rounded. Without a point g is 0, and M is V.
"""

from typing import TYPE_CHECKING, NamedTuple

from bptrain.formats.cell_words import SCRATCH, WORD, take_words

if TYPE_CHECKING:
    from bptrain.parts.types import Array

LONGEST = 2 * WORD  # characters of a decimal behind its sign
EXACT = 2.0**53  # whole numbers below it are exact in float64
PLUS, MINUS, ZERO, DOT = b"+-0."
EACH = 0x0101010101010101  # times a byte: that byte eight times
POINT = DOT ^ ZERO  # of the bytes of a decimal the only one with the bit 0x10, once they are xor ZERO
# By which a 1 in the byte of the point becomes g in the highest byte: of the last word, and of the one before.
TO_PLACE = (0x0807060504030201, 0x100F0E0D0C0B0A09)
# A digit in each byte, the first in the lowest; in each 2, 4 and 8 bytes then their digits added up.
ADDITIONS = ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, None))
ARRAYS = 4 + SCRATCH  # in which the reader works, of 64 bits per cell


class Decimals(NamedTuple):
    """N cells that were read, in arrays that the next reading fills anew."""

    values: "Array"  # N, NaN for an empty cell
    left: "Array | None"  # N: which cells are no such decimals; None where all are
    has_zero: "Array | None"  # N: which cells begin with a zero as 01 does; None where none does


class DecimalReader:
    """Reads cells of at most LONGEST characters: perhaps a sign, then digits, and perhaps a point among them."""

    def __init__(self) -> None:
        import numpy as np

        powers = [10**g for g in range(LONGEST + 1)]
        self._inverses = np.array([1 / power for power in powers])  # 10^-g
        self._divisors = np.array([float(max(power // 10, 1)) for power in powers])  # 10^(g-1)
        self._gaps = np.array([0.0, *(9.0 * (power // 10) for power in powers[1:])])  # 10^g - 10^(g-1)
        self._room: Array = np.empty((ARRAYS, 0), np.uint64)
        self._bytes: Array = np.empty((4, 0), np.uint8)

    def _make_room(self, cells: int) -> None:
        """Arrays of so many cells, the same ones again, since memory that is taken anew costs more than its use."""
        import numpy as np

        if cells > self._room.shape[1]:
            self._room = np.empty((ARRAYS, cells), np.uint64)
            self._bytes = np.empty((4, cells), np.uint8)
        room = self._room[:, :cells]
        self._words, self._scratch = room[:2], room[2 : 2 + SCRATCH]
        self._length, self._sign = room[2 + SCRATCH :].view(np.int64)
        self._points, self._some, self._upper = self._scratch[:2], self._scratch[2], self._scratch[3]
        self._place = self._scratch[4].view(np.int64)  # g
        self._first = self._bytes[0, :cells]
        self._is_minus, self._is_other, self._is_left = self._bytes[1:, :cells].view(bool)

    def read(self, data: "Array", starts: "Array", ends: "Array", long: bool = True) -> Decimals:
        """The cells between these places of some bytes, whose number is a multiple of 8; 8 or more stand before them.

        Without `long`, those of more than 8 characters are left, but for zeros before, and the others read faster.
        """
        import numpy as np

        self._make_room(len(ends))
        words, points = self._words[: 1 + long], self._points[: 1 + long]
        has_minus = self._read_signs(data, starts, ends)
        take_words(data, ends, self._length, words, self._scratch, ZERO * EACH)  # 0 to 9 for a digit
        n_points = self._take_out_points(words, points)
        self._find_left(words, points, n_points, starts, ends)
        if not long and self._length.max(initial=0) > WORD:
            self._leave_too_long(data, ends)
        values = self._whole_numbers(words)
        if long and self._length.max(initial=0) >= LONGEST:
            self._leave(self._length > LONGEST)
            self._leave(values >= EXACT)
        if self._place.max(initial=0):
            self._divide(values)
        if has_minus:
            bits = self._sign.view(np.uint64)
            np.left_shift(bits, np.uint64(63), bits)
            np.bitwise_or(values.view(np.uint64), bits, values.view(np.uint64))
        if self._length.min(initial=1) <= 0:
            values[starts == ends] = np.nan
        left = self._is_left if self._is_left.any() else None
        return Decimals(values, left, self._leading_zeros(left))

    def _read_signs(self, data: "Array", starts: "Array", ends: "Array") -> bool:
        """How long cells are behind their sign, their first character there, and which are negative, if some are."""
        import numpy as np

        is_minus, is_plus = self._is_minus, self._is_other
        data.take(starts, out=self._first, mode="clip")
        np.equal(self._first, MINUS, is_minus)
        np.equal(self._first, PLUS, is_plus)
        np.subtract(ends, starts, self._length)
        has_minus, has_plus = bool(is_minus.any()), bool(is_plus.any())
        if has_plus:
            np.logical_or(is_plus, is_minus, is_plus)
        if has_plus or has_minus:
            np.copyto(self._sign, is_plus if has_plus else is_minus)
            np.subtract(self._length, self._sign, self._length)
            np.add(starts, self._sign, self._place)
            data.take(self._place, out=self._first, mode="clip")
        if has_plus and has_minus:
            np.copyto(self._sign, is_minus)
        return has_minus

    def _take_out_points(self, words: "Array", points: "Array") -> int:
        """Where each cell has its point, which becomes a digit 0: in `points`, a 1 in its byte, and g; how many."""
        import numpy as np

        some, total = self._some, 0
        self._place[:] = 0
        for word, point, to_place in zip(words, points, TO_PLACE, strict=False):
            np.right_shift(word, np.uint64(4), point)
            np.bitwise_and(point, np.uint64(EACH), point)
            n = int(np.count_nonzero(point.view(bool)))
            if not n:
                continue
            total += n
            np.multiply(point, np.uint64(POINT), some)
            np.subtract(word, some, word)  # leaves 0 of a point, 1 of a slash, and no digit of all else
            np.multiply(point, np.uint64(to_place), some)
            np.right_shift(some, np.uint64(56), some)
            np.add(self._place, some.view(np.int64), self._place)
        return total

    def _leave(self, cells: "Array") -> None:
        """Notes that some cells are no decimals that are read here."""
        import numpy as np

        np.logical_or(self._is_left, cells, self._is_left)

    def _find_left(
        self, words: "Array", points: "Array", n_points: int, starts: "Array", ends: "Array"
    ) -> None:
        """Notes which cells are no decimals. That all are most often takes less time to find than which are not."""
        import numpy as np

        some = self._some
        self._is_left[:] = False
        for word in words:
            if word.view(np.uint8).max(initial=0) > 9:
                rows = np.flatnonzero((word.view(np.uint8) > 9).view(np.uint64))
                self._is_left[rows] = True
                n_points -= int(np.count_nonzero(points.take(rows, axis=1).view(bool)))
                words[:, rows] = points[:, rows] = self._place[rows] = 0
        if n_points:
            for word, point in zip(words, points, strict=True):
                if np.bitwise_and(word, point, some).view(np.uint8).max(initial=0):  # of a slash
                    self._leave(some)
            if np.count_nonzero(self._place) != n_points:  # some cell has several
                np.add.reduce(points, axis=0, out=some)
                np.multiply(some, np.uint64(EACH), some)
                self._leave(some >= np.uint64(2 << 56))
        if self._length.min(initial=2) <= (n_points > 0):  # some cell may have no digit at all
            self._leave((self._length <= (self._place > 0)) & (starts != ends))

    def _leave_too_long(self, data: "Array", ends: "Array") -> None:
        """Notes which cells have more before their last eight characters than a zero, or a zero and the point."""
        import numpy as np

        rows = np.flatnonzero(self._length > WORD)
        behind = self._length[rows] - WORD
        is_fine = (self._first[rows] == ZERO) & (behind <= 2)
        has_point = (data[ends[rows] - (WORD + 1)] == DOT) & (self._place[rows] == 0)
        self._is_left[rows[~(is_fine & ((behind == 1) | has_point))]] = True
        self._place[rows[is_fine & has_point & (behind == 2)]] = WORD + 1

    def _whole_numbers(self, words: "Array") -> "Array":
        """V of each cell."""
        import numpy as np

        for factor, bits, mask in ADDITIONS:
            np.multiply(words, np.uint64((factor << bits) + 1), words)
            np.right_shift(words, np.uint64(bits), words)
            if mask is not None:
                np.bitwise_and(words, np.uint64(mask), words)
        values = self._some.view(np.float64)
        np.copyto(values, words[0].view(np.int64))
        if len(words) > 1:
            upper = self._upper.view(np.float64)
            np.copyto(upper, words[1].view(np.int64))
            np.multiply(upper, 1e8, upper)
            np.add(values, upper, values)
        return values

    def _divide(self, values: "Array") -> None:
        """V becomes M over its power of ten."""
        import numpy as np

        power, whole = self._words.view(np.float64)
        self._inverses.take(self._place, out=power, mode="clip")
        np.multiply(values, power, whole)
        np.rint(whole, whole)
        self._gaps.take(self._place, out=power, mode="clip")
        np.multiply(whole, power, whole)
        np.subtract(values, whole, values)
        self._divisors.take(self._place, out=power, mode="clip")
        np.divide(values, power, values)

    def _leading_zeros(self, left: "Array | None") -> "Array | None":
        """Which cells begin with a zero before another whole digit."""
        import numpy as np

        is_zero, is_long = self._is_minus, self._is_other
        np.equal(self._first, ZERO, is_zero)
        if not is_zero.any():
            return None
        np.subtract(self._length, self._place, self._length)
        np.greater(self._length, 1, is_long)
        np.logical_and(is_zero, is_long, is_zero)
        if left is not None:
            np.greater(is_zero, left, is_zero)
        return is_zero if is_zero.any() else None
