"""What a loss is, where it is registered, and which outputs it takes."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from bptrain.parts.activations import Activation
from bptrain.parts.types import Array
from bptrain.registry import Registry

# What an output stands for: any number; a number above 0; a separate probability, or its share of a distribution; how
# far a row lies on the side of yes (above 0) or of no.
Outputs = Literal["values", "positive", "probabilities", "distribution", "margins"]


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
    outputs: Outputs = "values"
    output: str | None = None  # the output activation where a config names none; None leaves it to the task
    # ε: t ← (1 − ε) t + ε/K where targets are encoded; K: the classes of a distribution, or the 2 of a yes or no
    smoothing: float = 0.0


losses: Registry[Loss] = Registry("loss")


def fits(loss: Loss, f_L: Activation) -> bool:
    """Whether the outputs of f_L are what the loss takes."""
    low, high = f_L.range
    if loss.outputs == "distribution":
        return f_L.distribution
    if loss.outputs == "values":
        return True
    if f_L.distribution:
        return False
    if loss.outputs == "margins":
        return low <= -1 and high >= 1
    return low >= 0 and not f_L.attains and (high == math.inf if loss.outputs == "positive" else high <= 1)
