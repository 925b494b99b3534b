"""A whole backward pass, quantity by quantity in its own order: δ_L, ∂E/∂W_L, ∂E/∂b_L, δ_{L−1}, …

Each is judged twice: against the right one, and against what the derivation makes of the pass's own above it.
So a slip in layer 3 is found there, though everything below is wrong as well, and a second slip below is found too.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bptrain.core.gradcheck.lines import Backward, Lines, backward
from bptrain.core.gradcheck.point import Point
from bptrain.core.gradcheck.scale import Scale, scale_at
from bptrain.core.gradcheck.slips.base import TOLERANCE, Diagnosis, compare
from bptrain.core.network import views
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
    likely: Diagnosis | None = None  # where it does not follow


class LayersReport(NamedTuple):
    """The verdict on a backward pass."""

    quantities: tuple[Quantity, ...]  # in the order of the pass; a δ_i that was not given is left out
    likely: Diagnosis | None = None  # of the first wrong one, or of the pass as a whole

    @property
    def first_wrong(self) -> Quantity | None:
        """The first quantity that is wrong, in the order of the pass; None where all are right."""
        return next((one for one in self.quantities if not one.right), None)

    @property
    def passed(self) -> bool:
        """Whether every quantity is right."""
        return self.first_wrong is None


def diagnose_layers(
    point: Point, D: Sequence[Array | None], g: Array, tolerance: float = TOLERANCE
) -> LayersReport:
    """Judges D_1 … D_L (entry 0 is unused, None: not given; rows, weighed and divided as in `lines.backward`) and g."""
    with np.errstate(all="ignore"):
        right, scale = backward(point), scale_at(point)
        given = [None if D_i is None else np.asarray(D_i, np.float64) for D_i in D]
        return LayersReport(
            tuple(_quantities(point, given, np.asarray(g, np.float64), right, scale, tolerance))
        )


def _quantities(
    point: Point, D: Sequence[Array | None], g: Array, right: Backward, scale: Scale, tolerance: float
) -> list[Quantity]:
    network, lines = point.network, Lines()
    student, truth, s = (views(network, flat) for flat in (g, right.g, scale.w))
    above = np.empty(0)  # D_i as the pass has it, or what follows from those above where it does not say
    quantities = []

    def judge(name: str, kind: str, i: int, a: Array, n: Array, follows: Array, s: Array) -> None:
        to_right, to_given = compare(a, n, s, tolerance), compare(a, follows, s, tolerance)
        quantities.append(Quantity(f"{name}_{i}", kind, i, *to_right, *to_given))

    for i in range(network.L, 0, -1):
        if i == network.L:
            above = lines.weigh(point, lines.output(point))
        else:
            above = lines.through(point, i, lines.drop(point, i, lines.carry(point, i, above)))
        if (D_i := D[i]) is not None:
            judge("δ", "delta", i, D_i, right.D[i], above, scale.D[i])
            above = D_i
        dW = lines.penalty(point, i, lines.weight(point, i, above))
        judge("∂E/∂W", "weight", i, student.W[i], truth.W[i], dW, s.W[i])
        for a, n, s_i in ((student.b[i], truth.b[i], s.b[i]),):
            if a is not None and n is not None and s_i is not None:
                judge("∂E/∂b", "bias", i, a, n, lines.bias(point, i, above), s_i)
    return quantities
