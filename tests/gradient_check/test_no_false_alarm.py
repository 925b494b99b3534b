"""200 random right networks pass: ordinary, saturated and converged weights, and units exactly at kinks."""

from collections import Counter

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.network import Network
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.kinks import find_kinks
from bptrain.gradient_check.numeric_gradient import Settings
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.types import Array
from gradient_check.random_networks import COUNT, Drawn, drawn_networks
from networks import network


def test_errors_are_rounding_alone() -> None:
    errors = {}
    for one in drawn_networks():
        report = gradcheck(one.network, one.w, one.X, one.T, context=one.context)
        assert report.passed, one.name
        errors[one.name] = report.max_relative_error
    assert len(errors) == COUNT
    worst = max(errors, key=errors.__getitem__)
    assert errors[worst] <= 1e-12, worst
    assert np.median(list(errors.values())) <= 1e-14


def test_what_is_drawn() -> None:
    """Every kind, units at kinks in number, and gradients that are not all zero."""
    kinds = Counter(one.kind for one in drawn_networks())
    assert kinds == {"ordinary": 80, "saturated": 40, "converged": 40, "at kinks": 40}
    assert sum(units_on_kinks(one) > 0 for one in drawn_networks()) >= 25
    assert max(one.network.L for one in drawn_networks()) == 10


def units_on_kinks(one: Drawn) -> int:
    """How many units of layer 1 are at a kink, in all rows."""
    Z_1 = GradientPoint(one.network, one.w, one.X, one.T, one.context).space.Z[1]
    return int(np.isin(Z_1, one.network.activations[1].kinks).sum())


def wide_and_deep(hidden: str, width: int, layers: int) -> tuple[Network, Array, Array, Array]:
    """A classifier at ordinary initial weights, on random rows."""
    net = network((20, *[width] * layers, 10), [*[hidden] * layers, "softmax"], "cross_entropy")
    rng = np.random.default_rng(0)
    w = np.zeros(net.size)
    for block in net.blocks:
        if block.kind == "weight":
            spread = np.sqrt((2 if hidden == "relu" else 1) / block.shape[1])
            block.view(w)[...] = spread * rng.normal(size=block.shape)
    return net, w, rng.normal(size=(8, 20)), np.eye(10)[rng.integers(0, 10, 8)]


@pytest.mark.parametrize(
    ("hidden", "width", "layers"), [("relu", 64, 12), ("tanh", 64, 20), ("sigmoid", 16, 10), ("relu", 32, 30)]
)
def test_width_and_depth_excuse_nothing(hidden: str, width: int, layers: int) -> None:
    """The scale of rounding must not outgrow the gradient, nor the reach of rounding make kinks of all units."""
    net, w, X, T = wide_and_deep(hidden, width, layers)
    few = Settings(method="directions")
    assert find_kinks(GradientPoint(net, w, X, T)) is None
    assert gradcheck(net, w, X, T, settings=few).passed
    g = gradient(net, w, X, T)
    for factor in (-1.0, 2.0, 1 + 1e-6):
        wrong = g.copy()
        wrong[: net.blocks[0].stop] *= factor
        report = gradcheck(net, w, X, T, wrong, settings=few)
        assert not report.layers[0].passed, factor
        assert report.layers[1].passed


@pytest.mark.parametrize("bias", [-20.0, -25.0, -30.0])
def test_the_pole_of_a_logarithm_is_no_kink(bias: float) -> None:
    """Softplus near 0 with poisson: ∂E/∂x is −t/x there, and no wrong sign may hide behind it."""
    net = network((3, 2), "softplus", "poisson")
    rng = np.random.default_rng(0)
    w = np.concatenate([0.1 * rng.normal(size=6), np.full(2, bias)])
    X, T = rng.normal(size=(6, 3)), 1.0 + rng.integers(0, 3, (6, 2))
    with np.errstate(all="ignore"):
        assert find_kinks(GradientPoint(net, w, X, T)) is None
    assert gradcheck(net, w, X, T).passed
    assert not gradcheck(net, w, X, T, -gradient(net, w, X, T)).passed
