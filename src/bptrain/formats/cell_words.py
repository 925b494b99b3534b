"""Cells of bytes as 64-bit words: the last eight bytes of each, the eight before these, and so on."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bptrain.parts.types import Array

WORD = 8  # bytes
MOST_WORDS = 8  # of a cell
SCRATCH = 5  # arrays that are worked in


@cache
def _masks() -> "Array":
    """All bits of the last n bytes of a word, by n."""
    import numpy as np

    return np.array([(1 << 64) - (1 << 8 * (WORD - n)) for n in range(WORD + 1)], np.uint64)


def take_words(
    data: "Array", ends: "Array", lengths: "Array", words: "Array", scratch: "Array", flipped: int = 0
) -> None:
    """Fills `words` (words of a cell × N) with the last bytes of N cells, xor `flipped`; 0 before a shorter cell.

    `data` are bytes, their number and place multiples of a word, 8 or more of them before the first cell; `ends` are
    the places behind the cells. `scratch` is SCRATCH × N.
    """
    import numpy as np

    whole, masks = data.view("<u8"), _masks()
    shift, back, high, low = scratch[:4]
    at = scratch[4].view(np.int64)
    np.bitwise_and(ends, 7, at)
    np.left_shift(at, 3, shift.view(np.int64))
    np.subtract(np.uint64(64), shift, back)
    np.right_shift(ends, 3, at)
    whole.take(at, out=high, mode="clip")
    for k, word in enumerate(words):  # each is made of two words that begin at a multiple of 8
        np.subtract(at, 1, at)
        whole.take(at, out=low, mode="clip")
        np.left_shift(high, back, high)  # 0 where it is by 64
        np.right_shift(low, shift, word)
        np.bitwise_or(word, high, word)
        if flipped:
            np.bitwise_xor(word, np.uint64(flipped), word)
        kept = np.subtract(lengths, WORD * k, high.view(np.int64)) if k else lengths
        masks.take(kept, out=high, mode="clip")
        np.bitwise_and(word, high, word)
        high, low = low, high
