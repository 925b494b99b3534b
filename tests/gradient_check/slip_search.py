"""The search for what the check excuses or blames wrongly: random deep networks, and slips of 1e-6 planted in them.

Right code must pass. A slip must fail wherever the right gradient of a block that it changes agrees with the numeric
one to 1e-12. `dev/gradcheck_slips.py` runs it over thousands of networks, the tests over a fixed sample.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from bptrain.commands.gradcheck.selftest import targets
from bptrain.core import reference
from bptrain.core.backprop import gradient
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext, Block, Network, views
from bptrain.drain import drain
from bptrain.gradient_check.check import BlockJudge, gradcheck
from bptrain.gradient_check.kinks import find_kinks
from bptrain.gradient_check.lines import backward
from bptrain.gradient_check.numeric_gradient import Settings, numeric_side, plan
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.rounding import rounding_at
from bptrain.gradient_check.verdicts import TOLERANCE, judge, norm, scale_at
from bptrain.parts.activations import Activation, activations
from bptrain.parts.input_steps import InputStep
from bptrain.parts.types import Array, Generator
from gradient_check.random_networks import (
    HIDDEN,
    Drawn,
    at_kinks,
    descended,
    drawn_activation,
    drawn_loss,
    drawn_steps,
    finite,
)
from networks import PAIRS

SLIP = 1.0 + 1e-6
AGREES = 1e-12  # of the right gradient of a block, with the numeric one
SEEN = 5e-7  # of the norm of a block: a slip that changes it by less is not asked for
SMALLEST = 1e-250  # the norm of a block below which the complex step underflows
FAINT = 1e-30  # of its scale, the square of a unit in the last place: what has been lost on both sides alike
KINDS = (
    "ordinary",
    "large",
    "small",
    "saturated",
    "tails",
    "softmax",
    "wide",
    "converged",
    "at kinks",
)  # in turn
SOME = Settings(entries_per_block=20)


class Slipped(NamedTuple):
    """A slip, and the gradient with it."""

    name: str
    g: Array
    agrees: Network  # the network of which g should be the gradient


def deep_network(seed: int, steps: bool = False) -> Drawn:
    """A random network, deeper than those of `random_networks`. One without a finite objective is drawn anew."""
    rng = np.random.default_rng([seed, 1])
    kind = KINDS[seed % len(KINDS)]
    with np.errstate(all="ignore"):
        while True:
            one = _draw(rng, kind, drawn_steps(rng) if steps else ())
            if finite(one):
                return one._replace(name=f"{seed}: {one.name}")


def _draw(rng: Generator, kind: str, steps: tuple[InputStep, ...]) -> Drawn:
    depth = int(rng.integers(1, 13))
    sizes = tuple(int(n) for n in rng.integers(*((8, 25) if kind == "wide" else (1, 7)), depth + 1))
    last, of_loss = PAIRS[rng.integers(len(PAIRS))]
    names = [HIDDEN[rng.integers(len(HIDDEN))] for _ in range(depth - 1)] + [last]
    if kind == "softmax":
        names[: depth - 1] = ["softmax"] * (depth - 1)
        sizes = (*(max(2, n) for n in sizes[:-1]), sizes[-1])
    sizes = (steps[-1].n_out, *sizes[1:]) if steps else sizes
    loss = drawn_loss(rng, of_loss)
    network = Network(
        sizes=sizes,
        activations=(activations.get("identity")(), *(drawn_activation(rng, name) for name in names)),
        bias=(False, *(bool(flag) for flag in rng.random(depth) < 0.8)),
        loss=loss,
        reduction="mean" if rng.random() < 0.5 else "sum",
        canonical=loss.canonical == last and bool(rng.random() < 0.7),
        l1=0.1 * rng.random() if rng.random() < 0.1 else 0.0,
        l2=0.1 * rng.random() if rng.random() < 0.1 else 0.0,
        dropout=tuple(float(p) for p in rng.choice((0.0, 0.25, 0.5), depth)) if rng.random() < 0.2 else (),
        input_steps=steps,
    )
    rows = int(rng.integers(1, 9))
    X, T = rng.normal(size=(rows, network.inputs)), targets(loss, rng, rows, sizes[-1])
    V = rng.choice((0.0, 0.25, 1.0, 3.0), rows) if rng.random() < 0.2 else None
    context = BatchContext(V, masks(network, int(rng.integers(1000)), 1, slice(0, rows), np.float64))
    w = rng.normal(size=network.size)
    size = {"large": 5.0, "small": 10.0 ** -rng.integers(1, 4), "saturated": 10.0 ** rng.integers(1, 4)}.get(
        kind, 1.0
    )
    w *= size
    if kind == "wide":
        for block in network.blocks:
            block.view(w)[...] /= np.sqrt(sizes[block.layer - 1] if block.layer else 1)
    if kind == "tails":
        b = views(network, w).b[rng.integers(1, depth + 1)]
        if b is not None:
            b += rng.choice((-1, 1)) * rng.uniform(5, 40)
    if kind == "converged":
        w = descended(network, 0.5 * w, X, T, context)
    if kind == "at kinks":
        w, X = at_kinks(rng, network, w, X, context)
    words = (
        kind,
        sizes,
        "-".join(names),
        of_loss,
        "canonical" if network.canonical else "",
        network.reduction,
    )
    return Drawn(", ".join(str(word) for word in words), kind, network, w, X, T, context)


def false_alarm(one: Drawn) -> str | None:
    """What the check says against a right network; None where it says nothing."""
    engines = {"numpy": partial(gradient, one.network), "twin": partial(twin, one.network)}
    report = gradcheck(one.network, one.w, one.X, one.T, engines, one.context)
    if report.passed:
        return None
    wrong = [
        f"{block.name} {block.relative_error:.1e} {block.outcome}"
        for block in report.blocks
        if not block.passed
    ]
    return f"{report.method}, {wrong}, {report.faults}, forward {report.forward_error:.1e}"


def twin(network: Network, w: Array, X: Array, T: Array, context: BatchContext) -> Array:
    """The gradient by the literal twin, which rounds z and x in another way."""
    with np.errstate(all="ignore"):
        g = reference.gradient(network, views(network, w), X, T, context)
    lost = not np.isfinite(g).all()  # rows of weight 0, which it divides by
    return gradient(network, w, X, T, context) if lost else g


def false_negatives(one: Drawn) -> Iterator[str]:
    """The slips that pass, though the right gradient agrees with the numeric one where they change it.

    The verdicts are those of the check, without its words: these would take most of the time.
    """
    with np.errstate(all="ignore"):
        right = Verdicts(one, one.network)
        for slip in slips(one):
            verdicts = right if slip.agrees is one.network else Verdicts(one, slip.agrees)
            changed = verdicts.changed(slip)
            if changed and verdicts.passes(slip.g):
                yield f"{slip.name}: {changed}"


class Verdicts:
    """The verdicts of the check on any gradient of a network that is right."""

    def __init__(self, one: Drawn, network: Network) -> None:
        point = GradientPoint(network, one.w, one.X, one.T, one.context)
        found = find_kinks(point)
        self.right = gradient(network, one.w, one.X, one.T, one.context)
        q = rounding_at(point)
        scales = (scale_at(point, 1), scale_at(point), q, q)
        self.judge = BlockJudge(
            point, found, *scales, backward(point), {}, Settings(), plan(point, SOME, "complex_step")
        )
        self.numeric = {
            block: drain(numeric_side(point, self.judge.plan, block, 0, self.judge.left_out, 0, 0))
            for block in network.blocks
        }

    def passes(self, g: Array) -> bool:
        """Whether every block passes."""
        for block, numeric in self.numeric.items():
            part = slice(block.start, block.stop)
            if not judge(g[part], numeric, self.judge.allowed(part), TOLERANCE).right:
                return False
        return True

    def changed(self, slip: Slipped) -> list[str]:
        """The blocks that a slip changes and in which right code agrees, at no kink."""
        found, changed = self.judge.found, []
        for block, numeric in self.numeric.items():
            part = slice(block.start, block.stop)
            a, b = self.right[part][numeric.entries], slip.g[part][numeric.entries]
            size, faint = norm(a), FAINT * norm(self.judge.squares.w[part])
            seen = size > max(SMALLEST, faint) and norm(b - a) > SEEN * size
            if not seen or (found is not None and found.radius[part].any()):
                continue
            if norm(a - numeric.n) <= AGREES * size:
                changed.append(block.name)
        return changed


def slips(one: Drawn) -> Iterator[Slipped]:
    """Each δ_i, each block of the gradient, each derivative of a part, and one f_i, off by 1e-6."""
    network, L = one.network, one.network.L

    def g_of(network: Network) -> Array:
        return gradient(network, one.w, one.X, one.T, one.context)

    right, of_loss = g_of(network), g_of(replace(network, l1=0.0, l2=0.0))
    for i in range(1, L + 1):
        below = [block for block in network.blocks if block.layer <= i]
        yield Slipped(f"δ_{i}", off(below, right, of_loss), network)
    for block in network.blocks:
        yield Slipped(block.name, off([block], right, of_loss), network)
    for i in range(1, L + (not network.canonical)):
        f = network.activations[i]
        wrong = f._replace(df=times(f.df), product=times(f.product))
        name = "J" if f.df is None else "f'"
        yield Slipped(f"{name} of layer {i}", g_of(with_part(network, i, wrong)), network)
    for s, step in enumerate(network.input_steps):
        wrong_step = step._replace(f=step.f._replace(df=times(step.f.df)))
        others = network.input_steps
        planted = replace(network, input_steps=(*others[:s], wrong_step, *others[s + 1 :]))
        yield Slipped(f"f' of step {s + 1} before W_1", g_of(planted), network)
    if not network.canonical:
        dE = network.loss.dE
        wrong_loss = network.loss._replace(dE=lambda x, t: SLIP * dE(x, t))
        yield Slipped("∂E/∂x", g_of(replace(network, loss=wrong_loss)), network)
    i = 1 + len(one.w) % L
    value, slope = network.activations[i].f, network.activations[i].df
    if slope is not None and not (i == L and network.canonical):
        bent = network.activations[i]._replace(
            f=lambda z: SLIP * value(z), df=lambda z, x: slope(z, x / SLIP)
        )
        fits = with_part(network, i, bent._replace(df=times(bent.df)))
        yield Slipped(f"f of layer {i}", g_of(with_part(network, i, bent)), fits)


def times(of: Callable[[Array, Array], Array] | None) -> Callable[[Array, Array], Array] | None:
    """A function of a part that is off by the slip."""
    return None if of is None else lambda one, other: SLIP * of(one, other)


def off(blocks: Sequence[Block], right: Array, of_loss: Array) -> Array:
    """The gradient with that of the loss off in some blocks."""
    g = right.copy()
    for block in blocks:
        block.view(g)[...] += (SLIP - 1.0) * block.view(of_loss)
    return g


def with_part(network: Network, i: int, f: Activation) -> Network:
    """The network with another f_i."""
    others = network.activations
    return replace(network, activations=(*others[:i], f, *others[i + 1 :]))
