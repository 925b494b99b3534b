"""The training state: one record with everything that a resumed run needs."""

from dataclasses import dataclass
from typing import NamedTuple

from bptrain.engines.base import Memory
from bptrain.parts.types import Array


class Best(NamedTuple):
    """The weights with the lowest loss so far, and where they stood."""

    epoch: int
    updates: int  # in all, when the weights stood
    loss: float  # of validation, or of training without validation rows
    w: Array  # not written to


@dataclass(frozen=True)
class State:
    """Where a run stands between two slices. It never changes: the trainer makes a new one after each slice.

    So whatever goes wrong, and at whatever instant, the state that was yielded last is whole.
    """

    memory: Memory  # weights, slots, updates done; not written to
    epoch: int = 0  # epochs finished
    step: int = 0  # updates done in the epoch under way
    loss_sum: float = 0.0  # of the rows of the epoch under way
    rows_seen: int = 0  # in all
    first_loss: float | None = None  # the running loss of epoch 1, which later ones are held against
    warned_of_growth: bool = False
    best: Best | None = None
