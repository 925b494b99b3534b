"""Gauss–Newton with damping, for sums of squares."""

import math

import numpy as np

from bptrain.parts.optimizers import Slots
from bptrain.parts.solvers.base import Iteration, Kinds, Objective, Solver, is_small, solvers
from bptrain.parts.types import AboveOne, Array, Inside, NonNegative, Positive

LEAST_MU = 1e-20  # so that it can be raised again
MATRICES = 4  # of P × P float64 numbers: JᵀJ, what is factorized, its factor, and LAPACK's copy
BLOCK = 128  # rows of a triangular system solved together


@solvers.add(
    "levenberg_marquardt",
    "w ← w − (JᵀJ + λ I)^(−1) g where that lowers E",
    "J = ∂r/∂w, where E = ½ ‖r‖², so that g = Jᵀ r: r = all differences x_L − t, over √N for the mean of N rows",
    "λ = {mu} before the first iteration; λ ← {mu_decrease} λ where E fell, λ ← {mu_increase} λ where it would not",
    "training has converged where no entry of g is above {tolerance}, or λ is above {mu_max}",
    "JᵀJ and its factor may take {max_gigabytes} GB",
)
def levenberg_marquardt(
    mu: Positive = 1e-3,
    mu_increase: AboveOne = 10.0,
    mu_decrease: Inside = 0.1,
    mu_max: Positive = 1e10,
    max_gigabytes: Positive = 2.0,
    tolerance: NonNegative = 1e-7,
) -> Solver:
    """w ← w − (JᵀJ + μI)⁻¹ g, J = ∂r/∂w, E = ½ ‖r‖². Levenberg 1944; Marquardt 1963; Hagan and Menhaj 1994.

    Damped by μI (Levenberg, Hagan and Menhaj, MATLAB), not by μ diag(JᵀJ) (Marquardt). A step that lowers E is taken,
    and μ is multiplied by `mu_decrease`; otherwise μ is multiplied by `mu_increase`, and the step is computed again, in
    the same iteration. JᵀJ, g and E are those of the objective, so with reduction mean all are divided by the number of
    rows, and μ is relative to that. The system is solved by Cholesky factorization; where rounding makes it not
    positive definite, μ is raised. It has converged when the largest entry of g is within `tolerance`, or μ passes
    `mu_max`. J itself is never in memory as a whole, but JᵀJ and its factor are: a network that would need more than
    `max_gigabytes` is refused.
    """

    if not mu < mu_max:
        raise ValueError(f"mu must be less than mu_max, but {mu:g} is not less than {mu_max:g}")

    def step(objective: Objective, w: Array, slots: Slots, t: int) -> Iteration:
        g, value, damping = slots
        here = objective.at(w) if t == 1 else objective.known(w, float(value), g)
        damping = mu if t == 1 else float(damping)
        after = None
        if not is_small(here.g, tolerance):
            assert objective.curvature is not None
            JTJ = objective.curvature(here.w)
            while after is None and damping <= mu_max:
                step = solved(JTJ, damping, here.g)
                there = None if step is None else objective.at(here.w - step)
                if there is not None and there.value < here.value:
                    after = there
                else:
                    damping *= mu_increase
        if after is None:
            return Iteration(here.w, (here.g, np.array(here.value), np.array(damping)), here.value, True)
        damping = max(damping * mu_decrease, LEAST_MU)
        kept = (after.g, np.array(after.value), np.array(damping))
        return Iteration(after.w, kept, after.value, is_small(after.g, tolerance))

    def too_large(P: int) -> str | None:
        gigabytes = MATRICES * 8e-9 * P * P
        if gigabytes <= max_gigabytes:
            return None
        most = math.isqrt(int(max_gigabytes / (MATRICES * 8e-9)))
        return (
            f"levenberg_marquardt holds {MATRICES} matrices of P x P numbers, here {P:,} x {P:,}: {gigabytes:,.1f} GB, "
            f"more than optimizer.max_gigabytes: {max_gigabytes:g}, enough for {most:,} parameters; "
            "lbfgs and scaled_conjugate_gradient need only a few vectors"
        )

    kinds: Kinds = {"gradient": "per_weight", "value": "scalar", "damping": "scalar"}
    return Solver(step, kinds, loss="half_squared_error", too_large=too_large)


def solved(A: Array, mu: float, b: Array) -> Array | None:
    """x with (A + μI) x = b by Cholesky's factor; None where that matrix is not positive definite."""
    damped = A.copy()
    damped.flat[:: len(A) + 1] += mu
    try:
        C = np.linalg.cholesky(damped)
    except np.linalg.LinAlgError:
        return None
    x, P = b.copy(), len(b)
    starts = range(0, P, BLOCK)
    for a in starts:  # C z = b, from the top
        rows = slice(a, min(a + BLOCK, P))
        x[rows] = np.linalg.solve(C[rows, rows], x[rows] - C[rows, :a] @ x[:a])
    for a in reversed(starts):  # Cᵀ x = z, from the bottom
        rows = slice(a, min(a + BLOCK, P))
        x[rows] = np.linalg.solve(C[rows, rows].T, x[rows] - C[rows.stop :, rows].T @ x[rows.stop :])
    return x if np.isfinite(x).all() else None
