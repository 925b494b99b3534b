"""Backpropagation for softmax and cross_entropy: a solution of the second exercise."""

import numpy as np


def forward(W, b, f, x_0):
    """x_i = f_i(W_i x_{i−1} + b_i) for i = 1 … L, from the inputs x_0 (n_0 × N)."""
    x, z = [x_0], [None]
    for i in range(1, len(W)):
        z.append(W[i] @ x[i - 1] + b[i])
        x.append(f[i](z[i]))
    return x, z


def backward(W, b, df, dE, x, z, t):
    """δ_L = x_L − t: the Jacobian of softmax and the derivative of cross_entropy cancel to it."""
    L = len(W) - 1
    delta, dW, db = [None] * (L + 1), [None] * (L + 1), [None] * (L + 1)
    delta[L] = x[L] - t
    for i in range(L - 1, 0, -1):
        delta[i] = (W[i + 1].T @ delta[i + 1]) * df[i](z[i])
    for i in range(1, L + 1):
        dW[i] = delta[i] @ x[i - 1].T
        db[i] = np.sum(delta[i], axis=1, keepdims=True)
    return delta, dW, db
