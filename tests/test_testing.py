"""`check_part` passes every part of bptrain's own, and says what is wrong with others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bptrain.parts.activations import Activation, activations
from bptrain.parts.losses import losses
from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.types import Array
from bptrain.testing import check_part

OWN = [(registry, name) for registry in (activations, losses, optimizers) for name in registry]


@pytest.mark.parametrize(("registry", "name"), OWN, ids=lambda value: value if isinstance(value, str) else "")
def test_every_part_of_bptrain_passes(registry: Any, name: str) -> None:
    check_part(registry.get(name)())


def tanh(z: Array) -> Array:
    return np.tanh(z)


def slope(z: Array, x: Array) -> Array:
    return 1 - x * x


HALF = losses.get("half_squared_error")()


def in_place(g: Array, slots: tuple[Array, ...], w: Array, rate: Any, t: int, E: float) -> Any:
    g *= rate
    return g, slots


def by_norm(g: Array, slots: tuple[Array, ...], w: Array, rate: Any, t: int, E: float) -> Any:
    return rate * g / np.sqrt((g * g).sum()), slots


def wide(g: Array, slots: tuple[Array, ...], w: Array, rate: Any, t: int, E: float) -> Any:
    return g.astype(np.float64), slots


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "factor": (lambda: Activation(tanh, lambda z, x: 2 * slope(z, x)), "2 times the right one"),
    "sign": (lambda: Activation(tanh, lambda z, x: 1 + x * x), "f' is .* and should be"),
    "at a kink": (
        lambda: activations.get("relu")()._replace(
            df=lambda z, x: np.where(z.real < 0, 0.0, np.where(z.real > 0, 1.0, 2.0))
        ),
        "at z = 0 and should be",
    ),
    "both": (lambda: Activation(tanh, slope, lambda x, g: g), "either df, or the product"),
    "dtype": (lambda: Activation(lambda z: np.tanh(z).astype(np.float64), slope), "should keep the dtype"),
    "overflow": (
        lambda: Activation(lambda z: 1 / (1 + np.exp(-z)), lambda z, x: x * (1 - x)),
        "overflows in float32",
    ),
    "range": (lambda: Activation(tanh, slope, range=(0.0, 1.0)), "beyond the range"),
    "NaN": (
        lambda: Activation(
            lambda z: np.where(z.real > 0, z, 0.0).astype(z.dtype),
            lambda z, x: np.where(z.real > 0, 1.0, 0.0),
        ),
        "hides NaN",
    ),
    "loss": (lambda: HALF._replace(dE=lambda x, t: 2 * (x - t)), "∂E/∂x is"),
    "canonical": (lambda: HALF._replace(canonical="tanh"), "∂E/∂z is|E of z"),
    "rows": (
        lambda: HALF._replace(
            E=lambda x, t: 0.5 * ((x - t) ** 2).sum(axis=1) + (x - t).real.mean() * 1e-3,
            canonical=None,
            E_of_z=None,
        ),
        "depends on the other rows",
    ),
    "in place": (lambda: Optimizer(0.1, in_place), "changes the arrays"),
    "norm": (lambda: Optimizer(0.1, by_norm), "depends on the other weights"),
    "wide": (lambda: Optimizer(0.1, wide), "step gives float64"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name: str) -> None:
    make, words = WRONG[name]
    with pytest.raises(AssertionError, match=words):
        check_part(make())


def test_a_factory_is_no_part() -> None:
    with pytest.raises(TypeError, match="what its factory returns"):
        check_part(activations.get("tanh"))
