"""The rows that are trained on, asked for by order: all that the trainer knows of where they are."""

from typing import NamedTuple, Protocol

import numpy as np

from bptrain.data.prepare import Rows
from bptrain.engines.base import aligned
from bptrain.parts.types import Array


class TrainingRows(NamedTuple):
    """Some rows, in the order in which they were asked for."""

    X: Array  # n × n_0
    T: Array  # n × n_L
    sample_weight: Array | None = None  # what each row weighs, n; None: 1


class RowSource(Protocol):
    """N rows. A source in memory hands out its own arrays where it can; they are not written to."""

    @property
    def sample_weight(self) -> Array | None:
        """What each of the N rows weighs; None: 1."""
        ...

    def take(self, order: Array | slice) -> TrainingRows:
        """The rows with these numbers, in this order; or those of a slice, in the source's own order."""
        ...


class RowsInMemory:
    """Rows of a data set that was read as a whole."""

    def __init__(self, rows: Rows) -> None:
        self._rows = TrainingRows(rows.X, rows.T, rows.sample_weight)

    @property
    def sample_weight(self) -> Array | None:
        """What each row weighs; None: 1."""
        return self._rows.sample_weight

    def take(self, order: Array | slice) -> TrainingRows:
        """The rows, copied to arrays that begin at a cache line; views for a slice."""
        X, T, V = self._rows
        if isinstance(order, slice):
            return TrainingRows(X[order], T[order], None if V is None else V[order])
        return TrainingRows(gathered(X, order), gathered(T, order), None if V is None else V[order])


def gathered(array: Array, rows: Array) -> Array:
    """The rows in their order, from a cache line on."""
    out = aligned((len(rows), *array.shape[1:]), array.dtype)
    return np.take(array, rows, axis=0, out=out, mode="clip")  # other modes go through a copy


ALL = slice(None)
