"""The cross-check of the complex step: does it agree with a central difference?

It is silently wrong where code loses the imaginary part (abs, casts, norms, some sorting). So before it is trusted, the
slope of the objective along one random direction is computed by the complex step and by central differences, which
share nothing but the forward pass. Where they differ, the method has failed, whatever the gradient is.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bptrain.gradient_check import complex_step, differences
from bptrain.gradient_check.kinks import FoundKinks
from bptrain.gradient_check.number_words import told_apart
from bptrain.gradient_check.numeric_gradient import directions
from bptrain.gradient_check.point import STEP, GradientPoint
from bptrain.gradient_check.verdicts import SAFETY, TOO_NOISY, scale_at
from bptrain.parts.types import Array

AGREE = 1e-6  # of the larger of the two slopes, and of the scale of rounding
SHRINKS = (1.0, 1e-2, 1e-4)  # of the first step of a difference
SMALL = 1e-5  # the step of a plain difference of one part
LARGEST = 1e6  # a z that such a step still changes
PARTS_AGREE = 1e-3
COMPLEX_REFUSED = (TypeError, ValueError)  # what functions raise that take no complex numbers
ROWS = 16  # are enough for the comparison


class CrossCheck(NamedTuple):
    """Whether the complex step may be trusted here."""

    passed: bool
    words: str
    complex_step: float = float("nan")  # the slope along the direction
    difference: float = float("nan")
    estimate: float = float("nan")  # of the difference's error


def cross_check(point: GradientPoint, found: FoundKinks | None) -> CrossCheck:
    """Compares the complex step with differences: in each part on all rows, along a direction on rows without kinks.

    Penalties, which are the project's own, are left out.
    """
    lost = culprits(point)
    if lost:
        return CrossCheck(False, f"the complex step failed here, which says nothing about the gradient{lost}")
    network = replace(point.network, l1=0.0, l2=0.0)
    plain = replace(point, network=network)
    free = np.arange(len(point.X_0))
    if found is not None and found.rows.any():
        if found.rows.all():
            return CrossCheck(
                True, "the complex step was not compared with a difference: every row is at a kink"
            )
        free = np.flatnonzero(~found.rows)
    plain = plain.some_rows(free[:ROWS])
    v = directions(network.size, 1, 0, network.blocks)[0]
    c = complex_step.along(plain, v)
    scale = float(np.linalg.norm(scale_at(plain).w))
    tries = []
    for shrink in SHRINKS:  # where f is steep, large steps see nothing of it, and say so with confidence
        value, estimate = (float(x) for x in differences.along(plain, v, ("complex_step", "parts"), shrink))
        size = float(np.max([abs(c), abs(value), scale]))
        if not np.isfinite([c, value]).all() or estimate > TOO_NOISY * size:
            words = "the complex step was not compared with a difference, which is too noisy here"
            return CrossCheck(True, words, c, value, estimate)
        if abs(c - value) <= max(AGREE * size, SAFETY * estimate):
            words = "the complex step agrees with a difference along a random direction"
            return CrossCheck(True, words, c, value, estimate)
        tries.append((estimate, value))
    estimate, value = min(tries)
    by_step, by_differences = told_apart(c, value, 9)
    words = (
        f"the complex step failed here, which says nothing about the gradient: along a random direction it gives "
        f"{by_step}, differences give {by_differences}"
    )
    return CrossCheck(False, words, c, value, estimate)


def culprits(point: GradientPoint) -> str:
    """The parts on which the complex step differs from a plain difference, in words; empty where there is none."""
    network, Z = point.network, point.space.Z
    lost = [
        f"f of layer {i}" for i in point.elementwise if loses(network.activations[i].f, Z[i], np.ones((1, 1)))
    ]
    X_L, T = point.space.X[network.L], point.T
    if not network.canonical and any(
        loses(lambda x: network.loss.E(x, T), X_L, unit) for unit in np.eye(X_L.shape[1])
    ):
        lost.append("the loss")
    return f"; the imaginary part is lost in {' and '.join(lost)}" if lost else ""


def loses(f: Callable[[Array], Array], X: Array, unit: Array) -> bool:
    """Whether the complex step of f along a unit is not its slope, where f is smooth and X small enough to see it."""
    try:
        by_step = f(X + 1j * STEP * unit).imag / STEP
    except COMPLEX_REFUSED:
        return True
    here, there, back = f(X), f(X + SMALL * unit), f(X - SMALL * unit)
    left, right = (here - back) / SMALL, (there - here) / SMALL
    limit = PARTS_AGREE * np.fmax(1.0, np.abs(left))
    noise = 4 * np.finfo(np.float64).eps * np.fmax(np.abs(here), 1.0) / SMALL
    moved = np.abs(X * unit) if here.shape == X.shape else np.abs(X * unit).max(axis=1)
    smooth = (np.abs(right - left) <= limit) & (noise <= limit) & (moved <= LARGEST)
    return bool((smooth & (np.abs(by_step - (left + right) / 2) > limit)).any())
