"""Where large arrays lie: in memory, or in files that are mapped, so that the system may take their memory back."""

import mmap
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from bptrain.parts.types import Array
from bptrain.temporary import nameless_file


class Storage(Protocol):
    """Hands out room for arrays."""

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that is not yet filled. Raises OSError where there is no room."""
        ...


class Memory(NamedTuple):
    """Arrays in memory."""

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that is not yet filled."""
        return np.empty(shape, dtype)


class MappedFiles(NamedTuple):
    """Each array lies in a file of its own, without a name, which goes when the array does, or the process."""

    directory: Path  # on whose disk they lie

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros that takes room on the disk as it is written to. Raises OSError."""
        dtype, count = np.dtype(dtype), int(np.prod(shape, dtype=np.int64))
        if not count:
            return np.empty(shape, dtype)
        with nameless_file(self.directory) as file:
            file.truncate(count * dtype.itemsize)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE)
        return np.frombuffer(mapped, dtype, count).reshape(shape)


IN_MEMORY = Memory()
