"""What the forward pass at a point shows by itself: whether it is right, and units through which no gradient passes."""

from typing import NamedTuple

import numpy as np

from bptrain.gradient_check import input_steps
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.types import Array


def forward_error(point: GradientPoint) -> float:
    """How far `forward` is from z_i = W_i x_{i−1} + b_i and x_i = f_i(z_i), relative to the terms' absolute values."""
    network, space, M = point.network, point.space, point.context.dropout_masks
    worst = input_steps.forward_error(point)
    for i in range(1, network.L + 1):
        W, b = point.parameters.W[i], point.parameters.b[i]
        bias = np.zeros(len(W)) if b is None else b
        x = point.space.X[i - 1] if i > 1 or network.input_steps else point.X_0
        x = x * M[i - 1] if i - 1 in M else x
        Z = np.einsum("nk,jk->nj", x, W) + bias
        terms = np.einsum("nk,jk->nj", np.abs(x), np.abs(W)) + np.abs(bias)
        difference = np.abs(space.Z[i] - Z) / np.where(terms == 0, 1.0, terms)
        same = np.array_equal(space.X[i], network.activations[i].f(space.Z[i]), equal_nan=True)
        worst = float(np.max([worst, difference.max(initial=0.0), 0.0 if same else np.inf]))
    return worst


SATURATED = 0.01  # of the steepest slope of f: a slope below it on every row
GRID = np.linspace(-10.0, 10.0, 2001)  # where the steepest slope is looked for


AT_ONCE = 2**20  # numbers that f is given


class UnitsReport(NamedTuple):
    """Of one layer whose activation is element-wise."""

    layer: int
    units: int
    dead: tuple[int, ...]  # x = 0 and f' = 0 on every row
    saturated: tuple[int, ...]  # |f'| at most 1 % of the steepest on every row


def units(point: GradientPoint) -> tuple[UnitsReport, ...]:
    """Dead and saturated units, layer by layer. Lu et al. 2020 (dead relu); Glorot and Bengio 2010 (saturation)."""
    reports = []
    for i, slopes in point.slopes.items():
        steepest = np.abs(slopes).max(axis=0)
        silent = (point.space.X[i] == 0).all(axis=0) & (steepest == 0)
        flat = ~silent & (steepest <= SATURATED * steepest_anywhere(point, i))
        dead, saturated = (tuple(int(k) for k in np.flatnonzero(found)) for found in (silent, flat))
        reports.append(UnitsReport(i, len(steepest), dead, saturated))
    return tuple(reports)


def steepest_anywhere(point: GradientPoint, i: int) -> Array:
    """The steepest slope of each unit of layer i, n_i, wherever its z may be."""
    n = point.network.sizes[i]
    pieces = np.array_split(GRID, 1 + len(GRID) * n // AT_ONCE)
    slopes = [np.abs(point.slope(i, np.tile(z[:, None], (1, n)))).max(axis=0) for z in pieces]
    return np.asarray(np.max(slopes, axis=0))
