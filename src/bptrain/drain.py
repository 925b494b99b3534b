"""Generators that tell on their way how far they have come, and return what they have found."""

from collections.abc import Generator
from typing import Any, TypeVar

Found = TypeVar("Found")


def drain(steps: Generator[Any, None, Found]) -> Found:
    """Runs a generator to its end, whatever it tells on its way, and returns what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Found = end.value
            return found
