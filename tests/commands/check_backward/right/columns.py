"""One instance after the other."""

import numpy as np


def forward(W, b, f, x_0):
    L = len(W) - 1
    x = [x_0] + [np.empty((len(W[i]), x_0.shape[1])) for i in range(1, L + 1)]
    z = [None] + [np.empty((len(W[i]), x_0.shape[1])) for i in range(1, L + 1)]
    for n in range(x_0.shape[1]):
        for i in range(1, L + 1):
            z[i][:, n] = W[i] @ x[i - 1][:, n] + (0 if b[i] is None else b[i][:, 0])
            x[i][:, n] = f[i](z[i][:, n])
    return x, z


def backward(W, b, df, dE, x, z, t):
    L = len(W) - 1
    delta = [None] + [np.zeros_like(z[i]) for i in range(1, L + 1)]
    dW = [None] + [np.zeros_like(W[i]) for i in range(1, L + 1)]
    db = [None] + [np.zeros((len(W[i]), 1)) for i in range(1, L + 1)]
    for n in range(t.shape[1]):
        d = df[L].product(z[L][:, n], dE(x[L][:, n], t[:, n]))
        for i in range(L, 0, -1):
            delta[i][:, n] = d
            dW[i] += np.outer(d, x[i - 1][:, n])
            db[i][:, 0] += d
            if i > 1:
                d = df[i - 1].product(z[i - 1][:, n], W[i].T @ d)
    return delta, dW, db
