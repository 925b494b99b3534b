"""Losses of numbers: how far x is from t, whatever the range of both. d is x − t. absolute_error and quantile have a
kink at d = 0, where the mean of the slopes on both sides is used (as in PyTorch);
huber and log_cosh are smooth to the first derivative.
"""

import math

import numpy as np

from bptrain.parts.losses.base import Loss, difference_terms, losses
from bptrain.parts.types import Array, Inside, Positive

LN2 = math.log(2.0)


@losses.add("half_squared_error", "E = ½ ‖x − t‖²", "∂E/∂x = x − t")
def half_squared_error() -> Loss:
    """½ ‖x − t‖². Canonical with identity. Rumelhart, Hinton and Williams 1986."""

    def E(x: Array, t: Array) -> Array:
        return 0.5 * ((x - t) * (x - t)).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return x - t

    return Loss(E, dE, canonical="identity", E_of_z=E)


@losses.add("mean_squared_error", "E = ‖x − t‖² / n_L", "∂E/∂x = 2 (x − t) / n_L")
def mean_squared_error() -> Loss:
    """‖x − t‖² / n_L. The mean over the n_L outputs, as in PyTorch, Keras and scikit-learn's metric.

    It is 2/n_L times half_squared_error: the gradient is twice as large with one output, and the same with two.
    """

    def E(x: Array, t: Array) -> Array:
        return ((x - t) * (x - t)).mean(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return (2.0 / x.shape[-1]) * (x - t)

    def terms(x: Array, t: Array) -> Array:
        return (2.0 / x.shape[-1]) * difference_terms(x, t)

    return Loss(E, dE, terms=terms)


@losses.add("absolute_error", "E = Σ_j |x_j − t_j|", "∂E/∂x = sign(x − t)")
def absolute_error() -> Loss:
    """Σ |x − t|. Its minimum is the median of t, so outliers have little influence. Boscovich 1757, Laplace 1793."""

    def E(x: Array, t: Array) -> Array:
        d = x - t
        return (np.sign(d.real) * d).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return np.sign(x - t)

    return Loss(E, dE, terms=_one)


@losses.add(
    "huber",
    "E = Σ_j (½ {d}_j² for |{d}_j| ≤ {delta}, else {delta} (|{d}_j| − ½ {delta}))",
    "∂E/∂x = {d} for |{d}| ≤ {delta}, else {delta} sign({d})",
    "{d} = x − t",
)
def huber(delta: Positive = 1.0) -> Loss:
    """Σ ½ d² where |d| ≤ κ, else κ (|d| − ½ κ), with d = x − t. Huber 1964; PyTorch's HuberLoss.

    κ is delta, in units of the scaled targets (δ is the error of backpropagation). PyTorch's smooth_l1 is this over κ.
    """

    def E(x: Array, t: Array) -> Array:
        d = x - t
        size = np.sign(d.real) * d
        return np.where(size.real <= delta, 0.5 * d * d, delta * (size - 0.5 * delta)).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        d = x - t
        return np.where(np.sign(d) * d <= delta, d, delta * np.sign(d))

    def terms(x: Array, t: Array) -> Array:
        return np.where(np.abs(x - t) <= delta, difference_terms(x, t), delta)

    return Loss(E, dE, terms=terms)


@losses.add("log_cosh", "E = Σ_j ln cosh(x_j − t_j)", "∂E/∂x = tanh(x − t)")
def log_cosh() -> Loss:
    """Σ ln cosh(x − t). About ½ d² for small d = x − t, and |d| − ln 2 for large d. Green 1990.

    Computed as ln(1 + 2 sinh² ½d) for |d| ≤ 0.6, which is accurate near 0, and as |d| − ln 2 + ln(1 + e^−2|d|) beyond.
    """

    def E(x: Array, t: Array) -> Array:
        d = x - t
        size = np.sign(d.real) * d
        half = np.sinh(np.where(size.real <= 0.6, 0.5 * d, 0.0))
        near = np.log1p(2.0 * half * half)
        return np.where(size.real <= 0.6, near, (size - LN2) + np.log1p(np.exp(-2.0 * size))).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return np.tanh(x - t)

    def terms(x: Array, t: Array) -> Array:
        slope = np.tanh(x - t)
        return np.abs(slope) + (1.0 - slope * slope) * difference_terms(x, t)

    return Loss(E, dE, terms=terms)


@losses.add(
    "quantile", "E = Σ_j max({tau} (t_j − x_j), (1 − {tau}) (x_j − t_j))", "∂E/∂x = ½ sign(x − t) + ½ − {tau}"
)
def quantile(tau: Inside = 0.5) -> Loss:
    """Σ max(τ (t − x), (1 − τ) (x − t)). Its minimum is the τ-quantile of t. Koenker and Bassett 1978.

    Also called pinball loss. With τ = ½ it is half of absolute_error.
    """

    def slope(d: Array) -> Array:
        side = np.sign(d)
        return np.where(d == 0, 0.5 - tau, np.where(d <= 0, tau * side, (1.0 - tau) * side))

    def E(x: Array, t: Array) -> Array:
        d = x - t
        return (slope(d.real) * d).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return slope(x - t)

    return Loss(E, dE, terms=_one)


def _one(x: Array, t: Array) -> Array:
    """The terms of a slope that is a constant on either side of its kink."""
    return np.ones_like(x)
