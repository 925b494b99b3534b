"""Activations: x = f(z), and right below it f'(z).

`df(z, x)` is given x = f(z) as well and uses whichever is cheaper. An activation that is not element-wise
(softmax) has no f'; it supplies the product Jᵀg of its Jacobian with a vector instead.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.parts.types import Array, NonNegative
from bptrain.registry import Registry


class Activation(NamedTuple):
    """One activation. `f` keeps the dtype of z (N × n); so do the others, up to a wider `df`."""

    f: Callable[[Array], Array]  # z -> x
    df: Callable[[Array, Array], Array] | None = None  # (z, x) -> f'(z); None if not element-wise
    product: Callable[[Array, Array], Array] | None = None  # (x, g) -> Jᵀg, row by row; None if element-wise
    range: tuple[float, float] = (-math.inf, math.inf)  # of x; infinite bounds are open
    attains: bool = False  # x takes its finite bounds at finite z
    kinks: tuple[float, ...] = ()  # the z at which f' jumps
    relu_family: bool = False  # initializer `auto` draws he_* rather than glorot_*
    distribution: bool = False  # each row of x sums to 1


activations: Registry[Activation] = Registry("activation")


@activations.add("identity")
def identity() -> Activation:
    """z. The output of a regression."""

    def f(z: Array) -> Array:
        return z

    def df(z: Array, x: Array) -> Array:
        return np.ones_like(z)

    return Activation(f, df)


@activations.add("sigmoid")
def sigmoid() -> Activation:
    """1 / (1 + e^−z). Computed as ½ + ½ tanh(z/2), which cannot overflow. Rumelhart, Hinton and Williams 1986."""

    def f(z: Array) -> Array:
        return 0.5 + 0.5 * np.tanh(0.5 * z)

    def df(z: Array, x: Array) -> Array:
        return x * (1.0 - x)

    return Activation(f, df, range=(0.0, 1.0))


@activations.add("tanh")
def tanh() -> Activation:
    """tanh z. LeCun, Bottou, Orr and Müller 1998."""

    def f(z: Array) -> Array:
        return np.tanh(z)

    def df(z: Array, x: Array) -> Array:
        return 1.0 - x * x

    return Activation(f, df, range=(-1.0, 1.0))


@activations.add("relu")
def relu() -> Activation:
    """max(z, 0). f'(0) = 0. Nair and Hinton 2010."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, 0.0, z)

    def df(z: Array, x: Array) -> Array:
        return np.where(z.real <= 0, 0.0, 1.0)

    return Activation(f, df, range=(0.0, math.inf), attains=True, kinks=(0.0,), relu_family=True)


@activations.add("leaky_relu")
def leaky_relu(slope: NonNegative = 0.01) -> Activation:
    """z for z > 0, else slope z. f'(0) = slope. Maas, Hannun and Ng 2013."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, slope * z, z)

    def df(z: Array, x: Array) -> Array:
        return np.where(z.real <= 0, slope, 1.0)

    return Activation(f, df, kinks=(0.0,), relu_family=True)


@activations.add("softplus")
def softplus() -> Activation:
    """ln(1 + e^z). Computed as max(z, 0) + ln(1 + e^−|z|); f' = 1 − e^−x. Dugas et al. 2001."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, 0.0, z) + np.log1p(np.exp(np.where(z.real <= 0, z, -z)))

    def df(z: Array, x: Array) -> Array:
        return -np.expm1(-x)

    return Activation(f, df, range=(0.0, math.inf))


@activations.add("softmax")
def softmax() -> Activation:
    """e^z_j / Σ_k e^z_k. Its Jacobian is diag(x) − x xᵀ, so Jᵀg = x ∘ (g − Σ_k x_k g_k). Bridle 1990."""

    def f(z: Array) -> Array:
        e = np.exp(z - z.real.max(axis=-1, keepdims=True))  # softmax is the same for z and z + constant
        return e / e.sum(axis=-1, keepdims=True)

    def product(x: Array, g: Array) -> Array:
        return x * (g - (x * g).sum(axis=-1, keepdims=True))

    return Activation(f, product=product, range=(0.0, 1.0), distribution=True)
