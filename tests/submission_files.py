"""Submissions written out by the tests."""

from pathlib import Path

from bptrain.commands.check_backward.findings import GradingTrial
from bptrain.commands.check_backward.grade import Grade, graded, judged_trial
from bptrain.commands.check_backward.grading_points import answers, expected_at
from bptrain.commands.check_backward.grading_task import grading_task
from bptrain.commands.check_backward.user_functions import UserFunctions, load_functions
from bptrain.commands.check_backward.wire import Read
from bptrain.gradient_check.point import GradientPoint

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


def read_here(functions: UserFunctions, point: GradientPoint) -> dict[str, Read]:
    """What functions return at a point, run in this process, as a child does it."""
    return {name: read for name, read in answers(functions, point) if read is not None}


def graded_here(file: Path, config: Path) -> Grade:
    """The grade of a file whose functions run in this process, which is quicker than in one of their own."""
    functions, task = load_functions(file), grading_task(config)
    return graded(str(file), task, [read_here(functions, point) for point in task.points])


def grading_trial(functions: UserFunctions, point: GradientPoint) -> GradingTrial:
    """Every function called at a point, in this process, and what it returned judged."""
    return judged_trial(point, expected_at(point), read_here(functions, point))
