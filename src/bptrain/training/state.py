"""The training state: one record with everything that a resumed run needs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from bptrain.engines.base import OptimizerState
from bptrain.parts.controls import Watch
from bptrain.parts.types import Array

UNWATCHED = Watch()


class Best(NamedTuple):
    """The best weights so far, and where they stood."""

    epoch: int
    updates: int  # in all, when the weights stood
    value: float  # their validation loss, training loss if there is no validation set, or monitored metric
    w: Array  # those for use: averaged, where that is asked for; not written to


class FirstFit(NamedTuple):
    """Where the first fit of a run ended that goes on with a refit."""

    epochs: int
    updates: int
    stopped: str  # why it ended, in a word


@dataclass(frozen=True)
class State:
    """Where a run stands between two slices. It never changes: the trainer makes a new one after each slice.

    So whatever goes wrong, and at whatever instant, the state that was yielded last is whole.
    """

    optimizer_state: OptimizerState  # weights, slots, updates done; not written to
    epoch: int = 0  # epochs finished
    step: int = 0  # updates done in the epoch under way
    loss_sum: float = 0.0  # of the rows of the epoch under way
    rows_seen: int = 0  # in all
    first_loss: float | None = None  # the running loss of epoch 1, which later ones are compared with
    warned_of_growth: bool = False
    best: Best | None = None
    patience: Watch = UNWATCHED  # of early stopping
    plateau: Watch = UNWATCHED  # of the schedule reduce_on_plateau
    stopped: str | None = None  # why the run has ended, in a word; None while it goes on
    restored: bool = False  # the run has ended, and its final weights are the best ones
    before_refit: FirstFit | None = (
        None  # in a refit, which counts its own epochs and updates; `best` is the first fit's
    )

    @property
    def updates(self) -> int:
        """Updates done in all: those of the first fit, and those of the refit."""
        return self.optimizer_state.t + (0 if self.before_refit is None else self.before_refit.updates)

    def kept(self, directory: Path) -> "State":
        """The same state, with what is large of it in files without names in `directory`, and no longer in memory."""
        best = self.best
        if best is not None:
            best = best._replace(w=OptimizerState(best.w, ()).kept(directory).w)
        return replace(self, optimizer_state=self.optimizer_state.kept(directory), best=best)
