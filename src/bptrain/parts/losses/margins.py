"""Losses of margins: the sign of an output is the answer. y is −1 for the target 0 and +1 for the target 1.

One output separates two classes; with several, each is one class against the rest (or a separate yes or no).
"""

import numpy as np

from bptrain.parts.losses.base import Loss, losses
from bptrain.parts.types import Array


def margin_terms(x: Array, t: Array) -> Array:
    """1 + |y x|: the size of the terms of 1 − y x."""
    return 1.0 + np.abs((2.0 * t - 1.0) * x)


@losses.add("hinge", "E = Σ_j max(0, 1 − {y}_j x_j)", "∂E/∂x = −{y} for {y} ∘ x < 1, else 0", "{y} = 2 t − 1")
def hinge() -> Loss:
    """Σ max(0, 1 − y x), with y = 2t − 1. Its slope at y x = 1 is 0. Cortes and Vapnik 1995.

    With several outputs it is the sum of the one-versus-rest losses, not the multi-class form of Crammer and Singer
    2001 (PyTorch's MultiMarginLoss).
    """

    def E(x: Array, t: Array) -> Array:
        short = 1.0 - (2.0 * t - 1.0) * x
        return np.where(short.real <= 0, 0.0, short).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        short = 1.0 - (2.0 * t - 1.0) * x
        return np.where(short <= 0, 0.0, 1.0 - 2.0 * t)

    def terms(x: Array, t: Array) -> Array:
        return np.ones_like(x)

    return Loss(E, dE, terms=terms, outputs="margins", output="identity")


@losses.add(
    "squared_hinge", "E = Σ_j max(0, 1 − {y}_j x_j)²", "∂E/∂x = −2 {y} ∘ max(0, 1 − {y} ∘ x)", "{y} = 2 t − 1"
)
def squared_hinge() -> Loss:
    """Σ max(0, 1 − y x)², with y = 2t − 1. Smooth at y x = 1, and sensitive to outliers. Chang, Hsieh and Lin 2008.

    Without the factor ½ of some definitions (as in scikit-learn and Keras).
    """

    def E(x: Array, t: Array) -> Array:
        short = 1.0 - (2.0 * t - 1.0) * x
        kept = np.where(short.real <= 0, 0.0, short)
        return (kept * kept).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        short = 1.0 - (2.0 * t - 1.0) * x
        return 2.0 * (1.0 - 2.0 * t) * np.where(short <= 0, 0.0, short)

    def terms(x: Array, t: Array) -> Array:
        return 2.0 * margin_terms(x, t)

    return Loss(E, dE, terms=terms, outputs="margins", output="identity")
