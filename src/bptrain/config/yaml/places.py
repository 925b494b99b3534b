"""Where things stand in a file, and problems in that order."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from bptrain.errors import Problem

MAX_PROBLEMS = 50  # that are reported at once
LONGEST = 60  # characters of a key or a value in a message

KeyPath = tuple[str | int, ...]  # ("network", "sizes", 1)


class Place(NamedTuple):
    """Where something stands, counted from 1; no line for what was not read from a file."""

    file: str
    line: int | None = None
    column: int | None = None


class Mark(NamedTuple):
    """Where a node stands."""

    key: Place  # of its key; of an item of a list, the item itself
    value: Place  # of its value; of a section in block style, its key
    written: str | None = None  # a scalar as it was written


def marks(value: Any, place: Place, path: KeyPath = ()) -> dict[KeyPath, Mark]:
    """The same place for every node of a value that was not read from a file."""
    found = {path: Mark(place, place)}
    if isinstance(value, dict | list):
        for step, entry in value.items() if isinstance(value, dict) else enumerate(value):
            found |= marks(entry, place, (*path, step))
    return found


def order(at: Place | Problem) -> tuple[bool, int, int]:
    """The key to sort by line and column; what has no line comes last."""
    return at.line is None, at.line or 0, at.column or 0


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, from the top of the file to its end, then those without a line; the first ones, if many."""
    ordered = sorted(dict.fromkeys(problems), key=order)
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    message = f"there are more problems; only the first {MAX_PROBLEMS} are shown"
    return [*ordered[:MAX_PROBLEMS], Problem("more", message, file=ordered[0].file)]


def dotted(path: KeyPath) -> str:
    """A path as text, such as `network.sizes.1`; a very long key is cut short."""
    return ".".join(step if len(step) <= LONGEST else step[: LONGEST - 1] + "…" for step in map(str, path))
