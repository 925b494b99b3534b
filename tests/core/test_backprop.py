"""The matrix form against the literal twin, and what must hold for any batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.core import reference
from bptrain.core.backprop import backward, forward, workspace
from bptrain.core.backprop import gradient as backprop_gradient
from bptrain.core.network import Network, views
from bptrain.core.objective import batch_divisor, row_losses
from bptrain.parts.activations import activations
from bptrain.parts.types import Array
from networks import PAIRS, data_for, network


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Any depth from 1 to 4, any allowed mix of parts, with and without bias, both reductions."""
    last, loss = draw(st.sampled_from(PAIRS))
    depth = draw(st.integers(1, 4))
    hidden = [draw(st.sampled_from(list(activations))) for _ in range(depth - 1)]
    sizes = tuple(draw(st.integers(1, 6)) for _ in range(depth + 1))
    return network(sizes, [*hidden, last], loss, draw(st.booleans()), draw(st.sampled_from(["mean", "sum"])))


@settings(deadline=None)
@given(net=networks(), rows=st.integers(1, 7), seed=st.integers(0, 2**32 - 1))
def test_rows_equal_the_literal_twin(net: Network, rows: int, seed: int) -> None:
    X, T = data_for(net, rows, seed)
    w = np.random.default_rng(seed).normal(size=net.size)
    space = workspace(net, rows, np.float64)
    P, G = views(net, w), views(net, np.empty_like(w))
    forward(net, P, X, space)
    backward(net, P, T, space, G)
    losses = row_losses(net, space.Z[net.L], space.X[net.L], T)
    for k in range(rows):
        one = reference.instance(net, P, X[k][:, None], T[k][:, None])
        for i in range(1, net.L + 1):
            np.testing.assert_allclose(space.X[i][k], one.x[i][:, 0], rtol=1e-12, atol=1e-12)
            delta = one.delta[i][:, 0] / batch_divisor(net, rows, None)
            np.testing.assert_allclose(space.D[i][k], delta, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(losses[k], one.E, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(G.flat, reference.gradient(net, P, X, T), rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(net=networks(), rows=st.integers(2, 7), seed=st.integers(0, 2**32 - 1))
def test_batch_is_the_sum_of_its_instances_in_any_order(net: Network, rows: int, seed: int) -> None:
    X, T = data_for(net, rows, seed)
    w = np.random.default_rng(seed).normal(size=net.size)
    whole = backprop_gradient(net, w, X, T)
    single = sum(backprop_gradient(net, w, X[k : k + 1], T[k : k + 1]) for k in range(rows))
    np.testing.assert_allclose(whole, single / batch_divisor(net, rows, None), rtol=1e-12, atol=1e-12)
    order = np.random.default_rng(seed).permutation(rows)
    np.testing.assert_allclose(whole, backprop_gradient(net, w, X[order], T[order]), rtol=1e-12, atol=1e-12)


def test_sum_is_rows_times_mean() -> None:
    net = network((3, 4, 2), "tanh")
    total = network((3, 4, 2), "tanh", reduction="sum")
    X, T = data_for(net, 5, 0)
    w = np.random.default_rng(0).normal(size=net.size)
    np.testing.assert_allclose(
        backprop_gradient(total, w, X, T), 5 * backprop_gradient(net, w, X, T), rtol=1e-13
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(dtype: type) -> None:
    for last, loss in PAIRS:
        net = network((3, 4, 2), ["leaky_relu", last], loss)
        X, T = data_for(net, 5, 0, dtype)
        w: Array = np.random.default_rng(0).normal(size=net.size).astype(dtype)
        space = workspace(net, 5, dtype)
        gradient = views(net, np.empty_like(w))
        forward(net, views(net, w), X, space)
        backward(net, views(net, w), T, space, gradient)
        for i in range(1, net.L + 1):
            assert space.X[i].dtype == space.Z[i].dtype == space.D[i].dtype == dtype


def test_views_are_the_flat_vector() -> None:
    net = network((3, 2, 4))
    flat = np.arange(net.size, dtype=np.float64)
    P = views(net, flat)
    assert P.W[1].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert P.b[1] is not None
    assert P.b[1].tolist() == [6, 7]
    assert P.W[2].shape == (4, 2)
    flat += 1
    assert P.W[1][0, 0] == 1
    assert [block.name for block in net.blocks] == [
        "layers.1.weight",
        "layers.1.bias",
        "layers.2.weight",
        "layers.2.bias",
    ]
