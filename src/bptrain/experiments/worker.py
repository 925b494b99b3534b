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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from bptrain.commands.fit.fit import fit_events
from bptrain.commands.fit.follow import run_to_end
from bptrain.errors import STOPPING, BptrainError, Interrupted, stopping_signals
from bptrain.experiments.news import FitAdvances, FitEnds, News, news_of, told
from bptrain.experiments.planned import PlannedFit
from bptrain.plugins.loading import plugged_in

SECONDS = 0.1  # between two news of how far a fit has come, unless each epoch is asked for


class StopSignal:
    """A signal that stops this process, outside of training, where `run_to_end` looks after that."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._raises = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Takes a signal."""
        self.number = number
        self._raise()

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Inside the block a signal raises Interrupted, and so does one that has come before."""
        self._raises = True
        try:
            self._raise()
            yield
        finally:
            self._raises = False

    def _raise(self) -> None:
        if self._raises and self.number is not None:
            self._raises = False  # a second one must not disturb what the first has begun
            raise Interrupted("stopped before it began to train", self.number)


class Parent:
    """The way to and from the process that asks."""

    def __init__(self) -> None:
        self._channel = os.dup(1)
        os.dup2(2, 1)
        self.requests: queue.Queue[dict[str, Any] | None] = queue.Queue()  # None at the end
        self.busy, self.gone = False, False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        rest = b""
        while part := os.read(0, 2**16):  # and not by sys.stdin, whose lock would be missed at the end
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self.requests.put(json.loads(line))
        self.gone = True  # before `busy` is read, as `next` reads them the other way round
        self.requests.put(None)
        if self.busy:  # a parent that is there ends stdin between two fits alone
            os.kill(os.getpid(), signal.SIGTERM)

    def next(self, stop: "StopSignal") -> dict[str, Any] | None:
        """What is asked for next; None where there is no more to do."""
        self.busy = False
        while stop.number is None:
            try:
                request = self.requests.get(timeout=SECONDS)
            except queue.Empty:
                continue
            self.busy = True
            return None if self.gone else request
        return None

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
    shared = parent.next(stop)
    if shared is None:
        return
    sys.argv = shared["argv"]  # the command line that a run keeps is the user's
    with plugged_in(shared["plugins"]):
        while (request := parent.next(stop)) is not None:
            fit_one(parent, stop, shared, request["fit"], PlannedFit.from_json(request["planned"]))


def fit_one(
    parent: Parent, stop: StopSignal, shared: dict[str, Any], place: int, planned: PlannedFit
) -> None:
    """One fit, whose news are sent; what it raises is sent too.

    That it has ended is sent last of all, when nothing of it can be stopped any more.
    """
    config = shared["config"] if isinstance(shared["config"], dict) else Path(shared["config"])
    last = 0.0
    ended: FitEnds | None = None

    def tell(news: News | None) -> None:
        nonlocal last, ended
        if isinstance(news, FitEnds):
            ended = news
            return
        if isinstance(news, FitAdvances) and not (shared["each_epoch"] and news.is_epoch):
            if time.monotonic() - last < SECONDS:
                return
            last = time.monotonic()
        if news is not None:
            parent.tell(told(news))

    try:
        with stop.raising():
            events = fit_events(config, planned.overrides, planned.out, planned.resume)
            run_to_end(events, lambda event: tell(news_of(place, event)))
        if ended is not None:
            parent.busy = False  # the parent may end stdin as soon as it hears of it
            parent.tell(told(ended))
    except BptrainError as error:
        problems = [problem._asdict() for problem in error.problems]
        number = error.signal_number if isinstance(error, Interrupted) else None
        kind = next(kind for kind in type(error).__mro__ if kind.__module__ == BptrainError.__module__)
        parent.tell({"failed": kind.__name__, "problems": problems, "signal": number})
    except MemoryError as error:
        parent.tell({"failed": "MemoryError", "message": str(error)})
    except Exception as error:  # a bug: the parent says where
        message = f"{type(error).__name__}: {error}"
        parent.tell({"failed": "bug", "message": message, "traceback": traceback.format_exc()})
