"""Steps to a tolerance of every optimizer and solver on problems with known minima.

    python dev/problem_bank.py > docs/problem_bank.md

Takes what is registered; some minutes. An element-wise rule is run with each learning rate of a grid and the best one
counts, stated beside its steps; a solver runs with its defaults, and its evaluations of the objective are stated beside
its iterations.
"""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.backprop import gradient
from bptrain.core.curvature import gauss_newton
from bptrain.core.network import Network, initial_parameters
from bptrain.core.objective import row_losses
from bptrain.engines.forward_rows import numpy_outputs
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.solvers import Objective, Solver, fresh_slots, solvers
from bptrain.parts.types import Array

RATES = tuple(float(f"{a}e{k}") for k in range(-5, 2) for a in (1, 3))  # 1e-5, 3e-5 … 30
FEW_RATES = tuple(rate for rate in RATES if 1e-3 <= rate <= 1)  # where a step takes a millisecond


class Problem(NamedTuple):
    """A function, a start, and what counts as solved."""

    title: str
    objective: Objective
    start: Array
    solved: Callable[[Array, float], bool]  # of w and the objective there
    steps: int  # at most
    rates: tuple[float, ...] = RATES


def quadratic(title: str, eigenvalues: Array, steps: int) -> Problem:
    """½ wᵀA w with its minimum 0 at 0, turned by a fixed rotation, from a start of length 1 in each eigenvector."""
    n = len(eigenvalues)
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))
    A = (Q * eigenvalues) @ Q.T
    objective = Objective(lambda w: float(0.5 * w @ A @ w), lambda w: A @ w, lambda w: A)
    return Problem(title, objective, Q.sum(axis=1), lambda w, value: value <= 1e-8, steps)


def rosenbrock() -> Problem:
    """½ [(10 (y − x²))² + (1 − x)²] from (−1.2, 1)."""

    def r(w: Array) -> Array:
        return np.array([10.0 * (w[1] - w[0] * w[0]), 1.0 - w[0]])

    def J(w: Array) -> Array:
        return np.array([[-20.0 * w[0], 10.0], [-1.0, 0.0]])

    objective = Objective(
        lambda w: float(0.5 * r(w) @ r(w)), lambda w: J(w).T @ r(w), lambda w: J(w).T @ J(w)
    )
    return Problem("Rosenbrock", objective, np.array([-1.2, 1.0]), lambda w, value: value <= 1e-8, 20_000)


def classes(
    title: str,
    sizes: tuple[int, ...],
    X: Array,
    T: Array,
    steps: int,
    seed: int = 0,
    output: str = "identity",
) -> Problem:
    """A network of tanh units, solved when every row is on its side of ½."""
    L = len(sizes) - 1
    names = ["identity", *["tanh"] * (L - 1), output]
    network = Network(
        sizes=sizes,
        activations=tuple(activations.get(name)() for name in names),
        bias=(False, *[True] * L),
        loss=losses.get("half_squared_error")(),
        canonical=output == "identity",
    )
    draws = [initializers.get("glorot_uniform")()] * (L + 1)
    start = initial_parameters(network, draws, [0.0] * (L + 1), seed, np.float64)

    def value(w: Array) -> float:
        return float(row_losses(network, *numpy_outputs(network, w, X), T).mean())

    def solved(w: Array, value: float) -> bool:
        return bool(((numpy_outputs(network, w, X).X_L >= 0.5) == (T >= 0.5)).all())

    objective = Objective(value, lambda w: gradient(network, w, X, T), lambda w: gauss_newton(network, w, X))
    return Problem(title, objective, start, solved, steps, RATES if network.size < 100 else FEW_RATES)


def xor() -> tuple[Array, Array]:
    """The truth table."""
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def spirals() -> tuple[Array, Array]:
    """Two spirals of 97 points, three turns each (Lang and Witbrock 1988), to a standard deviation of 1."""
    i = np.arange(97)
    angle, radius = i * math.pi / 16, 6.5 * (104 - i) / 104
    one = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    X = np.concatenate([one, -one])
    return X / X.std(axis=0), np.repeat([[0.0], [1.0]], 97, axis=0)


def bank() -> list[Problem]:
    """The problems."""
    return [
        quadratic("quadratic bowl", np.geomspace(1.0, 10.0, 10), 10_000),
        quadratic("ill-conditioned", np.geomspace(1.0, 1e4, 10), 20_000),
        rosenbrock(),
        classes("XOR", (2, 2, 1), *xor(), steps=5_000),
        classes("two spirals", (2, 20, 20, 1), *spirals(), steps=4_000),
    ]


class Taken(NamedTuple):
    """What it took: steps or iterations, and the learning rate or the evaluations."""

    steps: int
    beside: float


def by_rule(make: Callable[..., Optimizer], problem: Problem) -> Taken | None:
    """The fewest steps over the grid of learning rates, or None where none solves the problem."""
    best: Taken | None = None
    for rate in problem.rates:
        most = problem.steps if best is None else best.steps - 1
        steps = by_rate(make(learning_rate=rate), rate, problem, most)
        if steps is not None:
            best = Taken(steps, rate)
    return best


def by_rate(rule: Optimizer, rate: float, problem: Problem, most: int) -> int | None:
    """The steps of a rule, or None where it takes more."""
    w, shapes = problem.start.copy(), {"per_weight": problem.start.shape, "scalar": ()}
    slots: tuple[Any, ...] = tuple(np.zeros(shapes[kind]) for kind in rule.slots.values())
    first, E = problem.objective.value(w), math.nan
    for t in range(1, most + 1):
        if rule.needs_loss:
            E = problem.objective.value(w)
        step, slots = rule.step(problem.objective.gradient(w), slots, w, rate, t, E)
        w = w - step
        if t % _every(t) == 0:
            value = problem.objective.value(w)
            if problem.solved(w, value):
                return t
            if not value <= 1e6 * first:  # diverged, or NaN
                return None
    return None


def _every(t: int) -> int:
    """How often it is looked whether the problem is solved: at every step at first, then in steps of 1 %."""
    return max(1, t // 100)


def by_solver(solver: Solver, problem: Problem) -> Taken | None:
    """The iterations of a solver, and its evaluations; None where it does not solve the problem."""
    evaluations = 0

    def value(w: Array) -> float:
        nonlocal evaluations
        evaluations += 1
        return problem.objective.value(w)

    counted = problem.objective._replace(value=value)
    w, slots = problem.start, fresh_slots(solver, len(problem.start))
    for t in range(1, problem.steps + 1):
        w, slots, at_w, converged = solver.step(counted, w, slots, t)
        if problem.solved(w, at_w):
            return Taken(t, evaluations)
        if converged:
            return None
    return None


def table() -> str:
    """The Markdown."""
    problems = bank()
    head = ["", *(problem.title for problem in problems)]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for name in optimizers:
        cells = [name]
        for problem in problems:
            taken = by_rule(optimizers.get(name), problem)
            cells.append("–" if taken is None else f"{taken.steps:,} ({taken.beside:g})")
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], file=sys.stderr, flush=True)
    for name in solvers:
        cells = [f"**{name}**"]
        for problem in problems:
            taken = by_solver(solvers.get(name)(), problem)
            cells.append("–" if taken is None else f"{taken.steps:,} ({taken.beside:g} evaluations)")
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


TEXT = """# Every optimizer on problems with known minima

Written by `dev/problem_bank.py`. The number of steps (for a solver: iterations) until the problem is solved, each
step over all rows, in float64. In parentheses: for an element-wise rule, the learning rate that needed the fewest
steps; for a solver, the evaluations of the objective. All other options have their defaults, without weight decay. "–":
not solved with any of the rates. The rates tried are 1e-5, 3e-5, 1e-4 … 30; on two spirals 1e-3 … 1.

* **quadratic bowl**: 10 dimensions, eigenvalues 1 … 10; **ill-conditioned**: eigenvalues 1 … 10,000. Solved at a value
  of 1e-8, within 10,000 and 20,000 steps.
* **Rosenbrock**: ½ [(10 (y − x²))² + (1 − x)²] from (−1.2, 1). Solved at 1e-8, within 20,000 steps.
* **XOR**: 2-2-1, and **two spirals** (Lang and Witbrock 1988; 194 points): 2-20-20-1. Tanh, identity output,
  half_squared_error, glorot_uniform with seed 0. Solved when every row is on the correct side of ½, within 5,000 and
  4,000 steps. That is one start; `docs/solvers.md` has the success rates over 20.

The value is checked after each of the first 200 steps, and then whenever the number of steps has grown by 1 %. A step
of a solver costs more than one of a rule; levenberg_marquardt's cost the most, since it factorizes a P × P matrix.

{table}
"""


def main(arguments: Sequence[str]) -> int:
    """Prints the page."""
    with np.errstate(all="ignore"):
        print(TEXT.format(table=table()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
