"""Checkers of gradients side by side, on the same networks, weights and rows in float64.

    pip install -e . torch jax
    python benchmarks/gradcheck.py [--markdown docs/gradcheck_benchmark.md]

bptrain's `gradcheck`, torch.autograd.gradcheck and jax.test_util.check_grads, each used as its documentation
says, on the loss as a function of all parameters. JAX's checks one random direction, the others every entry.

* time: of one check, the median of five, taken in turn; each is called once before, so nothing is compiled.
* right code passes: the verdict at the checker's default tolerances.
* worst error: the smallest tolerance, a power of ten, with which right code passes; for bptrain the largest relative
  error that it reports.
* f' off: the derivative of the first layer's activation is off by one part in a million, or in a thousand. Is it
  caught at the default tolerances?
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import test_util

from bptrain.core.network import Network, views
from bptrain.gradient_check.check import gradcheck
from bptrain.parts.activations import activations
from bptrain.parts.losses import losses
from bptrain.parts.types import Array
from machine import in_words, machine

ROUNDS = 5
TOLERANCES = [10.0**k for k in range(-14, 1)]
SLIPS = (1e-6, 1e-3)

settings: Any = jax.config
settings.update("jax_enable_x64", True)


class Case(NamedTuple):
    """A network at a point."""

    name: str
    network: Network
    hidden: str
    w: Array
    X: Array
    T: Array


class Checker(NamedTuple):
    """A checker of one case, of right code or with a slip; a tolerance of None is its default."""

    name: str
    check: Callable[[float, float | None], bool]  # (slip, tolerance) -> passed
    resolution: Callable[[], float]


def case(
    name: str, sizes: tuple[int, ...], hidden: str, rows: int, size: float = 1.0, kink: bool = False
) -> Case:
    """A network with softmax and cross_entropy; `kink`: the first row is 0 and so are the biases."""
    f, out = activations.get(hidden)(), activations.get("softmax")()
    layers = (f, *(f for _ in sizes[2:]), out)
    network = Network(
        sizes, layers, (False, *(True for _ in sizes[1:])), losses.get("cross_entropy")(), canonical=True
    )
    rng = np.random.default_rng(0)
    w, X = np.empty(network.size), rng.normal(size=(rows, sizes[0]))
    P = views(network, w)
    for i in range(1, network.L + 1):
        P.W[i][...] = size * rng.normal(size=P.W[i].shape) / np.sqrt(sizes[i - 1])
        b = P.b[i]
        assert b is not None
        b[...] = 0.0 if kink else 0.1 * rng.normal(size=b.shape)
    if kink:
        X[0] = 0.0
    return Case(name, network, hidden, w, X, np.eye(sizes[-1])[rng.integers(0, sizes[-1], rows)])


CASES = [
    case("4-5-3-2, sigmoid", (4, 5, 3, 2), "sigmoid", 8),
    case("13-20-3, tanh", (13, 20, 3), "tanh", 32),
    case("13-20-20-3, relu", (13, 20, 20, 3), "relu", 32),
    case("13-20-20-3, relu, a row at every kink", (13, 20, 20, 3), "relu", 32, kink=True),
    case("13-20-20-3, tanh, saturated", (13, 20, 20, 3), "tanh", 32, size=30.0),
    case("64-64-10, tanh", (64, 64, 10), "tanh", 32),
]


def ours(one: Case) -> Checker:
    """bptrain."""

    def run(slip: float) -> Any:
        f = one.network.activations[1]
        assert f.df is not None
        right = f.df
        wrong = f._replace(df=lambda z, x: right(z, x) * (1 + slip)) if slip else f
        layers = (one.network.activations[0], wrong, *one.network.activations[2:])
        network = Network(
            one.network.sizes, layers, one.network.bias, one.network.loss, canonical=one.network.canonical
        )
        return gradcheck(network, one.w, one.X, one.T)

    return Checker(
        "bptrain gradcheck",
        lambda slip, tolerance: bool(run(slip).passed),
        lambda: run(0.0).max_relative_error,
    )


def with_torch(one: Case) -> Checker:
    """torch.autograd.gradcheck; default eps 1e-6, atol 1e-5, rtol 1e-3."""
    X, t = torch.tensor(one.X), torch.tensor(one.T.argmax(axis=1))
    P, L = views(one.network, one.w), one.network.L
    parameters = [torch.tensor(p, requires_grad=True) for i in range(1, L + 1) for p in (P.W[i], P.b[i])]
    f = getattr(torch, one.hidden)

    def loss(slip: float) -> Callable[..., Any]:
        def of(*p: Any) -> Any:
            x = X
            for i in range(L):
                z = x @ p[2 * i].T + p[2 * i + 1]
                x = f(z) if i < L - 1 else z
                if i == 0 and slip:
                    x = x + slip * (x - x.detach())  # the same x, with a derivative of 1 + slip
            return torch.nn.functional.cross_entropy(x, t)

        return of

    def check(slip: float, tolerance: float | None) -> bool:
        atol, rtol = (1e-5, 1e-3) if tolerance is None else (tolerance, 0.0)  # its own defaults
        return bool(
            torch.autograd.gradcheck(loss(slip), parameters, atol=atol, rtol=rtol, raise_exception=False)
        )

    return Checker("torch.autograd.gradcheck", check, lambda: smallest(check))


def with_jax(one: Case) -> Checker:
    """jax.test_util.check_grads, order 1, reverse mode: a random direction; its default tolerances and step."""
    P, L = views(one.network, one.w), one.network.L
    parameters = [jnp.asarray(p) for i in range(1, L + 1) for p in (P.W[i], P.b[i])]
    f = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}[one.hidden]

    def loss(slip: float) -> Callable[..., Any]:
        def of(*p: Any) -> Any:
            x: Any = one.X
            for i in range(L):
                z = x @ p[2 * i].T + p[2 * i + 1]
                x = f(z) if i < L - 1 else z
                if i == 0 and slip:
                    x = x + slip * (x - jax.lax.stop_gradient(x))
            return -jnp.mean(jnp.sum(one.T * jax.nn.log_softmax(x), axis=1))

        compiled: Callable[..., Any] = jax.jit(of)
        return compiled

    right = {slip: loss(slip) for slip in (0.0, *SLIPS)}

    compare: Callable[..., None] = test_util.check_grads

    def check(slip: float, tolerance: float | None) -> bool:
        try:
            compare(right[slip], parameters, order=1, modes=["rev"], atol=tolerance, rtol=tolerance)
        except AssertionError:
            return False
        return True

    return Checker("jax.test_util.check_grads", check, lambda: smallest(check))


def smallest(check: Callable[[float, float | None], bool]) -> float:
    """The smallest of the tolerances at which right code passes; infinity where it passes at none."""
    return next((tolerance for tolerance in TOLERANCES if check(0.0, tolerance)), float("inf"))


def main() -> None:
    """Prints the table, and writes it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    lines = [
        "| network, rows | checker | time | right code passes | worst error | f' off by 1e-6 | off by 1e-3 |",
        "| --- | --- | ---: | --- | ---: | --- | --- |",
    ]
    for one in CASES:
        checkers = [ours(one), with_torch(one), with_jax(one)]
        seconds: dict[str, list[float]] = {checker.name: [] for checker in checkers}
        for checker in checkers:
            checker.check(0.0, None)
        for _ in range(ROUNDS):
            for checker in checkers:
                clock = time.perf_counter()
                checker.check(0.0, None)
                seconds[checker.name].append(time.perf_counter() - clock)
        for checker in checkers:
            passed = "yes" if checker.check(0.0, None) else "no: a false alarm"
            caught = ["missed" if checker.check(slip, None) else "caught" for slip in SLIPS]
            if passed != "yes":
                caught = ["–", "–"]
            took = 1e3 * statistics.median(seconds[checker.name])
            lines.append(
                f"| {one.name}, {len(one.X)} | {checker.name} | {took:.3g} ms | {passed} | "
                f"{checker.resolution():.0e} | {' | '.join(caught)} |"
            )
            print(lines[-1], flush=True)
    if asked.markdown:
        text = [
            "# Checkers of gradients",
            (__doc__ or "").split("\n\n", 2)[2].strip(),
            f"Machine: {in_words(machine())}",
            "\n".join(lines),
        ]
        asked.markdown.write_text("\n\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
