"""Decimal numbers in a text as float64, bit for bit what float() reads, many at a time, eight characters at once.

A cell is taken as three words of eight bytes, its last character in the last one. Its point is removed, eight digits
become a number in three multiplications (Lemire 2021), and the digits of all words are divided by a power of ten. The
division is exact but for one rounding (Clinger 1990), in float64 for numbers up to 2⁵³; for others, up to 19 digits,
in the 64 bits of x86's long double, unless rounding twice might differ.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from bptrain.parts.types import Array

WORD = 8  # characters
ROOM = 24  # bytes that must stand before the first cell: the longest number
MOST_FRACTION = 22  # 10²² is the largest power of ten that is a float64
EXACT = 1 << 53  # every whole number up to here is a float64
MINUS, PLUS, ZERO = b"-+0"
POINT = ord(".") ^ ZERO
EXACT_DIGITS = 15
ALL = (1 << 64) - 1
ONES = 0x0101010101010101


class Decimals(NamedTuple):
    """The numbers of some cells."""

    values: "Array"  # anything where a cell is not plain
    is_plain: "Array"  # whether a cell is a sign, digits and a point, which are all optional but one digit
    has_leading_zero: "Array"  # as 01 does, and not 0.1
    has_point: "Array"


def decimals_of(data: "Array", starts: "Array", ends: "Array") -> Decimals:
    """The numbers in these places of a text in bytes, which begins with ROOM bytes that are in no cell."""
    import numpy as np

    first = data[starts]
    minus = first == MINUS
    begins = starts + (minus | (first == PLUS))
    length = ends - begins
    longest = int(length.max(initial=0))
    if longest <= WORD:
        return _of_words(data, begins, ends, length, minus, 1)
    n_words = 2 + (longest > 2 * WORD)
    long = np.flatnonzero(length > WORD)
    if 2 * len(long) > len(length):
        return _of_words(data, begins, ends, length, minus, n_words)
    found = _of_words(data, begins, ends, np.minimum(length, WORD), minus, 1)
    others = _of_words(data, begins[long], ends[long], length[long], minus[long], n_words)
    for array, part in zip(found, others, strict=True):
        array[long] = part
    return found


def _of_words(
    data: "Array", begins: "Array", ends: "Array", length: "Array", minus: "Array", n_words: int
) -> Decimals:
    """The numbers of cells that so many words hold, without their signs."""
    import numpy as np

    u64 = np.uint64
    longest = int(length.max(initial=0))
    words = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    keep = np.array([(ALL << (64 - 8 * n)) & ALL for n in range(9)], u64)
    digits = []  # of eight characters each, from the last to the first; a digit is a byte from 0 to 9
    for n in range(n_words):
        kept = keep[np.clip(length - 8 * n, 0, 8) if n_words > 1 else length]
        digits.append((words[ends - 8 * (n + 1)] ^ u64(ONES * ZERO)) & kept)
    fraction, points = _remove_point(digits)
    bad = (digits[0] + u64(0x76 * ONES)) | digits[0]  # a high bit where a byte is more than 9
    value = _eight_digits(digits[0])
    for n, word in enumerate(digits[1:], 1):
        bad |= (word + u64(0x76 * ONES)) | word
        more = _eight_digits(word)
        if n == 2:
            bad |= np.where(more >= u64(1000), u64(0x80), u64(0))  # more than 19 digits
        value += more * u64(10 ** (8 * n))
    whole = length - points
    is_plain = (whole >= 1) & (points <= 1) & ((bad & u64(0x80 * ONES)) == 0)
    if longest > MOST_FRACTION:
        is_plain &= (length <= ROOM) & (fraction <= MOST_FRACTION)
    fraction = np.minimum(fraction, MOST_FRACTION)  # of 1.2.3 it is a sum
    powers = np.array([float(10**n) for n in range(MOST_FRACTION + 1)])
    values = value.view(np.int64).astype(np.float64)
    values /= powers[fraction]
    if longest > EXACT_DIGITS:
        long = np.flatnonzero((value > u64(EXACT)) & is_plain)
        values[long], is_plain[long] = _long(value[long], fraction[long])
    np.negative(values, out=values, where=minus)
    zero = is_plain & (data[begins] == ZERO) & (whole - fraction >= 2)
    return Decimals(values, is_plain, zero, points > 0)


def _remove_point(words: "list[Array]") -> "tuple[Array, Array]":
    """Takes the point out of words of digits; how many digits stood behind it, and how many points there were."""
    import numpy as np

    u64, u8 = np.uint64, np.uint8
    fraction = points = np.zeros(len(words[0]), u8)
    later = None  # all bits where a point stands in a later word
    for n, word in enumerate(words):
        x = word ^ u64(POINT * ONES)
        mark = (x - u64(ONES)) & ~x & u64(0x80 * ONES)  # the highest bit of each byte that is a point
        bit = mark >> u64(7)  # and its lowest one
        below = bit - u64(1)  # all bits where there is no point
        has_point = mark != 0
        shifted = u64(0) - has_point.astype(u64)
        if later is not None:
            shifted |= later
        later = shifted
        low = word & below & shifted  # what stood before the point moves to the later place
        word += u64(0xFF) * low - u64(POINT) * bit
        if n + 1 < len(words):
            word += (words[n + 1] >> u64(56)) & shifted
        fraction = fraction + (u8(8 * n + 7) - (np.bitwise_count(below) >> u8(3))) * has_point
        points = points + np.bitwise_count(mark)
    return fraction, points


def _eight_digits(word: "Array") -> "Array":
    """The number that eight digits make."""
    import numpy as np

    u64 = np.uint64
    word = (word * u64(2561)) >> u64(8)
    word = ((word & u64(0x00FF00FF00FF00FF)) * u64(6553601)) >> u64(16)
    return ((word & u64(0x0000FFFF0000FFFF)) * u64(42949672960001)) >> u64(32)


def _long(value: "Array", fraction: "Array") -> "tuple[Array, Array]":
    """Numbers of more than 53 bits divided by powers of ten, and whether they are rounded as they should be."""
    import numpy as np

    long: Any = np.longdouble
    if np.finfo(long).nmant != 63:  # other long doubles than those of x86
        return value.astype(np.float64), np.zeros(len(value), bool)
    powers = np.array([10**n for n in range(20)], np.uint64).astype(long)
    powers = np.concatenate(
        [powers, powers[10:13] * powers[10]]
    )  # 10²⁰ … 10²² need no more than 52 bits of 5ⁿ
    quotient = value.astype(long) / powers[fraction]
    mantissa = quotient.view(np.uint64)[::2] & np.uint64(0x7FF)  # what a float64 has no room for
    sure = (mantissa < 0x3FF) | (mantissa > 0x401)  # not about half a unit in its last place
    return quotient.astype(np.float64), sure
