"""Where large arrays lie: in memory, or in files that are mapped, so that the system may take their memory back."""

import mmap
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from bptrain.errors import StorageError
from bptrain.mapped_rows import Mapping
from bptrain.parts.types import Array
from bptrain.temporary import nameless_file

SEGMENT = 1 << 26  # bytes of a file that small arrays share, at least
SHARE = 8  # the next file of a pool is an eighth of all, and a small array is at most an eighth of that
ALIGNED = 64  # bytes, at whose multiples arrays begin


class Storage(Protocol):
    """Hands out room for arrays."""

    @property
    def bound(self) -> int | None:
        """The bytes of anonymous memory that what is made beside these arrays may take; None: any number."""
        ...

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that is not yet filled. Raises StorageError where there is no room."""
        ...

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros. Raises StorageError where there is no room."""
        ...

    def kept(self, array: Array) -> Array:
        """An array that was just made, in this room. Raises StorageError where there is none."""
        ...


class Memory(NamedTuple):
    """Arrays in memory."""

    @property
    def bound(self) -> None:
        """None: arrays are in memory for want of a bound, or since they are sure to keep it."""
        return None

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that is not yet filled."""
        return np.empty(shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros."""
        return np.zeros(shape, dtype)

    def kept(self, array: Array) -> Array:
        """The array as it is."""
        return array


def no_room(directory: Path, why: object) -> StorageError:
    """That what is converted, or worked out of it, cannot be written."""
    reason = getattr(why, "strerror", None) or str(why)
    if isinstance(why, FileExistsError):
        reason = "a file has this name"
    cure = "data.cache names another directory, and `bptrain data cache clear` makes room"
    return StorageError(f"could not write converted data to {directory}: {reason}; {cure}")


def reserve(file: IO[bytes], size: int) -> None:
    """Makes a new file so large, with room on the disk: what is written to a mapping without any ends the process.

    Raises OSError where there is none.
    """
    if hasattr(os, "posix_fallocate"):  # macOS and Windows have no such call
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)


class InFiles(ABC):
    """Storage in files, whose new arrays are zeros."""

    @abstractmethod
    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros. Raises StorageError."""

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """The same. Raises StorageError."""
        return self.empty(shape, dtype)

    def kept(self, array: Array) -> Array:
        """A copy. Raises StorageError."""
        copy = self.empty(array.shape, array.dtype)
        copy[...] = array
        return copy


@dataclass(frozen=True)
class MappedFiles(InFiles):
    """Each array lies in a file of its own, without a name, which goes when the array does, or the process."""

    directory: Path  # on whose disk they lie
    bound: int | None = None  # the bytes of anonymous memory for what is made beside them; None: any number

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros. Raises StorageError."""
        dtype, count = np.dtype(dtype), int(np.prod(shape, dtype=np.int64))
        if not count:
            return np.empty(shape, dtype)
        try:
            with nameless_file(self.directory) as file:
                reserve(file, count * dtype.itemsize)
                mapped = Mapping(file.fileno(), 0, access=mmap.ACCESS_WRITE)
        except OSError as error:
            raise no_room(self.directory, error) from error
        mapped.room = self
        return np.frombuffer(mapped, dtype, count).reshape(shape)


class Pool(InFiles):
    """Hands out small arrays side by side from large ones: each mapped file is one of the few that may be open.

    The more has been handed out, the larger is the next file, so that their number grows with the logarithm of their
    size. What is handed out is in use as long as any of its neighbours is.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._room = np.empty(0, np.uint8)
        self._taken = 0  # bytes of all files

    @property
    def bound(self) -> int | None:
        """That of what it hands out from."""
        return self._storage.bound

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros. Raises StorageError."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        segment = max(SEGMENT, self._taken // SHARE)
        if not size or size > segment // SHARE:
            self._taken += size
            return self._storage.zeros(shape, dtype)
        if size > len(self._room):
            self._room = self._storage.zeros((segment,), np.uint8)
            self._taken += segment
        array, self._room = self._room[:size], self._room[-(-size // ALIGNED) * ALIGNED :]
        return array.view(dtype).reshape(shape)


IN_MEMORY = Memory()


def pooled(storage: Storage) -> Storage:
    """The same room for many arrays, some of them small."""
    return storage if isinstance(storage, Memory | Pool) else Pool(storage)
