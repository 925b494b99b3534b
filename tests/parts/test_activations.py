"""The activations one by one: values from their definitions, limits, kinks, and digits that stay where f is small."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from bptrain.parts.activations import activations
from bptrain.parts.types import Array

DTYPES = [np.float32, np.float64]

# Each as its paper writes it, with Python's own functions, for z where that form is exact enough.
WRITTEN: dict[str, Callable[[float], float]] = {
    "hard_sigmoid": lambda z: min(max(0.0, z + 3.0), 6.0) / 6.0,
    "hard_tanh": lambda z: -1.0 if z < -1 else 1.0 if z > 1 else z,
    "elu": lambda z: z if z > 0 else math.exp(z) - 1.0,
    "selu": lambda z: 1.0507009873554804934 * (z if z > 0 else 1.6732632423543772848 * (math.exp(z) - 1.0)),
    "gelu": lambda z: 0.5 * z * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1.0 + math.exp(-z)),
    "mish": lambda z: z * math.tanh(math.log(1.0 + math.exp(z))),
    "softplus": lambda z: math.log(1.0 + math.exp(z)),
    "softsign": lambda z: z / (1.0 + abs(z)),
    "sine": math.sin,
    "gaussian": lambda z: math.exp(-(z**2)),
}

# PyTorch 2 in float64: hardsigmoid, hardtanh, elu, selu, gelu(approximate="tanh"), silu, mish, softplus and softsign.
TORCH = {
    "hard_sigmoid": [0.08333333333333333, 0.4166666666666667, 0.7],
    "hard_tanh": [-1.0, -0.5, 1.0],
    "elu": [-0.9179150013761013, -0.3934693402873666, 1.2],
    "selu": [-1.6137857588732425, -0.6917581878028713, 1.2608411848265766],
    "gelu": [-0.015084266089998577, -0.15428599017485606, 1.0617027691378649],
    "silu": [-0.18964545005310887, -0.1887703343990727, 0.9222297401988211],
    "mish": [-0.19681620390653337, -0.22074377465173, 1.0779458917653768],
    "softplus": [0.07888973429254963, 0.4740769841801067, 1.4632824673380311],
    "softsign": [-0.7142857142857143, -0.3333333333333333, 0.5454545454545454],
}


def both(name: str, z: Array) -> tuple[Array, Array]:
    """f and f' of a registered activation."""
    part = activations.get(name)()
    assert part.df is not None
    x = part.f(z)
    return x, part.df(z, x)


@pytest.mark.parametrize("name", WRITTEN)
def test_value_is_that_of_the_paper(name: str) -> None:
    z = np.linspace(-6, 6, 241)
    expected = [WRITTEN[name](float(entry)) for entry in z]
    np.testing.assert_allclose(both(name, z)[0], expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("name", TORCH)
def test_value_is_that_of_pytorch(name: str) -> None:
    np.testing.assert_allclose(both(name, np.array([-2.5, -0.5, 1.2]))[0], TORCH[name], rtol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("hard_sigmoid", (0.0, 0.0), (1.0, 0.0)),
        ("hard_tanh", (-1.0, 0.0), (1.0, 0.0)),
        ("elu", (-1.0, 0.0), (math.inf, 1.0)),
        ("selu", (-1.7580993408473766, 0.0), (math.inf, 1.0507009873554805)),
        ("gelu", (0.0, 0.0), (math.inf, 1.0)),
        ("silu", (0.0, 0.0), (math.inf, 1.0)),
        ("mish", (0.0, 0.0), (math.inf, 1.0)),
        ("softplus", (0.0, 0.0), (math.inf, 1.0)),
        ("softsign", (-1.0, 0.0), (1.0, 0.0)),
        ("gaussian", (0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_limits(name: str, left: tuple[float, float], right: tuple[float, float], dtype: type) -> None:
    """f and f' at ±∞, without a warning."""
    with np.errstate(all="raise", under="ignore"):
        x, slope = both(name, np.array([-np.inf, np.inf], dtype))
    np.testing.assert_allclose(x, [left[0], right[0]], rtol=1e-6)
    np.testing.assert_allclose(slope, [left[1], right[1]], rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WRITTEN)
def test_digits_stay_where_the_value_is_small(name: str, dtype: type) -> None:
    """float32 against float64 over the whole range: within 2 units of the larger of 1 and |x|, f and f' both."""
    z = np.concatenate(
        [np.linspace(-30, 30, 1201), np.geomspace(1e-6, 1e4, 60), -np.geomspace(1e-6, 1e4, 60)]
    )
    given: Array = z.astype(dtype)
    for got, exact in zip(both(name, given), both(name, given.astype(np.float64)), strict=True):
        error = np.abs(got - exact) / np.fmax(1.0, np.abs(exact))
        assert error.max() <= 2 * np.finfo(np.float32).eps


@pytest.mark.parametrize(
    ("name", "z", "x"),
    [
        ("silu", -30.0, -2.8072868906517896e-12),
        ("mish", -30.0, -2.807286890651921e-12),
        ("gelu", -6.0, -8.439646700762297e-11),
        ("softplus", -40.0, 4.248354255291589e-18),
        ("elu", -1e-12, -9.999999999995e-13),
    ],
)
def test_small_values_to_the_last_digits(name: str, z: float, x: float) -> None:
    """Worked out with 60 digits; the plain forms have 4 digits here, or none."""
    assert both(name, np.array([z]))[0][0] == pytest.approx(x, rel=2e-15)


@pytest.mark.parametrize(
    ("name", "kink", "slope"),
    [
        ("hard_sigmoid", -3.0, 0.0),
        ("hard_sigmoid", 3.0, 0.0),
        ("hard_tanh", -1.0, 0.0),
        ("hard_tanh", 1.0, 0.0),
        ("selu", 0.0, 1.7580993408473766),
    ],
)
def test_kinks_agree(name: str, kink: float, slope: float) -> None:
    """At a kink f' is the one that is stated, and the complex step takes the same branch of f."""
    part = activations.get(name)()
    assert kink in part.kinks
    assert both(name, np.array([kink]))[1][0] == pytest.approx(slope, rel=1e-15)
    assert part.f(np.array([kink + 1e-30j])).imag[0] / 1e-30 == pytest.approx(slope, rel=1e-15)


def test_kinks_are_where_the_slope_jumps() -> None:
    for name in activations:
        part = activations.get(name)()
        if part.df is None:
            continue
        z = np.linspace(-5, 5, 10001)
        jumps = z[:-1][np.abs(np.diff(part.df(z, part.f(z)))) > 0.01]
        found = {round(float(jump)) for jump in jumps}
        assert found == {round(kink) for kink in part.kinks}, name


def test_elu_has_a_kink_unless_alpha_is_one() -> None:
    assert activations.get("elu")().kinks == ()
    other = activations.get("elu")(alpha=0.5)
    assert other.kinks == (0.0,)
    assert other.df is not None
    z = np.array([-1e-9, 0.0, 1e-9])
    np.testing.assert_allclose(other.df(z, other.f(z)), [0.5, 0.5, 1.0], rtol=1e-8)


@pytest.mark.parametrize("name", [name for name in activations if activations.get(name)().df is not None])
def test_range_is_tight(name: str) -> None:
    """What is declared is kept in float32, and what is finite is come near to, within 0.01."""
    part = activations.get(name)()
    x = part.f(np.linspace(-200, 200, 400001, dtype=np.float32))
    low, high = part.range
    assert low <= x.min()
    assert x.max() <= high
    if math.isfinite(low):
        assert x.min() < low + 0.01
    if math.isfinite(high):
        assert x.max() > high - 0.01


def test_selu_keeps_mean_and_variance() -> None:
    """What its constants are made for: N(0, 1) in, mean 0 and variance 1 out (by Simpson's rule)."""
    z = np.linspace(-12, 12, 24001)
    weight = np.where(np.arange(24001) % 2, 4.0, 2.0)
    weight[[0, -1]] = 1.0
    density = weight * (z[1] - z[0]) / 3.0 * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    x = both("selu", z)[0]
    assert (density * x).sum() == pytest.approx(0.0, abs=1e-6)
    assert (density * x * x).sum() == pytest.approx(1.0, abs=1e-6)


def test_gelu_is_near_the_exact_form() -> None:
    """The docstring's bound: 0.0005 from z Φ(z)."""
    z = np.linspace(-6, 6, 2401)
    exact = [float(entry) * 0.5 * (1.0 + math.erf(float(entry) / math.sqrt(2.0))) for entry in z]
    difference = np.abs(both("gelu", z)[0] - exact).max()
    assert 0.0004 < difference < 0.0005


def test_the_relu_family_lets_half_of_a_square_pass() -> None:
    """Why he_* suits it: of N(0, 1) about ½ of the mean square is left, where selu and softplus leave all."""
    z = np.random.default_rng(0).normal(size=100_000)
    left = {name: float((both(name, z)[0] ** 2).mean()) for name in activations if name != "softmax"}
    family = {name for name in left if activations.get(name)().relu_family}
    assert family == {"relu", "leaky_relu", "elu", "silu", "gelu", "mish"}
    assert all(0.35 < left[name] < 0.65 for name in family)
    assert left["selu"] == pytest.approx(1.0, abs=0.02)
    assert left["softplus"] > 0.9
