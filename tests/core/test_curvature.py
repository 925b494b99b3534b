"""J by backpropagation against the complex step, and JᵀJ against J."""

from dataclasses import replace

import numpy as np
import pytest

from bptrain.core import curvature
from bptrain.core.backprop import forward, gradient, workspace
from bptrain.core.curvature import gauss_newton, jacobians
from bptrain.core.network import Network, views
from bptrain.parts.types import Array
from networks import SMOOTH, data_for, network

H = 1e-30


def complex_step(net: Network, w: Array, X: Array) -> Array:
    """∂x_L/∂w, N × n_L × P, by w + ih in one entry at a time."""
    columns = []
    for k in range(len(w)):
        shifted = w.astype(np.complex128)
        shifted[k] += 1j * H
        space = workspace(net, len(X), np.complex128)
        columns.append(forward(net, views(net, shifted), X.astype(np.complex128), space).imag / H)
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", SMOOTH)
def test_jacobian(name: str, bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network((3, 4, 5, 2), ["tanh", name, name], bias=bias)
    X, _ = data_for(net, 7, 0)
    w = np.random.default_rng(1).normal(size=net.size)
    J = complex_step(net, w, X)
    monkeypatch.setattr(curvature, "CHUNK_NUMBERS", 3 * net.size)  # three rows at a time, and one at the end
    parts = [part.copy() for _, part in jacobians(net, w, X)]
    assert [len(part) for part in parts] == [3, 3, 3, 3, 1, 1]
    for j in range(2):
        ours = np.concatenate(parts[j::2])
        np.testing.assert_allclose(ours, J[:, j], rtol=0, atol=1e-12 * np.abs(J).max())
    flat = J.reshape(-1, net.size)
    np.testing.assert_allclose(
        gauss_newton(net, w, X), flat.T @ flat / 7, rtol=0, atol=1e-12 * np.abs(J).max() ** 2
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gradient_is_of_the_same_objective(reduction: str) -> None:
    """g = Jᵀ(x_L − t), divided as JᵀJ is: a Gauss-Newton step on a linear network is the minimum."""
    net = network((3, 2), "identity", reduction=reduction)
    X, T = data_for(net, 20, 0)
    w = np.random.default_rng(1).normal(size=net.size)
    w = w - np.linalg.solve(gauss_newton(net, w, X), gradient(net, w, X, T))
    with_ones = np.hstack([X, np.ones((20, 1))])
    expected = np.linalg.lstsq(with_ones, T, rcond=None)[0]
    found = views(net, w)
    np.testing.assert_allclose(found.W[1], expected[:3].T, atol=1e-12)
    assert found.b[1] is not None
    np.testing.assert_allclose(found.b[1], expected[3], atol=1e-12)


def test_it_is_in_float64() -> None:
    net = network((3, 4, 2), "tanh")
    X, _ = data_for(net, 5, 0, np.float32)
    w = np.random.default_rng(1).normal(size=net.size).astype(np.float32)
    ours = gauss_newton(net, w, X)
    assert ours.dtype == np.float64
    np.testing.assert_array_equal(ours, gauss_newton(net, w.astype(np.float64), X.astype(np.float64)))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_row_that_weighs_two_is_two_rows(reduction: str) -> None:
    net = network((3, 4, 2), "tanh", reduction=reduction)
    X, _ = data_for(net, 4, 0)
    w = np.random.default_rng(1).normal(size=net.size)
    counts = np.array([2, 0, 1, 3])
    repeated = gauss_newton(net, w, np.repeat(X, counts, axis=0))
    np.testing.assert_allclose(
        gauss_newton(net, w, X, counts.astype(float)), repeated, rtol=1e-12, atol=1e-15
    )


def test_l2_is_on_the_diagonal_at_the_weights_alone() -> None:
    net = network((3, 4, 2), "tanh")
    X, _ = data_for(net, 4, 0)
    w = np.random.default_rng(1).normal(size=net.size)
    added = gauss_newton(replace(net, l2=0.25), w, X) - gauss_newton(net, w, X)
    of_weights = np.concatenate([np.full(b.stop - b.start, b.kind == "weight") for b in net.blocks])
    np.testing.assert_allclose(added, np.diag(np.where(of_weights, 0.25, 0.0)), rtol=0, atol=1e-14)
