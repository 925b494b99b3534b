"""The header of an array as np.save writes it, and the array itself: mapped from a file, or read in pieces.

Nothing is allocated before the size that a header announces has been compared with what is there.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.limits import refuse_too_large

if TYPE_CHECKING:
    from bptrain.parts.types import Array

MAGIC = b"\x93NUMPY"
PIECE = 1 << 20  # bytes that are read at a time
AXES = 64  # at most, in NumPy


class ArrayHeader(NamedTuple):
    """What a header says."""

    shape: tuple[int, ...]
    dtype: Any
    order: Literal["C", "F"]
    length: int  # bytes before the first value

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return prod(self.shape) * int(self.dtype.itemsize)


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turns what NumPy says about a header into a DataError; its warnings are about Python 2."""
    import tokenize

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (
        AttributeError, EOFError, LookupError, OverflowError, RecursionError, SyntaxError, TypeError, ValueError,
        tokenize.TokenError,
    ) as error:  # fmt: skip
        raise damaged(path, error) from None


def damaged(path: Path, why: object) -> DataError:
    """The file is not what its name says."""
    said = " ".join(str(why).split())[:200]
    message = f"the file is damaged or not what its name says ({said})"
    return DataError(Problem("damaged_file", message, file=str(path)))


def read_header(file: IO[bytes], path: Path, what: str = "the file") -> ArrayHeader:
    """The header at the beginning of an opened file. Raises DataError where it is none, or of objects."""
    import numpy as np

    begin = file.read(len(MAGIC))
    if begin != MAGIC:
        found = begin.hex(" ") or "nothing"
        raise damaged(path, f"{what} begins with {found}, not as np.save writes an array")
    with decoding(path):
        major, minor = file.read(2)
        if (major, minor) == (3, 0):  # NumPy writes it for fields alone
            message = (
                f"{what} holds rows with named fields: save the columns as arrays of their own, or as CSV"
            )
            raise DataError(Problem("array_type", message, file=str(path)))
        if (major, minor) not in ((1, 0), (2, 0)):
            raise ValueError(f"version {major}.{minor} of the format is not known")
        first = major == 1
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if len(shape) > AXES or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError(f"the shape {shape} is none")
    if dtype.hasobject:
        message = f"{what} holds Python objects, which are never loaded; save plain numbers or strings"
        raise DataError(Problem("object_array", message, file=str(path)))
    length = file.tell()
    return ArrayHeader(shape, dtype, "F" if fortran else "C", length)


def refuse_other_size(header: ArrayHeader, there: int, path: Path, what: str = "the file") -> None:
    """Raises DataError where less is there than a header announces."""
    if header.size > there:
        size = " × ".join(str(n) for n in header.shape)
        message = (
            f"{what} is damaged or cut short: {size} values make {header.size:,} bytes, but it has {there:,}"
        )
        raise DataError(Problem("damaged_file", message, file=str(path)))


def native(array: "Array") -> "Array":
    """The array in this machine's order of bytes."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def refuse_empty(header: ArrayHeader, path: Path) -> None:
    """Raises DataError for an array without values, whose other axes may be longer than any array's."""
    if header.size == 0:
        message = f"the array of shape {header.shape} has no rows"
        raise DataError(Problem("no_rows", message, file=str(path)))


def mapped(path: Path, header: ArrayHeader) -> "Array":
    """The array of a file that is not packed; its pages are read when they are needed, and never written."""
    import numpy as np

    refuse_empty(header, path)
    made = np.memmap(path, header.dtype, "r", header.length, header.shape, order=header.order)
    return native(made.view(np.ndarray))


def of_bytes(data: bytes, header: ArrayHeader, path: Path) -> "Array":
    """The array of a content that is in memory."""
    import numpy as np

    refuse_empty(header, path)
    flat: Array = np.frombuffer(data, header.dtype, prod(header.shape), header.length)
    return native(flat.reshape(header.shape, order=header.order))


def in_memory(size: int) -> "Array":
    """So many bytes of memory."""
    import numpy as np

    return np.empty(size, np.uint8)


def read_in_pieces(
    file: IO[bytes],
    header: ArrayHeader,
    path: Path,
    what: str,
    room_of: "Callable[[int], Array]" = in_memory,
) -> "Array":
    """The array that follows a header, whose values fill the room as they come. Raises DataError where they end."""
    import numpy as np

    refuse_empty(header, path)
    if room_of is in_memory:
        refuse_too_large(header.size, path, what)
    room = room_of(header.size)
    view = room.data
    at = 0
    while at < header.size:
        piece = file.read(min(PIECE, header.size - at))
        if not piece:
            refuse_other_size(header, at, path, what)
        view[at : at + len(piece)] = piece
        at += len(piece)
    flat: Array = np.frombuffer(room, header.dtype, prod(header.shape))
    return native(flat.reshape(header.shape, order=header.order))
