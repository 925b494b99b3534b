"""Steps that several parts take: e^z and e^−|z| without overflow, the logistic function, z held within bounds."""

import numpy as np

from bptrain.parts.types import Array

FAR = 1000.0  # e^−FAR is 0 in float64: what is multiplied by it may stop here, so that ∞ · 0 does not arise
HELD = 80.0  # beside e^HELD 1 is lost in float64, and even float32 has it


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


def growth(z: Array) -> Array:
    """e^z up to z = HELD, then e^HELD. Of complex numbers minimum takes the one with the smaller real part."""
    return np.exp(np.minimum(z, HELD))


def logistic(e: Array) -> Array:
    """1 / (1 + e^−z) from e = e^z: every digit is right where it is small, too."""
    return e / (1.0 + e)
