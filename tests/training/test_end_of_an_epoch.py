"""What the controls decide at the end of an epoch, at the very bounds, and how that is put into words."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bptrain.engines.base import OptimizerState
from bptrain.errors import UsageError
from bptrain.parts.controls import Controls, EarlyStopping, Monitor, Plateau, Watch
from bptrain.store.saver import metrics_line
from bptrain.training.controls import (
    after_epoch,
    after_slice,
    ended,
    going_on,
    monitor_of_best,
    reason,
    value_of,
)
from bptrain.training.events import EpochEnd
from bptrain.training.state import Best, State
from bptrain.training.trainer import GROWTH, _growing_loss

W = np.zeros(2)
BEST = Best(1, 10, 0.5, W)
STATE = State(
    OptimizerState(W, (), 30, 0.5), epoch=3, best=BEST, patience=Watch(0.5, 1), rows_seen=300, first_loss=1.0
)


def end(**changes: Any) -> EpochEnd:
    """The third epoch of ten: training loss 0.4, with the penalty 0.6, validation loss 0.7, accuracy 0.8."""
    state = replace(STATE, **{key: changes.pop(key) for key in list(changes) if hasattr(STATE, key)})
    event = EpochEnd(state, 3, 10, 4, 32, 0.1, 0.5, 0.0, 0.4, 0.6, 0.7, {"accuracy": 0.8}, 0.0)
    return event._replace(**changes)


PATIENT = EarlyStopping(patience=3)


@pytest.mark.parametrize(
    ("controls", "event", "seconds", "stopped"),
    [
        (Controls(), end(), 0.0, None),
        (Controls(), end(epochs=3), 0.0, "epochs"),
        (Controls(target_loss=0.7), end(), 0.0, "target_loss"),  # of validation, and reached where equal
        (Controls(target_loss=0.6), end(), 0.0, None),
        (Controls(target_loss=0.4), end(validation_loss=None), 0.0, "target_loss"),  # without the penalty
        (Controls(target_loss=0.39), end(validation_loss=None), 0.0, None),
        (Controls(gradient_norm=0.5), end(gradient_norm=0.49), 0.0, "gradient_norm"),
        (Controls(gradient_norm=0.5), end(gradient_norm=0.5), 0.0, None),
        (Controls(early_stopping=PATIENT), end(patience=Watch(0.5, 2)), 0.0, "early_stopping"),
        (Controls(early_stopping=PATIENT), end(patience=Watch(0.5, 1)), 0.0, None),
        (Controls(early_stopping=PATIENT), end(patience=Watch(0.8, 2)), 0.0, None),  # it has improved
        (Controls(max_time=5.0), end(), 5.0, "max_time"),
        (Controls(max_time=5.0), end(), 4.9, None),
        (Controls(), end(stopped="converged"), 0.0, "converged"),
        # Of several reasons the first.
        (Controls(max_time=5.0), end(epochs=3), 6.0, "epochs"),
        (Controls(early_stopping=PATIENT), end(patience=Watch(0.5, 2), epochs=3), 6.0, "early_stopping"),
        (Controls(early_stopping=PATIENT), end(patience=Watch(0.5, 2), stopped="converged"), 6.0, "converged"),
        (Controls(gradient_norm=0.5), end(gradient_norm=0.1, stopped="converged"), 0.0, "gradient_norm"),
        (Controls(target_loss=0.7, gradient_norm=0.5), end(gradient_norm=0.1), 0.0, "target_loss"),
    ],
)  # fmt: skip
def test_what_ends_a_run(controls: Controls, event: EpochEnd, seconds: float, stopped: str | None) -> None:
    assert after_epoch(controls, event, seconds).stopped == stopped


def test_only_time_ends_a_run_in_mid_epoch() -> None:
    both = Controls(early_stopping=EarlyStopping(patience=1), target_loss=9.0, max_time=5.0)
    assert after_slice(both, STATE, 4.9).stopped is None
    assert after_slice(both, STATE, 5.0).stopped == "max_time"


def test_what_is_monitored() -> None:
    """The loss of validation, else the objective; or a metric."""
    assert value_of(Monitor(), 0.6, 0.7, {}) == 0.7
    assert value_of(Monitor(), 0.6, None, {}) == 0.6
    assert value_of(Monitor("accuracy", higher=True), 0.6, 0.7, {"accuracy": 1}) == 1.0
    with pytest.raises(UsageError, match="recall is not one number, so it cannot be monitored"):
        value_of(Monitor("recall", higher=True), 0.6, 0.7, {"recall": {"a": 1.0}})
    accuracy = Monitor("accuracy", higher=True)
    assert monitor_of_best(Controls(early_stopping=EarlyStopping(accuracy))) == accuracy
    assert monitor_of_best(Controls(plateau=Plateau(accuracy))) == Monitor()


def test_a_plateau_lowers_the_rate() -> None:
    """By its own monitor, in addition to that of early stopping."""
    plateau = Plateau(Monitor("accuracy", higher=True), factor=0.1, patience=2)
    controls = Controls(early_stopping=EarlyStopping(patience=9), plateau=plateau)
    after = after_epoch(controls, end(plateau=Watch(0.9, 1), patience=Watch(0.8, 4)), 0.0)
    assert after.optimizer_state.rate_factor == pytest.approx(0.05)
    assert (after.plateau, after.patience) == (Watch(0.9, 0, 0), Watch(0.7, 0, 0))
    after = after_epoch(controls, end(plateau=Watch(0.7, 1)), 0.0)
    assert (after.optimizer_state.rate_factor, after.plateau) == (0.5, Watch(0.8, 0, 0))


@pytest.mark.parametrize(
    ("early", "best", "restored"),
    [
        (EarlyStopping(), BEST, True),
        (EarlyStopping(restore_best=False), BEST, False),
        (EarlyStopping(), None, False),
        (None, BEST, False),
    ],
)
def test_whether_the_best_weights_are_restored(
    early: EarlyStopping | None, best: Best | None, restored: bool
) -> None:
    done = ended(Controls(early_stopping=early), replace(STATE, best=best), "epochs")
    assert (done.stopped, done.restored) == ("epochs", restored)
    again = going_on(done)
    assert (again.stopped, again.restored) == (None, False)


@pytest.mark.parametrize(
    ("controls", "stopped", "words"),
    [
        (Controls(early_stopping=EarlyStopping(patience=1)), "early_stopping",
         "the validation loss has not improved for 1 epoch"),
        (Controls(early_stopping=EarlyStopping(Monitor("accuracy", True), 2, 0.01)), "early_stopping",
         "the accuracy has not improved by more than 0.01 for 2 epochs"),
        (Controls(max_time=90.0), "max_time", "the 90 s of training.max_time are over"),
        (Controls(target_loss=0.25), "target_loss", "the loss has reached training.stop_at.loss, 0.25"),
        (Controls(gradient_norm=1e-6), "gradient_norm",
         "the gradient is smaller than training.stop_at.gradient_norm, 1e-06"),
        (Controls(), "converged", "the solver has converged"),
        (Controls(), "epochs", None),
    ],
)  # fmt: skip
def test_why_in_words(controls: Controls, stopped: str, words: str | None) -> None:
    assert reason(controls, stopped) == words


@pytest.mark.parametrize(
    ("first", "loss", "warned_before", "warned"),
    [
        (1.0, GROWTH * 1.0001, False, True),
        (1.0, GROWTH, False, False),
        (1.0, GROWTH * 2, True, False),  # once in a run
        (None, 9.0, False, False),
        (0.0, 9.0, False, False),  # no multiple of it says anything
        (-1.0, 9.0, False, False),
    ],
)
def test_when_a_loss_grows(first: float | None, loss: float, warned_before: bool, warned: bool) -> None:
    found = _growing_loss(end(first_loss=first, warned_of_growth=warned_before, train_loss=loss))
    assert (found is not None) == warned


def test_a_line_of_metrics() -> None:
    plain = {
        "epoch": 3,
        "step": 30,
        "rows_seen": 300,
        "train_seconds": 2.5,
        "learning_rate_factor": 0.5,
        "train": {"loss": 0.4},
    }
    assert metrics_line(end(validation_loss=None, validation_metrics={}), 2.5) == plain
    assert metrics_line(end(penalty=0.2, gradient_norm=0.0), 2.5) == {
        **plain,
        "validation": {"loss": 0.7, "accuracy": 0.8},
        "penalty": 0.2,
        "gradient_norm": 0.0,
    }
