"""What a slip is, what a diagnosis says, and how two arrays are compared."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bptrain.core.gradcheck.lines import Backward, Lines, backward
from bptrain.core.gradcheck.point import Point
from bptrain.core.gradcheck.scale import Scale, scale_at
from bptrain.parts.types import Array

TOLERANCE = 1e-10  # of a match, as of the verdict
EXPLAINED = 1e-3  # what a slip may leave of the deviation that it is to explain

RIGHT = Lines()
Line = Callable[[Point, int, Array], Array]


class Slip(NamedTuple):
    """A known slip, in one place or in several: its name, and the backward pass that it makes."""

    code: str  # stable, for JSON
    words: str  # what stands after "matches the pattern of"
    layer: int | None  # None: of no one layer
    lines: Lines
    places: int = 1  # in how many layers a line is another


class Diagnosis(NamedTuple):
    """The slip whose pattern a wrong gradient matches. It never says that this is what happened."""

    code: str
    words: str  # what stands after "matches the pattern of"
    layer: int | None
    error: float  # of the match, the largest of a block
    also: tuple[str, ...] = ()  # codes of other slips that give the same here


@dataclass(frozen=True)
class Truth:
    """What a backward pass is held against: the right one at a point, and the scale of its rounding."""

    point: Point

    @cached_property
    def right(self) -> Backward:
        """The right D_i and gradient."""
        return backward(self.point)

    @cached_property
    def scale(self) -> Scale:
        """s, of the gradient and of each δ_i."""
        return scale_at(self.point)

    @cached_property
    def G(self) -> list[Array]:
        """∂objective/∂X_1 … ∂objective/∂X_L, which are the δ_i before f_i'; entry 0 is of the inputs."""
        G = [RIGHT.weigh(self.point, self.point.dE)]
        for i in range(self.point.network.L - 1, -1, -1):
            G.insert(0, RIGHT.drop(self.point, i, RIGHT.carry(self.point, i, self.right.D[i + 1])))
        return G


def at(places: Collection[int], wrong: Line, right: Line) -> Line:
    """A line that is wrong in some layers."""
    return lambda point, i, given: (wrong if i in places else right)(point, i, given)


def in_each(
    code: str, one: str, all_of_them: str, layers: Collection[int], build: Callable[[Collection[int]], Lines]
) -> Iterator[Slip]:
    """A slip in each of some layers by itself, and in all of them. {i} in the words is the layer, {j} that below."""
    for i in layers:
        yield Slip(code, one.format(i=i, j=i - 1, k=i + 1), i, build({i}))
    if len(layers) > 1:
        yield Slip(code, all_of_them, None, build(layers), len(layers))


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


def best(found: list[tuple[int, Diagnosis]]) -> Diagnosis | None:
    """The one with the fewest places, the first of these; the codes of the others go with it."""
    if not found:
        return None
    (_, first), *others = sorted(found, key=lambda one: one[0])
    codes = dict.fromkeys(other.code for _, other in others)
    return first._replace(also=tuple(code for code in codes if code != first.code))
