"""What the checks look at."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bptrain.data.column_statistics import NumberStatistics
from bptrain.data.schema import Schema
from bptrain.data.table import ColumnBlock
from bptrain.errors import Warned
from bptrain.parts.types import Array

if TYPE_CHECKING:
    from bptrain.data.prepared import Rows

SAMPLED_ROWS = 2000  # training rows, evenly spaced, that a check of relations looks at


class Examined(NamedTuple):
    """A data set that is ready for training, with the table that it was made from."""

    features: ColumnBlock  # of the training file, all rows
    target: ColumnBlock
    kept: Array  # the numbers of the rows that are not dropped
    train: Array  # those of the training rows
    schema: Schema
    splits: "Mapping[str, Rows]"
    digests: Mapping[str, str]  # role -> SHA-256 of its file
    places: Mapping[str, str]  # role -> what messages call its file
    group: str | None = None  # the column whose rows of one value are in one split

    @property
    def sample(self) -> Array:
        """The numbers of some training rows, evenly spaced."""
        n = len(self.train)
        return self.train if n <= SAMPLED_ROWS else self.train[np.arange(SAMPLED_ROWS) * n // SAMPLED_ROWS]

    @property
    def numbers(self) -> Mapping[str, NumberStatistics]:
        """The statistics of all columns that are numbers, the targets included."""
        return self.schema.statistics.numbers


Check = Callable[[Examined], Iterator[Warned]]


def own_columns(numbers: Array) -> Array:
    """Numbers as float64, each column in one piece of memory: k × n."""
    return np.ascontiguousarray(numbers.T, dtype=np.float64)
