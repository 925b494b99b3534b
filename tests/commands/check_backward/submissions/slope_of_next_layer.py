"""An index off by one: f' of the layer above."""

import numpy as np


def forward(W, b, f, x_0):
    x, z = [x_0], [None]
    for i in range(1, len(W)):
        z.append(W[i] @ x[-1] if b[i] is None else W[i] @ x[-1] + b[i])
        x.append(f[i](z[-1]))
    return x, z


def backward(W, b, df, dE, x, z, t):
    L = len(W) - 1
    delta, dW, db = [None] * (L + 1), [None] * (L + 1), [None] * (L + 1)
    g = dE(x[L], t)
    for i in range(L, 0, -1):
        delta[i] = g * df[min(i + 1, L)](z[i])
        dW[i] = np.dot(delta[i], x[i - 1].T)
        db[i] = np.sum(delta[i], 1, keepdims=True)
        g = np.dot(W[i].T, delta[i])
    return delta, dW, db
