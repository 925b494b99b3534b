"""What a slip is, what a diagnosis says, and how two arrays are compared."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.core.gradcheck.lines import Lines
from bptrain.core.network import Network
from bptrain.parts.types import Array

TOLERANCE = 1e-10  # of a match, as of the verdict
EXPLAINED = 1e-3  # what is left over of the deviation, at most, where a slip explains it


class Slip(NamedTuple):
    """A known slip in one layer or in all: its name, and the backward pass that it makes."""

    code: str  # stable, for JSON
    words: str  # what stands after "matches the pattern of"
    layer: int | None  # None: in every layer that has the line, or in none of its own
    lines: Lines


class Diagnosis(NamedTuple):
    """The slip whose pattern a wrong gradient matches. It never says that this is what happened."""

    code: str
    words: str  # what stands after "matches the pattern of"
    layer: int | None
    error: float  # of the match, the largest of a block
    also: tuple[str, ...] = ()  # codes of other slips that give the same here


class Compared(NamedTuple):
    """How far a is from n, and whether that is within the tolerance; NaN never is."""

    error: float
    right: bool


def compare(a: Array, n: Array, s: Array, tolerance: float = TOLERANCE) -> Compared:
    """‖a − n‖ / max(‖a‖, ‖n‖, ‖s‖), the error of the verdict."""
    largest = np.max([np.linalg.norm(part) for part in (a, n, s)])
    error = 0.0 if largest == 0 else float(np.linalg.norm(a - n) / largest)
    return Compared(error, error <= tolerance)


def matches(a: Array, pattern: Array, right: Array, s: Array, tolerance: float = TOLERANCE) -> float | None:
    """The error of the match where a is what the pattern says; None where it is not.

    Where a is not right, the pattern must leave next to nothing of the deviation, so that it explains it.
    """
    to_pattern, to_right = compare(a, pattern, s, tolerance), compare(a, right, s, tolerance)
    explained = to_right.right or to_pattern.error <= EXPLAINED * to_right.error
    return to_pattern.error if to_pattern.right and explained else None


def by_block(network: Network, judge: Callable[[slice], float | None]) -> float | None:
    """The largest of what `judge` says of each block; None as soon as it is None for one."""
    largest = 0.0
    for block in network.blocks:
        if (error := judge(slice(block.start, block.stop))) is None:
            return None
        largest = max(largest, error)
    return largest
