"""The check of networks with steps before W_1: right ones pass, slips do not, and their patterns are named."""

from dataclasses import replace

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.numeric_gradient import RequestedMethod, Settings
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.diagnose import diagnose
from bptrain.parts.types import Array
from gradient_check.random_networks import Drawn, drawn
from gradient_check.slip_search import deep_network, false_alarm, false_negatives
from networks import data_for, network, with_steps

FACTOR = 1.0 + 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_errors_are_rounding_alone(seed: int) -> None:
    one = drawn(seed, steps=True)
    report = gradcheck(one.network, one.w, one.X, one.T, context=one.context, settings=Settings(inputs=True))
    assert report.passed, one.name
    assert report.max_relative_error <= 1e-12


@pytest.mark.parametrize("seed", range(18))
def test_no_false_alarm_and_no_false_negative(seed: int) -> None:
    one = deep_network(seed, steps=True)
    assert false_alarm(one) is None, one.name
    assert list(false_negatives(one)) == [], one.name


def stepped() -> Drawn:
    """Three steps, row weights, and masks of x_0."""
    net = replace(with_steps(network((7, 4, 2), "tanh")), dropout=(0.3, 0.2), l2=0.1)
    X, T = data_for(net, 6, 0)
    w = np.random.default_rng(1).normal(size=net.size)
    context = BatchContext(np.linspace(0.5, 2, 6), masks(net, 3, 1, slice(0, 6), np.float64))
    return Drawn("stepped", "ordinary", net, w, X, T, context)


def right_gradient(one: Drawn) -> Array:
    return gradient(one.network, one.w, one.X, one.T, one.context)


@pytest.mark.parametrize("method", ["complex_step", "directions", "central"])
@pytest.mark.parametrize("name", [None, "input.scale", "input.V0", "input.c0", "input.V1", "input.c1"])
def test_each_block_is_checked(name: str | None, method: RequestedMethod) -> None:
    one = stepped()
    g = right_gradient(one)
    for block in one.network.blocks:
        if block.name == name:
            block.view(g)[...] *= FACTOR if method != "central" else 1.01
    report = gradcheck(one.network, one.w, one.X, one.T, g, one.context, Settings(method=method))
    assert [block.name for block in report.layers if not block.passed] == ([] if name is None else [name])


def test_blocks_of_steps_are_chosen_by_name() -> None:
    one = stepped()
    report = gradcheck(
        one.network, one.w, one.X, one.T, context=one.context, settings=Settings(params=("input.*",))
    )
    assert [block.name for block in report.layers] == [
        "input.scale",
        "input.V0",
        "input.c0",
        "input.V1",
        "input.c1",
    ]
    assert report.entries == 4 + 6 + 6 + 6 + 3


def test_a_wrong_forward_is_caught() -> None:
    """A step whose z is off: the gradient is right at what it gives, but what it gives is not."""
    one = stepped()
    wrong = one.network.input_steps[1].f._replace(f=lambda z: np.sin(z) + 0.01 * np.cos(1e3 * z.real))
    steps = (
        one.network.input_steps[0],
        one.network.input_steps[1]._replace(f=wrong),
        one.network.input_steps[2],
    )
    report = gradcheck(replace(one.network, input_steps=steps), one.w, one.X, one.T, context=one.context)
    assert not report.passed


FACTORS = {"factor_sign": -1.0, "factor_2": 2.0}


@pytest.mark.parametrize("what", FACTORS)
def test_a_factor_is_named(what: str) -> None:
    one = stepped()
    g = right_gradient(one)
    g[: one.network.of_steps] *= FACTORS[what]
    found = diagnose(GradientPoint(one.network, one.w, one.X, one.T, one.context), g)
    assert found is not None
    assert found.code == what
    assert "steps before W_1" in found.words
