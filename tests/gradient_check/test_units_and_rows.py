"""Functions of a part are given one row per instance and one column per unit of their layer, everywhere."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.network import Network
from bptrain.errors import UsageError
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.forward_pass import units
from bptrain.gradient_check.numeric_gradient import RequestedMethod, Settings
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.report import GradcheckReport
from bptrain.parts.activations import Activation
from bptrain.parts.losses import Loss, losses
from bptrain.parts.types import Array
from bptrain.testing import check_part
from command import bptrain, check_only
from networks import data_for, network
from plugins.files import naming, write
from submission_files import RIGHT, written

METHODS: tuple[RequestedMethod, ...] = ("auto", "directions", "central")
ROWS = 7


def slopes(z: Array) -> Array:
    """One per unit, of the layer that z is of."""
    return (0.1 * np.arange(z.shape[1])).astype(z.real.dtype)


def leaky(spoil: Callable[[Array], None] = lambda d: None) -> Activation:
    """A leaky relu with a slope per unit; `spoil` changes f'."""

    def f(z: Array) -> Array:
        assert z.ndim == 2
        return np.where(z.real <= 0, slopes(z) * z, z)

    def df(z: Array, x: Array) -> Array:
        assert z.ndim == 2
        d = np.where(z <= 0, slopes(z), np.ones_like(z))
        spoil(d)
        return d

    return Activation(f, df, kinks=(0.0,))


def unit_1(d: Array) -> None:
    d[:, 1] *= 1.5


def last_row(d: Array) -> None:
    d[-1] *= 1.5


def checked(f: Activation, method: RequestedMethod = "auto", kink: bool = False) -> GradcheckReport:
    net = network((4, 5, 3), "tanh")
    net = dataclasses.replace(net, activations=(net.activations[0], f, net.activations[2]))
    X, T = data_for(net, ROWS, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    if kink:
        X[0], w[20:25] = 0.0, 0.0
    return gradcheck(net, w, X, T, settings=Settings(method=method, inputs=True))


@pytest.mark.parametrize("kink", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_a_slope_per_unit_is_right(method: RequestedMethod, kink: bool) -> None:
    report = checked(leaky(), method, kink)
    assert report.passed
    assert not report.faults


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_unit_is_named(method: RequestedMethod) -> None:
    report = checked(leaky(unit_1), method)
    assert not report.passed
    (fault,) = report.faults
    assert (fault.layer, fault.quantity, fault.unit) == (1, "f'", 1)
    assert fault.words == "f' that is wrong in unit 1 alone"


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_row_is_named(method: RequestedMethod) -> None:
    report = checked(leaky(last_row), method)
    assert not report.passed
    (fault,) = report.faults
    assert (fault.layer, fault.quantity, fault.row) == (1, "f'", ROWS - 1)
    assert fault.words == f"f' that is wrong in instance {ROWS - 1} alone"


def test_units_that_are_dead_or_saturated_are_found_unit_by_unit() -> None:
    """Unit 2 is a hundred times as steep as the others, which are not saturated because of that."""
    scale = np.array([1.0, 1.0, 100.0, 1.0, 1.0])

    def f(z: Array) -> Array:
        return np.tanh(z * scale[: z.shape[1]])

    def df(z: Array, x: Array) -> Array:
        return scale[: z.shape[1]] * (1 - x * x)

    net = network((2, 5, 1), "tanh", bias=False)
    net = dataclasses.replace(net, activations=(net.activations[0], Activation(f, df), net.activations[2]))
    X = np.array([[0.5, 0.1], [-0.6, -0.2]])
    found = units(GradientPoint(net, np.full(net.size, 0.1), X, np.zeros((2, 1))))
    assert (found[0].dead, found[0].saturated) == ((), (2,))


FIXED = np.array([0.3, 0.0, 0.1, 0.7, 0.2])  # for a layer of five units, and no other


def fixed(wrong: bool = False) -> Activation:
    def f(z: Array) -> Array:
        return np.where(z.real <= 0, FIXED * z, z)

    def df(z: Array, x: Array) -> Array:
        d = np.where(z <= 0, FIXED, np.ones_like(z))
        if wrong:
            d[:, 3] = 1.0
        return d

    return Activation(f, df, kinks=(0.0,))


@pytest.mark.parametrize("method", METHODS)
def test_a_part_for_one_width(method: RequestedMethod) -> None:
    """No pattern is tried on a layer of another width."""
    assert checked(fixed(), method).passed
    report = checked(fixed(wrong=True), method)
    assert not report.passed
    assert report.faults[0].unit == 3


def test_a_part_that_takes_nothing_but_what_it_is_given() -> None:
    """A loss that refuses targets which are none, and an f that refuses a z that its layer never has."""
    half = losses.get("half_squared_error")()

    def E(x: Array, t: Array) -> Array:
        assert not np.iscomplexobj(t)
        assert np.isin(t, (0.0, 1.0)).all()
        return half.E(x, t)

    def f(z: Array) -> Array:
        assert (z.real > -11).all()
        assert np.abs(z.real).max() > 5
        return np.tanh(z)

    for slope in (1.0, 2.0):

        def dE(x: Array, t: Array, slope: float = slope) -> Array:
            return slope * (x - t)

        loss = Loss(E, dE)
        net = dataclasses.replace(network((4, 5, 3), "sigmoid"), loss=loss)
        X, T = data_for(net, ROWS, 1)
        w = np.random.default_rng(2).normal(size=net.size)
        report = gradcheck(net, w, X, (T > 0).astype(float))
        assert report.passed == (slope == 1.0)
        assert [fault.quantity for fault in report.faults] == ([] if slope == 1.0 else ["∂E/∂x"])

    for factor in (1.0, 3.0):

        def df(z: Array, x: Array, factor: float = factor) -> Array:
            return factor * (1 - x * x)

        net, picky = network((4, 5, 3), "tanh"), Activation(f, df)
        net = dataclasses.replace(net, activations=(net.activations[0], picky, net.activations[2]))
        w = np.random.default_rng(2).normal(size=net.size)
        w[20:25] = 6.0
        w[:20] *= 0.1
        assert gradcheck(net, w, X, T).passed == (factor == 1.0)


SHAPES: list[tuple[str, Activation | Loss]] = [
    ("f", Activation(lambda z: np.tanh(z)[:, :1] if z.shape[1] > 3 else np.tanh(z), lambda z, x: 1 - x * x)),
    ("df", Activation(np.tanh, lambda z, x: (1 - x * x).mean(axis=1) if len(z) > 2 else 1 - x * x)),
    ("df", Activation(np.tanh, lambda z, x: (1 - x * x)[:1] if len(z) > 2 else 1 - x * x)),
    ("f", Activation(lambda z: np.squeeze(np.tanh(z)), lambda z, x: 1 - x * x)),
    ("E", Loss(lambda x, t: ((x - t) ** 2).sum() + 0 * x[:2, 0], lambda x, t: 2 * (x - t))),
    (
        "dE",
        Loss(
            lambda x, t: ((x - t) ** 2).sum(axis=1), lambda x, t: 2 * (x - t)[:, :1] if len(x) > 2 else x - t
        ),
    ),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "part"), SHAPES, ids=range(len(SHAPES)))
def test_a_wrong_shape_is_said(name: str, part: Activation | Loss, method: RequestedMethod) -> None:
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, ROWS, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    if isinstance(part, Activation):
        net = dataclasses.replace(net, activations=(net.activations[0], part, net.activations[2]))
    else:
        net = dataclasses.replace(net, loss=part, canonical=False)
    with pytest.raises(UsageError, match=rf"{name} .*should give an array of shape"):
        gradcheck(net, w, X, T, settings=Settings(method=method))


PER_UNIT = '''@activations.add("per_unit")
def per_unit() -> Activation:
    """A leaky relu with a slope per unit."""

    def slopes(z: Array) -> Array:
        return (0.1 * np.arange(z.shape[1])).astype(z.real.dtype)

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, slopes(z) * z, z)

    def df(z: Array, x: Array) -> Array:
        d = np.where(z <= 0, slopes(z), np.ones_like(z))
        return d

    return Activation(f, df, kinks=(0.0,))
'''
NAMED = "sizes: [4, 6, 3], activations: [per_unit, softmax]"


@pytest.mark.parametrize("options", [[], ["--method", "central"], ["--engine", "all"], ["--kinks", "skip"]])
def test_a_plugin_that_looks_at_units(iris: Path, options: list[str]) -> None:
    file = write(iris.parent, PER_UNIT)
    config = naming(iris, NAMED)
    assert bptrain("gradcheck", config, "--plugin", file, *options).code == 0
    for spoilt, words in (("d[:, 1] += 0.25", "in unit 1 alone"), ("d[-1] += 0.25", "in instance 31 alone")):
        wrong = write(
            iris.parent, PER_UNIT.replace("return d\n", f"{spoilt}\n        return d\n"), "wrong.py"
        )
        outcome = bptrain("gradcheck", config, "--plugin", wrong, *options)
        assert outcome.code == 1, outcome.err
        assert words in outcome.out


def test_a_plugin_that_looks_at_units_in_every_command(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(iris.parent, PER_UNIT)
    check_only(monkeypatch, lambda combination: combination.activation == "per_unit")
    everything = bptrain("gradcheck", "--plugin", file, "--json")
    assert everything.code == 0
    assert {layer["parts"].split(" / ")[0] for layer in everything.json["layers"]} == {"per_unit"}
    config = naming(iris, NAMED)
    run = bptrain("fit", config, "--plugin", file, "--json").json["run"]
    assert bptrain("gradcheck", run, "--plugin", file).code == 0
    assert bptrain("eval", run, "--plugin", file).code == 0


def test_check_part_looks_at_every_unit() -> None:
    check_part(leaky())
    with pytest.raises(AssertionError, match="unit 1"):
        check_part(leaky(unit_1))


def test_a_plugin_of_the_wrong_shape_is_no_bug_of_ours(iris: Path) -> None:
    text = PER_UNIT.replace("return np.where(z.real <= 0, slopes(z) * z, z)", "return np.squeeze(z)")
    text = text.replace("return d\n", "return np.ones_like(z)\n")
    outcome = bptrain("gradcheck", naming(iris, NAMED), "--plugin", write(iris.parent, text))
    assert outcome.code == 2
    assert "f " in outcome.err


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("np.where(z.real <= 0, slopes(z) * z, z)[:, :3]", "layer 1 has f that gives an array of float64"),
        ("np.where(z.real <= 0, slopes(z) * z, z)[:3]", "layer 1 has f that gives an array of float64"),
    ],
)
@pytest.mark.parametrize("name", ["gradcheck", "check-backward"])
def test_a_shape_that_is_wrong_on_these_rows_alone(name: str, value: str, words: str, iris: Path) -> None:
    """Right for the few numbers that a factory is tried on; nothing in it raises."""
    text = PER_UNIT.replace("return np.where(z.real <= 0, slopes(z) * z, z)", f"return {value}")
    file = write(iris.parent, text, "parts.py")
    config = naming(iris, NAMED)
    given = [config] if name == "gradcheck" else [written(iris.parent, RIGHT), config]
    outcome = bptrain(name, *given, "--plugin", file)
    assert outcome.code == 2, outcome.err
    assert words in outcome.err


def test_the_gradient_of_a_slope_per_unit() -> None:
    """What the check is right about: the gradient by differences of the objective."""
    net = network((4, 5, 3), "tanh")
    net = dataclasses.replace(net, activations=(net.activations[0], leaky(), net.activations[2]))
    assert isinstance(net, Network)
    X, T = data_for(net, ROWS, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    assert np.isfinite(gradient(net, w, X, T)).all()
