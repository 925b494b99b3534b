"""The rows that are trained on, asked for by order: all that the trainer knows of where they are."""

import mmap
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from bptrain.data.prepared import Rows
from bptrain.engines.base import aligned
from bptrain.mapped_rows import IN_MEMORY, by_rows, mapping, room_of
from bptrain.parts.types import Array

PIECE_BYTES = 2**21  # of rows from a mapped file that are copied at a time
GAP_BYTES = 2**17  # between two rows, that the disk passes over faster than it seeks
AHEAD_SHARE = 4  # of data.memory, for the rows that are read at a time


class TrainingRows(NamedTuple):
    """Some rows, in the order in which they were asked for."""

    X: Array  # n × n_0
    T: Array  # n × n_L
    sample_weight: Array | None = None  # what each row weighs, n; None: 1


class RowSource(Protocol):
    """N rows. A source hands out its own arrays where it can; they are not written to."""

    @property
    def sample_weight(self) -> Array | None:
        """What each of the N rows weighs; None: 1."""
        ...

    def take(self, order: Array | slice) -> TrainingRows:
        """The rows with these numbers, in this order; or those of a slice, in the source's own order."""
        ...


class RowsOfArrays:
    """Rows of arrays, in memory or in mapped files; of the latter no copy of more than `most` bytes is in memory."""

    def __init__(self, rows: Rows | TrainingRows, most: int = 0) -> None:
        self._rows, self._most = TrainingRows(rows.X, rows.T, rows.sample_weight), most

    @property
    def sample_weight(self) -> Array | None:
        """What each row weighs; None: 1."""
        return self._rows.sample_weight

    def take(self, order: Array | slice) -> TrainingRows:
        """The rows, copied to arrays that begin at a cache line; views for a slice."""
        X, T, V = self._rows
        if isinstance(order, slice):
            return TrainingRows(X[order], T[order], None if V is None else V[order])
        gather = gathered if room_of(X) is IN_MEMORY else partial(read_ascending, most=self._most)
        return TrainingRows(gather(X, order), gather(T, order), None if V is None else V[order])


def bytes_ahead(memory: int | None) -> int:
    """How many bytes of rows from mapped files are in memory at once, of so many for all."""
    return (memory or 0) // AHEAD_SHARE


def rows_ahead(rows: Rows | TrainingRows, memory: int | None) -> int:
    """How many rows are read at once where they lie in mapped files, with so many bytes of memory; 0 where they do not.

    The more these are, the less often does the disk pass over the file: of a file much larger than memory it does so
    once for each of these reads.
    """
    of_one = sum(array[:1].nbytes for array in (rows.X, rows.T)) + 3 * np.dtype(np.int64).itemsize
    return 0 if room_of(rows.X) is IN_MEMORY else bytes_ahead(memory) // of_one


def gathered(array: Array, rows: Array) -> Array:
    """The rows in their order, from a cache line on."""
    out = aligned((len(rows), *array.shape[1:]), array.dtype)
    return np.take(array, rows, axis=0, out=out, mode="clip")  # other modes go through a copy


def read_ascending(array: Array, rows: Array, most: int) -> Array:
    """The same of a mapped array, read in ascending order: while a piece is copied, the next comes from the disk.

    Of more than `most` bytes the copy lies in a mapped file, too.
    """
    shape = (len(rows), *array.shape[1:])
    large = len(rows) * array[:1].nbytes > most
    out = room_of(array).empty(shape, array.dtype) if large else aligned(shape, array.dtype)
    step = max(1, PIECE_BYTES // max(array[:1].nbytes, 1))
    places = ascending(rows, len(array))
    ask_for(array, rows[places[:step]])
    for a in range(0, len(places), step):
        some = places[a : a + step]
        ask_for(array, rows[places[a + step : a + 2 * step]])
        as_items(out)[some] = as_items(gathered(array, rows[some]))
    return out


def ascending(rows: Array, of: int) -> Array:
    """The places of row numbers in ascending order, but for those that lie close together among `of` rows.

    A sort by 16 bits is by radix, which takes a fifth of the time of a whole one.
    """
    shift = max(0, of.bit_length() - 16)
    return np.argsort((rows >> shift).astype(np.uint16), kind="stable")


def as_items(array: Array) -> Array:
    """An array of rows with one item for each, which is copied as a whole."""
    return array.reshape(len(array), -1).view(np.dtype((np.void, array[:1].nbytes))).reshape(-1)


def ask_for(array: Array, rows: Array) -> None:
    """Tells the system that these rows are read next, about in this order; what lies close together is one request."""
    held = mapping(array)
    if held is None or not len(rows) or not hasattr(mmap, "MADV_WILLNEED"):  # Windows has no such call
        return
    size = array.strides[0]
    places = array.ctypes.data - np.frombuffer(held, np.uint8).ctypes.data + rows * size
    runs = np.flatnonzero(np.abs(np.diff(places, prepend=-2 * GAP_BYTES)) > GAP_BYTES)
    starts = np.minimum.reduceat(places, runs) // mmap.PAGESIZE * mmap.PAGESIZE
    stops = np.maximum.reduceat(places, runs) + size
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        held.madvise(mmap.MADV_WILLNEED, start, stop - start)


class EpochRows:
    """The rows of an epoch in its order, slice by slice; `ahead` of them are read at once, where that is more.

    Slices come one after the other, each of as many rows as the first, but for the last.
    """

    def __init__(self, source: RowSource, order: Array | None, ahead: int = 0) -> None:
        self._source, self._order, self._ahead = source, order, ahead
        self._block: TrainingRows | None = None
        self._places = slice(0, 0)  # of the block

    def take(self, places: slice) -> TrainingRows:
        """The rows at these places of the epoch."""
        if self._order is None:
            return self._source.take(places)
        count = places.stop - places.start
        if self._ahead < 2 * count:
            return self._source.take(self._order[places])
        if self._block is None or places.stop > self._places.stop:
            self._block = None  # before the next one takes memory
            stop = min(places.start + self._ahead // count * count, len(self._order))
            self._places = slice(places.start, stop)
            self._block = self._source.take(self._order[self._places])
        part = slice(places.start - self._places.start, places.stop - self._places.start)
        X, T, V = self._block
        return TrainingRows(copied(X[part]), copied(T[part]), None if V is None else V[part])

    def weight(self, start: int, stop: int) -> float:
        """The total weight of the rows at these places: their number, if all weigh the same."""
        V = self._source.sample_weight
        if V is None:
            return float(stop - start)
        rows = V[start:stop]
        if self._order is not None:
            rows = by_rows(lambda numbers: V[numbers], self._order[start:stop])
        return float(rows.sum(dtype=np.float64)) or 1.0


def copied(array: Array) -> Array:
    """A copy that begins at a cache line."""
    out = aligned(array.shape, array.dtype)
    out[...] = array
    return out


ALL = slice(None)
