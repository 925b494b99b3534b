"""The penalty on a weight, which the objective has once, and right below it its slope."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.parts.types import Array


class Penalty(NamedTuple):
    """What each weight adds to the objective, and the derivative of that; of arrays of any shape."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def penalty(l1: float, l2: float) -> Penalty:
    """l1 |w| + ½ l2 w², |w| as w sign(Re w). Tibshirani 1996 (l1); Krogh and Hertz 1992 (l2)."""

    def value(w: Array) -> Array:
        return (l1 * (w * np.sign(w.real)) if l1 else 0.0) + 0.5 * l2 * (w * w)

    def slope(w: Array) -> Array:
        return (l1 * np.sign(w.real) if l1 else 0.0) + l2 * w

    return Penalty(value, slope)
