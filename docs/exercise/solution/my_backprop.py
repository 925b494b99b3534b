"""Backpropagation in matrix form: a solution of the exercise."""

import numpy as np


def forward(W, b, f, x_0):
    """x_i = f_i(W_i x_{i−1} + b_i) for i = 1 … L, from the inputs x_0 (n_0 × N)."""
    L = len(W) - 1
    x = [None] * (L + 1)
    z = [None] * (L + 1)
    x[0] = x_0
    for i in range(1, L + 1):
        z[i] = W[i] @ x[i - 1]
        if b[i] is not None:
            z[i] = z[i] + b[i]
        x[i] = f[i](z[i])
    return x, z


def backward(W, b, df, dE, x, z, t):
    """δ_L, then δ_i for i = L−1 … 1, and with each the gradient of its layer."""
    L = len(W) - 1
    delta = [None] * (L + 1)
    dW = [None] * (L + 1)
    db = [None] * (L + 1)
    for i in range(L, 0, -1):
        if i == L:
            delta[L] = dE(x[L], t) * df[L](z[L])
        else:
            delta[i] = (W[i + 1].T @ delta[i + 1]) * df[i](z[i])
        dW[i] = delta[i] @ x[i - 1].T  # the product sums over the instances
        db[i] = np.sum(delta[i], axis=1, keepdims=True)
    return delta, dW, db


def step(W, b, f, df, dE, x_0, t, rate):
    """One update. The whole gradient comes first: δ_i is made of W_{i+1} as it was before."""
    x, z = forward(W, b, f, x_0)
    _, dW, db = backward(W, b, df, dE, x, z, t)
    for i in range(1, len(W)):
        W[i] = W[i] - rate[i] * dW[i]
        if b[i] is not None:
            b[i] = b[i] - rate[i] * db[i]
    return W, b
