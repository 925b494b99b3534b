"""Columns of numbers, scaled: g((f(value) − center) / spread), in float64."""

from collections.abc import Iterator, Sequence

import numpy as np

from bptrain.data.table import chunks
from bptrain.parts.scalers import CLIPS, FUNCTIONS
from bptrain.parts.types import Array

AT_ONCE = 1 << 15  # numbers in float64 at a time: a quarter of a megabyte, which stays in the cache


class Scaling:
    """Scales k columns of up to `rows` rows, some rows at a time, in room that it keeps.

    Center and spread are laid out for each of these rows: NumPy is slow where its innermost loop is over a few columns.
    f and g are named for each column, or left out where they change nothing.
    """

    def __init__(
        self,
        center: Sequence[float],
        spread: Sequence[float],
        rows: int,
        functions: Sequence[str] = (),
        clips: Sequence[str] = (),
    ) -> None:
        self._parts = [*chunks(rows, len(center), AT_ONCE)]
        most = max((part.stop - part.start for part in self._parts), default=0)
        width = np.array(spread)
        self._center = np.tile(center, (most, 1))
        self._divisor = np.tile(np.where(width == 0, 1.0, width), (most, 1))
        self._constant = np.flatnonzero(width == 0)
        self._room = np.empty((most, len(center)))
        self._functions = [
            (FUNCTIONS[name].f, np.flatnonzero([name == one for one in functions]))
            for name in sorted({*functions} - {"identity"})
        ]
        self._clips = [
            (CLIPS[name], np.flatnonzero([name == one for one in clips]))
            for name in sorted({*clips} - {"none"})
        ]

    def parts(self, rows: int) -> Iterator[slice]:
        """The rows that are scaled together, where there are so many in all."""
        return (slice(part.start, min(part.stop, rows)) for part in self._parts if part.start < rows)

    def of(self, raw: Array) -> Array:
        """The scaled numbers of one part, n × k, float64, until the next part comes.

        NaN or infinite where raw is, and where f is not defined. A column that was constant in the training rows
        becomes 0.
        """
        n = len(raw)
        values = self._room[:n]
        values[...] = raw  # first: NumPy takes twice as long to widen numbers as it subtracts
        for f, columns in self._functions:
            with np.errstate(divide="ignore", invalid="ignore"):
                values[:, columns] = f(values[:, columns])
        there = np.isfinite(values[:, self._constant]) if len(self._constant) else None
        values -= self._center[:n]
        values /= self._divisor[:n]
        if there is not None:
            values[:, self._constant] = np.where(there, 0.0, np.nan)
        for g, columns in self._clips:
            values[:, columns] = g(values[:, columns])
        return values
