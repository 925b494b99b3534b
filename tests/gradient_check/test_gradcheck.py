"""The checker is right on right code, at ordinary, saturated and converged weights, and fails on wrong code."""

import dataclasses

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.backprop import gradient as backprop_gradient
from bptrain.core.dropout import masks
from bptrain.core.network import PLAIN, BatchContext, Network, Views, views
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.numeric_gradient import Settings
from bptrain.gradient_check.verdicts import rounding_scale
from bptrain.parts.activations import activations
from bptrain.parts.types import Array
from networks import COMBINATIONS, PAIRS, SMOOTH, SMOOTH_PAIRS, data_for, network


def weights(net: Network, seed: int, size: float = 1.0) -> Array:
    return size * np.random.default_rng(seed).normal(size=net.size)


@pytest.mark.parametrize(("hidden", "last", "loss"), COMBINATIONS)
@pytest.mark.slow
def test_every_part(hidden: str, last: str, loss: str) -> None:
    """Ordinary, saturated and almost zero weights; all other combinations are those of `bptrain gradcheck` by itself.

    Kinks included: no entry of these networks is at one, and the complex step stays on its side.
    """
    for size, reduction, bias in ((1.0, "mean", True), (30.0, "sum", False), (1e-3, "mean", False)):
        net = network((4, 5, 3), [hidden, last], loss, bias, reduction)
        X, T = data_for(net, 6, 1)
        if size > 1 and net.loss.outputs == "positive":
            continue  # outputs would round to 0, where the loss is infinite
        report = gradcheck(net, weights(net, 2, size), X, T)
        assert report.max_relative_error < 1e-12
        assert report.entries == net.size


@pytest.mark.parametrize(("last", "loss"), PAIRS)
@pytest.mark.slow
def test_every_pair_with_penalties_weights_and_dropout(last: str, loss: str) -> None:
    """Every two of them with and without each other (a covering array), and all together; masks are held fixed."""
    V = np.array([1.0, 0.5, 3.0, 0.0, 2.0, 0.25])
    for bias, l1, l2, weighted, share in (
        (True, 0.1, 0.3, True, 0.4),
        (False, 0.1, 0.0, False, 0.4),
        (True, 0.0, 0.3, False, 0.0),
        (False, 0.0, 0.3, True, 0.4),
        (True, 0.1, 0.0, True, 0.0),
        (False, 0.0, 0.0, False, 0.4),
    ):
        plain = network((4, 5, 3), [last, last], loss, bias)
        X, T = data_for(plain, 6, 1)
        net = dataclasses.replace(plain, l1=l1, l2=l2, dropout=(share, share))
        context = BatchContext(V if weighted else None, masks(net, 5, 1, slice(0, 6), np.float64))
        report = gradcheck(net, weights(net, 2), X, T, context=context)
        assert report.max_relative_error < 1e-12, (bias, l1, l2, weighted, share)


@pytest.mark.parametrize(("last", "loss"), SMOOTH_PAIRS)
@pytest.mark.slow
def test_converged(last: str, loss: str) -> None:
    """At a minimum the gradient cancels to rounding noise, which must not be held against it."""
    net = network((3, 4, 2), ["tanh", last], loss)
    X, T = data_for(net, 4, 3)
    w = weights(net, 4, 0.5)
    for _ in range(4000):
        w -= 0.5 * backprop_gradient(net, w, X, T)
    report = gradcheck(net, w, X, T)
    assert report.max_relative_error < 1e-12


def test_deep() -> None:
    net = network((4, *[5] * 10, 2), "sigmoid")
    X, T = data_for(net, 6, 1)
    assert gradcheck(net, weights(net, 2), X, T).max_relative_error < 1e-12


@pytest.mark.parametrize("name", [name for name in SMOOTH if activations.get(name)().df is not None])
@pytest.mark.parametrize("layer", [1, 2])
def test_a_wrong_derivative_is_caught(name: str, layer: int) -> None:
    """Each derivative in turn off by one part in a million."""
    net = network((4, 5, 3), name, "half_squared_error")
    X, T = data_for(net, 6, 1)
    right = net.activations[layer]
    assert right.df is not None
    right_df = right.df
    wrong = right._replace(df=lambda z, x: right_df(z, x) * (1 + 1e-6))
    planted = Network(
        net.sizes,
        tuple(wrong if i == layer else f for i, f in enumerate(net.activations)),
        net.bias,
        net.loss,
        canonical=net.canonical and layer != 2,
    )
    assert gradcheck(net, weights(net, 2), X, T).passed
    report = gradcheck(planted, weights(net, 2), X, T)
    assert not report.passed
    assert report.max_relative_error > 1e-9
    wrong_layers = {block.layer for block in report.layers if not block.passed}
    assert wrong_layers == set(range(1, layer + 1))


def test_a_wrong_entry_is_named() -> None:
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    w = weights(net, 2)
    g = backprop_gradient(net, w, X, T)
    g[7] += 1.0  # W_1[1, 3]
    report = gradcheck(net, w, X, T, analytic=g)
    assert [block.passed for block in report.layers] == [False, True, True, True]
    assert report.layers[0].worst == (1, 3)
    assert report.layers[0].worst_analytic == pytest.approx(report.layers[0].worst_numeric + 1.0)


def test_not_a_number_is_a_mismatch() -> None:
    net = network((4, 3), "tanh")
    X, T = data_for(net, 6, 1)
    g = np.full(net.size, np.nan)
    report = gradcheck(net, weights(net, 2), X, T, analytic=g)
    assert not report.passed
    assert np.isnan(report.max_relative_error)


def test_a_sample_of_the_entries() -> None:
    net = network((20, 10, 3), "tanh")
    X, T = data_for(net, 6, 1)
    report = gradcheck(net, weights(net, 2), X, T, settings=Settings(entries_per_block=25))
    assert [block.entries for block in report.layers] == [25, 10, 25, 3]
    assert report.passed


def test_a_vanishing_gradient_is_told() -> None:
    """Saturated hidden units pass nothing down; the layer above them still learns."""
    net = network((4, 5, 3), ["sigmoid", "identity"])
    X, T = data_for(net, 6, 1)
    w = weights(net, 2)
    w[: 4 * 5 + 5] *= 1e4
    report = gradcheck(net, w, X, T)
    assert [block.verdict for block in report.layers] == [
        "pass, the gradient vanishes here",
        "pass, the gradient vanishes here",
        "pass",
        "pass",
    ]


@pytest.mark.parametrize("size", [30.0, 100.0, 1000.0])
def test_weights_that_cancel_in_z(size: float) -> None:
    """Weights ±size: z is a difference of large numbers before a steep f, and right code must still pass.

    The full loop of this is dev/gradcheck_alarms.py; here a fixed sample.
    """
    worst = 0.0
    for seed in range(40):
        net = network((4, 5, 5, 5, 3), ["tanh", "tanh", "tanh", "sigmoid"], "binary_cross_entropy")
        X, T = data_for(net, 6, seed)
        w = size * np.sign(np.random.default_rng(seed).normal(size=net.size))
        worst = max(worst, gradcheck(net, w, X, T).max_relative_error)
    assert worst < 1e-12


@pytest.mark.parametrize(
    ("names", "loss"),
    [
        (["tanh", "sigmoid", "identity"], "half_squared_error"),
        (["tanh", "relu", "softmax"], "cross_entropy"),
        (["tanh", "leaky_relu", "tanh"], "half_squared_error"),
        (["softmax", "tanh", "softmax"], "half_squared_error"),
    ],
)
def test_the_scale_is_the_documented_one(names: list[str], loss: str) -> None:
    """s against the definition, typed out row by row and unit by unit."""
    net = network((3, 4, 3, 2), names, loss)
    X, T = data_for(net, 5, 7)
    w = weights(net, 8)
    P, s = views(net, w), views(net, rounding_scale(net, w, X, T))
    expected = views(net, np.zeros_like(w))
    for k in range(5):
        one = reference.instance(net, P, X[k][:, None], T[k][:, None])
        x, t = [column[:, 0] for column in one.x], T[k]
        A = [abs(x[3][j] - t[j]) + 1e-3 * (max(1, abs(x[3][j])) + abs(t[j])) for j in range(2)]
        for i in (3, 2, 1):
            if not (i == 3 and net.canonical):
                J = np.abs(reference.jacobian(net, i, one.z[i], one.x[i])) + 1e-3 * np.eye(net.sizes[i])
                A = [sum(J[k, j] * A[k] for k in range(net.sizes[i])) for j in range(net.sizes[i])]
            for j in range(net.sizes[i]):
                A[j] /= 5 if i == 3 else 1
                for c in range(net.sizes[i - 1]):
                    expected.W[i][j, c] += A[j] * (abs(x[i - 1][c]) + (1e-3 if i > 1 else 0.0))
                bias = expected.b[i]
                assert bias is not None
                bias[j] += A[j]
            A = [sum(A[j] * abs(P.W[i][j, c]) for j in range(net.sizes[i])) for c in range(net.sizes[i - 1])]
    np.testing.assert_allclose(s.flat, expected.flat, rtol=1e-12)


@pytest.mark.parametrize("slip", ["bias twice", "bias forgotten", "no activation"])
def test_a_wrong_forward_is_caught(monkeypatch: pytest.MonkeyPatch, slip: str) -> None:
    """The complex pass takes its real parts from `forward`, which is therefore checked by itself."""
    from bptrain.core import backprop

    right = backprop.forward

    def wrong(
        net: Network,
        parameters: Views,
        X_0: Array,
        space: backprop.Workspace,
        context: BatchContext = PLAIN,
    ) -> Array:
        right(net, parameters, X_0, space, context)
        b_1 = parameters.b[1]
        assert b_1 is not None
        space.Z[1] += {"bias twice": b_1, "bias forgotten": -b_1, "no activation": 0 * b_1}[slip]
        space.X[1] = space.Y[1] = space.Z[1] if slip == "no activation" else net.activations[1].f(space.Z[1])
        space.Z[2] = space.X[1] @ parameters.W[2].T + parameters.b[2]
        space.X[2] = net.activations[2].f(space.Z[2])
        return space.X[2]

    monkeypatch.setattr(backprop, "forward", wrong)
    for module in ("point", "differences"):
        monkeypatch.setattr(f"bptrain.gradient_check.{module}.forward", wrong)
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    report = gradcheck(net, weights(net, 2), X, T)
    assert not report.passed
    assert report.forward_error > 1e-3


def test_the_verdict_is_at_its_tolerance() -> None:
    """An error of 3e-10 of the scale is a mismatch; one of 3e-11 is not."""
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    w = weights(net, 2)
    g, s = backprop_gradient(net, w, X, T), rounding_scale(net, w, X, T)
    block = net.blocks[0]
    size = max(np.linalg.norm(part[block.start : block.stop]) for part in (g, s))
    for error, passes in ((3e-10, False), (3e-11, True)):
        off = g.copy()
        off[block.start] += error * size
        assert gradcheck(net, w, X, T, analytic=off).layers[0].passed is passes
