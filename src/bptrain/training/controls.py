"""What the controls make of a state: patience counted, the rate lowered, and why the run ends, if it does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bptrain.errors import UsageError
from bptrain.parts.controls import Controls, Monitor, reduced, watched
from bptrain.training.events import EpochEnd
from bptrain.training.state import State

# What `stopped` may say, and the key of `training` that says so: where it is changed, a stopped run may go on.
STOPPED_BY = {
    "epochs": "epochs",
    "early_stopping": "early_stopping",
    "max_time": "max_time",
    "target_loss": "stop_at",
    "gradient_norm": "stop_at",
}


def value_of(
    monitor: Monitor, objective: float, validation_loss: float | None, metrics: Mapping[str, Any]
) -> float:
    """The monitored figure of an epoch: of loss that of validation, else the objective that is being made small.

    Raises UsageError for a metric that is no single number.
    """
    if monitor.name == "loss":
        return objective if validation_loss is None else validation_loss
    value = metrics[monitor.name]
    if not isinstance(value, int | float):
        raise UsageError(
            f"{monitor.name} is not one number, so it cannot be monitored: choose another metric"
        )
    return float(value)


def monitor_of_best(controls: Controls) -> Monitor:
    """What the best weights are best by."""
    return Monitor() if controls.early_stopping is None else controls.early_stopping.monitor


def after_epoch(controls: Controls, end: EpochEnd, seconds: float) -> State:
    """The state after an epoch, with what the controls have counted; ended, where they or the last epoch end it.

    `seconds` are those that the run has used.
    """
    state = end.state

    def value(monitor: Monitor) -> float:
        return value_of(monitor, end.train_objective, end.validation_loss, end.validation_metrics)

    if (stopping := controls.early_stopping) is not None:
        state = replace(state, patience=watched(stopping, state.patience, value(stopping.monitor)))
    if (plateau := controls.plateau) is not None:
        factor = state.optimizer_state.rate_factor
        watch, factor = reduced(plateau, state.plateau, factor, value(plateau.monitor))
        state = replace(
            state, plateau=watch, optimizer_state=replace(state.optimizer_state, rate_factor=factor)
        )
    loss = end.train_loss if end.validation_loss is None else end.validation_loss
    if controls.target_loss is not None and loss <= controls.target_loss:
        return ended(controls, state, "target_loss")
    bound, norm = controls.gradient_norm, end.gradient_norm
    if bound is not None and norm is not None and norm < bound:
        return ended(controls, state, "gradient_norm")
    if state.stopped is not None:  # a solver has said so
        return ended(controls, state, state.stopped)
    if stopping is not None and state.patience.wait >= stopping.patience:
        return ended(controls, state, "early_stopping")
    if state.epoch == end.epochs:
        return ended(controls, state, "epochs")
    return after_slice(controls, state, seconds)


def after_slice(controls: Controls, state: State, seconds: float) -> State:
    """The state after a slice, ended where the time is used up."""
    if controls.max_time is not None and seconds >= controls.max_time:
        return ended(controls, state, "max_time")
    return state


def ended(controls: Controls, state: State, stopped: str) -> State:
    """The state at the end of a run, with the reason; its final weights may be its best ones."""
    restore = controls.early_stopping is not None and controls.early_stopping.restore_best
    return replace(state, stopped=stopped, restored=restore and state.best is not None)


def going_on(state: State) -> State:
    """The state of a run that had ended, and goes on from where it stood."""
    return replace(state, stopped=None, restored=False)


def reason(controls: Controls, stopped: str) -> str | None:
    """Why a run ended before its last epoch, in words."""
    stopping = controls.early_stopping
    match stopped:
        case "early_stopping" if stopping is not None:
            n = stopping.patience
            name = "validation loss" if stopping.monitor.name == "loss" else stopping.monitor.name
            by = f" by more than {stopping.min_delta:g}" if stopping.min_delta else ""
            return f"the {name} has not improved{by} for {n} epoch{'' if n == 1 else 's'}"
        case "max_time":
            return f"the {controls.max_time:g} s of training.max_time are over"
        case "target_loss":
            return f"the loss has reached training.stop_at.loss, {controls.target_loss:g}"
        case "converged":
            return "the solver has converged"
        case "gradient_norm":
            return f"the gradient is smaller than training.stop_at.gradient_norm, {controls.gradient_norm:g}"
    return None
