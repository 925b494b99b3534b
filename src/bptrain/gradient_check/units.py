"""Units through which no gradient passes at a point: dead ones and saturated ones."""

from typing import NamedTuple

import numpy as np

from bptrain.gradient_check.point import Point

SATURATED = 0.01  # of the steepest slope of f: a slope below it on every row
GRID = np.linspace(-10.0, 10.0, 2001)  # where the steepest slope is looked for


class UnitsReport(NamedTuple):
    """Of one layer whose activation is element-wise."""

    layer: int
    units: int
    dead: tuple[int, ...]  # x = 0 and f' = 0 on every row
    saturated: tuple[int, ...]  # |f'| at most 1 % of the steepest on every row


def units(point: Point) -> tuple[UnitsReport, ...]:
    """Dead and saturated units, layer by layer. Lu et al. 2020 (dead relu); Glorot and Bengio 2010 (saturation)."""
    reports = []
    for i, slopes in point.slopes.items():
        steepest = np.abs(slopes).max(axis=0)
        silent = (point.space.X[i] == 0).all(axis=0) & (steepest == 0)
        flat = ~silent & (steepest <= SATURATED * np.abs(point.slope(i, GRID)).max())
        dead, saturated = (tuple(int(k) for k in np.flatnonzero(found)) for found in (silent, flat))
        reports.append(UnitsReport(i, len(steepest), dead, saturated))
    return tuple(reports)
