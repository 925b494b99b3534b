"""A fit to its end: what passes is shown, and a signal stops it between two slices, saved."""

import signal
from collections.abc import Callable, Generator

from bptrain.commands.fit.run import Compiling, Done, FitEvent, Started
from bptrain.commands.fit.signals import interrupts
from bptrain.engines.base import TrainingPlan
from bptrain.errors import Interrupted, Warned
from bptrain.training.state import State


def run_to_end(events: Generator[FitEvent, None, None], show: Callable[[FitEvent], None]) -> Done:
    """Runs a fit to its end, showing each event. On SIGINT or SIGTERM it closes the fit, which saves it.

    Raises Interrupted after that.
    """
    first = next(events)  # reading the data may be stopped at once: there is nothing to save yet
    while isinstance(first, Compiling):  # and so may compiling
        show(first)
        first = next(events)
    if isinstance(first, Done):
        show(first)
        return first
    assert isinstance(first, Started)
    state = first.state
    with interrupts() as pending:
        try:
            show(first)
            for event in events:
                show(event)
                if isinstance(event, Done):
                    return event
                state = state if isinstance(event, Warned | Compiling) else event.state
                if pending.signal is not None:
                    break
        except (
            KeyboardInterrupt
        ):  # the second signal: in mid-slice, and the fit has saved what stood before it
            pass
        pending.saving = True
        events.close()
        raise Interrupted(
            f"stopped and saved after {position(state, first.task)}; to go on, add --resume {first.run}",
            pending.signal or signal.SIGINT,
        )


def position(state: State, task: TrainingPlan) -> str:
    """Where a run stands, in words."""
    if state.step == 0:
        return f"epoch {state.epoch}"
    return f"update {state.step:,} of {task.steps_per_epoch:,} in epoch {state.epoch + 1}"
