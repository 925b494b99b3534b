"""The scale that an error of a gradient is held against: how much rounding may enter it.

Where rounding is large, right code may differ from the exact gradient by as much. So the error of a block is taken
relative to a scale s, the norm of the same backward product in absolute values, each factor that rounding can spoil
raised by 10⁻³:

    ‖a − n‖ / max(‖a‖, ‖n‖, s),  and 0 where all three are 0

so that rounding is not held against a gradient that cancels, as in saturated units or at a minimum.

Absolute values never cancel, and so s outgrows the gradient by a factor of some √n in every layer of n units: twenty
layers on it would excuse anything. Roundings do cancel; they add up as the root of their squares. So the verdict goes
by q, the same product with squares in the place of absolute values (p = 2), which is never more than s.
"""

from typing import NamedTuple

import numpy as np

from bptrain.core.network import PLAIN, BatchContext, Network, views
from bptrain.gradient_check.point import Point
from bptrain.parts.types import Array

FLOOR = 1e-3  # what a factor that rounding can spoil is raised by


class Scale(NamedTuple):
    """s of each parameter, flat, of each input, N × n_0, and of each row's δ_i, N × n_i."""

    w: Array
    X_0: Array
    D: list[Array]  # A_1 … A_L; entry 0 is that of the inputs


def rounding_scale(network: Network, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
    """s of each parameter, flat."""
    return scale_at(Point(network, w, X, T, context), p=1).w


def scale_at(point: Point, p: int = 2) -> Scale:
    """The backward product in absolute values (p = 1), or in squares, of which the root is taken (p = 2).

    With A_i for |D_i|: A_L = |x_L − t| + 10⁻³ (max(1, |x_L|) + |t|) for a canonical pair, else (|dE| + 10⁻³ Σ|terms
    of dE|) ∘ (|f_L'| + 10⁻³); A_i = (A_{i+1} |W_{i+1}|) ∘ (|f_i'| + 10⁻³); s of W_i is A_iᵀ (|X_{i−1}| + 10⁻³), with
    |X_0| as it is; s of b_i is the column sums of A_i; s of X_0 is A_1 |W_1|. A Jacobian product (softmax) is left
    out, and so are penalties; what a row weighs and masks multiply as they do in the gradient.
    """
    network, T, (V, M) = point.network, point.T, point.context
    space, loss = point.space, network.loss
    X_L = space.X[network.L]

    def slope(i: int) -> Array | float:
        df = network.activations[i].df
        return 1.0 if df is None else np.abs(df(space.Z[i], space.X[i])) + FLOOR

    def product(A: Array, B: Array) -> Array:
        return np.asarray(A @ B if p == 1 else np.sqrt((A * A) @ (B * B)))

    scale = np.empty_like(point.w)
    S = views(network, scale)
    if network.canonical:
        A = np.abs(X_L - T) + FLOOR * (np.fmax(1.0, np.abs(X_L)) + np.abs(T))
    else:
        A = (np.abs(loss.dE(X_L, T)) + FLOOR * loss.terms(X_L, T)) * slope(network.L)
    A = A * (1.0 if V is None else np.abs(V)[:, None]) / point.divisor
    D, ones = [A] * (network.L + 1), np.ones(len(A))
    for i in range(network.L, 0, -1):
        x = np.abs(space.X[i - 1]) + (FLOOR if i > 1 else 0.0)
        S.W[i][...] = product(A.T, x * M[i - 1] if i - 1 in M else x)
        bias = S.b[i]
        if bias is not None:
            bias[...] = product(A.T, ones)
        A = product(A, np.abs(point.parameters.W[i])) * M.get(i - 1, 1.0)
        if i > 1:
            A = A * slope(i - 1)
        D[i - 1] = A
    return Scale(scale, A, D)
