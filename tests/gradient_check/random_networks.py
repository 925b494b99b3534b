"""Random right networks: what no checker may find fault with."""

import functools
from typing import NamedTuple

import numpy as np

from bptrain.commands.gradcheck.selftest import targets
from bptrain.core.backprop import forward, gradient, workspace
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext, Network, views
from bptrain.core.objective import row_losses
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.activations import Activation, activations
from bptrain.parts.input_steps import InputStep, StepParameter
from bptrain.parts.losses import Loss, losses
from bptrain.parts.types import Array, Generator
from networks import PAIRS, normal

COUNT = 200
KINDS = ("ordinary", "ordinary", "saturated", "converged", "at kinks")  # by seed, in turn
HIDDEN = tuple(activations)
IN_STEPS = ("identity", "identity", "tanh", "sine", "softplus")
KINKED = tuple(name for name in HIDDEN if activations.get(name)().kinks)
STEPS = 300  # of plain descent, after which weights are called converged


class Drawn(NamedTuple):
    """A network, its weights, and rows that suit it."""

    name: str  # says what was drawn
    kind: str
    network: Network
    w: Array
    X: Array
    T: Array
    context: BatchContext


@functools.cache
def drawn_networks(count: int = COUNT) -> tuple[Drawn, ...]:
    """So many of them, always the same."""
    return tuple(drawn(seed) for seed in range(count))


def drawn(seed: int, steps: bool = False) -> Drawn:
    """One of them, with steps before W_1 or without. What has no finite objective is drawn anew."""
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        while True:
            one = _draw(rng, KINDS[seed % len(KINDS)], drawn_steps(rng) if steps else ())
            if finite(one):
                return one._replace(name=f"{seed}: {one.name}")


def drawn_steps(rng: Generator) -> tuple[InputStep, ...]:
    """One to three steps before W_1: groups of one or two columns, which may be kept too."""
    n, steps = int(rng.integers(1, 5)), []
    for s in range(int(rng.integers(1, 4))):
        taken = rng.permutation(n)[: int(rng.integers(1, n + 1))]
        size = 2 if len(taken) % 2 == 0 and rng.random() < 0.5 else 1
        columns = tuple(tuple(int(k) for k in group) for group in taken.reshape(-1, size))
        kept = tuple(int(k) for k in range(n) if k not in taken or rng.random() < 0.3)
        f = activations.get(IN_STEPS[rng.integers(len(IN_STEPS))])()
        W, b = (StepParameter(f"{letter}{s}", normal) for letter in "Wb")
        steps.append(
            InputStep(n, columns, int(rng.integers(1, 4)), kept, f, W, b if rng.random() < 0.7 else None)
        )
        n = steps[-1].n_out
    return tuple(steps)


def _draw(rng: Generator, kind: str, steps: tuple[InputStep, ...]) -> Drawn:
    depth = int(rng.integers(1, 11)) if rng.random() < 0.5 else int(rng.integers(1, 4))
    sizes = tuple(int(n) for n in rng.integers(2 if rng.random() < 0.8 else 1, 7, depth + 1))
    sizes = (steps[-1].n_out, *sizes[1:]) if steps else sizes
    last, of_loss = PAIRS[rng.integers(len(PAIRS))]
    names = [HIDDEN[rng.integers(len(HIDDEN))] for _ in range(depth - 1)] + [last]
    if kind == "at kinks" and depth > 1:
        names[0] = KINKED[rng.integers(len(KINKED))]
    loss = drawn_loss(rng, of_loss)
    dropped = rng.random() < 0.3
    network = Network(
        sizes=sizes,
        activations=(activations.get("identity")(), *(drawn_activation(rng, name) for name in names)),
        bias=(False, *(bool(flag) for flag in rng.random(depth) < 0.8)),
        loss=loss,
        reduction="mean" if rng.random() < 0.5 else "sum",
        canonical=loss.canonical == last,
        l1=0.1 * rng.random() if rng.random() < 0.3 else 0.0,
        l2=0.1 * rng.random() if rng.random() < 0.3 else 0.0,
        dropout=tuple(float(p) for p in rng.choice((0.0, 0.25, 0.5), depth)) if dropped else (),
        input_steps=steps,
    )
    rows = int(rng.integers(1, 9))
    X, T = rng.normal(size=(rows, network.inputs)), targets(loss, rng, rows, sizes[-1])
    V = rng.choice((0.0, 0.25, 1.0, 3.0), rows) if rng.random() < 0.3 else None
    context = BatchContext(V, masks(network, int(rng.integers(1000)), 1, slice(0, rows), np.float64))
    w = rng.normal(size=network.size)
    if kind == "saturated":
        w *= 100
    elif kind == "converged":
        w = descended(network, 0.5 * w, X, T, context)
    elif kind == "at kinks":
        w, X = at_kinks(rng, network, w, X, context)
    words = (kind, sizes, "-".join(names), of_loss, network.reduction)
    return Drawn(", ".join(str(word) for word in words), kind, network, w, X, T, context)


def drawn_activation(rng: Generator, name: str) -> Activation:
    chosen = {"leaky_relu": {"slope": rng.random()}, "elu": {"alpha": 2 * rng.random()}}
    return activations.get(name)(**(chosen.get(name, {}) if rng.random() < 0.5 else {}))


def drawn_loss(rng: Generator, name: str) -> Loss:
    chosen = {"huber": {"delta": 2 * rng.random()}, "quantile": {"tau": 0.1 + 0.8 * rng.random()}}
    return losses.get(name)(**(chosen.get(name, {}) if rng.random() < 0.5 else {}))


def descended(network: Network, w: Array, X: Array, T: Array, context: BatchContext) -> Array:
    rate = 0.2 / (len(X) if network.reduction == "sum" else 1)
    for _ in range(STEPS):
        w = w - rate * gradient(network, w, X, T, context)
    return w


def at_kinks(
    rng: Generator, network: Network, w: Array, X: Array, context: BatchContext
) -> tuple[Array, Array]:
    """Units of layer 1 exactly at a kink: in eighths, z is exact. A row of zeros needs no bias for a kink at 0."""
    w, X = np.round(8 * w) / 8, np.round(8 * X) / 8
    X[0] = 0.0
    parameters = views(network, w)
    b, kinks = parameters.b[1], network.activations[1].kinks
    if b is not None and kinks:
        for j in range(len(b)):
            row = int(rng.integers(len(X)))
            given = GradientPoint(network, w, X, X, context).behind_steps.X_0[row]
            given = given * context.dropout_masks[0][row] if 0 in context.dropout_masks else given
            b[j] = float(rng.choice(kinks)) - given @ parameters.W[1][j]
    return w, X


def finite(one: Drawn) -> bool:
    network, space = one.network, workspace(one.network, len(one.X), np.float64)
    forward(network, views(network, one.w), one.X, space, one.context)
    E = row_losses(network, space.Z[network.L], space.X[network.L], one.T)
    g = gradient(network, one.w, one.X, one.T, one.context)
    return bool(np.isfinite(E).all() and np.isfinite(g).all() and np.abs(one.w).max() < 1e6)
