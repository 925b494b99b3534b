"""Submissions written out by the tests."""

from pathlib import Path

FORWARD = """
import numpy as np

def forward(W, b, f, x_0):
    x, z = [x_0], [None]
    for i in range(1, len(W)):
        z.append(W[i] @ x[-1] if b[i] is None else W[i] @ x[-1] + b[i])
        x.append(f[i](z[-1]))
    return x, z
"""
BACKWARD = """
def backward(W, b, df, dE, x, z, t):
    L = len(W) - 1
    delta, dW, db = [None] * (L + 1), [None] * (L + 1), [None] * (L + 1)
    delta[L] = df[L].product(z[L], dE(x[L], t))
    for i in range(L - 1, 0, -1):
        delta[i] = df[i].product(z[i], W[i + 1].T @ delta[i + 1])
    for i in range(1, L + 1):
        dW[i] = delta[i] @ x[i - 1].T
        db[i] = delta[i].sum(axis=1, keepdims=True)
    return delta, dW, db
"""
RIGHT = FORWARD + BACKWARD
RETURN = "    return delta, dW, db\n"


def written(folder: Path, text: str) -> Path:
    """A file with that text."""
    file = folder / "mine.py"
    file.write_text(text, encoding="utf-8")
    return file


def ending(*lines: str) -> str:
    """The right functions, with lines before the return of backward."""
    assert RETURN in BACKWARD
    return FORWARD + BACKWARD.replace(RETURN, "".join(f"    {line}\n" for line in lines) + RETURN)
