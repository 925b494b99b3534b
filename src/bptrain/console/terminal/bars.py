"""A bar that a signal cannot leave half drawn, so that the terminal has its cursor back whatever ends a command."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bptrain.errors import STOPPING

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps signals that stop a command waiting inside the block, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin(bar: "Progress") -> "Progress":
    """Draws a bar for the first time; it hides the cursor and starts a thread."""
    with undisturbed():
        bar.start()
    return bar


def end(bar: "Progress | None") -> None:
    """Takes a bar away, if there is one."""
    if bar is not None:
        with undisturbed():
            bar.stop()
