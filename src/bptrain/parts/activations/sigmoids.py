"""Activations that go from one level to another."""

import numpy as np

from bptrain.parts.activations.base import Activation, activations
from bptrain.parts.activations.steps import growth, logistic, size, within
from bptrain.parts.types import Array

LEVEL = 1e30  # beyond it z / (1 + |z|) is ±1 in float64, and ∞ / ∞ does not arise


@activations.add("sigmoid", "f(z) = 1 / (1 + e^(−z))", "f'(z) = f(z) (1 − f(z))")
def sigmoid() -> Activation:
    """1 / (1 + e^−z). Computed as e^z / (1 + e^z), which is accurate where it is small. f' = x (1 − x).

    Rumelhart, Hinton and Williams 1986.
    """

    def f(z: Array) -> Array:
        return logistic(growth(z))

    def df(z: Array, x: Array) -> Array:
        return x * (1.0 - x)

    return Activation(f, df, range=(0.0, 1.0))


@activations.add("hard_sigmoid", "f(z) = min(max(z + 3, 0), 6) / 6", "f'(z) = 1/6 for |z| < 3, else 0")
def hard_sigmoid() -> Activation:
    """min(max(z + 3, 0), 6) / 6. f'(±3) = 0. Courbariaux, Bengio and David 2015; with slope ⅙, Howard et al. 2019.

    As in PyTorch and Keras 3; the older form, min(max(0.2 z + 0.5, 0), 1), is steeper.
    """

    def f(z: Array) -> Array:
        return within(z + 3.0, 0.0, 6.0) / 6.0

    def df(z: Array, x: Array) -> Array:
        return np.where(x <= 0, 0.0, np.where(x >= 1, 0.0, 1.0 / 6.0))

    return Activation(f, df, range=(0.0, 1.0), attains=True, kinks=(-3.0, 3.0))


@activations.add("tanh", "f(z) = tanh z", "f'(z) = 1 − f(z)²")
def tanh() -> Activation:
    """tanh z. LeCun, Bottou, Orr and Müller 1998."""

    def f(z: Array) -> Array:
        return np.tanh(z)

    def df(z: Array, x: Array) -> Array:
        return 1.0 - x * x

    return Activation(f, df, range=(-1.0, 1.0))


@activations.add("hard_tanh", "f(z) = min(max(z, −1), 1)", "f'(z) = 1 for |z| < 1, else 0")
def hard_tanh() -> Activation:
    """min(max(z, −1), 1). f'(±1) = 0. Collobert 2004."""

    def f(z: Array) -> Array:
        return within(z, -1.0, 1.0)

    def df(z: Array, x: Array) -> Array:
        return np.where(x <= -1, 0.0, np.where(x >= 1, 0.0, 1.0))

    return Activation(f, df, range=(-1.0, 1.0), attains=True, kinks=(-1.0, 1.0))


@activations.add("softsign", "f(z) = z / (1 + |z|)", "f'(z) = 1 / (1 + |z|)²")
def softsign() -> Activation:
    """z / (1 + |z|). Bergstra, Desjardins, Lamblin and Bengio 2009; Elliott 1993."""

    def f(z: Array) -> Array:
        z = within(z, -LEVEL, LEVEL)
        return z / (1.0 + size(z))

    def df(z: Array, x: Array) -> Array:
        r = 1.0 / (1.0 + size(z))
        return r * r

    return Activation(f, df, range=(-1.0, 1.0))
