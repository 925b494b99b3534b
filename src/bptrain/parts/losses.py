"""Losses: E(x, t) of each row, and right below it ∂E/∂x.

A row's loss sums over the outputs. Where a loss and the output activation form a canonical pair, the two
derivatives cancel to δ_L = x_L − t, and the loss is computed from z_L, which stays exact where x_L has
rounded to 0 or 1.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from bptrain.parts.activations import Activation
from bptrain.parts.types import Array
from bptrain.registry import Registry


def difference_terms(x: Array, t: Array) -> Array:
    """max(1, |x|) + |t|: the size of the terms of x − t, where x was rounded near 1."""
    return np.fmax(1.0, np.abs(x)) + np.abs(t)


class Loss(NamedTuple):
    """One loss of outputs x and targets t, both N × n_L."""

    E: Callable[[Array, Array], Array]  # (x, t) -> loss of each row, N
    dE: Callable[[Array, Array], Array]  # (x, t) -> ∂E/∂x, N × n_L
    canonical: str | None = None  # the activation with which δ_L = x_L − t
    E_of_z: Callable[[Array, Array], Array] | None = None  # (z_L, t) -> E for the canonical pair, stably
    # Σ |terms| of dE: how much rounding may enter it. Read by the gradient check alone.
    terms: Callable[[Array, Array], Array] = difference_terms
    # What an output stands for: any number, a probability of its own, or its share of a distribution.
    outputs: Literal["values", "probabilities", "distribution"] = "values"


losses: Registry[Loss] = Registry("loss")


def fits(loss: Loss, f_L: Activation) -> bool:
    """Whether the outputs of f_L are what the loss takes."""
    if loss.outputs == "distribution":
        return f_L.distribution
    if loss.outputs == "probabilities":
        low, high = f_L.range
        return low >= 0 and high <= 1 and not f_L.attains and not f_L.distribution
    return True


@losses.add("half_squared_error")
def half_squared_error() -> Loss:
    """½ ‖x − t‖². Canonical with identity. Rumelhart, Hinton and Williams 1986."""

    def E(x: Array, t: Array) -> Array:
        return 0.5 * ((x - t) * (x - t)).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return x - t

    return Loss(E, dE, canonical="identity", E_of_z=E)


@losses.add("binary_cross_entropy")
def binary_cross_entropy() -> Loss:
    """−Σ [t ln x + (1 − t) ln(1 − x)]. Each output is a yes or no of its own. Canonical with sigmoid. Hinton 1989.

    From z it is Σ [ln(1 + e^z) − t z], with ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|).
    """

    def E(x: Array, t: Array) -> Array:
        yes = np.where(t == 0, 0.0, t * np.log(x))
        no = np.where(t == 1, 0.0, (1.0 - t) * np.log1p(-x))
        return -(yes + no).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return (x - t) / (x * (1.0 - x))

    def E_of_z(z: Array, t: Array) -> Array:
        positive = np.where(z.real <= 0, 0.0, z)
        minus_size = np.where(z.real <= 0, z, -z)  # −|z|, imaginary part kept
        return (positive + np.log1p(np.exp(minus_size)) - t * z).sum(axis=-1)

    def terms(x: Array, t: Array) -> Array:
        return difference_terms(x, t) / np.abs(x * (1.0 - x))

    return Loss(E, dE, canonical="sigmoid", E_of_z=E_of_z, terms=terms, outputs="probabilities")


@losses.add("cross_entropy")
def cross_entropy() -> Loss:
    """−Σ_k t_k ln x_k. The rows of t and x are distributions. Canonical with softmax. Bridle 1990.

    From z it is Σ_k t_k (ln Σ_j e^z_j − z_k).
    """

    def E(x: Array, t: Array) -> Array:
        return -np.where(t == 0, 0.0, t * np.log(x)).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return -np.where(t == 0, 0.0, t / x)

    def E_of_z(z: Array, t: Array) -> Array:
        shifted = z - z.real.max(axis=-1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return (t * (log_sum - shifted)).sum(axis=-1)

    def terms(x: Array, t: Array) -> Array:
        return np.where(t == 0, 0.0, np.abs(t / x))

    return Loss(E, dE, canonical="softmax", E_of_z=E_of_z, terms=terms, outputs="distribution")
