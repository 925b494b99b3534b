"""einsum, tuples, and the list from its end."""

import numpy as np


def forward(W, b, f, x_0):
    x, z = (x_0,), (None,)
    for i in range(1, len(W)):
        z += (np.einsum("jk,kn->jn", W[i], x[-1]) + (b[i] if b[i] is not None else 0),)
        x += (f[i](z[-1]),)
    return x, z


def backward(W, b, df, dE, x, z, t):
    deltas = [df[-1].product(z[-1], dE(x[-1], t))]
    for i in reversed(range(1, len(W) - 1)):
        deltas.insert(0, df[i].product(z[i], np.einsum("jk,jn->kn", W[i + 1], deltas[0])))
    dW = (np.einsum("jn,kn->jk", d, x_below) for d, x_below in zip(deltas, x))
    db = (None if b_i is None else np.einsum("jn->j", d)[:, None] for d, b_i in zip(deltas, b[1:]))
    return (None, *deltas), (None, *dW), (None, *db)
