"""Derivatives by central differences, extrapolated, with an estimate of their error.

    d(h) = (F(θ + h) − F(θ − h)) / 2h = F' + c₂h² + c₄h⁴ + …

so two steps cancel c₂, three c₄ (Richardson 1911); of the table that this makes, the entry is taken whose neighbors
differ from it least, and that difference is the estimate (Ridders 1982), or its difference to what the smallest steps
give, where that is more: f'' may jump where f' does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from bptrain.core.backprop import forward, workspace
from bptrain.core.network import views
from bptrain.core.objective import loss_sum, penalty, row_losses
from bptrain.gradient_check.kinks import crosses
from bptrain.gradient_check.point import DerivativeSource, GradientPoint
from bptrain.parts.types import Array

LEVELS = 7  # steps h, h/2, h/4, …
FIRST = 0.02  # h, in units of the size of what is moved
FARTHEST = 0.25  # that a step may move a z, on whose scale an f changes
LEAST = 1e-9  # below it nothing is left of the digits of a difference


class Difference(NamedTuple):
    """Derivatives and how far off each may be; NaN and infinity where no step is small enough."""

    value: Array
    estimate: Array


def central(F: Callable[[float], Array], h: float) -> Difference:
    """F'(0), of an array of functions of one number, from the steps h, h/2, …"""
    above: list[Array] = []
    value, estimate = np.array(np.nan), np.array(np.inf)
    for level in range(LEVELS):
        step = h / 2**level
        there, back = F(step), F(-step)
        row = [(there - back) / (2 * step)]
        rounding = np.finfo(np.float64).eps * np.fmax(np.abs(there), np.abs(back)) / step
        for k, before in enumerate(above):
            row.append(row[k] + (row[k] - before) / (4 ** (k + 1) - 1))
            apart = np.maximum(np.abs(row[k + 1] - row[k]), np.abs(row[k + 1] - before))
            error = np.maximum(apart, rounding)
            better = error < estimate
            value, estimate = np.where(better, row[k + 1], value), np.where(better, error, estimate)
        above = row
    return Difference(value, np.maximum(estimate, np.abs(value - above[1])))


def along(
    point: GradientPoint, v: Array, ways: Sequence[DerivativeSource] = (), shrink: float = 1.0
) -> Difference:
    """The derivative of the objective along v (flat), by steps that are small for every unit and cross no kink.

    Kinks are looked for in these `ways`, by default in the point's own. NaN where one is crossed at every step: the
    point itself is at a kink.
    """
    moved = v[v != 0]
    if len(moved) == 0:
        return Difference(np.array(0.0), np.array(0.0))
    h = shrink * FIRST * max(1.0, float(np.abs(point.w[v != 0]).mean())) / float(np.linalg.norm(moved))
    while not good_step(point, [replace(point, w=point.w + step * v) for step in (-h, h)], ways):
        h /= 4
        if h * float(np.abs(moved).max()) < LEAST:
            return Difference(np.array(np.nan), np.array(np.inf))
    return central(lambda step: objective(point, point.w + step * v), h)


def good_step(
    point: GradientPoint, ends: Sequence[GradientPoint], ways: Sequence[DerivativeSource] = ()
) -> bool:
    """Whether no z moves by more than a part of what an f changes over, and none crosses a kink."""
    for i in range(1, point.network.L + 1):
        if any(np.abs(end.space.Z[i] - point.space.Z[i]).max(initial=0.0) > FARTHEST for end in ends):
            return False
    return not any(crosses(point, ends, way) for way in ways or [point.derivatives_from])


def objective(point: GradientPoint, w: Array) -> Array:
    """The objective at other weights, on the rows of a point."""
    space, parameters = workspace(point.network, len(point.X_0), np.float64), views(point.network, w)
    X_L = forward(point.network, parameters, point.X_0, space, point.context)
    losses = row_losses(point.network, space.Z[point.network.L], X_L, point.T)
    E = loss_sum(losses, point.context.sample_weight) / point.divisor
    return np.asarray(E + penalty(point.network, parameters))


def of_inputs(point: GradientPoint, divisor: float) -> Difference:
    """∂objective/∂X_0, N × n_0, one input of all rows at a time; the divisor is of all rows that there are."""
    V = np.ones(len(point.X_0)) if point.context.sample_weight is None else point.context.sample_weight
    columns = []
    for unit in np.eye(point.network.sizes[0]):
        h = FIRST
        while h >= LEAST and crosses(
            point, [replace(point, X_0=point.X_0 + step * unit) for step in (-h, h)]
        ):
            h /= 4
        columns.append(central(partial(moved_rows, point, unit), h))
    factor = (V / divisor)[:, None]
    value = np.stack([column.value for column in columns], axis=1) * factor
    return Difference(value, np.stack([column.estimate for column in columns], axis=1) * np.abs(factor))


def moved_rows(point: GradientPoint, unit: Array, step: float) -> Array:
    """The loss of each row where all inputs are moved."""
    X_0 = point.X_0 + step * unit
    space = workspace(point.network, len(X_0), np.float64)
    X_L = forward(point.network, point.parameters, X_0, space, point.context)
    return row_losses(point.network, space.Z[point.network.L], X_L, point.T)
