"""IDX, MNIST's format: two zero bytes, type, number of axes n, n sizes in big-endian, then the values."""

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import read_bytes

if TYPE_CHECKING:
    from bptrain.parts.types import Array

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@formats.add("idx")
def idx() -> Format:
    """One array, of bytes as a rule; MNIST's format."""
    numbered = tuple(f".idx{axes}" for axes in range(10))
    return Format("array", (".idx", "-ubyte"), read_idx, gz=True, variants=numbered)


def read_idx(path: Path, key: str, conventions: Conventions) -> "Array":
    """The array. Raises DataError where the file is damaged or its header does not agree with its size."""
    import numpy as np

    data, file = read_bytes(path, key), str(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES or data[3] == 0:
        message = (
            f"not an IDX file: it begins with {data[:4].hex(' ') or 'nothing'}, not with 00 00 and a type"
        )
        raise DataError(Problem("not_idx", message, file=file))
    dtype = np.dtype(IDX_TYPES[data[2]])
    begin = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, begin, 4))
    expected = begin + prod(shape) * dtype.itemsize
    if len(data) != expected:
        size = " × ".join(str(n) for n in shape)
        message = f"the file is damaged: {size} values make {expected} bytes, but it has {len(data)}"
        raise DataError(Problem("damaged_file", message, file=file))
    array: Array = np.frombuffer(data, dtype, offset=begin).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
