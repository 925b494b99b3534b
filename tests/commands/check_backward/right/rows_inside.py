"""Rows inside, as libraries have them, with biases as a column of weights; prints as it goes."""

import numpy as np


def forward(W, b, f, x_0):
    x, z = [x_0], [None]
    for i in range(1, len(W)):
        z.append(W[i] @ x[-1] if b[i] is None else W[i] @ x[-1] + b[i])
        x.append(f[i](z[-1]))
    return x, z


def backward(W, b, df, dE, x, z, t):
    L = len(W) - 1
    D = {L: df[L].product(z[L], dE(x[L], t)).T}
    for i in range(L - 1, 0, -1):
        D[i] = df[i].product(z[i], (D[i + 1] @ W[i + 1]).T).T
    print("deltas", sorted(D))
    G = {i: D[i].T @ np.hstack([x[i - 1].T, np.ones((t.shape[1], 1))]) for i in D}
    layers = range(1, L + 1)
    return (
        [None, *(D[i].T for i in layers)],
        [0, *(G[i][:, :-1] for i in layers)],
        [0, *(G[i][:, -1:] for i in layers)],
    )


def step(W, b, f, df, dE, x_0, t, rate):
    x, z = forward(W, b, f, x_0)
    _, dW, db = backward(W, b, df, dE, x, z, t)
    for i in range(1, len(W)):
        W[i] -= rate[i] * dW[i]  # in place
        if b[i] is not None:
            b[i] -= rate[i] * db[i]
    return W, b
