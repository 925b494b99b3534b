"""The bytes of a text in UTF-8, in an array that has room around them."""

import io
import math
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from bptrain.parts.types import Array

ROOM = 8  # bytes, before the text and behind it: a word
LINE = ord("\n")
LARGE = 1 << 22  # bytes of an array
NEAR = 1 << 12  # bytes in which a line's end is looked for at first


class TextBytes(NamedTuple):
    """A text, and its place among the bytes."""

    data: "Array"  # of bytes, ROOM of them or more on both sides of the text
    begin: int
    end: int

    def part(self, begin: int, end: int) -> bytes:
        """Some of its bytes."""
        return self.data[begin:end].tobytes()

    def line_end(self, begin: int, size: int) -> int:
        """Where the last line ends that ends within so many bytes; or else the first one that ends at all."""
        import numpy as np

        if begin + size >= self.end:
            return self.end
        stop, step = begin + size, NEAR
        while stop > begin:
            start = max(begin, stop - step)
            found = np.flatnonzero(self.data[start:stop] == LINE)
            if len(found):
                return int(found[-1]) + start + 1
            stop, step = start, 2 * step
        stop, step = begin + size, NEAR
        while stop < self.end:
            found = np.flatnonzero(self.data[stop : min(stop + step, self.end)] == LINE)
            if len(found):
                return int(found[0]) + stop + 1
            stop, step = stop + step, 2 * step
        return self.end


def text_bytes_of(data: bytes) -> TextBytes:
    """The same of these bytes."""
    import numpy as np

    found = _empty(len(data))
    found.data[found.begin : found.end] = np.frombuffer(data, np.uint8)
    return found


def text_bytes_of_file(file: io.BufferedReader, size: int) -> TextBytes:
    """What is left in a file, which is about so many bytes long."""
    found = _empty(size)
    there, view = found.begin, found.data.data
    while there < found.end and (n := file.readinto(view[there : found.end])):
        there += n
    rest = file.read()
    if rest:  # it has grown
        return text_bytes_of(found.part(found.begin, there) + rest)
    return found._replace(end=there)


def _empty(size: int) -> TextBytes:
    import numpy as np

    return TextBytes(own_memory((-(-size // ROOM) + 2,), np.uint64).view(np.uint8), ROOM, ROOM + size)


def own_memory(shape: "tuple[int, ...]", dtype: "DTypeLike") -> "Array":
    """An array that is filled once, in order, whose memory is taken page by page as it is filled.

    Of large arrays NumPy asks for pages of 2 MB, which a virtual machine may have to be given by its host first.
    """
    import mmap

    import numpy as np

    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE or sys.platform == "win32":
        return np.empty(shape, dtype)
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        raise MemoryError(f"no room for an array of {size:,} bytes") from None
    return np.ndarray(shape, dtype, memory)


def is_text(data: "Array") -> bool:
    """Whether bytes, which begin and end with whole letters, are a text in UTF-8 without NUL."""
    import numpy as np

    least = int(data.view(np.int8).min(initial=1))
    if least > 0:
        return True
    if least == 0 or data.min() == 0:
        return False
    is_other = data.view(np.int8) < 0
    few: Array | slice = slice(None)
    if 8 * np.count_nonzero(is_other) < len(data):  # the others, and the byte behind each run of them
        few = is_other.copy()
        np.logical_or(few[1:], is_other[:-1], few[1:])
    try:
        data[few].tobytes().decode()  # ASCII says nothing of what stands around it but where that ends
    except UnicodeDecodeError:
        return False
    return True
