"""The forward pass, checked by itself: the numeric gradient takes its z and x from there."""

import numpy as np

from bptrain.gradient_check.point import Point


def forward_error(point: Point) -> float:
    """How far `forward` is from z_i = W_i x_{i−1} + b_i and x_i = f_i(z_i), relative to the terms' absolute values."""
    network, space, M = point.network, point.space, point.context.dropout_masks
    worst = 0.0
    for i in range(1, network.L + 1):
        W, b = point.parameters.W[i], point.parameters.b[i]
        bias = np.zeros(len(W)) if b is None else b
        x = point.X_0 if i == 1 else space.X[i - 1]
        x = x * M[i - 1] if i - 1 in M else x
        Z = np.einsum("nk,jk->nj", x, W) + bias
        terms = np.einsum("nk,jk->nj", np.abs(x), np.abs(W)) + np.abs(bias)
        difference = np.abs(space.Z[i] - Z) / np.where(terms == 0, 1.0, terms)
        same = np.array_equal(space.X[i], network.activations[i].f(space.Z[i]), equal_nan=True)
        worst = float(np.max([worst, difference.max(initial=0.0), 0.0 if same else np.inf]))
    return worst
