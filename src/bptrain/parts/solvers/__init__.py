"""Solvers: what trains a network on all rows at once, by family. `base` says what a solver is."""

from bptrain.parts.solvers.base import (
    EvaluatedPoint,
    Iteration,
    Objective,
    Solver,
    fresh_slots,
    slot_shape,
    solvers,
)
from bptrain.parts.solvers.conjugate import scaled_conjugate_gradient
from bptrain.parts.solvers.lbfgs import lbfgs
from bptrain.parts.solvers.least_squares import levenberg_marquardt

__all__ = [
    "EvaluatedPoint",
    "Iteration",
    "Objective",
    "Solver",
    "fresh_slots",
    "lbfgs",
    "levenberg_marquardt",
    "scaled_conjugate_gradient",
    "slot_shape",
    "solvers",
]
