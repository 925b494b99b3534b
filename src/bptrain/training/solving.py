"""An iteration of a solver: what the network, its rows and the engine are to it is one function of a flat vector."""

import math
from typing import NamedTuple

import numpy as np

from bptrain.core.curvature import gauss_newton
from bptrain.core.network import BatchContext
from bptrain.core.objective import batch_divisor, loss_sum, penalty_at, row_losses
from bptrain.engines.base import Engine, OptimizerState, TrainingPlan
from bptrain.engines.divergence import not_finite_at
from bptrain.engines.forward_rows import for_rows_in
from bptrain.errors import NumericalError
from bptrain.mapped_rows import in_float64, room_of
from bptrain.parts.solvers import Objective, Solver
from bptrain.parts.types import Array


class Solved(NamedTuple):
    """What an iteration came to, apart from the optimizer's state."""

    loss_sum: float  # over the rows, at the weights that the iteration has ended with
    evaluations: int  # of the objective over all rows
    converged: bool


class OverAllRows:
    """The objective of a plan over all its training rows, in float64, evaluated by an engine; it counts how often.

    An evaluation is a point at which the objective is worked out, with its gradient or without; a Gauss–Newton matrix
    counts as one more.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        engine: Engine,
        X: Array,
        T: Array,
        V: Array | None,
        dtype: np.dtype[np.generic],
    ) -> None:
        self.network, self.engine, self.X, self.T, self.V, self.dtype = plan.network, engine, X, T, V, dtype
        self.by_rows = for_rows_in(room_of(X), plan.network)
        self.divisor = batch_divisor(plan.network, len(X), V)
        self.evaluations = 0

    def objective(self) -> Objective:
        """The functions that a solver is given."""
        return Objective(self.value, self.gradient, self.curvature, self.rounded)

    def value(self, w: Array) -> float:
        """The objective at w."""
        self.evaluations += 1
        Z_L, X_L = self.engine.outputs(w.astype(self.dtype), self.X)
        losses = in_float64(row_losses(self.by_rows, Z_L, X_L, self.T))
        return float(loss_sum(losses, self.V)) / self.divisor + self.penalty(w)

    def penalty(self, w: Array) -> float:
        """What penalties add to the loss at w."""
        return penalty_at(self.network, w)

    def gradient(self, w: Array) -> Array:
        """The gradient at a w that was evaluated."""
        return self.engine.gradient(w.astype(self.dtype), self.X, self.T, BatchContext(self.V)).astype(
            np.float64
        )

    def curvature(self, w: Array) -> Array:
        """JᵀJ at w."""
        self.evaluations += 1
        return gauss_newton(self.network, w, self.X, self.V)

    def rounded(self, w: Array) -> Array:
        """w as the engine can take it."""
        return w.astype(self.dtype).astype(np.float64)


def iterate(
    plan: TrainingPlan,
    engine: Engine,
    solver: Solver,
    optimizer_state: OptimizerState,
    X: Array,
    T: Array,
    V: Array | None = None,
) -> Solved:
    """Runs one iteration on `optimizer_state`, in place.

    Raises NumericalError where the loss or its gradient is not finite at the weights that it begins with: a trial point
    where they are not is a step too long, and only that.
    """
    rows = OverAllRows(plan, engine, X, T, V, optimizer_state.w.dtype)
    with np.errstate(all="ignore"):
        done = solver.step(
            rows.objective(),
            optimizer_state.w.astype(np.float64),
            optimizer_state.slots,
            optimizer_state.t + 1,
        )
    if not (math.isfinite(done.value) and all(np.isfinite(slot).all() for slot in done.slots)):
        raise _failure(plan, optimizer_state, X, T)
    optimizer_state.w = done.w.astype(optimizer_state.w.dtype)
    optimizer_state.slots = done.slots
    optimizer_state.t += 1
    loss = (done.value - rows.penalty(done.w)) * rows.divisor
    return Solved(loss, rows.evaluations, done.converged)


def _failure(plan: TrainingPlan, optimizer_state: OptimizerState, X: Array, T: Array) -> NumericalError:
    """What is not finite at the weights that an iteration began with, or that it is the solver's own numbers."""
    found = not_finite_at(plan, optimizer_state.w, X, T) or "a number of the solver is not finite"
    return NumericalError(
        f"training stopped in epoch {optimizer_state.t + 1}: {found}. Usual cures: scaled inputs (data.scale), "
        "smaller initial weights (network.initializer), dtype float64."
    )
