"""Generators that yield their progress and return their result."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

Step = TypeVar("Step")
Found = TypeVar("Found")


def drain(steps: Generator[Step, None, Found], show: Callable[[Step], Any] | None = None) -> Found:
    """Runs a generator to its end and returns what it returns; `show` is called with each step."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            found: Found = end.value
            return found
        if show is not None:
            show(step)
