"""Which known slip a wrong gradient looks like."""

from collections.abc import Iterator

import numpy as np

from bptrain.core.gradcheck.lines import backward
from bptrain.core.gradcheck.point import Point
from bptrain.core.gradcheck.slips import batch, derivatives, factors, products
from bptrain.core.gradcheck.slips.base import TOLERANCE, Diagnosis, Slip, Truth, best, compare
from bptrain.parts.types import Array


def slips(truth: Truth, rate: float | None = None) -> Iterator[Slip]:
    """Every known slip of this network's backward pass; with a learning rate, those of a training step too."""
    if rate is not None:
        yield from products.of_step(truth, rate)
    yield from derivatives.slips(truth)
    yield from batch.slips(truth)
    yield from products.slips(truth)


def diagnose(
    point: Point, analytic: Array, tolerance: float = TOLERANCE, rate: float | None = None
) -> Diagnosis | None:
    """The slip whose gradient the analytic one is, in every block; None where there is none, or where it is right.

    Of several, the one that changes the fewest layers. Where only one block is wrong, a slip in it alone will do. With
    a rate, the gradient is what a step of gradient descent subtracted, divided by it.
    """
    with np.errstate(all="ignore"):
        truth, a = Truth(point), np.asarray(analytic, np.float64)
        n, s = truth.right.g, truth.scale.w
        wrong = []
        for block in point.network.blocks:
            of = slice(block.start, block.stop)
            if not compare(a[of], n[of], s[of], tolerance).right:
                wrong.append(block)
        if not wrong or not np.isfinite(a).all():
            return None
        alone = wrong[0] if len(wrong) == 1 else None
        whole: list[tuple[int, Diagnosis]] = []
        of_one: list[tuple[int, Diagnosis]] = []
        for slip in slips(truth, rate):
            g = backward(point, slip.lines).g
            error = factors.error_of(truth, a, g, tolerance)
            if error is not None:
                whole.append((slip.places, Diagnosis(slip.code, slip.words, slip.layer, error)))
            elif alone is not None:
                mixed = n.copy()
                mixed[alone.start : alone.stop] = g[alone.start : alone.stop]
                error = factors.error_of(truth, a, mixed, tolerance)
                if error is not None:
                    name = f"∂E/∂{'W' if alone.kind == 'weight' else 'b'}_{alone.layer}"
                    words = f"{slip.words}, in {name} alone"
                    of_one.append((slip.places, Diagnosis(slip.code, words, alone.layer, error)))
        if whole:
            return best(whole)
        return best(list(factors.diagnoses(truth, a, wrong, tolerance)) or of_one)
