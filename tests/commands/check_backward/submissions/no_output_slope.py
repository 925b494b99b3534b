"""Forgot f' in the output layer."""


def forward(W, b, f, x_0):
    x, z = [x_0], [None]
    for i in range(1, len(W)):
        z.append(W[i] @ x[-1] if b[i] is None else W[i] @ x[-1] + b[i])
        x.append(f[i](z[-1]))
    return x, z


def backward(W, b, df, dE, x, z, t):
    last = len(W) - 1
    d = x[last] - t
    deltas, grads, biases = [d], [d @ x[last - 1].T], [d.sum(axis=1, keepdims=True)]
    for i in reversed(range(1, last)):
        d = (W[i + 1].T @ d) * df[i](z[i])
        deltas.insert(0, d)
        grads.insert(0, d @ x[i - 1].T)
        biases.insert(0, d.sum(axis=1, keepdims=True))
    return [None, *deltas], [None, *grads], [None, *biases]
