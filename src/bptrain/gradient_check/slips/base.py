"""What a slip is, what a diagnosis says, and how two arrays are compared."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bptrain.core.network import Block
from bptrain.gradient_check.lines import Backward, Lines, backward
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.verdicts import TOLERANCE, Scale, scale_at
from bptrain.parts.types import Array

EXPLAINED = 1e-3  # what a slip may leave of the deviation that it is to explain
FEW = 4096  # entries that are looked at first

RIGHT = Lines()
LineFunction = Callable[[GradientPoint, int, Array], Array]


class Slip(NamedTuple):
    """A known slip, in one place or in several: its name, and the backward pass that it makes."""

    code: str  # stable, for JSON
    words: str  # what follows "matches the pattern of"
    layer: int | None  # None: of no one layer
    lines: Lines
    places: int = 1  # in how many layers a line is another


class LikelySlip(NamedTuple):
    """The slip whose pattern a wrong gradient matches. It never says that this is what happened."""

    code: str
    words: str  # what follows "matches the pattern of"
    layer: int | None
    error: float  # of the match, the largest of a block
    also: tuple[str, ...] = ()  # codes of other slips that give the same here


@dataclass(frozen=True)
class GroundTruth:
    """What a backward pass is compared with: the right one at a point, and the scale of its rounding."""

    point: GradientPoint

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
        G = [RIGHT.reduction(self.point, self.point.dE)]
        for i in range(self.point.network.L - 1, -1, -1):
            G.insert(0, RIGHT.drop(self.point, i, RIGHT.carry(self.point, i, self.right.D[i + 1])))
        return G


def at(places: Collection[int], wrong: LineFunction, right: LineFunction) -> LineFunction:
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


def matches(
    a: Array, pattern: Array, to_right: Compared, s: Array, tolerance: float = TOLERANCE
) -> float | None:
    """The error of the match where a is what the pattern says; None where it is not.

    Where a is not right, the pattern must leave next to nothing of the deviation, so that it explains it.
    """
    error, same = compare(a, pattern, s, tolerance)
    explained = to_right.right or error <= EXPLAINED * to_right.error
    return error if same and explained else None


@dataclass(frozen=True)
class UnexplainedGradient:
    """A gradient that is to be explained, block by block."""

    truth: GroundTruth
    a: Array
    tolerance: float

    @cached_property
    def to_right(self) -> dict[Block, Compared]:
        """How far each block is from the right one."""
        n, s = self.truth.right.g, self.truth.scale.w
        return {
            block: compare(block.view(self.a), block.view(n), block.view(s), self.tolerance)
            for block in self.truth.point.network.blocks
        }

    @cached_property
    def wrong(self) -> list[Block]:
        """The blocks that are not right."""
        return [block for block, to_right in self.to_right.items() if not to_right.right]

    @cached_property
    def sizes(self) -> dict[Block, float]:
        """The larger of ‖a‖ and ‖s‖ of each block."""
        flats = (self.a, self.truth.scale.w)
        return {b: max(float(np.linalg.norm(b.view(flat))) for flat in flats) for b in self.to_right}

    def error(self, block: Block, pattern: Array) -> float | None:
        """The error of the match where a block is what the pattern says; None where it is not.

        Most are far off in the first rows already: more than 2 tol max(‖a‖, ‖s‖) there is no match as a whole.
        """
        a, s = block.view(self.a), block.view(self.truth.scale.w)
        few = slice(0, max(1, FEW * len(a) // a.size))
        if np.linalg.norm(a[few] - pattern[few]) > 2 * self.tolerance * self.sizes[block]:
            return None
        return matches(a, pattern, self.to_right[block], s, self.tolerance)


def takes_width_of(point: GradientPoint, other: int, i: int) -> bool:
    """Whether the activation of another layer takes the z of layer i: with as many units, or if it treats all alike."""
    if point.network.sizes[other] == point.network.sizes[i]:
        return True
    Z, X = point.space.Z[other], point.space.X[other]
    turned = point.network.activations[other].f(np.roll(Z, 1, axis=1))
    return bool(np.array_equal(turned, np.roll(X, 1, axis=1), equal_nan=True))


def made(point: GradientPoint, lines: Lines, kind: str, i: int, above: Array) -> Array:
    """What these lines make of what is above: D_i of D_{i+1}, or ∂E/∂W_i or ∂E/∂b_i of D_i."""
    if kind == "weight":
        return lines.penalty(point, i, lines.weight(point, i, above))
    if kind == "bias":
        return lines.bias(point, i, above)
    if i == point.network.L:
        return lines.reduction(point, lines.output(point))
    return lines.through(point, i, lines.drop(point, i, lines.carry(point, i, above)))


def best(found: list[tuple[int, LikelySlip]]) -> LikelySlip | None:
    """The one with the fewest places, the first of these; the codes of the others go with it."""
    if not found:
        return None
    (_, first), *others = sorted(found, key=lambda one: one[0])
    codes = dict.fromkeys(other.code for _, other in others)
    return first._replace(also=tuple(code for code in codes if code != first.code))
