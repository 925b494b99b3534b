"""Which known slip a wrong gradient looks like."""

from collections.abc import Iterator

import numpy as np

from bptrain.core.network import Block
from bptrain.gradient_check.lines import backward
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips import batch, derivatives, factors, matrix_products
from bptrain.gradient_check.slips.base import GroundTruth, LikelySlip, Slip, UnexplainedGradient, best, made
from bptrain.gradient_check.verdicts import TOLERANCE
from bptrain.parts.types import Array


def slips(truth: GroundTruth, rate: float | None = None) -> Iterator[Slip]:
    """Every known slip of this network's backward pass; with a learning rate, those of a training step too."""
    if rate is not None:
        yield from matrix_products.of_step(truth, rate)
    yield from derivatives.slips(truth)
    yield from batch.slips(truth)
    yield from matrix_products.slips(truth)


def diagnose(
    point: GradientPoint, analytic: Array, tolerance: float = TOLERANCE, rate: float | None = None
) -> LikelySlip | None:
    """The slip whose gradient the analytic one is, in every block; None where there is none, or where it is right.

    Of several, the one that changes the fewest layers. Where only one block is wrong, a slip in it alone will do. With
    a rate, the gradient is what a step of gradient descent subtracted, divided by it.
    """
    with np.errstate(all="ignore"):
        target = UnexplainedGradient(GroundTruth(point), np.asarray(analytic, np.float64), tolerance)
        if not target.wrong:
            return None
        alone = target.wrong[0] if len(target.wrong) == 1 else None
        whole: list[tuple[int, LikelySlip]] = []
        of_one: list[tuple[int, LikelySlip]] = []
        for slip in slips(target.truth, rate):
            error, error_alone = tried(target, slip, alone)
            if error is not None:
                whole.append((slip.places, LikelySlip(slip.code, slip.words, slip.layer, error)))
            elif error_alone is not None and alone is not None:
                words = f"{slip.words}, in {factors.letter(alone)} alone"
                of_one.append((slip.places, LikelySlip(slip.code, words, alone.layer, error_alone)))
        return best(whole or list(factors.diagnoses(target)) or of_one)


def tried(target: UnexplainedGradient, slip: Slip, alone: Block | None) -> tuple[float | None, float | None]:
    """The error of the match with all of a backward pass, and with one block of it; None where it is none.

    From the slip's layer down (above it all is right), and no further than it takes to see that they do not match.
    """
    point, right = target.truth.point, target.truth.right.D
    first = slip.layer or point.network.L
    whole: float | None = None if any(block.layer > first for block in target.wrong) else 0.0
    if whole is None and (alone is None or alone.layer > first):
        return None, None
    of_one: float | None = None
    D = right[first + 1] if first < point.network.L else np.empty(0)
    for i in range(first, 0, -1):
        D = made(point, slip.lines, "delta", i, D)
        if i < first and slip.layer is not None and np.array_equal(D, right[i]):
            if any(block.layer <= i for block in target.wrong):  # where the slip changes nothing
                whole = of_one = None
            break
        for block in point.network.blocks:
            if block.layer == i and (whole is not None or block == alone):
                error = target.error(block, made(point, slip.lines, block.kind, i, D))
                whole = None if whole is None or error is None else max(whole, error)
                of_one = error if block == alone else of_one
        if whole is None and (alone is None or alone.layer >= i):
            return whole, of_one
    if point.network.input_steps and (whole is not None or (alone is not None and alone.layer == 0)):
        g = backward(point, slip.lines).g
        for block in point.network.blocks:
            if block.layer == 0 and (whole is not None or block == alone):
                error = target.error(block, block.view(g))
                whole = None if whole is None or error is None else max(whole, error)
                of_one = error if block == alone else of_one
    return whole, of_one
