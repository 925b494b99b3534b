"""Runs a fit to its end: shows its events; a signal stops it between two slices, after saving.

Ctrl-C and similar signals are noted, and read between two slices, so that the run is saved before it stops.
"""

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import FrameType

from bptrain.build.converted_data import Converting
from bptrain.commands.fit.fit import Done, FitEvent, RefitStarted, Started
from bptrain.commands.fit.ready import Compiling
from bptrain.engines.base import TrainingPlan
from bptrain.errors import Interrupted, Warned, stopping_signals
from bptrain.training.state import State

AT_ONCE_AFTER = 1.0  # seconds; a signal that comes twice within them counts once


def run_to_end(events: Generator[FitEvent, None, None], show: Callable[[FitEvent], None]) -> Done:
    """Runs a fit to its end, showing each event. On SIGINT or SIGTERM it closes the fit, which saves it.

    Raises Interrupted after that.
    """
    first = next(events)  # reading the data may be stopped at once: there is nothing to save yet
    while isinstance(first, Converting | Compiling):  # and so may converting and compiling
        show(first)
        first = next(events)
    if isinstance(first, Done):
        show(first)
        return first
    assert isinstance(first, Started)
    state, plan = first.state, first.plan
    with interrupts() as pending:
        try:
            show(first)
            for event in events:
                show(event)
                if isinstance(event, Done):
                    return event
                state = state if isinstance(event, Warned | Converting | Compiling) else event.state
                plan = event.plan if isinstance(event, RefitStarted) else plan
                if pending.signal is not None:
                    break
        except KeyboardInterrupt:  # the second signal, within a slice: the fit has saved the state before it
            pass
        pending.saving = True
        events.close()
        raise Interrupted(
            f"stopped and saved after {position(state, plan)}; to continue, add --resume {first.run}",
            pending.signal or signal.SIGINT,
        )


def position(state: State, plan: TrainingPlan) -> str:
    """Where a run stands, in words."""
    of = "" if state.before_refit is None else " of the refit"
    if state.step == 0:
        return f"epoch {state.epoch}{of}"
    return f"update {state.step:,} of {plan.steps_per_epoch:,} in epoch {state.epoch + 1}{of}"


class PendingSignal:
    """The first signal that has come, if any. While `saving`, further signals are ignored."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.since = 0.0
        self.saving = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Takes a signal: the first is noted; a later, second one raises KeyboardInterrupt."""
        now = time.monotonic()
        if self.signal is None:
            self.signal, self.since = number, now
        elif not self.saving and now - self.since >= AT_ONCE_AFTER:
            self.saving = True
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[PendingSignal]:
    """Notes SIGINT, SIGTERM and SIGHUP inside the block.

    Outside the main thread, where Python delivers no signals, it notes nothing.
    """
    pending = PendingSignal()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return
    before = {number: signal.signal(number, pending.note) for number in stopping_signals()}
    try:
        yield pending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
