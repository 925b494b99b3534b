"""The NumPy engine beside PyTorch's eager loop and scikit-learn, on the same work.

    pip install torch scikit-learn, then: python benchmarks/peers.py [--threads N] [--repeats N] [--json FILE]

bptrain and PyTorch train the same network from the same weights on the same rows in the same order, plain gradient
descent; their weights after the first pass must agree. scikit-learn runs the nearest it has: its output layer is the
identity and it always has biases. The three run in turn, pass after pass; a figure is the median over the passes of
microseconds an update, a ratio the median of the ratios pass by pass. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are unset,
since they slow NumPy down where a machine sets them.
"""

import argparse
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    if (
        os.environ.pop(name, None) is not None
    ):  # BLAS has not been loaded yet, but a child inherits nothing odd
        os.execv(sys.executable, [sys.executable, *sys.argv])

import numpy as np  # noqa: E402  (after the environment is clean)
from threadpoolctl import threadpool_limits  # noqa: E402

from bptrain.core.network import Network, initial_parameters, views  # noqa: E402
from bptrain.engines.base import Task, fresh_memory  # noqa: E402
from bptrain.engines.numpy_engine import NumpyEngine  # noqa: E402
from bptrain.parts.activations import activations  # noqa: E402
from bptrain.parts.initializers import initializers  # noqa: E402
from bptrain.parts.losses import losses  # noqa: E402
from bptrain.parts.optimizers import optimizers  # noqa: E402
from bptrain.parts.schedules import schedules  # noqa: E402
from bptrain.parts.types import Array  # noqa: E402

RATE = 0.1
Pass = Callable[[], None]


class Case(NamedTuple):
    """One network and one way of training it, sigmoid and half_squared_error throughout."""

    title: str
    sizes: tuple[int, ...]
    bias: bool
    batch: int
    rows: int  # of one pass


CASES = [
    Case("784-30-10, mini-batches of 10", (784, 30, 10), True, 10, 10_000),
    Case("4-5-3-2, single instances, no bias", (4, 5, 3, 2), False, 1, 2_000),
]


class Contestant(NamedTuple):
    """One program: a pass over the rows, and its weights as a flat vector, if they can be compared."""

    run: Pass
    weights: Callable[[], Array] | None


def bptrain_numpy(case: Case, network: Network, w: Array, X: Array, T: Array) -> Contestant:
    """The NumPy engine, as `bptrain fit` drives it."""
    rule = optimizers.get("gradient_descent")(learning_rate=RATE)
    task = Task(network, rule, schedules.get("constant")(), RATE, case.rows, case.batch, 1)
    engine, memory = NumpyEngine(task), fresh_memory(w.copy(), rule)

    def run() -> None:
        engine.run_slice(memory, X, T)

    return Contestant(run, lambda: memory.w)


def pytorch_eager(case: Case, network: Network, w: Array, X: Array, T: Array) -> Contestant:
    """Sequential, SGD and autograd, the loop of PyTorch's own tutorials."""
    import torch

    layers: list[Any] = []
    start = views(network, w)
    for i in range(1, network.L + 1):
        linear = torch.nn.Linear(case.sizes[i - 1], case.sizes[i], bias=case.bias)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(start.W[i]))
            if case.bias:
                linear.bias.copy_(torch.from_numpy(start.b[i]))
        layers += [linear, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(T)

    def run() -> None:
        for a in range(0, case.rows, case.batch):
            x, t = inputs[a : a + case.batch], targets[a : a + case.batch]
            optimizer.zero_grad()
            loss = 0.5 * ((model(x) - t) ** 2).sum() / len(x)
            loss.backward()
            optimizer.step()

    def weights() -> Array:
        return np.concatenate([parameter.detach().numpy().ravel() for parameter in model.parameters()])

    return Contestant(run, weights)


def scikit_learn(case: Case, network: Network, w: Array, X: Array, T: Array) -> Contestant:
    """MLPRegressor: logistic hidden units, identity output, intercepts; one pass a call of fit."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=case.sizes[1:-1],
        activation="logistic",
        solver="sgd",
        alpha=0.0,
        batch_size=case.batch,
        learning_rate_init=RATE / 100,
        momentum=0.0,
        nesterovs_momentum=False,
        shuffle=False,
        max_iter=1,
    )

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, T)

    return Contestant(run, None)


CONTESTANTS = {"bptrain, numpy": bptrain_numpy, "PyTorch, eager": pytorch_eager, "scikit-learn": scikit_learn}


def measure(case: Case, repeats: int) -> dict[str, dict[str, float]]:
    """Microseconds an update, and the ratio to bptrain, for each contestant."""
    L = len(case.sizes) - 1
    network = Network(
        sizes=case.sizes,
        activations=(activations.get("identity")(), *[activations.get("sigmoid")()] * L),
        bias=(False, *[case.bias] * L),
        loss=losses.get("half_squared_error")(),
    )
    draw = initializers.get("glorot_uniform")()
    w = initial_parameters(network, [draw] * (L + 1), [0.0] * (L + 1), 0, np.float32)
    rng = np.random.default_rng(0)
    X = rng.random((case.rows, case.sizes[0]), np.float32)
    T = rng.random((case.rows, case.sizes[-1]), np.float32)
    running = {name: make(case, network, w, X, T) for name, make in CONTESTANTS.items()}
    for contestant in running.values():  # the first pass warms up, and shows that the work is the same
        contestant.run()
    results = [contestant.weights() for contestant in running.values() if contestant.weights]
    np.testing.assert_allclose(results[0], results[1], rtol=2e-3, atol=2e-4)
    seconds: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(repeats):
        for name, contestant in running.items():
            clock = time.perf_counter()
            contestant.run()
            seconds[name].append(time.perf_counter() - clock)
    updates = case.rows / case.batch
    ours = seconds["bptrain, numpy"]
    return {
        name: {
            "microseconds": statistics.median(times) / updates * 1e6,
            "ratio": statistics.median(theirs / mine for theirs, mine in zip(times, ours, strict=True)),
        }
        for name, times in seconds.items()
    }


def main() -> None:
    """Prints a table in Markdown, and writes the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    figures = {}
    print(
        f"| case ({options.threads} threads) | program | µs an update | times bptrain |\n| --- | --- | --- | --- |"
    )
    with threadpool_limits(options.threads, user_api="blas"):
        for case in CASES:
            figures[case.title] = measure(case, options.repeats)
            for name, row in figures[case.title].items():
                print(f"| {case.title} | {name} | {row['microseconds']:.1f} | {row['ratio']:.1f} |")
    if options.json is not None:
        options.json.write_text(json.dumps({"threads": options.threads, "cases": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
