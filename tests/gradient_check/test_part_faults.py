"""Wrong derivatives of parts are found in the part, with its layer, the worst place, and what they look like."""

from collections.abc import Callable

import numpy as np
import pytest

from bptrain.core.network import Network
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.part_derivatives import part_faults
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.activations import Activation, activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.types import Array
from gradient_check.random_networks import drawn_networks
from networks import SMOOTH_PAIRS, data_for, network


def tanh_2(df: Callable[[Array, Array], Array]) -> Activation:
    """tanh 2z, with whatever for its derivative."""
    return Activation(lambda z: np.tanh(2 * z), df)


def leaky(df: Callable[[Array, Array], Array]) -> Activation:
    return Activation(lambda z: np.where(z.real <= 0, 0.25 * z, z), df, kinks=(0.0,))


def gaussian(df: Callable[[Array, Array], Array]) -> Activation:
    return Activation(lambda z: np.exp(-z * z), df)


def softmax(product: Callable[[Array, Array], Array]) -> Activation:
    return activations.get("softmax")()._replace(product=product)


ACTIVATIONS: list[tuple[str, Activation, str | None]] = [
    ("right", tanh_2(lambda z, x: 2 * (1 - x * x)), "no fault"),
    ("chain factor forgotten", tanh_2(lambda z, x: 1 - x * x), "tanh_slope"),
    ("sign", tanh_2(lambda z, x: -2 * (1 - x * x)), "sign"),
    ("zero", tanh_2(lambda z, x: 0 * z), "zero"),
    ("one", tanh_2(lambda z, x: 1 + 0 * z), "one"),
    ("factor", tanh_2(lambda z, x: 2.5 * (1 - x * x)), "factor"),
    ("off by 1e-6", tanh_2(lambda z, x: 2 * (1 + 1e-6) * (1 - x * x)), "factor"),
    ("at x", tanh_2(lambda z, x: 2 * (1 - np.tanh(2 * x) ** 2)), "at_x"),
    ("value", tanh_2(lambda z, x: x), "value"),
    ("squared", tanh_2(lambda z, x: 4 * (1 - x * x) ** 2), "twice"),
    ("reciprocal", tanh_2(lambda z, x: 0.5 / (1 - x * x)), "reciprocal"),
    ("form of x given z", tanh_2(lambda z, x: 1 - z * z), "tanh_slope_of_z"),
    ("another's", tanh_2(lambda z, x: np.cos(z)), "other_activation"),
    ("offset", tanh_2(lambda z, x: 2 * (1 - x * x) + 0.01), "offset"),
    ("no pattern", tanh_2(lambda z, x: 2 * (1 - x * x) * (1 + 1e-6 * np.cos(z))), None),
    ("not a number", tanh_2(lambda z, x: z * np.nan), None),
    ("at −z", gaussian(lambda z, x: 2 * z * np.exp(-z * z)), "sign"),
    ("right with a kink", leaky(lambda z, x: np.where(z <= 0, 0.25, 1.0)), "no fault"),
    ("slope forgotten", leaky(lambda z, x: np.where(z <= 0, 0.0, 1.0)), "other_activation"),
    ("another slope", leaky(lambda z, x: np.where(z <= 0, 0.2, 1.0)), "wrong_left"),
    ("slope on the right", leaky(lambda z, x: np.where(z <= 0, 0.25, 0.9)), "wrong_right"),
    ("sides exchanged", leaky(lambda z, x: np.where(z <= 0, 1.0, 0.25)), "at_minus_z"),
    ("right softmax", softmax(lambda x, g: x * (g - (x * g).sum(-1, keepdims=True))), "no fault"),
    ("softmax element-wise", softmax(lambda x, g: x * (1 - x) * g), "softmax_element_wise"),
    ("softmax left out", softmax(lambda x, g: g), "jacobian_missing"),
    ("softmax over rows", softmax(lambda x, g: x * (g - (x * g).sum(0, keepdims=True))), None),
]


@pytest.mark.parametrize(("name", "activation", "code"), ACTIVATIONS, ids=[one[0] for one in ACTIVATIONS])
@pytest.mark.parametrize("layer", [1, 2])
def test_activations(name: str, activation: Activation, code: str | None, layer: int) -> None:
    plain = network((4, 5, 5, 3), "sigmoid")
    functions = list(plain.activations)
    functions[layer] = activation
    net = Network(plain.sizes, tuple(functions), plain.bias, plain.loss)
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    faults = part_faults(GradientPoint(net, w, X, T))
    assert gradcheck(net, w, X, T).passed is (code == "no fault")
    if code == "no fault":
        assert faults == []
        return
    (fault,) = faults
    assert (fault.layer, fault.code) == (layer, code), fault.words
    assert fault.quantity == ("f'" if activation.df else "Jᵀg")
    space = GradientPoint(net, w, X, T).space
    assert fault.z == space.Z[layer][fault.row, fault.unit]
    if activation.df is not None:
        expected = activation.df(space.Z[layer], space.X[layer])[fault.row, fault.unit]
        np.testing.assert_equal(fault.given, expected)
        h = 1e-6
        f = activation.f
        slope = (f(np.array([[fault.z + h]])) - f(np.array([[fault.z - h]])))[0, 0] / (2 * h)
        assert fault.right == pytest.approx(slope, rel=1e-6)


LOSSES: list[tuple[str, str, str, Callable[[Loss], Loss], str, str | None]] = [
    (
        "dE without its factor",
        "tanh",
        "mean_squared_error",
        lambda E: E._replace(dE=lambda x, t: x - t),
        "∂E/∂x",
        "difference",
    ),
    (
        "dE twice",
        "tanh",
        "half_squared_error",
        lambda E: E._replace(dE=lambda x, t: 2 * (x - t)),
        "∂E/∂x",
        "factor",
    ),
    ("dE's sign", "tanh", "log_cosh", lambda E: E._replace(dE=lambda x, t: np.tanh(t - x)), "∂E/∂x", "sign"),
    (
        "x and t exchanged",
        "softplus",
        "poisson",
        lambda E: E._replace(dE=lambda x, t: -np.log(t + x) - x / (t + x)),
        "∂E/∂x",
        None,
    ),
    (
        "f' in dE already",
        "sigmoid",
        "half_squared_error",
        lambda E: E._replace(dE=lambda x, t: (x - t) * (x * (1 - x))),
        "∂E/∂x",
        "times_f_prime",
    ),
    (
        "another loss's",
        "tanh",
        "half_squared_error",
        lambda E: E._replace(dE=lambda x, t: np.sign(x - t)),
        "∂E/∂x",
        "other_loss",
    ),
    (
        "E_of_z of another loss",
        "sigmoid",
        "binary_cross_entropy",
        lambda E: E._replace(E_of_z=lambda z, t: 2 * E.E(1 / (1 + np.exp(-z)), t)),
        "E of z",
        "factor",
    ),
    (
        "a pair that is none",
        "sigmoid",
        "half_squared_error",
        lambda E: E._replace(E_of_z=None, canonical="sigmoid"),
        "∂E/∂z",
        None,
    ),
]


@pytest.mark.parametrize(
    ("name", "last", "loss", "fault", "quantity", "code"), LOSSES, ids=[one[0] for one in LOSSES]
)
def test_losses(
    name: str, last: str, loss: str, fault: Callable[[Loss], Loss], quantity: str, code: str | None
) -> None:
    right = network((4, 5, 3), ["tanh", last], loss)
    X, T = data_for(right, 6, 1)
    w = np.random.default_rng(2).normal(size=right.size)
    assert part_faults(GradientPoint(right, w, X, T)) == []
    made = fault(losses.get(loss)())
    net = Network(right.sizes, right.activations, right.bias, made, canonical=made.canonical == last)
    assert not gradcheck(net, w, X, T).passed
    found = part_faults(GradientPoint(net, w, X, T))
    assert found[0].layer == 2
    assert (found[0].quantity, found[0].code) == (quantity, code), found


@pytest.mark.parametrize(
    ("name", "dE"),
    [
        ("NaN", lambda x, t: (x - t) * np.nan),
        ("infinite where t = 0", lambda x, t: np.where(t == 0, np.inf, (x - t) / (x * (1 - x)))),
        ("NaN where t = 1", lambda x, t: np.where(t == 1, np.nan, (x - t) / (x * (1 - x)))),
    ],
)
def test_a_canonical_loss_whose_slope_is_no_number(name: str, dE: Callable[[Array, Array], Array]) -> None:
    """x_L − t is right, and ∂E/∂x is not asked for; it is wrong all the same."""
    right = network((4, 5, 3), ["tanh", "sigmoid"], "binary_cross_entropy")
    X, _ = data_for(right, 6, 1)
    T: Array = (np.arange(18).reshape(6, 3) % 2).astype(float)
    w = np.random.default_rng(2).normal(size=right.size)
    assert part_faults(GradientPoint(right, w, X, T)) == []
    net = Network(right.sizes, right.activations, right.bias, right.loss._replace(dE=dE), canonical=True)
    assert not gradcheck(net, w, X, T).passed, name
    (fault,) = part_faults(GradientPoint(net, w, X, T))
    assert (fault.layer, fault.quantity, fault.error) == (2, "∂E/∂x", np.inf)
    assert not np.isfinite(fault.given)


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
def test_a_canonical_slope_at_the_edge_of_the_range_need_not_be_finite(last: str) -> None:
    loss = "binary_cross_entropy" if last == "sigmoid" else "cross_entropy"
    net = network((2, 3), [last], loss)
    X, T = np.array([[1e4, 1e4], [1.0, 2.0], [-1e4, -1e4]]), np.eye(3)
    w = np.linspace(-1.0, 1.5, net.size)
    point = GradientPoint(net, w, X, T)
    assert np.isin(point.space.X[1], [0.0, 1.0]).any()
    assert part_faults(point) == []


@pytest.mark.parametrize(
    ("at_kink", "fault"), [(0.0, False), (0.3, False), (1.0, False), (2.0, True), (-0.1, True)]
)
def test_at_a_kink_what_lies_between_is_right(at_kink: float, fault: bool) -> None:
    plain = network((3, 2, 1), ["relu", "identity"])
    relu = plain.activations[1]._replace(df=lambda z, x: np.where(z == 0, at_kink, np.where(z < 0, 0.0, 1.0)))
    net = Network(plain.sizes, (plain.activations[0], relu, plain.activations[2]), plain.bias, plain.loss)
    X, T = data_for(net, 3, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    X[1], w[6:8] = 0.0, 0.0  # row 1 is zero, and so are the biases
    found = part_faults(GradientPoint(net, w, X, T))
    assert bool(found) is fault
    if fault:
        assert (found[0].row, found[0].z, found[0].given) == (1, 0.0, at_kink)


def test_no_false_alarm() -> None:
    for one in drawn_networks():
        assert part_faults(GradientPoint(*one[2:])) == [], one.name


@pytest.mark.parametrize(("last", "loss"), SMOOTH_PAIRS)
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_every_pair(last: str, loss: str, size: float) -> None:
    net = network((4, 5, 3), [last, last], loss)
    X, T = data_for(net, 6, 1)
    assert part_faults(GradientPoint(net, size * np.random.default_rng(2).normal(size=net.size), X, T)) == []
