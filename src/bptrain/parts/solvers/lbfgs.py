"""L-BFGS: Newton's direction from the last m steps and changes of the gradient."""

from typing import Annotated

import numpy as np
from annotated_types import Interval

from bptrain.parts.optimizers import Slots
from bptrain.parts.solvers.base import Iteration, Kinds, Objective, Solver, is_small, solvers
from bptrain.parts.solvers.line_search import strong_wolfe
from bptrain.parts.types import Array, Inside, NonNegative

Few = Annotated[int, Interval(ge=1, le=1000)]


@solvers.add(
    "lbfgs",
    "w ← w + α {p}, {p} = −H g",
    "H: built by the two-loop recursion from the last {memory} pairs: y_w = change of w, y_g = change of g",
    "H = (y_wᵀ y_g / y_gᵀ y_g) I of the newest pair to begin with; {p} = −g where there is none",
    "α: such that E(w + α {p}) ≤ E(w) + {c1} α gᵀ {p} and |g(w + α {p})ᵀ {p}| ≤ {c2} |gᵀ {p}|",
    "E is evaluated at most {max_evaluations} times to find α",
    "training has converged where no entry of g is above {tolerance}",
)
def lbfgs(
    memory: Few = 10,
    c1: Inside = 1e-4,
    c2: Inside = 0.9,
    max_evaluations: Few = 25,
    tolerance: NonNegative = 1e-7,
) -> Solver:
    """w ← w − α H g, H from the last m pairs s = Δw, y = Δg. Nocedal 1980; Liu and Nocedal 1989.

    The two-loop recursion (Nocedal and Wright 2006, Algorithm 7.4) starts from H₀ = (sᵀy / yᵀy) I of the newest pair; α
    satisfies the strong Wolfe conditions, α = 1 being tried first (1/‖g‖ along the first gradient, as in SciPy). A pair
    whose sᵀy is not positive, which only rounding can cause, is left out. Where the line search along H g fails, the
    memory is cleared and −g is tried; where that fails too, the solver has converged. `tolerance` is for the largest
    entry of g, as SciPy's gtol (1e-5 there).
    """
    if not c1 < c2:
        raise ValueError(f"c1 must be less than c2, but {c1:g} is not less than {c2:g}")

    def step(objective: Objective, w: Array, slots: Slots, t: int) -> Iteration:
        g, value, s, y, pairs = slots
        here = objective.at(w) if t == 1 else objective.known(w, float(value), g)
        n, after = int(pairs), None
        if not is_small(here.g, tolerance):
            d = direction(here.g, s[memory - n :], y[memory - n :])
            if n and np.dot(d, here.g) < 0:
                after = strong_wolfe(objective, here, d, 1.0, c1, c2, max_evaluations)
            if after is None:
                n, length = 0, float(np.sqrt(np.dot(here.g, here.g)))
                after = strong_wolfe(
                    objective, here, -here.g, min(1.0, 1.0 / length), c1, c2, max_evaluations
                )
        if after is None:
            return Iteration(here.w, (here.g, np.array(here.value), s, y, pairs), here.value, True)
        ds, dy = after.w - here.w, after.g - here.g
        if np.dot(ds, dy) > np.finfo(float).eps * np.dot(dy, dy):
            s, y, n = np.vstack([s[1:], ds]), np.vstack([y[1:], dy]), min(n + 1, memory)
        kept = (after.g, np.array(after.value), s, y, np.array(float(n)))
        return Iteration(after.w, kept, after.value, is_small(after.g, tolerance))

    kinds: Kinds = {
        "gradient": "per_weight",
        "value": "scalar",
        "steps": memory,
        "changes": memory,
        "pairs": "scalar",
    }
    return Solver(step, kinds)


def direction(g: Array, s: Array, y: Array) -> Array:
    """−H g by the two-loop recursion; the newest of the pairs stands last."""
    q, alpha, n = g.copy(), np.zeros(len(s)), len(s)
    rho = [1.0 / np.dot(y[i], s[i]) for i in range(n)]
    for i in reversed(range(n)):
        alpha[i] = rho[i] * np.dot(s[i], q)
        q -= alpha[i] * y[i]
    if n:
        q *= np.dot(s[-1], y[-1]) / np.dot(y[-1], y[-1])
    for i in range(n):
        beta = rho[i] * np.dot(y[i], q)
        q += s[i] * (alpha[i] - beta)
    return -q
