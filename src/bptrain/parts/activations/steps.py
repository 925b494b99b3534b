"""Steps that several activations take: e^−|z|, the logistic function from it, and z held within bounds."""

import numpy as np

from bptrain.parts.types import Array

FAR = 1000.0  # e^−FAR is 0 in float64: what is multiplied by it may stop here, so that ∞ · 0 does not arise


def at_least(z: Array, low: float) -> Array:
    """z, or the bound that it has fallen below."""
    return np.where(z.real <= low, low, z)


def within(z: Array, low: float, high: float) -> Array:
    """z, or the bound that it has passed."""
    return np.where(z.real <= low, low, np.where(z.real >= high, high, z))


def size(z: Array) -> Array:
    """|z|, imaginary part kept."""
    return np.where(z.real <= 0, -z, z)


def decay(z: Array) -> Array:
    """e^−|z|, which cannot overflow."""
    return np.exp(-size(z))


def logistic(z: Array, e: Array) -> Array:
    """1 / (1 + e^−z) from e = e^−|z|: every digit is right where it is small too."""
    return np.where(z.real <= 0, e, 1.0) / (1.0 + e)
