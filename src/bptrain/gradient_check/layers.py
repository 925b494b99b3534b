"""A whole backward pass, quantity by quantity in its own order: δ_L, ∂E/∂W_L, ∂E/∂b_L, δ_{L−1}, …

Each is judged twice: against the right one, and against what the derivation makes of the pass's own above it. So a slip
in layer 3 is found there, though everything below is wrong as well, and a second slip below is found too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bptrain.core.network import Views, views
from bptrain.gradient_check.kinks import FoundKinks, find_kinks
from bptrain.gradient_check.lines import backward
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips import factors
from bptrain.gradient_check.slips.base import (
    RIGHT,
    Compared,
    Diagnosis,
    GroundTruth,
    UnexplainedGradient,
    best,
    compare,
    made,
    matches,
)
from bptrain.gradient_check.slips.diagnose import diagnose, slips, tried
from bptrain.gradient_check.verdicts import TOLERANCE
from bptrain.parts.types import Array


class Quantity(NamedTuple):
    """The verdict on one δ_i, ∂E/∂W_i or ∂E/∂b_i."""

    name: str  # such as "δ_2"
    kind: str  # delta | weight | bias
    layer: int
    relative_error: float  # against the right one
    right: bool
    error_given: float  # against what follows from the pass's own quantities above
    follows: bool
    likely: Diagnosis | None = None  # where it is wrong and does not follow


class LayersReport(NamedTuple):
    """The verdict on a backward pass."""

    quantities: tuple[Quantity, ...]  # in the order of the pass; a δ_i that was not given is left out
    likely: Diagnosis | None  # a slip that explains all of the pass, or else what is first wrong in it
    divided_late: bool = False  # the δ_i are those of the sum over the rows, and the gradients are divided

    @property
    def first_wrong(self) -> Quantity | None:
        """The first quantity that is wrong, in the order of the pass; None where all are right."""
        return next((one for one in self.quantities if not one.right), None)

    @property
    def passed(self) -> bool:
        """Whether every quantity is right."""
        return self.first_wrong is None


def diagnose_layers(
    point: GradientPoint, D: Sequence[Array | None], g: Array, tolerance: float = TOLERANCE
) -> LayersReport:
    """Judges D_1 … D_L, N × n_i (entry 0 is unused; None: not given), and the flat gradient g.

    The rows of D_i are as `lines.backward` has them, weighed and divided. Those of the sum over the rows are right too,
    where ∂E/∂W_L is divided by what the mean divides by: then all of them are read so. At a kink any slope between
    those on both sides is right, and what follows from the one that the pass has taken.
    """
    with np.errstate(all="ignore"):
        given = [None if D_i is None else np.asarray(D_i, np.float64) for D_i in D]
        gradient = np.asarray(g, np.float64)
        late = _divided_late(GroundTruth(point), given, gradient, tolerance)
        if late:
            given = [None if D_i is None else D_i / point.divisor for D_i in given]
        point = with_own_slopes(point, given)
        truth = GroundTruth(point)
        judge = _Judge(truth, given, views(point.network, gradient), tolerance)
        quantities = tuple(judge.quantities())
        report = LayersReport(quantities, None, late)
        first = report.first_wrong
        return report if first is None else report._replace(likely=judge.of_all() or first.likely)


def with_own_slopes(point: GradientPoint, D: Sequence[Array | None]) -> GradientPoint:
    """The point, with the slopes that a pass has taken at kinks, as far as they lie between those on both sides."""
    found = find_kinks(point)
    if found is None:
        return point
    point, L = replace(point), point.network.L  # whose arrays are its own
    above = np.empty(0)
    for i in range(L, 0, -1):
        D_i = D[i]
        if D_i is not None:
            if i == L:
                taken, before, weight = point.D_L, point.dE, RIGHT.reduction(point, np.ones_like(D_i))
            else:
                before = RIGHT.drop(point, i, RIGHT.carry(point, i, above))
                taken, weight = point.slopes.get(i, before), before
            for place, sides in _at_kinks(found, i).items():
                slopes = sides.get("f", (point.slopes[i][place],) if i in point.slopes else (1.0,))
                outer = sides.get("E", (before[place],)) if i == L else (1.0,)
                ends = [e * f for e in outer for f in slopes]
                if weight[place] != 0:
                    taken[place] = np.clip(D_i[place] / weight[place], min(ends), max(ends))
        above = made(point, RIGHT, "delta", i, above) if D_i is None else D_i
    return point


def _at_kinks(found: FoundKinks, i: int) -> dict[tuple[int, int], dict[str, tuple[float, float]]]:
    """By row and unit of layer i, the slopes on both sides of f and of E."""
    places: dict[tuple[int, int], dict[str, tuple[float, float]]] = {}
    for kink in found.kinks:
        if kink.layer == i and kink.row is not None:
            places.setdefault((kink.row, kink.unit[0]), {})[kink.what] = (kink.left, kink.right)
    return places


def _divided_late(truth: GroundTruth, D: Sequence[Array | None], g: Array, tolerance: float) -> bool:
    """Whether D_L is right but for the division by Σ v, and ∂E/∂W_L right with it."""
    point, L = truth.point, truth.point.network.L
    D_L, dW = D[L], views(point.network, g).W[L]
    if D_L is None or point.divisor == 1:
        return False
    n, s = (views(point.network, flat).W[L] for flat in (truth.right.g, truth.scale.w))
    undivided = compare(D_L / point.divisor, truth.right.D[L], truth.scale.D[L], tolerance)
    return undivided.right and compare(dW, n, s, tolerance).right


@dataclass(frozen=True)
class _Judge:
    truth: GroundTruth
    D: Sequence[Array | None]
    gradient: Views
    tolerance: float

    def quantities(self) -> Iterator[Quantity]:
        """The verdicts, in the order of the pass."""
        point, truth = self.truth.point, self.truth
        right, scale = (views(point.network, flat) for flat in (truth.right.g, truth.scale.w))
        above = np.empty(
            0
        )  # D_{i+1} as the pass has it, or what follows from those above where it does not say
        for i in range(point.network.L, 0, -1):
            follows = made(point, RIGHT, "delta", i, above)
            if (D_i := self.D[i]) is not None:
                yield self.verdict("delta", i, D_i, truth.right.D[i], follows, truth.scale.D[i], above)
            above = follows if D_i is None else D_i
            for kind, a, n, s in (
                ("weight", self.gradient.W[i], right.W[i], scale.W[i]),
                ("bias", self.gradient.b[i], right.b[i], scale.b[i]),
            ):
                if a is not None and n is not None and s is not None:
                    yield self.verdict(kind, i, a, n, made(point, RIGHT, kind, i, above), s, above)

    def verdict(
        self, kind: str, i: int, a: Array, n: Array, follows: Array, s: Array, above: Array
    ) -> Quantity:
        """The verdict on one quantity."""
        to_right, to_given = (compare(a, other, s, self.tolerance) for other in (n, follows))
        name = {"delta": "δ", "weight": "∂E/∂W", "bias": "∂E/∂b"}[kind] + f"_{i}"
        one = Quantity(name, kind, i, *to_right, *to_given)
        if one.right or one.follows:
            return one
        return one._replace(likely=self.likely(one, a, follows, s, above))

    def likely(self, one: Quantity, a: Array, follows: Array, s: Array, above: Array) -> Diagnosis | None:
        """The slip that makes of what is above what the pass made of it."""
        point, found = self.truth.point, []
        for slip in slips(self.truth):
            if slip.layer not in (None, one.layer):
                continue
            pattern = made(point, slip.lines, one.kind, one.layer, above)
            error = matches(a, pattern, Compared(one.error_given, one.follows), s, self.tolerance)
            if error is not None:
                found.append((slip.places, Diagnosis(slip.code, slip.words, slip.layer, error)))
        factor = factors.of_one(point, a, follows, s, self.tolerance)
        if not found and factor is not None:
            code, times, error = factor
            found.append((1, Diagnosis(code, f"{one.name} at {times} times the right one", one.layer, error)))
        return best(found)

    def of_all(self) -> Diagnosis | None:
        """The slip that explains the gradient and every δ_i that was given."""
        point, truth, found = self.truth.point, self.truth, []
        if all(D_i is None for D_i in self.D[1:]):
            return diagnose(point, self.gradient.flat, self.tolerance)
        target = UnexplainedGradient(truth, self.gradient.flat, self.tolerance)
        for slip in slips(truth):
            error, _ = tried(target, slip, None)
            if error is not None and self._gives_deltas(backward(point, slip.lines).D):
                found.append((slip.places, Diagnosis(slip.code, slip.words, slip.layer, error)))
        return best(found)

    def _gives_deltas(self, D: Sequence[Array]) -> bool:
        right, scale = self.truth.right.D, self.truth.scale.D
        return all(
            a is None or matches(a, pattern, compare(a, n, s, self.tolerance), s, self.tolerance) is not None
            for a, pattern, n, s in zip(self.D[1:], D[1:], right[1:], scale[1:], strict=True)
        )
