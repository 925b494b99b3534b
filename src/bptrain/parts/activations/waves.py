"""Activations that rise and fall."""

import numpy as np

from bptrain.parts.activations.base import Activation, activations
from bptrain.parts.activations.steps import FAR, within
from bptrain.parts.types import Array


@activations.add("sine", "f(z) = sin z", "f'(z) = cos z")
def sine() -> Activation:
    """sin z. Lapedes and Farber 1987; Sitzmann et al. 2020."""

    def f(z: Array) -> Array:
        return np.sin(z)

    def df(z: Array, x: Array) -> Array:
        return np.cos(z)

    return Activation(f, df, range=(-1.0, 1.0), attains=True)


@activations.add("gaussian", "f(z) = e^(−z²)", "f'(z) = −2 z e^(−z²)")
def gaussian() -> Activation:
    """e^(−z²). Broomhead and Lowe 1988."""

    def f(z: Array) -> Array:
        z = within(z, -FAR, FAR)
        return np.exp(-(z * z))

    def df(z: Array, x: Array) -> Array:
        return -2.0 * within(z, -FAR, FAR) * x

    return Activation(f, df, range=(0.0, 1.0), attains=True)
