"""A sample of the search for false alarms and false negatives, and the networks that it is about."""

import dataclasses

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.network import Network
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.kinks import find_kinks
from bptrain.gradient_check.part_derivatives import part_faults
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.types import Array
from gradient_check.random_networks import HIDDEN
from gradient_check.slip_search import KINDS, SLIP, deep_network, false_alarm, false_negatives
from networks import data_for, network

# Those that were hardest at first: a right gradient was blamed, by itself or as its twin computes it, or a slip passed.
HARD = (1, 8, 22, 86, 205, 291, 363, 448, 516, 525, 1027, 1042, 1065, 1123, 1459, 1492, 2595)


@pytest.mark.parametrize("seed", [*range(30, 66), *HARD])
def test_no_false_alarm_and_no_false_negative(seed: int) -> None:
    one = deep_network(seed)
    assert false_alarm(one) is None, one.name
    assert list(false_negatives(one)) == [], one.name


def test_what_is_drawn() -> None:
    drawn = [deep_network(seed) for seed in range(9 * 20)]
    assert {one.kind for one in drawn} == set(KINDS)
    used = {name for one in drawn for name in HIDDEN if name in one.name}
    assert used == set(HIDDEN)
    assert max(one.network.L for one in drawn) == 12


def below_softmax(layers: int) -> tuple[Network, Array, Array, Array]:
    """A network whose gradient has come through that many softmax layers at ordinary weights."""
    net = network((4, *[5] * layers, 3), [*["softmax"] * layers, "identity"])
    X, T = data_for(net, 6, 1)
    return net, np.random.default_rng(2).normal(size=net.size), X, T


@pytest.mark.parametrize("layers", [1, 4, 8, 16])
@pytest.mark.parametrize("factor", [2.0, -1.0, SLIP])
def test_softmax_layers_excuse_nothing(layers: int, factor: float) -> None:
    net, w, X, T = below_softmax(layers)
    right = gradcheck(net, w, X, T)
    assert right.passed
    assert right.max_relative_error < 1e-12
    assert find_kinks(GradientPoint(net, w, X, T), 1e-7) is None
    g = gradient(net, w, X, T)
    g[: net.blocks[1].stop] *= factor
    wrong = gradcheck(net, w, X, T, g)
    assert [block.passed for block in wrong.layers][:3] == [False, False, True]


def test_softmax_layers_do_not_make_kinks_of_units_above() -> None:
    """The reach of rounding shrinks in a softmax layer as the gradient does."""
    net = network((4, *[5] * 12, 4, 3), [*["softmax"] * 12, "relu", "identity"])
    X, T = data_for(net, 6, 1)
    w = 3e2 * np.random.default_rng(2).normal(size=net.size)
    assert find_kinks(GradientPoint(net, w, X, T)) is None


@pytest.mark.parametrize("z", [-5.0, -20.0, -33.0, -36.0])
def test_a_pole_excuses_nothing(z: float) -> None:
    """Softplus near 0 with poisson: ∂E/∂x is 1e14 there, f' 1e-14, and their product is right to the last digits."""
    net = network((3, 2), "softplus", "poisson")
    rng = np.random.default_rng(0)
    w = np.concatenate([0.1 * rng.normal(size=6), np.full(2, z)])
    X, T = rng.normal(size=(6, 3)), 1.0 + rng.integers(0, 3, (6, 2))
    right = gradcheck(net, w, X, T)
    assert right.passed
    g = gradient(net, w, X, T)
    assert not gradcheck(net, w, X, T, SLIP * g).passed
    f = net.activations[1]
    df, dE = f.df, net.loss.dE
    assert df is not None
    in_f = dataclasses.replace(net, activations=(f, f._replace(df=lambda z, x: SLIP * df(z, x))))
    in_loss = dataclasses.replace(net, loss=net.loss._replace(dE=lambda x, t: SLIP * dE(x, t)))
    for wrong in (in_f, in_loss):
        assert not gradcheck(wrong, w, X, T).passed


def test_a_wrong_derivative_makes_no_excuse_for_itself() -> None:
    """The scale is that of the right derivatives, however large those of a wrong part are."""
    net = network((4, 5, 5, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    f = net.activations[2]
    huge = f._replace(df=lambda z, x: 1e12 + 0 * z)
    planted = dataclasses.replace(net, activations=(*net.activations[:2], huge, *net.activations[3:]))
    g = gradient(net, w, X, T)
    g[: net.blocks[1].stop] *= 1 + 1e-9
    assert part_faults(GradientPoint(planted, w, X, T))
    assert not gradcheck(planted, w, X, T, g).layers[0].passed


@pytest.mark.parametrize("slope", [1e-3, 1.0])
@pytest.mark.parametrize("off", [1e-9, 1e-8, 1e-6])
def test_a_constant_slope_that_is_off(slope: float, off: float) -> None:
    """No digits are lost in a constant, and none are taken for lost."""
    net = network((4, 5, 3), ["leaky_relu", "identity"])
    f = net.activations[1]._replace(
        f=lambda z: np.where(z.real <= 0, slope * z, z),
        df=lambda z, x: np.where(z <= 0, slope * (1 + off), 1.0),
    )
    net = dataclasses.replace(net, activations=(net.activations[0], f, net.activations[2]))
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    w[20:25] = -20.0  # every unit is on the left
    assert not gradcheck(net, w, X, T).passed
