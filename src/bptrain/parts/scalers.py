"""Scalers: the affine map of one column, scaled = (value − center) / spread, fitted on the training rows.

A column that is constant in the training rows, where the map is fitted to it, gets spread 0: its scaled value is 0.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.parts.types import Array
from bptrain.registry import Registry


class Affine(NamedTuple):
    """scaled = (value − center) / spread, and 0 where spread is 0; one number per column."""

    center: Array
    spread: Array


Scaler = Callable[[Array], Affine]  # training rows, N × k and finite -> the map of each of the k columns

scalers: Registry[Scaler] = Registry("scaler")


@scalers.add("none", "the unchanged value")
def none() -> Scaler:
    """The unchanged value."""

    def fit(rows: Array) -> Affine:
        return Affine(np.zeros(rows.shape[1]), np.ones(rows.shape[1]))

    return fit


@scalers.add("standard", "(value − mean) / standard deviation")
def standard() -> Scaler:
    """(value − mean) / standard deviation, which divides by N."""

    def fit(rows: Array) -> Affine:
        constant = rows.min(axis=0) == rows.max(axis=0)  # a rounded mean leaves a tiny, wrong deviation
        return Affine(
            rows.mean(axis=0, dtype=np.float64), np.where(constant, 0.0, rows.std(axis=0, dtype=np.float64))
        )

    return fit


@scalers.add("minmax", "{low} to {high} is mapped onto {to}, in a straight line")
def minmax(
    low: float | None = None, high: float | None = None, to: tuple[float, float] = (0.0, 1.0)
) -> Scaler:
    """Maps [low, high] of the data (default: each column's minimum and maximum) onto `to`."""
    if to[0] >= to[1]:
        raise ValueError(f"to must rise, but is [{to[0]:g}, {to[1]:g}]")
    if low is not None and high is not None and low >= high:
        raise ValueError(f"low must be below high, but low is {low:g} and high is {high:g}")

    def fit(rows: Array) -> Affine:
        k = rows.shape[1]
        bottom = np.full(k, low) if low is not None else rows.min(axis=0).astype(np.float64)
        top = np.full(k, high) if high is not None else rows.max(axis=0).astype(np.float64)
        spread = np.maximum(top - bottom, 0.0) / (to[1] - to[0])
        return Affine(bottom - to[0] * spread, spread)

    return fit
