"""Ctrl-C and its kin as a note to be read between two slices, so that the run is saved before it stops."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AT_ONCE_AFTER = 1.0  # seconds; a signal that comes twice within them is one wish


class Pending:
    """The first signal that has come, if any. While `saving`, further ones are ignored."""

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
def interrupts() -> Iterator[Pending]:
    """Notes SIGINT, SIGTERM and SIGHUP inside the block.

    Outside the main thread, where Python delivers no signals, it notes nothing.
    """
    pending = Pending()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last
    before = {number: signal.signal(number, pending.note) for number in numbers_of(names)}
    try:
        yield pending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def numbers_of(names: tuple[str, ...]) -> list[signal.Signals]:
    """Those of the signals that this system has."""
    return [getattr(signal, name) for name in names if hasattr(signal, name)]
