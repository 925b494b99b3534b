"""Ctrl-C and SIGTERM as a note to be read between two slices, so that the run is saved before it stops."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Pending:
    """The signal that has come, if any."""

    signal: int | None = None


@contextmanager
def interrupts() -> Iterator[Pending]:
    """Notes SIGINT and SIGTERM inside the block; a second one acts at once.

    Outside the main thread, where Python delivers no signals, it notes nothing.
    """
    pending = Pending()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return

    def note(number: int, frame: FrameType | None) -> None:
        if pending.signal is not None:
            raise KeyboardInterrupt
        pending.signal = number

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, note) for number in numbers]
    try:
        yield pending
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
