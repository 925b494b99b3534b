"""An array in a file of its own, row by row and without a header, and mapped from it."""

import mmap
import os
import stat
import sys
import tempfile
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.storage import MappedFiles
from bptrain.mapped_rows import Mapping
from bptrain.parts.types import Array
from bptrain.temporary import NEW

PIECE = 2**20  # bytes that are written at a time
# A pipe in place of a file is opened without a writer, so that nobody waits for one.
OLD = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
NO_RESERVE = 0x4000  # of Linux; mmap.MAP_NORESERVE from Python 3.13 on
KINDS = "biuf"  # of dtypes: truth, integers and floats
MOST = 2**62  # bytes, so that no product of a damaged shape overflows


class ArrayForm(NamedTuple):
    """Shape and dtype of an array."""

    shape: tuple[int, ...]
    dtype: str  # as NumPy spells it, with the order of bytes

    @classmethod
    def of(cls, array: Array) -> "ArrayForm":
        """Those of an array."""
        return cls(array.shape, array.dtype.str)

    @classmethod
    def from_json(cls, json: Any) -> "ArrayForm":
        """What `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        shape, dtype = tuple(json["shape"]), np.dtype(str(json["dtype"]))
        sizes = all(type(n) is int and n >= 0 for n in shape)
        if not sizes or not shape or dtype.kind not in KINDS or prod(shape) * dtype.itemsize > MOST:
            raise ValueError("this is no array of numbers")
        return cls(shape, dtype.str)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"shape": list(self.shape), "dtype": self.dtype}

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


def write_array(path: Path, array: Array) -> ArrayForm:
    """Writes an array to a new file, through to the disk. Raises OSError."""
    step = max(1, PIECE // max(array[:1].nbytes, 1))
    with os.fdopen(os.open(path, NEW, 0o666), "wb") as file:
        for a in range(0, len(array), step):
            file.write(np.ascontiguousarray(array[a : a + step]).data)
        file.flush()
        os.fsync(file.fileno())
    return ArrayForm.of(array)


def unshared(handle: int) -> Mapping:
    """A file mapped so that writing is allowed, as compiled loops want it, and changes no file. Raises OSError.

    By itself Linux would refuse what is larger than memory, since all of it might be written to.
    """
    if sys.platform == "linux":
        flags, both = mmap.MAP_PRIVATE | NO_RESERVE, mmap.PROT_READ | mmap.PROT_WRITE
        mapped = Mapping(handle, 0, flags=flags, prot=both)
    else:
        mapped = Mapping(handle, 0, access=mmap.ACCESS_COPY)
    return mapped


def map_array(path: Path, form: ArrayForm) -> Array:
    """The array in a file. Raises OSError, and ValueError where the file is another one.

    The file stays as it is: what is written to the array, which nobody does, would be in memory. What is worked out of
    it lies beside its directory, or where temporary files lie if that cannot be written to.
    """
    handle = os.open(path, OLD)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size != form.size:
            raise ValueError(f"{path.name} has {status.st_size:,} bytes and should have {form.size:,}")
        if not form.size:
            return np.empty(form.shape, form.dtype)
        mapped = unshared(handle)
    finally:
        os.close(handle)
    cache = path.parent.parent
    mapped.room = MappedFiles(cache if os.access(cache, os.W_OK) else Path(tempfile.gettempdir()))
    return np.frombuffer(mapped, form.dtype).reshape(form.shape)
