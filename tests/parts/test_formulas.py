"""What every part must do at the edges, whatever its formula; a part registered later is covered unasked."""

import warnings

import numpy as np
import pytest

from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.random import stream
from bptrain.parts.types import Array

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", list(activations))
def test_activation_far_out(name: str, dtype: type) -> None:
    """No overflow and no warning at ±1e4, the declared range is kept, and f and f' keep to finite numbers."""
    part = activations.get(name)()
    z: Array = np.array([[-1e4, -100.0, -1.0, 0.0, 1.0, 100.0, 1e4]], dtype)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        x = part.f(z)
        slope = part.df(z, x) if part.df is not None else part.product(x, np.ones_like(x))  # type: ignore[misc]
    assert x.dtype == dtype
    assert np.isfinite(x).all()
    assert np.isfinite(slope).all()
    assert (x >= part.range[0]).all()
    assert (x <= part.range[1]).all()


@pytest.mark.parametrize("dtype", [*DTYPES, np.complex128])
@pytest.mark.parametrize("name", list(activations))
def test_not_a_number_stays(name: str, dtype: type) -> None:
    part = activations.get(name)()
    with np.errstate(invalid="ignore"):
        x = part.f(np.array([[np.nan]], dtype))
    assert np.isnan(x).all()
    assert x.dtype == dtype


@pytest.mark.parametrize("name", list(activations))
def test_infinity_is_a_limit_or_nan(name: str) -> None:
    part = activations.get(name)()
    with np.errstate(invalid="ignore"):
        x = part.f(np.array([[-np.inf, np.inf]]))
        far = part.f(np.array([[-1e4, 1e4]]))
    for at_infinity, near in zip(x[0], far[0], strict=True):
        grows = abs(near) > 50  # at ±1e4
        assert np.isnan(at_infinity) or (
            at_infinity == np.sign(near) * np.inf if grows else at_infinity == pytest.approx(near, abs=2e-4)
        )


@pytest.mark.parametrize("name", [name for name in activations if activations.get(name)().df is not None])
def test_derivative_is_that_of_f(name: str) -> None:
    """f' against the complex step, at 200 points and on both sides of every kink."""
    part = activations.get(name)()
    z = np.concatenate(
        [np.linspace(-5, 5, 200), [kink + side for kink in part.kinks for side in (-1e-9, 1e-9)]]
    )
    assert part.df is not None
    slope = part.f(z + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(part.df(z, part.f(z)), slope, rtol=1e-13, atol=1e-15)


def test_known_values() -> None:
    """Values that anyone can look up or work out."""
    z = np.array([[-1.0, 0.0, 2.0]])
    for name, expected in {
        "identity": [-1.0, 0.0, 2.0],
        "sigmoid": [0.2689414213699951, 0.5, 0.8807970779778823],
        "tanh": [-0.7615941559557649, 0.0, 0.9640275800758169],
        "relu": [0.0, 0.0, 2.0],
        "leaky_relu": [-0.01, 0.0, 2.0],
        "softmax": [0.04201006613406605, 0.11419519938459449, 0.8437947344813395],
    }.items():
        np.testing.assert_allclose(activations.get(name)().f(z)[0], expected, rtol=1e-14, err_msg=name)


def test_relu_at_its_kink() -> None:
    z = np.zeros((1, 1))
    relu, leaky = activations.get("relu")(), activations.get("leaky_relu")(slope=0.25)
    assert relu.df is not None
    assert leaky.df is not None
    assert relu.df(z, z)[0, 0] == 0.0
    assert leaky.df(z, z)[0, 0] == 0.25


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in losses if losses.get(name)().canonical])
def test_canonical_loss_far_out(name: str, dtype: type) -> None:
    """From z the loss is finite and without a warning where x has rounded to 0 or 1, and equals E(x, t) nearby."""
    part = losses.get(name)()
    assert part.E_of_z is not None
    assert part.canonical is not None
    t: Array = np.array([[1.0, 0.0]], dtype)
    with np.errstate(all="raise", under="ignore"):
        for z in ([-1e4, 1e4], [1e4, -1e4], [0.0, 0.0]):
            E = part.E_of_z(np.array([z], dtype), t)
            assert np.isfinite(E).all()
            assert E.dtype == dtype
    z64 = np.array([[0.3, -1.2]])
    x = activations.get(part.canonical)().f(z64)
    np.testing.assert_allclose(part.E_of_z(z64, t), part.E(x, t), rtol=1e-6 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("name", list(losses))
def test_loss_derivative_is_that_of_E(name: str) -> None:
    part = losses.get(name)()
    x, t = np.array([[0.2, 0.3, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    slope = [part.E(x + 1e-30j * np.eye(3)[k], t)[0].imag / 1e-30 for k in range(3)]
    np.testing.assert_allclose(part.dE(x, t)[0], slope, rtol=1e-13)


def test_binary_cross_entropy_of_soft_targets() -> None:
    """t between 0 and 1: E from x, E from z, and dE against the complex step agree."""
    part = losses.get("binary_cross_entropy")()
    assert part.E_of_z is not None
    z, t = np.array([[0.7, -1.1, 2.0]]), np.array([[0.25, 0.5, 0.9]])
    x = activations.get("sigmoid")().f(z)
    expected = -sum(t[0, k] * np.log(x[0, k]) + (1 - t[0, k]) * np.log(1 - x[0, k]) for k in range(3))
    assert part.E(x, t)[0] == pytest.approx(expected, rel=1e-14)
    assert part.E_of_z(z, t)[0] == pytest.approx(expected, rel=1e-14)
    slope = [part.E(x + 1e-30j * np.eye(3)[k], t)[0].imag / 1e-30 for k in range(3)]
    np.testing.assert_allclose(part.dE(x, t)[0], slope, rtol=1e-13)


def test_a_column_that_is_constant_but_for_rounding_of_its_mean() -> None:
    """The mean of many 0.1 is not 0.1, so their deviation is not quite 0; the column is constant all the same."""
    from bptrain.parts.scalers import scalers

    for name in ("standard", "minmax", "robust", "robust_clip", "log", "log1p"):
        assert scalers.get(name)()(np.full((1000, 1), 0.1)).spread[0] == 0.0


def test_loss_values_by_hand() -> None:
    x, t = np.array([[0.5, 0.25]]), np.array([[1.0, 0.0]])
    assert losses.get("half_squared_error")().E(x, t)[0] == 0.5 * (0.25 + 0.0625)
    assert losses.get("binary_cross_entropy")().E(x, t)[0] == pytest.approx(
        np.log(2) - np.log(0.75), rel=1e-15
    )
    assert losses.get("cross_entropy")().E(x, t)[0] == pytest.approx(np.log(2), rel=1e-15)


@pytest.mark.parametrize(
    ("name", "std"),
    [("zeros", 0.0), ("normal", 1.0), ("glorot_uniform", (2 / 500) ** 0.5), ("he_normal", (2 / 300) ** 0.5)],
)
def test_initializer_has_its_moments(name: str, std: float) -> None:
    """200 × 300 draws: the mean within 5 standard errors of 0, the deviation within 2 %."""
    W = initializers.get(name)()(stream(0, "weights"), 200, 300)
    assert W.shape == (200, 300)
    assert abs(W.mean()) <= 5 * std / 60000**0.5
    assert W.std() == pytest.approx(std, rel=0.02)


def test_glorot_uniform_keeps_its_bound() -> None:
    W = initializers.get("glorot_uniform")()(stream(0, "weights"), 200, 300)
    a = (6 / 500) ** 0.5
    assert -a <= W.min() < -0.99 * a
    assert 0.99 * a < W.max() <= a


def test_streams_are_pure_and_apart() -> None:
    def draws(*position: int, purpose: str = "shuffle", seed: int = 3) -> list[float]:
        return stream(seed, purpose, *position).random(4).tolist()

    assert draws(1, 2) == draws(1, 2)
    others = [draws(1, 3), draws(2, 2), draws(1, 2, purpose="weights"), draws(1, 2, seed=4)]
    assert all(draws(1, 2) != other for other in others)


def test_streams_do_not_overlap() -> None:
    """A long draw at one position never reaches into the draws of the next."""
    long = stream(3, "shuffle", 1, 2).random(40_000)
    for neighbor in ((1, 3), (1, 4), (2, 2), (2, 0)):
        assert not np.isin(stream(3, "shuffle", *neighbor).random(8), long).any()
