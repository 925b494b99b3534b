"""The derivation's own claim for the matrix form, in figures: the updates of an epoch in four forms.

    python benchmarks/matrix_form.py [--repeats 5] [--json FILE]

By loops over units and weights in plain Python; by one column vector at a time (core/reference.py); by the rows of a
batch (the NumPy engine); and compiled (the numba engine). Sigmoid, half_squared_error, plain gradient descent, one
thread, float32 (plain Python has only float64). All give the same gradient, which is checked first.
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bptrain.core import reference
from bptrain.core.network import Network, views
from bptrain.engines.base import TrainingPlan, initial_optimizer_state
from bptrain.parts.optimizers import optimizers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array
from cases import CASES, Problem, problem
from rounds import Table, interleaved, timed, write_json
from with_bptrain import make_engine
from worker import in_a_process

RATE = 0.1
BATCH = 32
CHECKED_ROWS = 8
ROWS = {"A": (960, 19_200), "B": (64, 6_400)}  # of a pass: of the first two forms, of the engines
COLUMN = "one column vector at a time"


class Form(NamedTuple):
    """One way of computing the updates."""

    run: Callable[[Array, Array], object]  # one update for each row, or for each batch, of X and T
    gradient: Callable[[Array, Array], Array]  # flat, the mean over the rows


class Units:
    """Unit by unit and weight by weight, in lists of Python's own floats."""

    def __init__(self, problem: Problem) -> None:
        start = views(problem.network, problem.w)
        self.W: list[list[list[float]]] = [W.tolist() for W in start.W[1:]]
        self.b: list[list[float]] = [[] if b is None else b.tolist() for b in start.b[1:]]

    def signals(self, x: list[float], t: list[float]) -> tuple[list[list[float]], list[list[float]]]:
        """x_0 … x_L and δ_1 … δ_L of one instance."""
        xs, deltas = [x], [[0.0] * len(W) for W in self.W]
        for W, b in zip(self.W, self.b, strict=True):
            below, x = xs[-1], []
            for j, weights in enumerate(W):
                z = b[j] if b else 0.0
                for k, weight in enumerate(weights):
                    z += weight * below[k]
                x.append(1.0 / (1.0 + math.exp(-z)))
            xs.append(x)
        last = len(self.W) - 1
        for i in range(last, -1, -1):
            for j, x_j in enumerate(xs[i + 1]):
                error = x_j - t[j] if i == last else 0.0
                if i < last:
                    for weights, delta in zip(self.W[i + 1], deltas[i + 1], strict=True):
                        error += weights[j] * delta
                deltas[i][j] = error * x_j * (1.0 - x_j)
        return xs, deltas

    def run(self, X: Array, T: Array) -> None:
        """One update for each row."""
        for x, t in zip(X.tolist(), T.tolist(), strict=True):
            xs, deltas = self.signals(x, t)
            for W, b, below, delta in zip(self.W, self.b, xs, deltas, strict=False):
                for j, delta_j in enumerate(delta):
                    weights = W[j]
                    for k, x_k in enumerate(below):
                        weights[k] -= RATE * delta_j * x_k
                    if b:
                        b[j] -= RATE * delta_j

    def gradient(self, X: Array, T: Array) -> Array:
        """See `Form`."""
        rows = []
        for x, t in zip(X.tolist(), T.tolist(), strict=True):
            blocks: list[float] = []
            for b, below, delta in zip(self.b, *self.signals(x, t), strict=False):
                blocks += [delta_j * x_k for delta_j in delta for x_k in below] + (delta if b else [])
            rows.append(blocks)
        mean: Array = np.mean(rows, axis=0)
        return mean


def columns(problem: Problem) -> Form:
    """The literal twin: a column vector for each instance, and W_i ← W_i − α ∂E/∂W_i."""
    network, parameters = problem.network, views(problem.network, problem.w.copy())

    def run(X: Array, T: Array) -> None:
        for x, t in zip(X, T, strict=True):
            one = reference.instance(network, parameters, x[:, None], t[:, None])
            for i in range(1, network.L + 1):
                parameters.W[i] -= RATE * one.dW[i]
                if (b := parameters.b[i]) is not None:
                    b -= RATE * one.db[i][:, 0]

    return Form(run, lambda X, T: reference.gradient(network, parameters, X, T))


def engine(problem: Problem, batch: int, compiled: bool) -> Form:
    """One of bptrain's engines."""
    rule = optimizers.get("gradient_descent")(learning_rate=RATE)
    rows = ROWS[problem.case.key][1]
    plan = TrainingPlan(problem.network, rule, schedules.get("constant")(), RATE, rows, batch, 1)
    made, state = make_engine(plan, compiled), initial_optimizer_state(problem.w.copy(), rule)
    return Form(lambda X, T: made.run_slice(state, X, T), lambda X, T: made.gradient(problem.w, X, T))


def forms(given: Problem) -> dict[str, Form]:
    """All forms that are installed."""
    units = Units(given)
    found = {"loops over units, plain Python": Form(units.run, units.gradient), COLUMN: columns(given)}
    for name, compiled in (("NumPy engine", False), ("numba engine", True)):
        for batch in (1, BATCH):
            form = f"rows of a batch of {batch}" if batch > 1 else "single rows"
            try:
                found[f"{form}, {name}"] = engine(given, batch, compiled)
            except ImportError as error:
                print(f"{form}, {name} is left out: not installed: {error}", file=sys.stderr)
    return found


def check(network: Network, found: dict[str, Form], X: Array, T: Array) -> None:
    """Ends the benchmark where a form's gradient is not that of the column vectors."""
    expected = found[COLUMN].gradient(X, T)
    for name, form in found.items():
        off = np.linalg.norm(form.gradient(X, T) - expected) / np.linalg.norm(expected)
        print(f"{name}: the gradient deviates by {off:.0e}", file=sys.stderr)
        if not off < 1e-5:
            raise SystemExit(f"{name} gives another gradient for {network.sizes}")


def table(key: str, repeats: int) -> Table:
    """The figures for the network of one case."""
    (case,) = (one for one in CASES if one.key == key)
    given = problem(case)
    found = forms(given)
    check(given.network, found, given.X[:CHECKED_ROWS], given.T[:CHECKED_ROWS])

    def microseconds(name: str, form: Form) -> Callable[[], float]:
        rows = ROWS[key]["engine" in name]
        X, T = given.X[:rows], given.T[:rows]
        form.run(X, T)  # warms up
        return lambda: timed(lambda: form.run(X, T)) / rows * 1e6

    rounds = interleaved({name: microseconds(name, form) for name, form in found.items()}, repeats)
    layers = "-".join(str(n) for n in case.sizes)
    return Table(f"The matrix form: {layers} sigmoid, one thread", "µs per row", COLUMN, rounds)


def main() -> None:
    """Prints a table for each network."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    tables = []
    for key in ROWS:
        tables.append(in_a_process(1, table, key, options.repeats))
        print(tables[-1], flush=True)
    write_json(options.json, tables)


if __name__ == "__main__":
    main()
