"""What is worked out of rows that lie in mapped files lies in mapped files too: no memory grows with their number.

Whoever allocates asks `room_of` the rows for room, and whoever applies a formula to all of them does so by `by_rows`.
"""

import mmap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

LEAST = 2**20  # bytes: smaller arrays are in memory
PIECE_NUMBERS = 2**18  # of the widest array, that a formula is applied to at a time


class Room(Protocol):
    """Where arrays are made."""

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that is not yet filled. Raises StorageError where there is no room."""
        ...


class RoomInMemory(NamedTuple):
    """Memory."""

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that is not yet filled."""
        return np.empty(shape, dtype)


class RoomOnDisk(NamedTuple):
    """Files, for all but small arrays."""

    files: Room

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that is not yet filled. Raises StorageError where there is no room."""
        large = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize >= LEAST
        return self.files.empty(shape, dtype) if large else np.empty(shape, dtype)


IN_MEMORY = RoomInMemory()


class Mapping(mmap.mmap):
    """A mapped file, which may be larger than memory."""

    room: Room  # for what is worked out of its arrays


def mapping(array: Array) -> mmap.mmap | None:
    """The mapping that an array lies in, if it lies in one."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    held = base.obj if isinstance(base, memoryview) else base
    return held if isinstance(held, mmap.mmap) else None


def room_of(*arrays: Array | None) -> Room:
    """Room for what is worked out of arrays: files where one of them is mapped, else memory."""
    for array in arrays:
        held = None if array is None else mapping(array)
        if isinstance(held, Mapping):
            return RoomOnDisk(held.room)
    return IN_MEMORY


def by_rows(function: Callable[..., Array], *arrays: Array) -> Array:
    """What a function that takes each row by itself makes of arrays of N rows: N, or N × k.

    Of mapped arrays it is given some rows at a time, and its results lie in a mapped array. The bits are those of a
    single call.
    """
    room, rows = room_of(*arrays), len(arrays[0])
    if room is IN_MEMORY:
        return function(*arrays)
    step = max(1, PIECE_NUMBERS // max(1, *(array[:1].size for array in arrays)))
    found = first = function(*(array[:step] for array in arrays))
    if rows > step:
        found = room.empty((rows, *first.shape[1:]), first.dtype)
        found[:step] = first
        for a in range(step, rows, step):
            found[a : a + step] = function(*(array[a : a + step] for array in arrays))
    return found


def joined_rows(arrays: Sequence[Array]) -> Array:
    """The rows of arrays, each N or N × k, one after the other."""
    rows, width = sum(map(len, arrays)), arrays[0].shape[1:]
    out = room_of(*arrays).empty((rows, *width), np.result_type(*arrays))
    return np.concatenate(arrays, out=out)


def numbered(rows: int, room: Room) -> Array:
    """The numbers of so many rows, from 0, int64."""
    numbers = room.empty((rows,), np.int64)
    for a in range(0, rows, PIECE_NUMBERS):
        numbers[a : a + PIECE_NUMBERS] = np.arange(a, min(a + PIECE_NUMBERS, rows))
    return numbers


def in_float64(array: Array) -> Array:
    """A copy in float64."""
    return by_rows(lambda part: part.astype(np.float64), array)
