"""False alarms of the gradient check, looked for in earnest: `python dev/gradcheck_alarms.py [N]`; exit code 1 for one.

Right networks under hard conditions, N of each (default 300): ordinary, saturated and canceling weights, deep
networks, inputs far from 1. Every error must stay below 1e-12; tests/gradient_check/test_gradcheck.py
runs a small sample.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from bptrain.gradient_check.check import gradcheck
from networks import SMOOTH, SMOOTH_PAIRS, data_for, network

BOUND = 1e-12


def worst_error(n: int, depth: int, weights: str, size: float, inputs: float) -> float:
    """The largest error over n random networks of smooth parts."""
    worst = 0.0
    for seed in range(n):
        rng = np.random.default_rng(seed)
        last, loss = SMOOTH_PAIRS[rng.integers(len(SMOOTH_PAIRS))]
        hidden = [SMOOTH[rng.integers(len(SMOOTH))] for _ in range(depth - 1)]
        sizes = tuple(int(k) for k in rng.integers(2, 7, depth + 1))
        net = network(sizes, [*hidden, last], loss, bool(rng.integers(2)), ["mean", "sum"][rng.integers(2)])
        X, T = data_for(net, 6, seed)
        w = rng.normal(size=net.size)
        w = size * (np.sign(w) if weights == "±" else w)
        worst = max(worst, gradcheck(net, w, inputs * X, T).max_relative_error)
    return worst


def main(n: int) -> int:
    """Prints the worst error of each condition."""
    failed = 0
    for depth in (2, 4, 10):
        for weights in ("normal", "±"):
            for size in (1e-3, 0.3, 1.0, 5.0, 30.0, 1000.0):
                for inputs in (1.0, 1e3, 1e-3):
                    if size**depth * inputs > 1e30:
                        continue
                    worst = worst_error(n, depth, weights, size, inputs)
                    failed += not worst <= BOUND
                    verdict = "ok    " if worst <= BOUND else "FAILED"
                    print(
                        f"{verdict} {worst:.1e}  depth {depth:2}, weights {weights} x {size:g}, inputs x {inputs:g}"
                    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
