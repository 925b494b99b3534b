"""Activations of output layers: a value as it is, and shares of a whole."""

import numpy as np

from bptrain.parts.activations.base import Activation, activations
from bptrain.parts.types import Array


@activations.add("identity", "f(z) = z", "f'(z) = 1")
def identity() -> Activation:
    """z. The output of a regression."""

    def f(z: Array) -> Array:
        return z

    def df(z: Array, x: Array) -> Array:
        return np.ones_like(z)

    return Activation(f, df)


@activations.add("softmax", "f(z)_j = e^z_j / Σ_k e^z_k", "J = diag(x) − x xᵀ, x = f(z)")
def softmax() -> Activation:
    """e^z_j / Σ_k e^z_k. Its Jacobian is diag(x) − x xᵀ, so Jᵀg = x ∘ (g − Σ_k x_k g_k). Bridle 1990."""

    def f(z: Array) -> Array:
        e = np.exp(z - z.real.max(axis=-1, keepdims=True))  # softmax is the same for z and z + constant
        return e / e.sum(axis=-1, keepdims=True)

    def product(x: Array, g: Array) -> Array:
        return x * (g - (x * g).sum(axis=-1, keepdims=True))

    return Activation(f, product=product, range=(0.0, 1.0), distribution=True)
