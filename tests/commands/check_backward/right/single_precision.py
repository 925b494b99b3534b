"""All of it in float32."""

import numpy as np


def forward(W, b, f, x_0):
    x, z = [np.float32(x_0)], [None]
    for i in range(1, len(W)):
        z.append(np.float32(W[i]) @ x[-1] + (0 if b[i] is None else np.float32(b[i])))
        x.append(np.float32(f[i](z[-1])))
    return x, z


def backward(W, b, df, dE, x, z, t):
    L = len(W) - 1
    delta, dW, db = [None] * (L + 1), [None] * (L + 1), [None] * (L + 1)
    delta[L] = np.float32(df[L].product(z[L], dE(x[L], t)))
    for i in range(L - 1, 0, -1):
        delta[i] = np.float32(df[i].product(z[i], np.float32(W[i + 1].T) @ delta[i + 1]))
    for i in range(1, L + 1):
        dW[i] = delta[i] @ np.float32(x[i - 1].T)
        db[i] = delta[i].sum(axis=1, keepdims=True)
    return delta, dW, db
