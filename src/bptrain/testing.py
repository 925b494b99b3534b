"""`check_part`: one line in your test suite for a part of your own.

    from bptrain.testing import check_part
    from my_parts import bent

    def test_bent() -> None:
        check_part(bent())

It raises AssertionError, with a message that says what is wrong and where.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from bptrain.commands.gradcheck.selftest import targets
from bptrain.core.network import Network
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.number_words import told_apart
from bptrain.gradient_check.numeric_gradient import Settings
from bptrain.gradient_check.part_derivatives import PartFault, part_faults
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.activations import Activation, activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.optimizers import Optimizer
from bptrain.parts.random import stream
from bptrain.parts.types import Array
from bptrain.plugins.kinds import KINDS, fault

SIZES = (4, 5, 3)
UNITS = 3  # of a layer that is looked at by itself
ROWS = 12
FAR = 1e4  # an f must not overflow up to there
OUTPUTS = {  # an activation whose outputs a loss may have
    "values": "identity",
    "positive": "softplus",
    "probabilities": "sigmoid",
    "distribution": "softmax",
    "margins": "tanh",
}


def check_part(part: Any, seed: int = 0) -> None:
    """Checks an activation, a loss or an optimizer, and the form of every other part, as its factory returns it.

    An activation: f' (or Jᵀg) is the derivative of f, at ordinary z, at large ones, at 0 and at the kinks that it
    declares, where it may be anything between the slopes of both sides; a network of it passes `gradcheck`; f keeps the
    dtype, does not overflow for |z| ≤ 10⁴, and gives NaN for NaN. A loss: dE is the derivative of E, likewise, and no
    row depends on another. An optimizer: its step changes no array that it is given, keeps the dtype, and updates each
    weight independently of the others. Raises AssertionError, and TypeError for what is not a part.
    """
    kind = next((kind for kind in KINDS if kind.type is not None and isinstance(part, kind.type)), None)
    if kind is None:
        raise TypeError(f"{part!r} is not a part: pass what its factory returns, such as my_activation()")
    wrong = fault(kind, part)
    found = [] if wrong is not None else list(_wrongs(part, seed))
    if wrong is not None:
        found.append(f"it {wrong}")
    assert not found, f"{kind.name}: " + "; ".join(found)


def _wrongs(part: Any, seed: int) -> Iterator[str]:
    """What is wrong with a part whose form is right."""
    if isinstance(part, Activation):
        yield from _of_activation(part, seed)
    elif isinstance(part, Loss):
        yield from _of_loss(part, seed)
    elif isinstance(part, Optimizer):
        yield from _of_optimizer(part, seed)


def _of_activation(f: Activation, seed: int) -> Iterator[str]:
    half = losses.get("half_squared_error")()
    network = Network(SIZES, (f, f, f), (False, True, True), half)
    yield from _in_a_network(network, seed)
    if f.df is not None:
        yield from _along_z(f, seed)
    for dtype in (np.float32, np.float64):
        far = in_each_unit(np.linspace(-FAR, FAR, 63)).astype(dtype)
        with warnings.catch_warnings(record=True) as raised, np.errstate(all="warn", under="ignore"):
            warnings.simplefilter("always")
            x = f.f(far)
            slopes = np.zeros(1) if f.df is None else f.df(far, x)
        if raised or not (np.isfinite(x).all() and np.isfinite(slopes).all()):
            why = f": {raised[0].message}" if raised else ""
            yield f"f or f' overflows in {dtype.__name__} for some |z| ≤ {FAR:g}{why}"
    low, high = f.range
    x = f.f(in_each_unit(np.linspace(-30.0, 30.0, 63)))
    if not ((x >= low - 1e-12) & (x <= high + 1e-12)).all():
        least, lower = told_apart(float(x.min()), low, 6)
        most, upper = told_apart(float(x.max()), high, 6)
        yield f"f gives {least} … {most}, beyond the range ({lower}, {upper}) that it declares"
    with np.errstate(all="ignore"):
        if not np.isnan(f.f(np.full((2, UNITS), np.nan))).all():
            yield "f hides NaN: where(z > 0, z, 0) does, where(z <= 0, 0, z) does not"


def in_each_unit(z: Array) -> Array:
    """These z in every unit: a row for each."""
    return np.tile(z[:, None], (1, UNITS))


def _along_z(f: Activation, seed: int) -> Iterator[str]:
    """f' against f at chosen z, in each unit of a layer: all its weights are 1."""
    z = np.concatenate([stream(seed, "check").normal(size=200) * 3, [0.0, -40.0, 40.0, *f.kinks]])
    network = Network((1, UNITS), (f, f), (False, False), losses.get("half_squared_error")())
    point = GradientPoint(network, np.ones(UNITS), z[:, None], np.zeros((len(z), UNITS)))
    yield from (_words(fault) for fault in part_faults(point) if fault.quantity == "f'")


def _of_loss(loss: Loss, seed: int) -> Iterator[str]:
    name = loss.canonical or loss.output or OUTPUTS[loss.outputs]
    f = activations.get(name)()
    for canonical in (False, True) if loss.canonical else (False,):
        yield from _in_a_network(
            Network(SIZES, (f, f, f), (False, True, True), loss, canonical=canonical), seed
        )
    rng = stream(seed, "check")
    X, T = f.f(rng.normal(size=(ROWS, 3))), targets(loss, rng, ROWS, 3)
    one_by_one = np.array([loss.E(X[n : n + 1], T[n : n + 1])[0] for n in range(ROWS)])
    if not np.allclose(loss.E(X, T), one_by_one, rtol=1e-12, atol=1e-12):
        yield "E of a row depends on the other rows"


def _in_a_network(network: Network, seed: int) -> Iterator[str]:
    """The gradient of a small network, at ordinary weights and at large ones."""
    rng = stream(seed, "check")
    X, T = rng.normal(size=(ROWS, SIZES[0])), targets(network.loss, rng, ROWS, SIZES[-1])
    for size in (1.0, 5.0):
        w = size * rng.normal(size=network.size) / np.sqrt(SIZES[1])
        report = gradcheck(network, w, X, T, settings=Settings(inputs=True))
        if report.passed:
            continue
        if report.faults:
            yield from map(_words, report.faults)
        else:
            wrong = next(block for block in report.blocks if not block.passed)
            looks = [f", which matches the pattern of: {likely.words}" for likely in report.likely.values()]
            yield f"gradcheck: {wrong.name} is off by {wrong.relative_error:.1e}{''.join(looks)} ({report.why})"
        return


def _words(fault: PartFault) -> str:
    at = "x" if fault.quantity == "∂E/∂x" else "z"
    given, right = told_apart(fault.given, fault.right, 9)
    pattern = "" if fault.words is None else f", which matches the pattern of: {fault.words}"
    return f"{fault.quantity} is {given} at {at} = {fault.z:.6g} and should be {right}, in unit {fault.unit}{pattern}"


def _of_optimizer(rule: Optimizer, seed: int) -> Iterator[str]:
    for dtype in (np.float32, np.float64):
        rng = stream(seed, "check")
        w, slots = _weights(rng.normal(size=6), dtype), _slots(rule, 6, dtype)
        alone = [(w[k : k + 1].copy(), _slots(rule, 1, dtype)) for k in range(6)]
        for t in range(1, 6):
            g = _weights(rng.normal(size=6), dtype)
            before = [array.copy() for array in (g, w, *slots)]
            step, after = rule.step(g, slots, w, 0.1, t, 1.0)
            if not all(map(np.array_equal, before, (g, w, *slots))):
                yield "step changes the arrays that it is given: it should return new ones"
                return
            if step.dtype != dtype or any(slot.dtype != dtype for slot in after):
                kept = ", ".join(str(slot.dtype) for slot in after)
                yield f"step gives {step.dtype}, and slots of {kept or 'nothing'}, for {np.dtype(dtype)}"
                return
            if not np.isfinite(step).all():
                yield f"step is not finite in update {t}"
                return
            by_itself = []
            for k, (w_k, slots_k) in enumerate(alone):
                step_k, slots_k = rule.step(g[k : k + 1], slots_k, w_k, 0.1, t, 1.0)
                alone[k] = (w_k - step_k, slots_k)
                by_itself.append(step_k[0])
            if not np.allclose(step, by_itself, rtol=1e-5, atol=1e-7):
                yield "step of a weight depends on the other weights"
                return
            w, slots = w - step, after


def _weights(w: Array, dtype: type) -> Array:
    return w.astype(dtype)


def _slots(rule: Optimizer, n: int, dtype: type) -> tuple[Array, ...]:
    kinds = rule.slots.values()
    return tuple(np.zeros(n if kind == "per_weight" else (), dtype) for kind in kinds)
