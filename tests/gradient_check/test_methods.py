"""The methods: what each finds, what `auto` takes, and that a method that fails blames no gradient."""

import dataclasses
import itertools

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.network import Network
from bptrain.errors import UsageError
from bptrain.gradient_check import differences
from bptrain.gradient_check.check import checking, gradcheck
from bptrain.gradient_check.numeric_gradient import RequestedMethod, Settings
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.activations import Activation
from bptrain.parts.losses import losses
from bptrain.parts.types import Array
from networks import data_for, network

METHODS: tuple[RequestedMethod, ...] = ("auto", "complex_step", "directions", "central")


def with_hidden(net: Network, activation: Activation) -> Network:
    return dataclasses.replace(net, activations=(net.activations[0], activation, *net.activations[2:]))


def scaled(activation: Activation, factor: float) -> Activation:
    """The activation with its derivative off by a factor."""
    right = activation.df
    assert right is not None
    return activation._replace(df=lambda z, x: factor * right(z, x))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hidden", ["tanh", "relu", "sine"])
def test_right_code_passes_and_wrong_code_fails(method: RequestedMethod, hidden: str) -> None:
    net = network((4, 5, 3), [hidden, "softmax"], "cross_entropy")
    net = dataclasses.replace(net, l1=0.01, l2=0.1)
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    settings = Settings(method=method, inputs=True)
    right = gradcheck(net, w, X, T, settings=settings)
    assert right.passed
    assert right.max_relative_error < (1e-9 if method == "central" else 1e-14)
    wrong = with_hidden(net, scaled(net.activations[1], 1 + 1e-4))
    assert not gradcheck(wrong, w, X, T, settings=settings).passed


def test_a_wrong_entry_shows_along_directions_and_is_named() -> None:
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    g = gradient(net, w, X, T)
    g[7] += 1e-6  # W_1[1, 3]
    report = gradcheck(net, w, X, T, g, settings=Settings(method="directions"))
    assert [block.passed for block in report.layers] == [False, True, True, True]
    assert report.layers[0].worst == (1, 3)
    assert report.layers[0].worst_analytic - report.layers[0].worst_numeric == pytest.approx(1e-6, rel=1e-6)
    assert report.overall is not None
    assert not report.overall.passed
    assert {block.directions for block in report.layers} == {4}
    assert {block.entries for block in report.layers} == {0}
    assert report.entries == net.size


def test_a_large_network_is_checked_along_directions() -> None:
    net = network((300, 400, 300, 10), "tanh")
    X, T = data_for(net, 40, 1)
    w = 0.05 * np.random.default_rng(2).normal(size=net.size)
    report = gradcheck(net, w, X, T)
    assert report.passed
    assert "243,710 parameters on 40 rows" in report.why
    assert all(block.directions == 4 and block.entries == 10 for block in report.layers)
    assert report.entries == net.size


def absolute(z: Array) -> Array:
    """z |z|, with an absolute value that loses the imaginary part."""
    return np.abs(z) * z.real


LOST = {
    "abs": Activation(absolute, lambda z, x: 2 * np.abs(z)),
    "cast": Activation(lambda z: np.tanh(np.real(z)), lambda z, x: 1 - x * x),
    "no complex numbers": Activation(lambda z: np.arctan2(z, 1.0), lambda z, x: 1 / (1 + z * z)),
}


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("method", ["auto", "complex_step", "directions"])
def test_where_the_complex_step_fails_the_method_is_blamed(name: str, method: RequestedMethod) -> None:
    plain = network((4, 5, 3), "tanh")
    net = with_hidden(plain, LOST[name])
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    report = gradcheck(net, w, X, T, settings=Settings(method=method, inputs=True))
    assert report.passed
    assert report.method == "central"
    assert "the complex step failed" in report.why
    assert "f of layer 1" in report.why
    assert not report.likely
    wrong = gradcheck(
        with_hidden(plain, scaled(LOST[name], 1.001)), w, X, T, settings=Settings(method=method)
    )
    assert not wrong.passed


def test_a_loss_that_loses_the_imaginary_part() -> None:
    half = losses.get("half_squared_error")()
    lost = half._replace(E=lambda x, t: 0.5 * (np.abs(x - t) ** 2).sum(axis=1), canonical=None, E_of_z=None)
    net = dataclasses.replace(network((4, 5, 3), "tanh"), loss=lost, canonical=False)
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    report = gradcheck(net, w, X, T)
    assert report.passed
    assert report.method == "central"
    assert "the imaginary part is lost in the loss" in report.why


def test_a_mistake_in_a_part_is_not_taken_for_a_method_that_fails() -> None:
    def f(z: Array) -> Array:
        raise TypeError("of its own")

    net = with_hidden(network((4, 5, 3), "tanh"), Activation(f, lambda z, x: x))
    X, T = data_for(net, 6, 1)
    with pytest.raises(TypeError, match="of its own"):
        gradcheck(net, np.ones(net.size), X, T)


def test_differences_are_as_exact_as_they_say() -> None:
    found = differences.central(lambda h: np.array([np.exp(1.0 + h), np.sin(h), h**2]), 0.1)
    np.testing.assert_allclose(found.value, [np.e, 1.0, 0.0], rtol=1e-11, atol=1e-15)
    off = np.abs(found.value - [np.e, 1.0, 0.0])
    assert (off <= 10 * found.estimate + 1e-16).all()
    assert (found.estimate < 1e-8).all()


def test_a_difference_does_not_step_over_a_kink() -> None:
    """A unit a little off its kink: the first steps would straddle it."""
    net = network((1, 1, 1), ["relu", "identity"], "half_squared_error")
    w = np.array([1.0, 1e-4, 1.0, 0.0])  # z = 1e-4
    point = GradientPoint(net, w, np.zeros((1, 1)), np.ones((1, 1)))
    unit = np.array([0.0, 1.0, 0.0, 0.0])
    found = differences.along(point, unit)
    assert float(found.value) == pytest.approx(-(1 - 1e-4), rel=1e-9)


def test_selection_and_fail_fast() -> None:
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    chosen = gradcheck(net, w, X, T, settings=Settings(params=("layers.1.*", "*.2.bias")))
    assert [block.name for block in chosen.layers] == ["layers.1.weight", "layers.1.bias", "layers.2.bias"]
    with pytest.raises(UsageError, match=r"layers\.2\.bias"):
        gradcheck(net, w, X, T, settings=Settings(params=("layers.3.*",)))
    stopped = gradcheck(net, w, X, T, 2 * gradient(net, w, X, T), settings=Settings(fail_fast=True))
    assert (len(stopped.layers), stopped.complete, stopped.passed) == (1, False, False)
    assert stopped.likely


def test_progress_comes_to_its_end() -> None:
    net = network((30, 50, 3), "tanh")
    X, T = data_for(net, 60, 1)
    steps = list(checking(GradientPoint(net, np.ones(net.size), X, T)))
    assert len(steps) > 10
    assert all(before.done <= after.done for before, after in itertools.pairwise(steps))
    assert steps[-1].done == steps[-1].total == net.size


def test_every_outcome_has_its_rule() -> None:
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    g = gradient(net, w, X, T)
    g[0] += 1
    rules = gradcheck(net, w, X, T, g).rules
    assert set(rules) == {"pass", "mismatch"}
    assert "1e-10" in rules["pass"]
    assert (
        "ten times the estimated error"
        in gradcheck(net, w, X, T, settings=Settings(method="central")).rules["pass"]
    )


def test_a_wrong_part_is_not_taken_for_a_slip_in_its_use() -> None:
    """An f' that does not read x gives the same whatever it is given for x."""

    def f(z: Array) -> Array:
        return (np.sqrt(z * z + 1) - 1) / 2 + z

    bent = Activation(f, lambda z, x: z / np.sqrt(z * z + 1) + 1)  # lacks the ½
    net = with_hidden(network((4, 5, 3), "tanh"), bent)
    X, T = data_for(net, 6, 1)
    report = gradcheck(net, np.random.default_rng(2).normal(size=net.size), X, T)
    assert not report.likely
    (fault,) = report.faults
    assert (fault.layer, fault.quantity) == (1, "f'")


def test_noisy_differences_pass_nothing() -> None:
    """Sine at inputs of a million: a difference has hardly a digit left, which is no licence."""
    net = network((4, 5, 3), ["sine", "identity"], "half_squared_error")
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    report = gradcheck(
        net, w, 1e8 * X, T, 1.3 * gradient(net, w, 1e8 * X, T), settings=Settings(method="central")
    )
    assert not report.passed


def test_differences_at_tiny_weights() -> None:
    """Where the objective does not change in its last bit, a difference of 0 is not exact."""
    net = network((4, 5, 5, 5, 3), "tanh", "half_squared_error")
    X, T = data_for(net, 6, 1)
    w = 1e-3 * np.random.default_rng(2).normal(size=net.size)
    assert gradcheck(net, w, X, T, settings=Settings(method="central")).passed


def test_a_method_that_fails_in_some_rows_alone() -> None:
    """The complex step is lost only where |z| is large, in a row far down."""

    def f(z: Array) -> Array:
        return np.where(np.abs(z.real) > 40, np.tanh(z.real), np.tanh(z))

    rare = Activation(f, lambda z, x: 1 - x * x)
    net = with_hidden(network((4, 5, 3), "tanh"), rare)
    X, T = data_for(net, 60, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    w[:20] *= 0.01
    X[50] *= 1e4
    report = gradcheck(net, w, X, T)
    assert not np.abs(X[50] @ w[:20].reshape(5, 4).T).max() < 40
    assert report.passed
    lost = Activation(lambda z: np.where(np.abs(z.real) > 1, z.real, z), lambda z, x: np.ones_like(z))
    w[:20] *= 100
    report = gradcheck(with_hidden(net, lost), w, X[:40], T[:40])
    assert report.method == "central"
    assert report.passed


@pytest.mark.parametrize("raised", [TypeError, ValueError])
def test_a_function_that_refuses_complex_numbers_on_rows_that_stand_at_kinks(
    raised: type[Exception],
) -> None:
    def f(z: Array) -> Array:
        if np.iscomplexobj(z):
            raise raised("real numbers only")
        return np.abs(z)

    net = with_hidden(network((4, 5, 3), "tanh"), Activation(f, lambda z, x: np.sign(z)))
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    w[20:25], X[0] = 0.0, 0.0
    report = gradcheck(net, w, X, T)
    assert (report.passed, report.method, report.derivatives_from) == (True, "central", "parts")


def test_weights_that_are_all_left_out() -> None:
    net = dataclasses.replace(network((4, 5, 3), "tanh"), l1=0.1)
    X, T = data_for(net, 6, 1)
    report = gradcheck(net, np.zeros(net.size), X, T, settings=Settings(kinks="skip"))
    assert [block.outcome for block in report.layers] == ["left out", "pass", "left out", "pass"]
    assert report.entries == 8
