"""The refit: after the first fit has ended, the network is trained once more, on train and validation rows both.

It begins with the same start weights and a state of its own (slots, epochs, updates), and ends after as many epochs as
the first fit's best weights had had. Those stay in the state, since the first fit's figures are theirs.
"""

from dataclasses import replace

import numpy as np

from bptrain.data.prepared import Rows
from bptrain.engines.base import OptimizerState
from bptrain.mapped_rows import joined_rows
from bptrain.parts.controls import Controls
from bptrain.parts.types import Array
from bptrain.training.rows import TrainingRows
from bptrain.training.state import UNWATCHED, FirstFit, State

OUT_OF_TIME = "max_time"  # the reason for which a fit ends without having come to its end


def refit_is_due(state: State) -> bool:
    """Whether a first fit has come to its end, so that the refit can begin."""
    return state.before_refit is None and state.stopped not in (None, OUT_OF_TIME) and state.best is not None


def is_refitted(state: State) -> bool:
    """Whether a refit has come to its end, so that its weights are the run's."""
    return state.before_refit is not None and state.stopped not in (None, OUT_OF_TIME)


def refit_start(state: State, start: OptimizerState) -> State:
    """The state before the refit's first update: the first fit's best weights beside the start weights."""
    assert state.stopped is not None  # the first fit has ended
    first = FirstFit(state.epoch, state.optimizer_state.t, state.stopped)
    return replace(
        state,
        optimizer_state=start,
        epoch=0,
        step=0,
        loss_sum=0.0,
        first_loss=None,
        patience=UNWATCHED,
        plateau=UNWATCHED,
        stopped=None,
        restored=False,
        before_refit=first,
    )


def refit_controls(controls: Controls) -> Controls:
    """Those of the refit: nothing but the time ends it early, and a plateau is one of the training loss."""
    return Controls(plateau=controls.plateau, max_time=controls.max_time)


def together(train: Rows, validation: Rows) -> TrainingRows:
    """The rows of both, those of train first; in mapped files where those of one are."""
    weights = None
    if train.sample_weight is not None or validation.sample_weight is not None:
        weights = joined_rows([_weights(train), _weights(validation)])
    return TrainingRows(joined_rows([train.X, validation.X]), joined_rows([train.T, validation.T]), weights)


def part_of(rows: Rows, both: TrainingRows, places: slice) -> Rows:
    """Some rows whose arrays are views of the joined ones, so that they are in memory once."""
    weights = None if rows.sample_weight is None or both.sample_weight is None else both.sample_weight[places]
    return rows._replace(X=both.X[places], T=both.T[places], sample_weight=weights)


def _weights(rows: Rows) -> Array:
    return np.ones(len(rows.X), rows.X.dtype) if rows.sample_weight is None else rows.sample_weight
