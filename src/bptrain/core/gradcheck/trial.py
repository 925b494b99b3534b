"""The complex step on trial: does it say what a difference says?

It is silently wrong where code loses the imaginary part (abs, casts, norms, some sorting). So before it is trusted, the
slope of the objective along one random direction is taken by the complex step and by central differences, which share
nothing but the forward pass. Where they differ, the method has failed, whatever the gradient is.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bptrain.core.gradcheck import complex_step, differences
from bptrain.core.gradcheck.corners import Corners
from bptrain.core.gradcheck.plan import directions
from bptrain.core.gradcheck.point import STEP, Point, slopes_of_rows
from bptrain.core.gradcheck.scale import scale_at
from bptrain.core.gradcheck.verdicts import SAFETY, TOO_NOISY
from bptrain.parts.types import Array

AGREE = 1e-6  # of the larger of the two slopes, and of the scale of rounding
SHRINKS = (1.0, 1e-2, 1e-4)  # of the first step of a difference
SMALL = 1e-5  # the step of a plain difference of one part
PARTS_AGREE = 1e-3
ROWS = 16  # are enough to try it on


class Trial(NamedTuple):
    """Whether the complex step may be trusted here."""

    passed: bool
    words: str
    complex_step: float = float("nan")  # the slope along the direction
    difference: float = float("nan")
    estimate: float = float("nan")  # of the difference's error


def trial(point: Point, found: Corners | None) -> Trial:
    """Tries the complex step on some rows without corners; penalties, which are the project's own, are left out."""
    network = replace(point.network, l1=0.0, l2=0.0)
    plain = replace(point, network=network)
    free = np.arange(len(point.X_0))
    if found is not None and found.rows.any():
        if found.rows.all():
            return Trial(True, "not compared with a difference, since every row stands on a corner")
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
            return Trial(True, "a difference is too noisy here to compare with", c, value, estimate)
        if abs(c - value) <= max(AGREE * size, SAFETY * estimate):
            return Trial(True, "agrees with a difference along a random direction", c, value, estimate)
        tries.append((estimate, value))
    estimate, value = min(tries)
    words = (
        f"the complex step failed here, which says nothing about the gradient: along a random direction it gives "
        f"{c:.9g}, differences give {value:.9g} ± {estimate:.0e}{culprits(plain)}"
    )
    return Trial(False, words, c, value, estimate)


def culprits(point: Point) -> str:
    """The parts on which the complex step differs from a plain difference, in words."""
    network, space = point.network, point.space
    lost = [
        f"f of layer {i}"
        for i in range(1, network.L + 1)
        if network.activations[i].df is not None and loses(network.activations[i].f, space.Z[i])
    ]
    if not network.canonical and loses_E(point):
        lost.append("the loss")
    return f"; the imaginary part is lost in {' and '.join(lost)}" if lost else ""


def loses(f: Callable[[Array], Array], Z: Array) -> bool:
    """Whether the complex step of an element-wise f is not its slope, away from corners."""
    try:
        by_step = f(Z + 1j * STEP).imag / STEP
    except TypeError:
        return True
    h = SMALL * np.fmax(1.0, np.abs(Z))
    left, right = (f(Z) - f(Z - h)) / h, (f(Z + h) - f(Z)) / h
    smooth = ~(np.abs(right - left) > PARTS_AGREE * np.fmax(1.0, np.abs(left)))
    apart = np.abs(by_step - (left + right) / 2) > PARTS_AGREE * np.fmax(1.0, np.abs(left))
    return bool((smooth & apart).any())


def loses_E(point: Point) -> bool:
    """Whether the complex step of the loss is not its slope, away from corners."""
    loss, X, T = point.network.loss, point.space.X[point.network.L], point.T
    try:
        by_step = slopes_of_rows(lambda x: loss.E(x, T), X)
    except TypeError:
        return True
    sides = []
    for sign in (-1, 1):
        h = sign * SMALL
        units = np.eye(X.shape[1])
        sides.append(np.stack([(loss.E(X + h * unit, T) - loss.E(X, T)) / h for unit in units], axis=1))
    left, right = sides
    smooth = ~(np.abs(right - left) > PARTS_AGREE * np.fmax(1.0, np.abs(left)))
    return bool(
        (smooth & (np.abs(by_step - (left + right) / 2) > PARTS_AGREE * np.fmax(1.0, np.abs(left)))).any()
    )
