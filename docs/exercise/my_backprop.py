"""Backpropagation in matrix form, to be filled in. The task is in docs/exercise.md.

Instances are columns. Lists are indexed as in the derivation, 0 … L, so W[1] is W_1; entry 0 of W, b, f, df and z is
None.

    bptrain check-backward my_backprop.py CONFIG
"""

import numpy as np


def forward(W, b, f, x_0):
    """x_i = f_i(W_i x_{i−1} + b_i) for i = 1 … L, from the inputs x_0 (n_0 × N).

    W[i] is n_i × n_{i−1}; b[i] is n_i × 1, or None for a layer without bias; f[i] is the function f_i.
    """
    L = len(W) - 1
    x = [None] * (L + 1)
    z = [None] * (L + 1)
    x[0] = np.asarray(x_0)
    for i in range(1, L + 1):
        raise NotImplementedError(f"z[{i}] = ?  and  x[{i}] = ?")
    return x, z


def backward(W, b, df, dE, x, z, t):
    """δ_L, then δ_i for i = L−1 … 1, and with each the gradient of its layer.

    df[i] is the function f_i', to be evaluated at z[i]. dE(x, t) is ∂E/∂x_L, to be evaluated at x[L] and the targets t.
    """
    L = len(W) - 1
    delta = [None] * (L + 1)
    dW = [None] * (L + 1)
    db = [None] * (L + 1)
    raise NotImplementedError("first delta[L] = ?  then a loop from i = L down to 1")
    return delta, dW, db
