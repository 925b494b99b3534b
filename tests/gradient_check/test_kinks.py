"""Kinks: found from z, judged by the slopes of both sides, left out, or refused."""

import dataclasses

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.network import BatchContext, Network, views
from bptrain.errors import UsageError
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.kinks import Bounded, find_kinks, penalty_slopes, possible
from bptrain.gradient_check.lines import backward
from bptrain.gradient_check.numeric_gradient import Settings
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.activations import Activation, activations
from bptrain.parts.types import Array
from networks import data_for, network


def at_a_kink(hidden: str = "relu") -> tuple[Network, Array, Array, Array]:
    """Row 2 has only zeros, and layer 1 no bias: all of its units stand at z = 0."""
    net = network((3, 4, 2), [hidden, "identity"], "half_squared_error")
    X, T = data_for(net, 5, 1)
    X[2] = 0
    w = np.random.default_rng(0).normal(size=net.size)
    bias = views(net, w).b[1]
    assert bias is not None
    bias[:] = 0
    return net, w, X, T


def with_slope_at_0(net: Network, at_0: float) -> Network:
    """The network with a relu whose derivative at z = 0 is another."""
    relu = net.activations[1]

    def df(z: Array, x: Array) -> Array:
        return np.where(z.real < 0, 0.0, np.where(z.real > 0, 1.0, at_0))

    return dataclasses.replace(
        net, activations=(net.activations[0], relu._replace(df=df), net.activations[2])
    )


def test_units_and_instances_are_named() -> None:
    found = find_kinks(GradientPoint(*at_a_kink()))
    assert found is not None
    assert [(kink.layer, kink.row, kink.unit, kink.left, kink.right) for kink in found.kinks] == [
        (1, 2, (unit,), 0.0, 1.0) for unit in range(4)
    ]
    assert found.rows.tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("at_0", [0.0, 0.25, 0.5, 1.0])
def test_any_slope_between_those_of_both_sides_is_right(at_0: float) -> None:
    net, w, X, T = at_a_kink()
    report = gradcheck(with_slope_at_0(net, at_0), w, X, T, settings=Settings(inputs=True))
    outcomes = {block.name: (block.outcome, block.passed) for block in report.layers}
    assert outcomes == {
        "layers.1.weight": ("pass", True),  # x_0 is 0 there
        "layers.1.bias": ("kink", True),
        "layers.2.weight": ("pass", True),
        "layers.2.bias": ("pass", True),
        "inputs": ("kink", True),
    }
    assert report.max_relative_error < 1e-14


@pytest.mark.parametrize("at_0", [-0.001, 1.001])
def test_a_slope_beyond_them_is_wrong(at_0: float) -> None:
    net, w, X, T = at_a_kink()
    report = gradcheck(with_slope_at_0(net, at_0), w, X, T)
    bias = report.layers[1]
    assert (bias.outcome, bias.passed) == ("mismatch", False)
    assert bias.sides is not None
    low, high = bias.sides
    assert not low <= bias.worst_analytic <= high


@pytest.mark.parametrize("off", [1.1, -0.5])
def test_no_engine_may_go_beyond_them(off: float) -> None:
    """What another rounding of z may do is no excuse at a kink, where it would be a whole slope."""
    net, w, X, T = at_a_kink()
    g = gradient(with_slope_at_0(net, off), w, X, T)
    assert not gradcheck(net, w, X, T, {"other": lambda *at: g}).layers[1].passed


def test_the_slopes_of_an_entry_are_those_of_both_sides() -> None:
    """One unit at its kink: the two slopes by differences to one side, which cross nothing."""
    net, w, X, T = at_a_kink()
    report = gradcheck(net, w, X, T)
    block, bias = net.blocks[1], report.layers[1]
    assert bias.sides is not None
    k, h = block.start + bias.worst[0], 1e-6

    def objective(step: float) -> float:
        moved = w.copy()
        moved[k] += step
        P = views(net, moved)
        x = np.maximum(X @ P.W[1].T + P.b[1], 0) @ P.W[2].T + P.b[2]
        return float(0.5 * ((x - T) ** 2).sum() / len(X))

    sides = sorted([(objective(0) - objective(-h)) / h, (objective(h) - objective(0)) / h])
    assert bias.sides == pytest.approx(sides, abs=1e-5)


def test_rows_at_kinks_are_left_out_if_asked() -> None:
    net, w, X, T = at_a_kink()
    report = gradcheck(with_slope_at_0(net, 7.0), w, X, T, settings=Settings(kinks="skip"))
    assert report.passed
    assert (report.rows, report.rows_left_out, len(report.kinks_found)) == (4, 1, 4)
    with pytest.raises(UsageError, match="every row"):
        gradcheck(net, w, 0 * X, T, settings=Settings(kinks="skip"))
    with pytest.raises(UsageError, match="given as numbers"):
        gradcheck(net, w, X, T, gradient(net, w, X, T), settings=Settings(kinks="skip"))


def test_kinks_are_refused_if_asked() -> None:
    net, w, X, T = at_a_kink()
    report = gradcheck(net, w, X, T, settings=Settings(kinks="fail"))
    assert [(block.outcome, block.passed) for block in report.layers] == [
        ("pass", True),
        ("kink", False),
        ("pass", True),
        ("pass", True),
    ]
    X[2] = 1.0
    assert gradcheck(net, w, X, T, settings=Settings(kinks="fail")).passed


def test_kinks_of_several_layers() -> None:
    """All slopes 0 or 1 at once in every layer, as one engine or another may take them."""
    net = network((3, 4, 4, 4, 2), ["relu", "relu", "relu", "identity"], "half_squared_error")
    X, T = data_for(net, 5, 1)
    X[2] = 0
    w = np.random.default_rng(0).normal(size=net.size)
    for b in views(net, w).b[1:-1]:
        assert b is not None
        b[:] = 0
    for at_0 in (0.0, 0.5, 1.0):

        def df(z: Array, x: Array, at_0: float = at_0) -> Array:
            return np.where(z.real < 0, 0.0, np.where(z.real > 0, 1.0, at_0))

        layers = [
            net.activations[0],
            *(f._replace(df=df) for f in net.activations[1:-1]),
            net.activations[-1],
        ]
        other = dataclasses.replace(net, activations=tuple(layers))
        assert gradcheck(other, w, X, T, settings=Settings(inputs=True)).passed


def test_a_loss_on_its_kink() -> None:
    net = network((3, 2), "identity", "absolute_error")
    X, _ = data_for(net, 4, 1)
    w = np.random.default_rng(0).normal(size=net.size)
    P = views(net, w)
    T = X @ P.W[1].T + P.b[1]
    T[1:] += 1.0
    found = find_kinks(GradientPoint(net, w, X, T))
    assert found is not None
    assert [(kink.what, kink.row, kink.left, kink.right) for kink in found.kinks] == [("E", 0, -1.0, 1.0)] * 2
    assert gradcheck(net, w, X, T).passed


def test_a_weight_of_0_with_l1() -> None:
    net = dataclasses.replace(network((3, 4, 2), "tanh"), l1=0.1, l2=0.2)
    X, T = data_for(net, 5, 1)
    w = np.random.default_rng(0).normal(size=net.size)
    w[5] = 0.0
    report = gradcheck(net, w, X, T)
    assert report.passed
    assert [(kink.what, kink.unit, kink.left, kink.right) for kink in report.kinks_found] == [
        ("penalty", (1, 2), -0.1, 0.1)
    ]
    g = gradient(net, w, X, T)
    for shift, right in ((0.1, True), (-0.1, True), (0.11, False)):
        moved = g.copy()
        moved[5] += shift
        assert gradcheck(net, w, X, T, moved).passed == right
    skipped = gradcheck(net, w, X, T, settings=Settings(kinks="skip"))
    assert (skipped.layers[0].entries, skipped.rows_left_out) == (11, 0)


def test_smooth_functions_have_no_kinks() -> None:
    """Steep ones included: a slope that changes fast is not a slope that jumps."""
    for name in activations:
        if activations.get(name)().kinks:
            continue
        net = network((3, 4, 2), [name, "identity"], "half_squared_error")
        X, T = data_for(net, 5, 1)
        for size in (1.0, 30.0, 1000.0):
            w = size * np.random.default_rng(0).normal(size=net.size)
            assert find_kinks(GradientPoint(net, w, X, T)) is None, (name, size)


def test_a_kink_that_no_part_declares() -> None:
    """It is found from f alone; here at 1/3, where no unit stands but by calculation."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 1 / 3, 2 * z, z + 1 / 3)

    def df(z: Array, x: Array) -> Array:
        return np.where(z.real < 1 / 3, 2.0, 1.0)

    net = network((1, 1), "identity", "half_squared_error", bias=False)
    net = dataclasses.replace(net, activations=(net.activations[0], Activation(f, df)), canonical=False)
    X, T, w = np.array([[1.0], [2.0]]), np.zeros((2, 1)), np.array([1 / 3])
    found = find_kinks(GradientPoint(net, w, X, T))
    assert found is not None
    assert [(kink.row, kink.left, kink.right) for kink in found.kinks] == [(0, 2.0, 1.0)]
    assert gradcheck(net, w, X, T).passed


def test_row_weights_and_masks_go_with_the_kinks() -> None:
    net, w, X, T = at_a_kink()
    net = dataclasses.replace(net, dropout=(0.0, 0.5))
    mask = np.ones((5, 4))
    mask[2, 1:] = 0.0
    context = BatchContext(np.array([1.0, 2.0, 3.0, 0.5, 0.0]), {1: mask})
    for at_0, right in ((1.0, True), (1.1, False)):
        report = gradcheck(with_slope_at_0(net, at_0), w, X, T, context=context)
        assert report.passed == right
    found = find_kinks(GradientPoint(net, w, X, T, context))
    assert found is not None
    assert np.flatnonzero(found.radius).tolist() == [12]  # b_1 of the one unit that is not dropped


def test_intervals_of_length_0_give_the_derivation() -> None:
    """The backward pass in intervals is the derivation's own where every slope is one number."""
    net = dataclasses.replace(
        network((4, 5, 3), ["tanh", "softmax"], "half_squared_error"), dropout=(0.0, 0.5), l1=0.3, l2=0.2
    )
    X, T = data_for(net, 5, 1)
    context = BatchContext(np.array([1.0, 2.0, 3.0, 0.5, 0.0]), {1: 2.0 * (np.arange(25).reshape(5, 5) % 2)})
    point = GradientPoint(net, np.random.default_rng(2).normal(size=net.size), X, T, context)
    known = {i: Bounded(slope, np.zeros_like(slope)) for i, slope in point.slopes.items()}
    found = possible(
        point, Bounded(point.D_L, np.zeros_like(point.D_L)), known, penalty_slopes(point, []), ()
    )
    right = backward(point)
    np.testing.assert_allclose(found.center, right.g, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(found.center_inputs, right.D[0], rtol=1e-13, atol=1e-15)
    assert not found.radius.any()
    assert not found.radius_inputs.any()
