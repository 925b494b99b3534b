"""Every optimizer that PyTorch has too, on the same gradients from the same start: are the trajectories the same?

    python benchmarks/optimizers_against_torch.py

float64, 200 updates of seven weights whose gradients are random, oscillate, fall, are 0 now and then, are 0 at first or
are 0 throughout. Prints the largest difference of any weight after any update, relative to the weight where that is
above 1, and how each of the two is set up; exits 1 where a difference is above 1e-9.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from bptrain.parts.optimizers import optimizers, with_weight_decay
from bptrain.parts.types import Array

UPDATES, TOLERANCE = 200, 1e-9


class Pair(NamedTuple):
    """One optimizer of ours, PyTorch's, and what is meant to be different."""

    name: str
    options: dict[str, Any]
    decay: float
    theirs: Callable[[list[Any]], Any]
    difference: str


T = torch.optim
PAIRS = [
    Pair("gradient_descent", {}, 0.0, lambda p: T.SGD(p, lr=0.1), "default rate 0.1 here, 0.001 there"),
    Pair("gradient_descent", {}, 0.1, lambda p: T.SGD(p, lr=0.1, weight_decay=0.1), "decay: the same thing here alone"),
    Pair("momentum", {}, 0.0, lambda p: T.SGD(p, lr=0.1, momentum=0.9), "none (dampening 0)"),
    Pair("nesterov", {}, 0.0, lambda p: T.SGD(p, lr=0.1, momentum=0.9, nesterov=True), "none"),
    Pair("adagrad", {}, 0.0, lambda p: T.Adagrad(p), "none (lr_decay 0)"),
    Pair("adadelta", {}, 0.0, lambda p: T.Adadelta(p), "none"),
    Pair("rmsprop", {}, 0.0, lambda p: T.RMSprop(p, lr=0.001, alpha=0.9), "defaults: rate 0.001 and rho 0.9 here, "
         "0.01 and 0.99 there; no centered form or momentum here"),
    Pair("adam", {}, 0.0, lambda p: T.Adam(p), "none"),
    Pair("amsgrad", {}, 0.0, lambda p: T.Adam(p, amsgrad=True), "none"),
    Pair("adamax", {}, 0.0, lambda p: T.Adamax(p), "none"),
    Pair("nadam", {}, 0.0, lambda p: T.NAdam(p, lr=0.001), "default rate 0.001 here, 0.002 there"),
    Pair("nadam", {}, 0.1, lambda p: T.NAdam(p, lr=0.001, weight_decay=0.1, decoupled_weight_decay=True),
         "decay: theirs is an l2 penalty unless decoupled_weight_decay"),
    Pair("adamw", {}, 0.01, lambda p: T.AdamW(p), "none"),
    Pair("radam", {}, 0.0, lambda p: T.RAdam(p), "none"),
    Pair("radam", {}, 0.1, lambda p: T.RAdam(p, weight_decay=0.1, decoupled_weight_decay=True),
         "decay: theirs is an l2 penalty unless decoupled_weight_decay"),
    Pair("rprop", {}, 0.0, lambda p: T.Rprop(p), "iRPROP⁺ (variant: plus) there is not"),
]  # fmt: skip


def gradients() -> Array:
    """One row per update."""
    rng, t = np.random.default_rng(0), np.arange(UPDATES)
    columns = [
        rng.normal(size=UPDATES),
        np.exp(-t / 50) * np.cos(t / 3),
        1 / (1.0 + t),
        np.where(t % 7 == 3, 0.0, rng.normal(size=UPDATES)),
        np.where(t < 10, 0.0, rng.normal(size=UPDATES)),
        1e-6 * rng.normal(size=UPDATES),
        np.zeros(UPDATES),
    ]
    return np.stack(columns, axis=1)


def ours(pair: Pair, given: Array) -> Array:
    """The weights after each update, by the rule."""
    rule = with_weight_decay(optimizers.get(pair.name)(**pair.options), pair.decay)
    w, path = np.ones(given.shape[1]), []
    slots: tuple[Any, ...] = tuple(
        np.zeros_like(w) if kind == "per_weight" else np.zeros(()) for kind in rule.slots.values()
    )
    for t, g in enumerate(given, start=1):
        step, slots = rule.step(g, slots, w, rule.learning_rate, t, np.nan)
        w = w - step
        path.append(w)
    return np.array(path)


def theirs(pair: Pair, given: Array) -> Array:
    """The same by PyTorch."""
    w = torch.nn.Parameter(torch.ones(given.shape[1], dtype=torch.float64))
    optimizer, path = pair.theirs([w]), []
    for g in given:
        w.grad = torch.from_numpy(g.copy())
        optimizer.step()
        path.append(w.detach().numpy().copy())
    return np.array(path)


def main() -> int:
    """Prints the table."""
    torch.set_default_dtype(torch.float64)  # in which NAdam keeps its product of momenta
    print(f"torch {torch.__version__}, numpy {np.__version__}; {UPDATES} updates in float64\n")
    print("| optimizer | weight_decay | largest difference | differs on purpose |\n| --- | --- | --- | --- |")
    worst, given = 0.0, gradients()
    for pair in PAIRS:
        a, b = ours(pair, given), theirs(pair, given)
        error = float((np.abs(a - b) / np.maximum(1.0, np.abs(b))).max())
        worst = max(worst, error) if np.isfinite(error) else np.inf
        print(f"| {pair.name} | {pair.decay:g} | {error:.1e} | {pair.difference} |")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
