"""Conjugate gradients without a line search."""

import math
from typing import Annotated

import numpy as np
from annotated_types import Interval

from bptrain.parts.optimizers import Slots
from bptrain.parts.solvers.base import Iteration, Kinds, Objective, Solver, is_small, solvers
from bptrain.parts.types import Array, NonNegative

Tiny = Annotated[float, Interval(gt=0, le=1e-2)]


@solvers.add(
    "scaled_conjugate_gradient",
    "w ← w + α {p} where that does not raise E, else w stays as it is",
    "h = (g(w + {sigma} {p} / ‖{p}‖) − g(w)) ‖{p}‖ / {sigma}, the curvature along {p}",
    "Δ = {p}ᵀ h + λ ‖{p}‖²; where that is not above 0, Δ ← λ ‖{p}‖² − Δ, and λ ← 2 (λ − Δ / ‖{p}‖²) with Δ as it was",
    "α = −{p}ᵀ g / Δ",
    "{r} = 2 Δ (E(w) − E(w + α {p})) / ({p}ᵀ g)², how much of what was expected E has fallen",
    "λ = {lambda_start} before the first iteration; λ ← λ/4 for {r} ≥ 3/4, λ ← λ + Δ (1 − {r}) / ‖{p}‖² for {r} < 1/4",
    "{p} = −g before the first iteration; where E did not grow {p} ← {q} {p} − g, but {p} ← −g in every P-th iteration",
    "{q} = (gᵀ g_p − ‖g‖²) / ({p}ᵀ g_p), g_p = the gradient before, P = the number of weights and biases",
    "training has converged where no entry of g is above {tolerance}",
)
def scaled_conjugate_gradient(
    sigma: Tiny = 5e-5, lambda_start: Tiny = 5e-7, tolerance: NonNegative = 1e-7
) -> Solver:
    """w ← w + α p, α = pᵀr / (pᵀ(H + λI) p), p conjugate, Hp from a difference of gradients. Møller 1993.

    The paper's algorithm, step by step; r = −g. It asks for σ ≤ 1e-4 and λ₁ ≤ 1e-6 (the defaults are MATLAB's). If the
    new point is worse, w stays as it is and λ is raised: that counts as an iteration too. λ is raised as in the
    article, not to 4λ as in the report of 1990. A point at which the objective is not finite counts as worse, with Δ =
    −1.
    """

    def step(objective: Objective, w: Array, slots: Slots, t: int) -> Iteration:
        p, r, value, delta, lam, lam_bar, success = slots
        if t == 1:  # 1
            here = objective.at(w)
            w, value, p, r = here.w, here.value, -here.g, -here.g
            lam, lam_bar, success = lambda_start, 0.0, 1.0
        value, delta, lam, lam_bar, success = (float(x) for x in (value, delta, lam, lam_bar, success))
        if np.dot(p, r) == 0:  # the direction is used up, which exact arithmetic does not bring about
            p, success = r, 1.0
        p2 = float(np.dot(p, p))
        if is_small(r, tolerance) or not math.isfinite(lam * p2):
            kept = tuple(np.asarray(x) for x in (p, r, value, delta, lam, lam_bar, success))
            return Iteration(w, kept, value, True)

        if success:  # 2: second-order information
            sigma_k = sigma / math.sqrt(p2)
            s = (objective.at(w + sigma_k * p).g + r) / sigma_k
            delta = float(np.dot(p, s))
        delta += (lam - lam_bar) * p2  # 3: scale
        if not delta > 0:  # 4: make the Hessian positive definite
            lam_bar = 2.0 * (lam - delta / p2)
            delta = -delta + lam * p2
            lam = lam_bar
        mu = float(np.dot(p, r))  # 5: step size
        alpha = mu / delta
        there = objective.at(w + alpha * p)  # 6: comparison parameter
        finite = math.isfinite(there.value)
        comparison = 2.0 * delta * (value - there.value) / (mu * mu) if finite else -1.0
        moved = not np.array_equal(there.w, w)
        if comparison >= 0:  # 7: the objective is not larger
            r_next = -there.g
            beta = 0.0 if t % len(w) == 0 else (np.dot(r_next, r_next) - np.dot(r_next, r)) / mu
            w, value, lam_bar, success = there.w, there.value, 0.0, 1.0
            p, r = r_next + beta * p, r_next
            if comparison >= 0.75:
                lam *= 0.25
        else:
            lam_bar, success = lam, 0.0
        if comparison < 0.25:  # 8: raise the scale
            lam += delta * (1.0 - comparison) / p2
        kept = tuple(np.asarray(x) for x in (p, r, value, delta, lam, lam_bar, success))
        return Iteration(w, kept, value, not moved or is_small(r, tolerance))  # 9

    kinds: Kinds = {"direction": "per_weight", "descent": "per_weight"}
    for scalar in ("value", "curvature", "scale", "scale_before", "success"):
        kinds[scalar] = "scalar"
    return Solver(step, kinds)
