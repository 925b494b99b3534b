"""Generators that report on their way how far they have come, and return what they have found."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

Step = TypeVar("Step")
Found = TypeVar("Found")


def drain(steps: Generator[Step, None, Found], show: Callable[[Step], Any] | None = None) -> Found:
    """Runs a generator to its end and returns what it returns; `show` is given each step on the way."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            found: Found = end.value
            return found
        if show is not None:
            show(step)
