"""The equations that parts carry for `explain`, worked out as a reader would, are what their code computes."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bptrain.commands.explain.part_lines import LETTERS
from bptrain.parts.activations import activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array
from bptrain.registry import Registry
from commands.explain.equation_reader import value

CLOSE = 1e-12
CUT = {"selu": 2e-4}  # whose constants are printed with four digits
OPTIONS: dict[str, Any] = {"slope": 0.3, "alpha": 0.7, "delta": 0.8, "tau": 0.2, "gamma": 0.6, "floor": 0.125}
RNG = np.random.default_rng(7)


def made(registry: Registry[Any], name: str) -> tuple[Any, dict[str, Any]]:
    """A part with options other than its defaults, where there is a value for one, and all of its options."""
    options = {key: OPTIONS.get(key, option.default) for key, option in registry.options(name).items()}
    return registry.get(name)(**options), {LETTERS.get(key, key): one for key, one in options.items()}


def in_letters(line: str) -> str:
    """A line with the letters of a page."""
    return re.sub(r"\{(\w+)\}", lambda place: LETTERS.get(place[1], place[1]), line)


def equations(registry: Registry[Any], name: str) -> Iterator[tuple[str, str, str]]:
    """Left side, sign and right side of each line; places become letters."""
    for line in registry.equations(name):
        text = unicodedata.normalize("NFD", in_letters(line))
        match = re.fullmatch(r"(\S+) ([=←]) (.+)", text)
        if match:
            yield match[1], match[2], match[3]


@pytest.mark.parametrize("name", [name for name in activations if name != "softmax"])
def test_activations(name: str) -> None:
    part, options = made(activations, name)
    z = np.array([-7.3, -3.6, -2.2, -0.9, -0.3, 0.2, 0.8, 1.7, 2.9, 4.4])
    lines = {left: right for left, _, right in equations(activations, name)}
    known = {**options, "z": z}
    for left, right in lines.items():
        if left not in ("f(z)", "f'(z)"):
            known[left] = value(right, known)
    x = value(lines["f(z)"], known)
    slope = value(lines["f'(z)"], {**known, "f": lambda _: x}) + 0.0 * z
    close = CUT.get(name, CLOSE)
    np.testing.assert_allclose(x, part.f(z), rtol=close, atol=CLOSE)
    np.testing.assert_allclose(slope, part.df(z, part.f(z)), rtol=max(close, 1e-10), atol=CLOSE)


def test_softmax() -> None:
    part, _ = made(activations, "softmax")
    z = RNG.normal(size=4)
    lines = {left: right for left, _, right in equations(activations, "softmax")}
    x = value(lines["f(z)_j"], {"z": z})
    np.testing.assert_allclose(x, part.f(z[None])[0], rtol=CLOSE)
    assert lines["J"] == "diag(x) − x xᵀ, x = f(z)"
    g = RNG.normal(size=4)
    np.testing.assert_allclose((np.diag(x) - np.outer(x, x)).T @ g, part.product(x[None], g[None])[0])


def rows_for(loss: Loss) -> tuple[Array, Array]:
    """Outputs and targets that suit a loss."""
    x = RNG.uniform(0.1, 0.9, (6, 3))
    t = RNG.uniform(0.05, 0.95, (6, 3))
    if loss.outputs == "distribution":
        return x / x.sum(axis=1, keepdims=True), t / t.sum(axis=1, keepdims=True)
    if loss.outputs == "margins":
        return RNG.normal(size=(6, 3)) * 2, RNG.integers(0, 2, (6, 3)).astype(float)
    return (x, t) if loss.outputs != "values" else (3 * RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3)))


@pytest.mark.parametrize("name", list(losses))
def test_losses(name: str) -> None:
    part, options = made(losses, name)
    x, t = rows_for(part)
    known = {**options, "x": x, "t": t, "n_L": x.shape[1]}
    lines = {left: right for left, _, right in equations(losses, name)}
    for left, right in lines.items():
        if "E" not in left:
            known[left] = value(right, known)
    np.testing.assert_allclose(value(lines["E"], known), part.E(x, t), rtol=1e-11)
    np.testing.assert_allclose(value(lines["∂E/∂x"], known), part.dE(x, t), rtol=1e-11)


@pytest.mark.parametrize("name", [name for name in optimizers if name != "rprop"])
def test_optimizers(name: str) -> None:
    part, options = made(optimizers, name)
    assert isinstance(part, Optimizer)
    w, alpha = RNG.normal(size=8), 0.05
    slots: tuple[Any, ...] = tuple(
        np.zeros(8) if kind == "per_weight" else np.zeros(()) for kind in part.slots.values()
    )
    kept: dict[str, Any] = {letter: np.zeros(8) for letter in "mvupq"} | {"r": 1.0}
    for s in range(9):
        g = RNG.normal(size=8) * (0.0 if s == 4 else 1.0)
        by_code, slots = part.step(g, slots, w, alpha, s + 1, 1.0)
        known = {**options, **kept, "g": g, "α": alpha, "s": s}
        by_page = np.full(8, np.nan)
        for left, sign, right in equations(optimizers, name):
            if name == "quickprop" and left == "p":
                continue  # in words: g and the step of the update before
            right = re.sub(r", with r = 1.*", "", right).replace(" for all others", "")
            if left == "step(g)":
                by_page = np.where(np.isnan(by_page), value(right, known), by_page)
                continue
            with np.errstate(invalid="ignore"):  # radam's r, which is not used there
                known[left] = value(right, known)
            if sign == "←":
                kept[left] = known[left]
        if name == "quickprop":
            kept |= {"p": g, "q": by_code}
        np.testing.assert_allclose(by_page, by_code, rtol=1e-11, atol=1e-300)
        w = w - by_code


@pytest.mark.parametrize(
    "name", [name for name in schedules if name not in ("constant", "reduce_on_plateau")]
)
def test_schedules(name: str) -> None:
    part, options = made(schedules, name)
    n, epochs = 4, 37
    first, *_ = schedules.equations(name)
    for s in range(n * epochs):
        known = {**options, "s": float(s), "S": float(n * epochs), "n": n, "e": s / n}
        if name == "cosine_restarts":  # in words
            H = options["period"] * n
            known |= {"h": s % H, "H": H}
        else:
            for left, _, right in equations(schedules, name):
                known[left] = value(right, known)
        by_page = value(in_letters(first), known)
        assert by_page == pytest.approx(part(s, s // n + 1, n, epochs), rel=1e-12)


def test_rprop() -> None:
    part, options = made(optimizers, "rprop")
    alpha, p = 0.05, np.zeros(8)
    slots: tuple[Any, ...] = (np.zeros(8), np.zeros(8))
    q = np.full(8, alpha)
    for s in range(12):
        g = RNG.normal(size=8)
        by_code, slots = part.step(g, slots, np.zeros(8), alpha, s + 1, 1.0)
        known = {**options, "g": g, "p": p}
        for left, sign, right in equations(optimizers, "rprop"):
            if (left, sign) == ("q", "←"):
                changed = value(right.removesuffix(", and then g ← 0"), {**known, "q": q})
                q = np.where(np.isnan(changed), q, changed)
        g = np.where(g * p < 0, 0.0, g)
        (step,) = (right for left, _, right in equations(optimizers, "rprop") if left == "step(g)")
        np.testing.assert_allclose(value(step, {**known, "g": g, "q": q}), by_code, rtol=1e-12)
        p = g
