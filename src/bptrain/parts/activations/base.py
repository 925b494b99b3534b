"""What an activation is, and where it is registered."""

import math
from collections.abc import Callable
from typing import NamedTuple

from bptrain.parts.types import Array
from bptrain.registry import Registry


class Activation(NamedTuple):
    """One activation. `f` keeps the dtype of z (N × n); so do the others, up to a wider `df`."""

    f: Callable[[Array], Array]  # z -> x
    df: Callable[[Array, Array], Array] | None = None  # (z, x) -> f'(z); None if not element-wise
    product: Callable[[Array, Array], Array] | None = None  # (x, g) -> Jᵀg, row by row; None if element-wise
    range: tuple[float, float] = (-math.inf, math.inf)  # of x, rounded outward; infinite bounds are open
    attains: bool = (
        False  # x takes its finite bounds at finite z, where a logarithm of the distance is infinite
    )
    kinks: tuple[float, ...] = ()  # the z at which f' jumps
    relu_family: bool = False  # initializer `auto` draws he_* rather than glorot_*
    distribution: bool = False  # each row of x sums to 1


activations: Registry[Activation] = Registry("activation")
