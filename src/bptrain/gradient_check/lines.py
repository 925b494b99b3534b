"""The backward pass line by line. Each line can be replaced, to compute what a slip in that line would give.

`Lines()` is the derivation, from derivatives by the complex step (`point.py`):

    D_L = ∂E/∂Z_L, times v_n, divided by Σ v_n        `output`, `reduction`
    G_i = (D_{i+1} W_{i+1}) ∘ M_i                     `carry`, `drop`     ∂objective/∂X_i
    D_i = G_i ∘ f_i'(Z_i), or J_iᵀ g                  `through`
    dW_i = D_iᵀ Y_{i−1}                               `weight`
    db_i = 1ᵀ D_i                                     `bias`
    dW_i + l1 sign(W_i) + l2 W_i                      `penalty`
    D_0 back through the steps before W_1             `steps`
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bptrain.core.network import views
from bptrain.gradient_check import input_steps
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.types import Array


def output(point: GradientPoint) -> Array:
    """∂E/∂z_L of each row, N × n_L."""
    return point.D_L


def reduction(point: GradientPoint, D: Array) -> Array:
    """Times each row's weight, and divided for the mean."""
    V = point.context.sample_weight
    return (D if V is None else D * V[:, None]) / point.divisor


def carry(point: GradientPoint, i: int, D: Array) -> Array:
    """D_{i+1} W_{i+1}: what layer i + 1 passes down to layer i; N × n_i."""
    return D @ point.parameters.W[i + 1]


def drop(point: GradientPoint, i: int, G: Array) -> Array:
    """∘ M_i, where units of layer i are dropped."""
    return G * point.context.dropout_masks[i] if i in point.context.dropout_masks else G


def through(point: GradientPoint, i: int, G: Array) -> Array:
    """∘ f_i'(Z_i), or each row's J_iᵀ g; N × n_i."""
    if i in point.slopes:
        return G * point.slopes[i]
    return np.einsum("njk,nj->nk", point.jacobians[i], G)


def weight(point: GradientPoint, i: int, D: Array) -> Array:
    """D_iᵀ Y_{i−1}, n_i × n_{i−1}."""
    return D.T @ point.space.Y[i - 1]


def bias(point: GradientPoint, i: int, D: Array) -> Array:
    """The column sums of D_i, n_i."""
    return np.asarray(D.sum(axis=0))


def penalty(point: GradientPoint, i: int, dW: Array) -> Array:
    """dW_i with the slope of the penalty on W_i."""
    of_one = point.network.penalty
    return dW if of_one is None else dW + of_one.slope(point.parameters.W[i])


@dataclass(frozen=True)
class Lines:
    """The lines of a backward pass; `dataclasses.replace` makes one that differs in one of them."""

    output: Callable[[GradientPoint], Array] = output
    reduction: Callable[[GradientPoint, Array], Array] = reduction
    carry: Callable[[GradientPoint, int, Array], Array] = carry
    drop: Callable[[GradientPoint, int, Array], Array] = drop
    through: Callable[[GradientPoint, int, Array], Array] = through
    weight: Callable[[GradientPoint, int, Array], Array] = weight
    bias: Callable[[GradientPoint, int, Array], Array] = bias
    penalty: Callable[[GradientPoint, int, Array], Array] = penalty
    steps: Callable[[GradientPoint], input_steps.Pass] = input_steps.plain


class Backward(NamedTuple):
    """What a backward pass gives: D_1 … D_L (entry 0 is ∂objective/∂X_0), and the flat gradient."""

    D: list[Array]
    g: Array


def backward(point: GradientPoint, lines: Lines | None = None) -> Backward:
    """The backward pass at a point, by these lines; without them by the derivation's own."""
    lines = lines or Lines()
    L = point.network.L
    D = [np.empty(0)] * (L + 1)
    g = np.empty_like(point.w)
    into = views(point.network, g)
    D[L] = lines.reduction(point, lines.output(point))
    for i in range(L, 0, -1):
        into.W[i][...] = lines.penalty(point, i, lines.weight(point, i, D[i]))
        if (db := into.b[i]) is not None:
            db[...] = lines.bias(point, i, D[i])
        G = lines.drop(point, i - 1, lines.carry(point, i - 1, D[i]))
        D[i - 1] = lines.through(point, i - 1, G) if i > 1 else G
    input_steps.back(point, D[0], into, lines.steps(point))
    return Backward(D, g)
