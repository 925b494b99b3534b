"""Scalers: the map of one column, scaled = g((f(value) − center) / spread), fitted on the training rows.

f and g leave a value as it is, unless the scaler's `Affine` names another of FUNCTIONS or of CLIPS. A column that is
constant in the training rows, where the map is fitted to it, gets spread 0: its scaled value is 0.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from bptrain.parts.types import Array
from bptrain.registry import Registry

FunctionName = Literal["identity", "log", "log1p"]
ClipName = Literal["none", "smooth"]
SMALL = 1e-140  # a standard deviation below this is one of squares that have lost digits, or are 0


class ScaleFunction(NamedTuple):
    """What is applied to a value before it is scaled: f, its inverse, and where f is defined."""

    f: Callable[[Array], Array]
    inverse: Callable[[Array], Array]
    defined: Callable[[Array], Array]  # values -> true and false
    values: str  # which these are, the end of a sentence


FUNCTIONS: dict[str, ScaleFunction] = {
    "identity": ScaleFunction(
        lambda value: value, lambda scaled: scaled, lambda value: np.full(value.shape, True), "any numbers"
    ),
    "log": ScaleFunction(np.log, np.exp, lambda value: value > 0, "numbers above 0"),
    "log1p": ScaleFunction(
        lambda value: np.log1p(np.where(value < 0, np.nan, value)),  # which would go on to −1
        np.expm1,
        lambda value: value >= 0,
        "numbers of 0 or more",
    ),
}


def smooth_clip(x: Array) -> Array:
    """x / √(1 + (x/3)²), which is x near 0 and stays within ±3. Holzmüller, Grinsztajn and Steinwart 2024."""
    return x / np.hypot(1.0, x / 3.0)  # whose square does not overflow


CLIPS: dict[str, Callable[[Array], Array]] = {"none": lambda scaled: scaled, "smooth": smooth_clip}


class Affine(NamedTuple):
    """scaled = g((f(value) − center) / spread), and 0 where spread is 0; one number per column."""

    center: Array
    spread: Array
    function: FunctionName = "identity"  # f, of all columns: a key of FUNCTIONS
    clip: ClipName = "none"  # g, of all columns: a key of CLIPS


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
        return Affine(rows.mean(axis=0, dtype=np.float64), _deviation(rows))

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


@scalers.add("robust", "(value − median) / (third quartile − first quartile)")
def robust() -> Scaler:
    """(value − median) / (third quartile − first quartile), which a few extreme values do not move.

    Between two values a quartile is interpolated in a straight line (Hyndman and Fan 1996, definition 7). Where the
    quartiles are equal and the column is not constant, the standard deviation takes the place of their difference.
    Tukey 1977, Exploratory Data Analysis: the median and the spread between the hinges.
    """

    def fit(rows: Array) -> Affine:
        first, median, third = np.percentile(rows.astype(np.float64), [25, 50, 75], axis=0)
        between = third - first
        return Affine(median, np.where(between > 0, between, _deviation(rows)))

    return fit


@scalers.add(
    "robust_clip",
    "x / √(1 + (x/3)²), x = (value − median) / (third quartile − first quartile)",
)
def robust_clip() -> Scaler:
    """x / √(1 + (x/3)²), with x = (value − median) / (third quartile − first quartile): no input is beyond ±3.

    So a value far from all others, in the training rows or later, moves the outputs no further than one that is merely
    large. Where the quartiles are equal and the column is not constant, half of its range takes the place of their
    difference. For inputs alone. Holzmüller, Grinsztajn and Steinwart 2024, Better by Default (RealMLP).
    """

    def fit(rows: Array) -> Affine:
        low, first, median, third, high = np.percentile(rows.astype(np.float64), [0, 25, 50, 75, 100], axis=0)
        between = third - first
        return Affine(median, np.where(between > 0, between, high / 2 - low / 2), clip="smooth")

    return fit


@scalers.add("log", "(ln value − mean) / standard deviation, both of ln value")
def log() -> Scaler:
    """(ln value − mean) / standard deviation, both of ln value, for values above 0. Box and Cox 1964, λ = 0."""
    return _of_function("log")


@scalers.add("log1p", "(ln(1 + value) − mean) / standard deviation, both of ln(1 + value)")
def log1p() -> Scaler:
    """(ln(1 + value) − mean) / standard deviation, both of ln(1 + value), for values of 0 or more, such as counts."""
    return _of_function("log1p")


def _of_function(name: FunctionName) -> Scaler:
    """Standard scaling of f(value)."""

    def fit(rows: Array) -> Affine:
        center, spread, *_ = standard()(FUNCTIONS[name].f(rows.astype(np.float64)))
        return Affine(center, spread, name)

    return fit


def _deviation(rows: Array) -> Array:
    """The standard deviation of each column, which divides by N; exactly 0 for a column that is constant."""
    constant = rows.min(axis=0) == rows.max(axis=0)  # a rounded mean leaves a tiny, wrong deviation
    found = np.where(constant, 0.0, rows.std(axis=0, dtype=np.float64))
    for k in np.flatnonzero((found < SMALL) & ~constant):  # squares of such small numbers are 0
        column = rows[:, k].astype(np.float64)
        largest = np.abs(column - column.mean()).max()
        found[k] = largest * np.std((column - column.mean()) / largest)
    deviation: Array = found
    return deviation
