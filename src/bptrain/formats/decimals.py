"""Cells of bytes as numbers, many at a time by array operations: each equal to what float() reads, bit for bit.

A decimal is a whole number M over a power of ten. Where M < 2^53 and the power is at most 10^22, float64 has both
exactly, and their quotient, rounded once, is the float64 nearest to the decimal: that is what float() gives, too
(Clinger, "How to read floating point numbers accurately", 1990). Eight digits lie in one 64-bit word, and three
multiplications add them up (Lemire, "Number parsing at a gigabyte per second", 2021).

The point is read as a digit 0 at first. With g - 1 digits behind it a cell reads V = W 10^g + F, where W are its whole
digits and F < 10^(g-1) those of the fraction, and M = W 10^(g-1) + F = V - W (10^g - 10^(g-1)). As F / 10^g < 0.1, W is
the floor of V / 10^g however that quotient is rounded. Without a point g is 0, and M is V.
"""

from typing import TYPE_CHECKING, NamedTuple

from bptrain.formats.cell_words import WORD, take_words

if TYPE_CHECKING:
    from bptrain.parts.types import Array

LONGEST = 2 * WORD  # characters of a decimal behind its sign
EXACT = 2.0**53  # whole numbers below it are exact in float64
PLUS, MINUS, ZERO = b"+-0"
EACH = 0x0101010101010101  # times a byte: that byte eight times
POINT = ord(".") ^ ZERO  # of the bytes of a decimal the only one with the bit 0x10, once they are xor ZERO
# By which a 1 in the byte of the point becomes g in the highest byte: of the last word, and of the one before.
TO_PLACE = (0x0807060504030201, 0x100F0E0D0C0B0A09)
# A digit in each byte, the first in the lowest; in each 2, 4 and 8 bytes then their digits added up.
ADDITIONS = ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0x00000000FFFFFFFF))
ARRAYS = 12  # in which the reader works, of 64 bits per cell


class Decimals(NamedTuple):
    """N cells that were read, in arrays that the next reading fills anew."""

    values: "Array"  # N, NaN for an empty cell
    left: "Array | None"  # N: which cells are no such decimals; None where all are
    has_zero: "Array | None"  # N: which cells begin with a zero as 01 does; None where none does


class DecimalReader:
    """Reads cells of at most LONGEST characters: perhaps a sign, then digits, and perhaps a point among them."""

    def __init__(self) -> None:
        import numpy as np

        self._powers = np.array([10.0**g for g in range(LONGEST + 1)])
        self._divisors = np.array([10.0 ** max(g - 1, 0) for g in range(LONGEST + 1)])
        self._room: Array = np.empty((ARRAYS, 0), np.uint64)

    def _make_room(self, cells: int) -> None:
        """Arrays of so many cells, the same ones again, since memory that is taken anew costs more than its use."""
        import numpy as np

        if cells > self._room.shape[1]:
            self._room = np.empty((ARRAYS, cells), np.uint64)
        room = self._room[:, :cells]
        self._words, self._points = room[:2], room[2:4]
        self._scratch, self._wrong, self._length = room[4:9], room[9], room[10].view(np.int64)
        self._shift, self._back, self._high, self._low = self._scratch[:4]
        self._at = self._scratch[4].view(np.int64)
        self._first, self._is_minus, self._is_signed = (
            room[11:].view(np.uint8)[:, : 3 * cells].reshape(3, cells)
        )

    def read(self, data: "Array", starts: "Array", ends: "Array", long: bool = True) -> Decimals:
        """The cells between these places of some bytes, whose number is a multiple of 8; 8 or more stand before them.

        Without `long`, those of more than 8 characters are left, and the others read faster.
        """
        import numpy as np

        self._make_room(len(ends))
        words, points = self._words[: 1 + long], self._points[: 1 + long]
        self._read_signs(data, starts, ends)
        take_words(data, ends, self._length, words, self._scratch, ZERO * EACH)  # 0 to 9 for a digit
        np.bitwise_and(words, np.uint64(0x10 * EACH), points)
        has_points = bool(points.any())
        self._find_wrong(words, points, has_points)
        values = self._whole_numbers(words)
        left = self._left(starts, ends, values, LONGEST if long else WORD)
        if has_points:
            self._divide(values)
        if self._is_minus.any():
            np.left_shift(self._is_minus, np.uint64(63), self._back)
            np.bitwise_or(values.view(np.uint64), self._back, values.view(np.uint64))
        if self._length.min(initial=0) <= 0:
            values[starts == ends] = np.nan
        return Decimals(values, left, self._leading_zeros(left))

    def _read_signs(self, data: "Array", starts: "Array", ends: "Array") -> None:
        """Which cells have a sign, how long they are behind it, and their first character there."""
        import numpy as np

        data.take(starts, out=self._first, mode="clip")
        np.equal(self._first, MINUS, self._is_minus.view(bool))
        np.equal(self._first, PLUS, self._is_signed.view(bool))
        np.bitwise_or(self._is_signed, self._is_minus, self._is_signed)
        np.subtract(ends, starts, self._length)
        if self._is_signed.any():
            np.subtract(self._length, self._is_signed, self._length)
            np.add(starts, self._is_signed, self._at)
            data.take(self._at, out=self._first, mode="clip")

    def _find_wrong(self, words: "Array", points: "Array", has_points: bool) -> None:
        """Which bytes are neither digits nor points, how many points there are (in `back`), and g (in `at`)."""
        import numpy as np

        wrong, count, g, some = self._wrong, self._back, self._at.view(np.uint64), self._shift
        wrong[:] = count[:] = g[:] = 0
        for word, point, to_place in zip(words, points, TO_PLACE, strict=False):
            if has_points:
                np.right_shift(point, np.uint64(4), point)
                np.multiply(point, np.uint64(POINT), some)
                np.subtract(word, some, word)  # leaves 0 of a point, 1 of a slash, and no digit of all else
                np.bitwise_and(word, point, some)
                np.bitwise_or(wrong, some, wrong)
                np.add(count, point, count)
                np.multiply(point, np.uint64(to_place), some)
                np.right_shift(some, np.uint64(56), some)
                np.add(g, some, g)
            np.add(word, np.uint64(6 * EACH), some)
            np.bitwise_or(some, word, some)
            np.bitwise_and(some, np.uint64(0xF0 * EACH), some)
            np.bitwise_or(wrong, some, wrong)
        if has_points:
            np.multiply(count, np.uint64(EACH), count)
            np.right_shift(count, np.uint64(56), count)

    def _whole_numbers(self, words: "Array") -> "Array":
        """V of each cell."""
        import numpy as np

        for factor, bits, mask in ADDITIONS:
            np.multiply(words, np.uint64((factor << bits) + 1), words)
            np.right_shift(words, np.uint64(bits), words)
            np.bitwise_and(words, np.uint64(mask), words)
        values, upper = self._high.view(np.float64), self._low.view(np.float64)
        np.copyto(values, words[0].view(np.int64))
        if len(words) > 1:
            np.copyto(upper, words[1].view(np.int64))
            np.multiply(upper, 1e8, upper)
            np.add(values, upper, values)
        return values

    def _left(self, starts: "Array", ends: "Array", values: "Array", longest: int) -> "Array | None":
        """Which cells are no decimals of this length, or have too many digits; `values` are V."""
        import numpy as np

        length, count = self._length, self._back
        least, most = length.min(initial=2), length.max(initial=0)
        left = []
        if np.bitwise_or.reduce(self._wrong):
            left.append(self._wrong != 0)
        if count.max(initial=0) > 1:
            left.append(count > 1)
        if least <= 1:
            left.append((length <= count.view(np.int64)) & (starts != ends))  # no digit at all
        if most > longest:
            left.append(length > longest)
        if most >= LONGEST:
            left.append(values >= EXACT)
        found: Array | None = np.logical_or.reduce(left) if left else None
        return found if found is not None and found.any() else None

    def _divide(self, values: "Array") -> None:
        """V becomes M over its power of ten."""
        import numpy as np

        power, divisor, whole = (room.view(np.float64) for room in (self._back, self._shift, self._low))
        self._powers.take(self._at, out=power, mode="clip")
        self._divisors.take(self._at, out=divisor, mode="clip")
        np.divide(values, power, whole)
        np.floor(whole, whole)
        np.subtract(power, divisor, power)
        np.multiply(whole, power, whole)
        np.subtract(values, whole, values)
        np.divide(values, divisor, values)

    def _leading_zeros(self, left: "Array | None") -> "Array | None":
        """Which cells begin with a zero before another whole digit."""
        import numpy as np

        is_zero, is_long = self._first.view(bool), self._is_signed.view(bool)
        np.equal(self._first, ZERO, is_zero)
        if not is_zero.any():
            return None
        np.subtract(self._length, self._at, self._length)
        np.greater(self._length, 1, is_long)
        np.logical_and(is_zero, is_long, is_zero)
        if left is not None:
            np.greater(is_zero, left, is_zero)
        return is_zero if is_zero.any() else None
