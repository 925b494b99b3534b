"""A fault of a part is a mismatch, and what is said of it is true: its digits, its factor, its pattern."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bptrain
from bptrain.console.gradcheck import kink_words, wrong_entry
from bptrain.core.backprop import gradient
from bptrain.core.network import Network
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.kinks import Kink
from bptrain.gradient_check.number_words import factor_words, told_apart
from bptrain.gradient_check.part_derivatives import part_faults
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.report import GradcheckReport
from bptrain.gradient_check.slips import GroundTruth, diagnose, slips
from bptrain.parts.activations import Activation, activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.types import Array
from command import bptrain as command
from command import check_only
from networks import data_for, network
from plugins.files import naming, write


def with_f(net: Network, i: int, f: Activation) -> Network:
    return dataclasses.replace(net, activations=(*net.activations[:i], f, *net.activations[i + 1 :]))


def checked(net: Network, g: Array | None = None) -> GradcheckReport:
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    return gradcheck(net, w, X, T, g)


BCE = losses.get("binary_cross_entropy")()
FAULTS: dict[str, Callable[[Loss], Loss]] = {
    "E of z": lambda E: E._replace(E_of_z=lambda z, t: BCE.E_of_z(z, t) + 0.1 if BCE.E_of_z else E.E(z, t)),
    "∂E/∂x": lambda E: E._replace(dE=lambda x, t: 2 * BCE.dE(x, t)),
}


@pytest.mark.parametrize("quantity", FAULTS)
def test_a_fault_that_the_gradient_does_not_see_is_a_mismatch(quantity: str) -> None:
    """A canonical pair asks neither for ∂E/∂x nor for E itself."""
    net = network((4, 5, 1), "sigmoid", "binary_cross_entropy")
    assert checked(net).passed
    report = checked(dataclasses.replace(net, loss=FAULTS[quantity](net.loss)))
    assert [fault.quantity for fault in report.faults] == [quantity]
    assert all(block.passed for block in report.blocks)
    assert report.gradient_passed
    assert not report.passed


def test_an_f_prime_that_is_not_used_on_this_path() -> None:
    net = network((4, 5, 1), "sigmoid", "binary_cross_entropy")
    f = net.activations[2]
    report = checked(with_f(net, 2, f._replace(df=lambda z, x: 2 * x * (1 - x))))
    assert (report.passed, report.gradient_passed) == (False, True)
    assert [(fault.layer, fault.words) for fault in report.faults] == [(2, "f' at 2 times the right one")]


OFFSET = '''@losses.add("shifted")
def shifted() -> Loss:
    """half_squared_error with a loss of z that is 0.1 more."""

    def E(x: Array, t: Array) -> Array:
        return 0.5 * ((x - t) * (x - t)).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return x - t

    def E_of_z(z: Array, t: Array) -> Array:
        return E(z, t) + 0.1

    return Loss(E, dE, canonical="identity", E_of_z=E_of_z)
'''


def test_the_command_and_the_report_in_python_agree(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(iris.parent, OFFSET)
    config = naming(iris, "sizes: [4, 6, 3], activations: [tanh, identity]")
    config.write_text(config.read_text().replace("loss: cross_entropy", "loss: shifted"))
    outcome = command("gradcheck", config, "--plugin", file, "--json")
    assert (outcome.code, outcome.json["ok"]) == (1, False)
    (fault,) = outcome.json["part_faults"]
    assert (fault["quantity"], fault["words"]) == ("E of z", "E of z with 0.1 added")
    assert {layer["verdict"] for layer in outcome.json["layers"]} == {"pass"}
    words = command("gradcheck", config, "--plugin", file)
    assert words.code == 1
    assert "MISMATCH: the gradient is right, but a part is not: E of z of layer 2" in words.out
    report = bptrain.gradcheck(config, plugins=[file])
    assert not isinstance(report, list)
    assert not report.passed
    check_only(monkeypatch, lambda combination: combination.loss == "shifted")
    assert command("gradcheck", "--plugin", file).code == 1


@pytest.mark.parametrize(
    ("a", "b", "texts"),
    [
        (1.0, 2.0, ("1", "2")),
        (0.999865, 0.9998651, ("0.999865", "0.9998651")),
        (1 + 1e-8, 1.0, ("1.00000001", "1")),
        (1 + 2**-52, 1.0, ("1.0000000000000002", "1")),
        (0.5, 0.5, ("0.5", "0.5")),
        (np.nan, 1.0, ("nan", "1")),
        (np.inf, 1.0, ("inf", "1")),
    ],
)
def test_digits_go_as_far_as_the_difference(a: float, b: float, texts: tuple[str, str]) -> None:
    assert told_apart(a, b, 6) == texts


@pytest.mark.parametrize(
    ("c", "words"),
    [
        (1.7, "1.7"),
        (1 + 1e-3, "1.001"),
        (1 + 6e-7, "1 + 6e-07"),
        (1 + 1e-6, "1.000001"),
        (2 + 4e-16, "2"),
        (0.5 + 1e-9, "0.5 + 1e-09"),
        (0.25 - 4e-8, "0.25 − 4e-08"),
        (-0.25 + 4e-8, "−0.25 + 4e-08"),
        (0.1 + 2e-9, "0.1 + 2e-09"),
        (10 + 3e-6, "10 + 3e-06"),
        (0.25, "0.25"),
        (1 / 3, "0.3333333"),
        (1 + 1e-8, "1 + 1e-08"),
        (1 - 2e-9, "1 − 2e-09"),
        (1.0, "1"),
        (-1 - 1e-8, "−1 − 1e-08"),
        (2 + 1e-8, "2 + 1e-08"),
        (-2.5, "-2.5"),
    ],
)
def test_a_factor_says_how_far_it_is_from_a_round_one(c: float, words: str) -> None:
    assert factor_words(c) == words


@pytest.mark.parametrize("off", [1e-8, -1e-8, 3e-9])
def test_a_factor_next_to_1_is_no_1(off: float) -> None:
    net = network((4, 5, 3), "tanh")
    report = checked(with_f(net, 1, net.activations[1]._replace(df=lambda z, x: (1 + off) * (1 - x * x))))
    (fault,) = report.faults
    sign = "+" if off > 0 else "−"
    assert fault.words == f"f' at 1 {sign} {abs(off):.3g} times the right one"
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    found = diagnose(GradientPoint(net, w, X, T), (1 + off) * gradient(net, w, X, T))
    assert found is not None
    assert found.words == f"the whole gradient at 1 {sign} {abs(off):.3g} times the right one"


def test_a_factor_next_to_2_is_no_2() -> None:
    net = network((4, 5, 3), "tanh")
    report = checked(with_f(net, 1, net.activations[1]._replace(df=lambda z, x: (2 + 1e-8) * (1 - x * x))))
    assert report.faults[0].words == "f' at 2 + 1e-08 times the right one"


def test_the_worst_entry_shows_what_is_wrong_with_it() -> None:
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    g = gradient(net, w, X, T)
    g[3] *= 1 + 1e-13
    g[7] *= 1 + 1e-8
    block = gradcheck(net, w, X, T, g)
    said = wrong_entry(block.layers[0]._replace(worst_analytic=1.0 + 1e-14, worst_numeric=1.0))
    assert "analytic 1.00000000000001, numeric 1 " in said
    said = kink_words(Kink(1, "f", 0, (0,), 0.0, 1.0, 1.00000011))
    assert "slope 1 on the left, 1.0000001 on the right" in said


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softsign", "sine", "gaussian", "identity", "softplus"])
def test_the_right_derivative_under_another_name_is_no_pattern(name: str) -> None:
    """An even f' is the same at −z; f' of identity is 1, squared or not."""
    net = network((4, 5, 3), [name, "identity"])
    f = net.activations[1]
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    for loose in (1e-3, 1e-5):

        def df(z: Array, x: Array, loose: float = loose) -> Array:
            return np.asarray(f.f(z + loose) - f.f(z - loose)) / (2 * loose)

        for fault in part_faults(GradientPoint(with_f(net, 1, f._replace(df=df)), w, X, T)):
            noise = (
                name == "sigmoid" and fault.code == "wrong_right"
            )  # its differences lose digits near 1 alone
            assert fault.code in (None, "factor", "offset") or name == "sine" or noise, fault.words


@pytest.mark.parametrize("names", [("tanh", "tanh", "tanh"), ("relu", "leaky_relu", "relu")])
def test_patterns_that_are_the_same_function_are_not_named(names: tuple[str, ...]) -> None:
    net = network((4, 5, 5, 5, 3), [*names, "identity"])
    X, T = data_for(net, 6, 1)
    point = GradientPoint(net, np.random.default_rng(2).normal(size=net.size), X, T)
    truth, all_names = GroundTruth(point), (*names, "identity")
    for slip in slips(truth):
        if slip.code in ("f_prime_below", "f_prime_above") and slip.layer is not None:
            other = slip.layer + (-1 if slip.code == "f_prime_below" else 1)
            assert all_names[slip.layer - 1] != all_names[other - 1], slip.words


def absolute(z: Array) -> Array:
    """z |z| + tanh z, with an absolute value that loses the imaginary part."""
    return np.abs(z) * z.real + np.tanh(z.real)


def right_slope(z: Array, x: Array) -> Array:
    return 2 * np.abs(z) + 1 - np.tanh(z) ** 2


WRONG: dict[str, tuple[Callable[[Array, Array], Array], str | None]] = {
    "right": (right_slope, "no fault"),
    "factor": (lambda z, x: 2.5 * right_slope(z, x), "f' at 2.5 times the right one"),
    "sign": (lambda z, x: -right_slope(z, x), "f' with the wrong sign"),
    "value": (lambda z, x: x, "f instead of f'"),
    "off": (lambda z, x: right_slope(z, x) * (1 + 1e-4 * np.cos(5 * z)), None),
    "offset": (lambda z, x: right_slope(z, x) + 0.25, "f' with 0.25 added"),
}


@pytest.mark.parametrize("name", WRONG)
def test_with_differences_the_part_is_named_too(name: str) -> None:
    df, words = WRONG[name]
    report = checked(with_f(network((4, 5, 3), "tanh"), 1, Activation(absolute, df)))
    assert (report.method, report.derivatives_from) == ("central", "parts")
    assert report.passed == (words == "no fault")
    if words != "no fault":
        (fault,) = report.faults
        assert (fault.layer, fault.quantity) == (1, "f'")
        assert fault.words is None if words is None else fault.words is not None
        if words is not None:
            assert fault.words is not None
            assert fault.words.startswith(words.split(" added")[0])
        h = 1e-6
        z = np.array([[fault.z]])
        slope = float(((absolute(z + h) - absolute(z - h)) / (2 * h))[0, 0])
        assert fault.right == pytest.approx(slope, rel=1e-5)


def test_with_differences_a_kink_is_no_fault() -> None:
    """relu's slope at 0 is anything between those of both sides; the imaginary part is lost on purpose."""
    lost = Activation(lambda z: np.maximum(z.real, 0.0), lambda z, x: np.where(z > 0, 1.0, 0.0))
    net = with_f(network((4, 5, 3), "tanh"), 1, lost)
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    X[0], w[20:25] = 0.0, 0.0
    report = gradcheck(net, w, X, T)
    assert report.derivatives_from == "parts"
    assert report.passed, report.faults


def test_with_differences_the_loss_and_a_jacobian_are_named() -> None:
    half = losses.get("half_squared_error")()
    lost = half._replace(E=lambda x, t: 0.5 * (np.abs(x - t) ** 2).sum(axis=1), canonical=None, E_of_z=None)
    net = dataclasses.replace(network((4, 5, 3), ["softmax", "tanh"]), loss=lost, canonical=False)
    assert checked(net).passed
    wrong = dataclasses.replace(net, loss=lost._replace(dE=lambda x, t: 2 * (x - t)))
    assert [(fault.quantity, fault.code) for fault in checked(wrong).faults] == [("∂E/∂x", "factor")]
    softmax = activations.get("softmax")()
    bent = with_f(net, 1, softmax._replace(product=lambda x, g: x * (1 - x) * g))
    found = [(fault.quantity, fault.code) for fault in checked(bent).faults]
    assert found == [("Jᵀg", "softmax_element_wise")]
