"""A process that fits what it is asked to, one fit after the other: what `pool.py` starts, several at a time.

    its stdin     a line of JSON: what all fits share; then one for each fit
    its stdout    a line of JSON for each news of a fit, and for a fit that has failed

What a plug-in prints goes to stderr. A signal that stops a command ends the fit after saving, and so does the end of
stdin, which comes with the end of the parent, however that was.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from bptrain.commands.fit.fit import fit_events
from bptrain.commands.fit.follow import run_to_end
from bptrain.errors import STOPPING, BptrainError, Interrupted, stopping_signals
from bptrain.experiments.news import FitAdvances, News, news_of, told
from bptrain.experiments.planned import PlannedFit
from bptrain.plugins.loading import plugged_in

SECONDS = 0.1  # between two news of how far a fit has come, unless each epoch is asked for


class StopSignal:
    """A signal that stops this process, outside of training, where `run_to_end` looks after that."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.raises = False  # whether it may end at once what is being done

    def note(self, number: int, frame: FrameType | None) -> None:
        """Takes a signal."""
        self.number = number
        if self.raises:
            raise Interrupted("stopped before it began to train", number)


class Parent:
    """The way to and from the process that asks."""

    def __init__(self) -> None:
        self._channel = os.dup(1)
        os.dup2(2, 1)
        self.requests: queue.Queue[dict[str, Any] | None] = queue.Queue()  # None at the end
        self.busy = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin.buffer:
            self.requests.put(json.loads(line))
        self.requests.put(None)
        if self.busy:  # a parent that is there ends stdin between two fits alone
            os.kill(os.getpid(), signal.SIGTERM)

    def tell(self, message: dict[str, Any]) -> None:
        """Sends a message; a parent that is gone need not hear it."""
        rest = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._channel, rest) :]
        except BrokenPipeError:
            pass


def main() -> None:
    """Fits what is asked for on stdin, until that ends or a signal comes."""
    parent, stop = Parent(), StopSignal()
    for number in stopping_signals():
        signal.signal(number, stop.note)
    if hasattr(signal, "pthread_sigmask"):  # which the parent held back while this process began
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    shared = next_request(parent, stop)
    if shared is None:
        return
    sys.argv = shared["argv"]  # the command line that a run keeps is the user's
    with plugged_in(shared["plugins"]):
        while (request := next_request(parent, stop)) is not None:
            fit_one(parent, stop, shared, request["fit"], PlannedFit.from_json(request["planned"]))


def next_request(parent: Parent, stop: StopSignal) -> dict[str, Any] | None:
    """What is asked for next; None where there is no more to do."""
    parent.busy = False
    while stop.number is None:
        try:
            request = parent.requests.get(timeout=SECONDS)
        except queue.Empty:
            continue
        parent.busy = True
        return request
    return None


def fit_one(
    parent: Parent, stop: StopSignal, shared: dict[str, Any], place: int, planned: PlannedFit
) -> None:
    """One fit, whose news are sent; what it raises is sent too."""
    config = shared["config"] if isinstance(shared["config"], dict) else Path(shared["config"])
    last = 0.0

    def tell(news: News | None) -> None:
        nonlocal last
        if isinstance(news, FitAdvances) and not (shared["each_epoch"] and news.is_epoch):
            if time.monotonic() - last < SECONDS:
                return
            last = time.monotonic()
        if news is not None:
            parent.tell(told(news))

    stop.raises = True
    try:
        run_to_end(
            fit_events(config, planned.overrides, planned.out, planned.resume),
            lambda event: tell(news_of(place, event)),
        )
    except BptrainError as error:
        problems = [problem._asdict() for problem in error.problems]
        number = error.signal_number if isinstance(error, Interrupted) else None
        parent.tell({"failed": type(error).__name__, "problems": problems, "signal": number})
    except MemoryError as error:
        parent.tell({"failed": "MemoryError", "message": str(error)})
    except Exception as error:  # a bug: the parent says where
        message = f"{type(error).__name__}: {error}"
        parent.tell({"failed": "bug", "message": message, "traceback": traceback.format_exc()})
    finally:
        stop.raises = False
