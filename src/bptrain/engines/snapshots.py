"""Arrays that lie in a file without a name: mapped, so that they can be read like any other, and not in memory.

A run's state must be whole at every instant, also while a slice changes the weights. So each slice leaves a copy
behind, and of a large network it lies in such a file, which takes as long as a copy in fresh memory. The file goes when
its arrays do, and however the process ends.
"""

import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bptrain.mapped_rows import mapping
from bptrain.parts.types import Array
from bptrain.temporary import nameless_file

PIECE = 2**20  # bytes
PAGE = 4096  # bytes; every array begins at one


def in_a_file(arrays: Sequence[Array], directory: Path) -> list[Array]:
    """Copies of arrays in a file on the disk of `directory`. Raises OSError."""
    with nameless_file(directory) as file:
        places = []
        for array in arrays:
            places.append(file.tell())
            for piece in pieces(array):
                file.write(piece.data)
            file.write(bytes(-file.tell() % PAGE))
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return [
        np.frombuffer(mapped, array.dtype, array.size, place).reshape(array.shape)
        for array, place in zip(arrays, places, strict=True)
    ]


def pieces(array: Array) -> Iterator[Array]:
    """An array as flat pieces, one after the other; of one that is mapped, a piece is in memory only until the next."""
    flat, step, mapped = array.reshape(-1), max(1, PIECE // array.itemsize), mapping(array)
    for a in range(0, flat.size, step):
        yield flat[a : a + step]
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):  # Windows has no such call
            mapped.madvise(mmap.MADV_DONTNEED)


def all_finite(array: Array) -> bool:
    """Whether every number of an array is finite."""
    return all(bool(np.isfinite(piece).all()) for piece in pieces(array))
