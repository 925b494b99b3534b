"""The events of the trainer, in the order in which they happen. The caller saves and shows them."""

from typing import Any, NamedTuple

from bptrain.errors import Warned
from bptrain.training.state import State


class Progress(NamedTuple):
    """A slice in mid-epoch is done. The state is consistent: it may be saved, and the run may be stopped here."""

    state: State
    epoch: int  # the epoch under way, from 1
    step: int  # updates done in it
    steps: int  # updates in an epoch
    rows: int  # rows of the slice
    seconds: float  # of the slice's updates alone
    loss: float  # running mean of the epoch so far


class EpochEnd(NamedTuple):
    """The last slice of an epoch is done, and the validation rows are evaluated. The state is consistent."""

    state: State
    epoch: int  # from 1
    epochs: int
    steps: int  # updates in an epoch
    rows: int  # rows of the last slice
    seconds: float  # of the last slice's updates alone
    learning_rate_factor: float  # the schedule's, plateaus included, of the last update
    penalty: float  # what penalties on the weights add to the objective
    train_loss: float  # mean of the losses that the rows had before each update
    train_objective: float  # the same with the penalty: what is monitored without validation rows
    validation_loss: float | None
    validation_metrics: dict[str, Any]
    evaluation_seconds: float
    gradient_norm: float | None = None  # where it is asked for
    validation_metrics_unweighted: dict[str, Any] | None = None  # None without row weights


class Finished(NamedTuple):
    """The run has ended: after its last epoch, or before."""

    state: State
    stopped: str  # the reason in one word: epochs, early_stopping, max_time, …


Event = Progress | EpochEnd | Warned | Finished
