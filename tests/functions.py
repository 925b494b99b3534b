"""Functions with known minima, as objectives for the solvers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.parts.solvers import Objective, Solver, fresh_slots
from bptrain.parts.types import Array


class Ended(NamedTuple):
    """Where a solver ended."""

    w: Array
    value: float
    iterations: int
    evaluations: int
    converged: bool


def run(solver: Solver, objective: Objective, w: Array, most: int = 1000) -> Ended:
    """Iterations until the solver has converged, or `most`."""
    count = 0

    def value(w: Array) -> float:
        nonlocal count
        count += 1
        return objective.value(w)

    slots, t = fresh_slots(solver, len(w)), 0
    counted = objective._replace(value=value)
    while t < most:
        t += 1
        w, slots, end, converged = solver.step(counted, w, slots, t)
        if converged:
            return Ended(w, end, t, count, True)
    return Ended(w, end, t, count, False)


def quadratic(A: Array, b: Array) -> Objective:
    """½ wᵀA w − bᵀw; its minimum is A⁻¹ b."""
    return Objective(lambda w: float(0.5 * w @ A @ w - b @ w), lambda w: A @ w - b, lambda w: A)


def least_squares(r: Callable[[Array], Array], J: Callable[[Array], Array]) -> Objective:
    """½ ‖r(w)‖² with J = ∂r/∂w."""
    return Objective(lambda w: float(0.5 * r(w) @ r(w)), lambda w: J(w).T @ r(w), lambda w: J(w).T @ J(w))


def rosenbrock() -> Objective:
    """½ [(10 (y − x²))² + (1 − x)²], half of Rosenbrock's function (1960): 0 at (1, 1)."""
    return least_squares(
        lambda w: np.array([10.0 * (w[1] - w[0] ** 2), 1.0 - w[0]]),
        lambda w: np.array([[-20.0 * w[0], 10.0], [-1.0, 0.0]]),
    )


VALLEY = np.array([-1.2, 1.0])  # the usual start
