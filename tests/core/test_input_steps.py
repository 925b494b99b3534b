"""Steps before W_1: against the literal twin, the complex step, and numbers worked by hand."""

import dataclasses

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.backprop import forward, gradient, input_gradient, workspace
from bptrain.core.curvature import jacobians
from bptrain.core.network import Network, initial_parameters, views
from bptrain.parts.initializers import initializers
from bptrain.parts.types import Array
from gradient_check.random_networks import drawn
from networks import data_for, network, scaled, with_steps

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_equal_the_literal_twin(seed: int) -> None:
    """With row weights, masks of x_0 too, penalties, and one to three steps."""
    one = drawn(seed, steps=True)
    weights = one.context.sample_weight
    if (weights is not None and not weights.any()) or one.kind in ("saturated", "at kinks"):
        return  # the twin divides by the weights; where z is rounded in another way, a steep f takes another slope
    g = gradient(one.network, one.w, one.X, one.T, one.context)
    literal = reference.gradient(one.network, views(one.network, one.w), one.X, one.T, one.context)
    for block in one.network.blocks:
        size = max(1.0, float(np.abs(block.view(literal)).max()))
        np.testing.assert_allclose(block.view(g), block.view(literal), rtol=0, atol=1e-11 * size)


def test_what_is_drawn() -> None:
    steps = [step for seed in SEEDS for step in drawn(seed, steps=True).network.input_steps]
    assert {len(step.columns[0]) for step in steps} == {1, 2}
    assert {step.bias is None for step in steps} == {True, False}
    assert any(step.kept and set(step.kept) & {k for group in step.columns for k in group} for step in steps)
    assert any(0 in drawn(seed, steps=True).context.dropout_masks for seed in SEEDS)


def test_a_scale_by_hand() -> None:
    """x_0 = s ∘ x = (6, −4), z = 2·6 + 1·(−4) = 8, E = ½ (8 − 5)²: δ = 3, ∂E/∂W = 3 x_0ᵀ, ∂E/∂s = (Wᵀ δ) ∘ x."""
    net = dataclasses.replace(network((2, 1), "identity", bias=False), input_steps=(scaled(2),))
    w = np.array([3.0, 2.0, 2.0, 1.0])  # s, then W_1
    g = gradient(net, w, np.array([[2.0, -2.0]]), np.array([[5.0]]))
    np.testing.assert_array_equal(g, [2 * 3 * 2, 1 * 3 * -2, 3 * 6, 3 * -4])


def test_a_scale_of_1_changes_no_bit() -> None:
    plain = network((3, 4, 2), "tanh")
    net = dataclasses.replace(plain, input_steps=(scaled(3),))
    X, T = data_for(plain, 5, 0)
    w = np.random.default_rng(0).normal(size=plain.size)
    with_ones = np.concatenate([np.ones(3), w])
    np.testing.assert_array_equal(gradient(net, with_ones, X, T)[3:], gradient(plain, w, X, T))


def test_names_and_places() -> None:
    """Steps come first, so that a network without them has every name and place that it had."""
    net = with_steps(network((7, 4, 2), "tanh"))
    assert [(block.name, block.shape) for block in net.blocks] == [
        ("input.scale", (4,)),
        ("input.V0", (2, 3)),
        ("input.c0", (2, 3)),
        ("input.V1", (3, 2)),
        ("input.c1", (3, 1)),
        ("layers.1.weight", (4, 7)),
        ("layers.1.bias", (4,)),
        ("layers.2.weight", (2, 4)),
        ("layers.2.bias", (2,)),
    ]
    assert (net.inputs, net.of_steps, net.widest) == (4, 25, 10)
    assert network((7, 4, 2), "tanh").of_steps == 0


def test_the_weights_of_layers_start_as_without_steps() -> None:
    plain = network((7, 4, 2), "tanh")
    draws = [initializers.get("zeros")(), *[initializers.get("glorot_uniform")()] * 2]
    alone, behind = (
        initial_parameters(net, draws, [0.0] * 3, 5, np.float64) for net in (plain, with_steps(plain))
    )
    np.testing.assert_array_equal(behind[25:], alone)
    np.testing.assert_array_equal(behind[:4], 1.0)
    assert len(set(behind[4:25])) == 21  # each draw is another


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(dtype: type) -> None:
    net = with_steps(network((7, 4, 2), "tanh"))
    X, T = data_for(net, 5, 0, dtype)
    w: Array = np.random.default_rng(0).normal(size=net.size).astype(dtype)
    space = workspace(net, 5, dtype)
    assert forward(net, views(net, w), X, space).dtype == dtype
    assert gradient(net, w, X, T).dtype == dtype
    assert all(array.dtype == dtype for one in space.steps for array in (one.X, one.Z, one.Y, one.D))


def test_jacobian() -> None:
    """∂x_L/∂w of each row, by the complex step."""
    net = with_steps(network((7, 4, 2), "tanh"))
    X, _ = data_for(net, 5, 0)
    w = np.random.default_rng(0).normal(size=net.size)
    found = [J.copy() for _, J in jacobians(net, w, X)]
    by_step = np.stack([outputs(net, w + 1e-30j * unit, X).imag / 1e-30 for unit in np.eye(net.size)], axis=2)
    for j, J in enumerate(found):
        np.testing.assert_allclose(J, by_step[:, j], rtol=1e-12, atol=1e-13)


def outputs(net: Network, w: Array, X: Array) -> Array:
    return forward(net, views(net, w), X.astype(w.dtype), workspace(net, len(X), w.dtype))


def test_the_gradient_of_inputs_is_that_of_what_layer_1_takes() -> None:
    net = with_steps(network((7, 4, 2), "tanh"))
    X, T = data_for(net, 5, 0)
    w = np.random.default_rng(0).normal(size=net.size)
    space = workspace(net, 5, np.float64)
    forward(net, views(net, w), X, space)
    plain = dataclasses.replace(net, input_steps=())
    g = input_gradient(plain, w[net.of_steps :], space.X[0].copy(), T)
    np.testing.assert_array_equal(input_gradient(net, w, X, T), g)
