"""Losses against numbers worked out by hand, by PyTorch and by scikit-learn, and at their edges."""

import math
import warnings
from typing import Any

import numpy as np
import pytest

from bptrain.parts.activations import activations
from bptrain.parts.losses import Loss, fits, losses
from bptrain.parts.types import Array

X = [[0.3, -1.2, 2.5], [0.1, 0.7, -0.4]]
T = [[0.5, 1.0, -0.75], [0.0, 0.2, -0.4]]
RATES, COUNTS = [[0.3, 1.2, 2.5], [0.1, 0.7, 0.4]], [[0.0, 1.0, 4.0], [2.0, 0.0, 0.0]]
SHARES, WANTED = [[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], [[0.0, 1.0, 0.0], [0.25, 0.5, 0.25]]

# name, options, x, t, E of each row, dE: PyTorch 2 in float64, E = f(x, t, reduction="none").sum(-1), dE by autograd
TORCH: list[tuple[str, dict[str, float], Any, Any, list[float], list[list[float]]]] = [
    (  # torch.nn.functional.mse_loss, divided by the 3 outputs
        "mean_squared_error", {}, X, T, [5.147500000000001, 0.08666666666666664],
        [[-0.13333333333333333, -1.4666666666666668, 2.1666666666666665],
         [0.06666666666666667, 0.33333333333333326, 0.0]],
    ),
    ("absolute_error", {}, X, T, [5.65, 0.6], [[-1, -1, 1], [1, 1, 0]]),  # l1_loss
    (  # huber_loss(delta=0.5)
        "huber", {"delta": 0.5}, X, T, [2.495, 0.12999999999999998],
        [[-0.2, -0.5, 0.5], [0.1, 0.49999999999999994, 0.0]],
    ),
    (  # poisson_nll_loss(log_input=False, full=False, eps=0)
        "poisson", {}, RATES, COUNTS, [0.1525155157094249, 5.805170185988091],
        [[1.0, 0.16666666666666663, -0.6000000000000001], [-19.0, 1.0, 1.0]],
    ),
    (  # kl_div(x.log(), t)
        "kl_divergence", {}, SHARES, WANTED, [0.6931471805599453, 0.2656183105130592],
        [[0.0, -2.0, 0.0], [-0.4166666666666667, -1.6666666666666667, -2.5]],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "x", "t", "E", "dE"), TORCH)
def test_values_of_pytorch(
    name: str, options: dict[str, float], x: Any, t: Any, E: list[float], dE: list[list[float]]
) -> None:
    part = losses.get(name)(**options)
    np.testing.assert_allclose(part.E(np.array(x), np.array(t)), E, rtol=1e-14)
    np.testing.assert_allclose(part.dE(np.array(x), np.array(t)), dE, rtol=1e-14, atol=1e-16)


def scalar(name: str, x: float, t: float) -> float:
    """One output's loss as plain Python, for those that are no sum of the above."""
    y = 2 * t - 1
    return {
        "log_cosh": math.log(math.cosh(x - t)),
        "quantile": 0.8 * (t - x) if x < t else 0.2 * (x - t),
        "hinge": max(0.0, 1 - y * x),
        "squared_hinge": max(0.0, 1 - y * x) ** 2,
    }[name]


@pytest.mark.parametrize(
    ("name", "options"), [("log_cosh", {}), ("quantile", {"tau": 0.8}), ("hinge", {}), ("squared_hinge", {})]
)
def test_values_by_plain_python(name: str, options: dict[str, float]) -> None:
    rng = np.random.default_rng(0)
    x = 2 * rng.normal(size=(50, 2))
    t = rng.integers(0, 2, (50, 2)).astype(float)
    part = losses.get(name)(**options)
    expected = [
        sum(scalar(name, float(a), float(b)) for a, b in zip(of_x, of_t, strict=True))
        for of_x, of_t in zip(x, t, strict=True)
    ]
    np.testing.assert_allclose(part.E(x, t), expected, rtol=1e-12, atol=1e-15)


def test_quantile_is_the_pinball_loss_of_scikit_learn() -> None:
    """sklearn._loss.loss.PinballLoss(quantile=0.8).loss, summed over the outputs."""
    E = losses.get("quantile")(tau=0.8).E(np.array(X), np.array(T))
    np.testing.assert_allclose(E, [2.57, 0.12], rtol=1e-14)


def test_hinge_by_hand() -> None:
    """One output: a yes at 0.3 misses its margin by 0.7, a no at 0.3 by 1.3; several are summed."""
    hinge, squared = losses.get("hinge")(), losses.get("squared_hinge")()
    x, t = np.array([[0.3], [0.3], [1.5], [-2.0]]), np.array([[1.0], [0.0], [1.0], [0.0]])
    np.testing.assert_allclose(hinge.E(x, t), [0.7, 1.3, 0, 0], rtol=1e-15)
    np.testing.assert_array_equal(hinge.dE(x, t), [[-1.0], [1.0], [0.0], [0.0]])
    np.testing.assert_allclose(squared.E(x, t), [0.49, 1.69, 0, 0], rtol=1e-14)
    np.testing.assert_allclose(squared.dE(x, t), [[-1.4], [2.6], [0.0], [0.0]], rtol=1e-15)
    x, t = np.array([[2.0, -0.5, 0.25]]), np.array([[1.0, 0.0, 0.0]])
    assert hinge.E(x, t)[0] == 0 + 0.5 + 1.25
    assert squared.E(x, t)[0] == 0.25 + 1.5625


def test_mean_squared_error_is_half_squared_error_times_its_factor() -> None:
    x, t = np.array(X), np.array(T)
    mean, half = losses.get("mean_squared_error")(), losses.get("half_squared_error")()
    np.testing.assert_allclose(mean.E(x, t), 2 / 3 * half.E(x, t), rtol=1e-15)
    np.testing.assert_allclose(mean.dE(x, t), 2 / 3 * half.dE(x, t), rtol=1e-15)


def test_cosh_of_a_small_difference_keeps_its_digits() -> None:
    E = losses.get("log_cosh")().E(np.array([[1e-8], [1.0], [800.0]]), np.zeros((3, 1)))
    np.testing.assert_allclose(E, [5e-17, 0.4337808304830271, 800 - math.log(2)], rtol=1e-14)


def test_quantile_is_least_at_the_quantile() -> None:
    t = np.arange(101.0)[:, None]
    part = losses.get("quantile")(tau=0.9)
    at = [float(part.E(np.full_like(t, x), t).sum()) for x in range(101)]
    assert int(np.argmin(at)) == 90


def test_divergence_is_cross_entropy_less_entropy() -> None:
    x, t, z = np.array(SHARES), np.array(WANTED), np.array(X)
    divergence, entropy = losses.get("kl_divergence")(), losses.get("cross_entropy")()
    of_t = np.array([0.0, 1.5 * math.log(2)])
    np.testing.assert_allclose(divergence.E(x, t), entropy.E(x, t) - of_t, rtol=1e-14)
    assert divergence.E_of_z is not None
    assert entropy.E_of_z is not None
    np.testing.assert_allclose(divergence.E_of_z(z, t), entropy.E_of_z(z, t) - of_t, rtol=1e-14)
    np.testing.assert_allclose(divergence.E(x, x), 0, atol=1e-16)


def targets_at(part: Loss) -> list[float]:
    """Targets at the edges of what a loss reads."""
    return {"values": [-1e4, 0.0, 1e4], "positive": [0.0, 1e4]}.get(part.outputs, [0.0, 1.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "name", [name for name in losses if losses.get(name)().outputs in ("values", "positive", "margins")]
)
def test_far_out(name: str, dtype: type) -> None:
    """No warning, the dtype kept, finite numbers finite, NaN kept and infinity a limit."""
    part = losses.get(name)()
    outputs = [1e-30, 1.0, 1e4] if part.outputs == "positive" else [-1e4, -1.0, 0.0, 1.0, 1e4]
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        for t_k in targets_at(part):
            for x_k in outputs:
                x: Array = np.full((1, 2), x_k, dtype)
                t: Array = np.full((1, 2), t_k, dtype)
                E, dE = part.E(x, t), part.dE(x, t)
                assert E.dtype == dE.dtype == dtype
                assert np.isfinite(E).all()
                assert np.isfinite(dE).all()
                assert (part.terms(x, t) >= np.abs(dE) * 0.99).all()  # dE is a sum of its terms
            nan: Array = np.array([[np.nan]], dtype)
            assert np.isnan(part.E(nan, np.full((1, 1), t_k, dtype))).all()
    with np.errstate(invalid="ignore"):
        for x_k in (-np.inf, np.inf):
            E = part.E(np.array([[x_k]], dtype), np.array([[1.0]], dtype))
            assert E[0] in (0.0, np.inf) or part.outputs == "positive"  # ∞ − ∞ there


def test_nothing_is_paid_for_a_target_of_zero() -> None:
    """t ln x is 0 for t = 0, whatever x, without a warning."""
    with np.errstate(all="raise"):
        x, t = np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])
        assert losses.get("kl_divergence")().E(x, t)[0] == 0.0
        assert losses.get("poisson")().E(x, t)[0] == 1.0
        np.testing.assert_array_equal(losses.get("poisson")().dE(x, t), [[1.0, 0.0]])


@pytest.mark.parametrize(
    ("loss", "fitting", "unfit"),
    [
        ("poisson", {"softplus"}, {"relu", "sigmoid", "softmax", "identity", "tanh", "leaky_relu"}),
        ("hinge", {"identity", "tanh", "leaky_relu"}, {"sigmoid", "relu", "softplus", "softmax"}),
        ("binary_cross_entropy", {"sigmoid"}, {"relu", "tanh", "softmax"}),
        ("kl_divergence", {"softmax"}, {"sigmoid", "identity"}),
        ("huber", {"softmax", "identity", "relu"}, set()),
    ],
)
def test_which_outputs_fit(loss: str, fitting: set[str], unfit: set[str]) -> None:
    part = losses.get(loss)()
    assert {name for name in fitting | unfit if fits(part, activations.get(name)())} == fitting


@pytest.mark.parametrize("name", list(losses))
def test_the_output_that_a_loss_names_fits_it(name: str) -> None:
    part = losses.get(name)()
    assert fits(part, activations.get(part.output or "identity")())
