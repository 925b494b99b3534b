"""The initializers against their definitions: moments, bounds, orthogonality, and what a seed decides."""

import math
from itertools import pairwise

import numpy as np
import pytest

from bptrain.core.network import initial_parameters, views
from bptrain.parts.initializers import initializers
from bptrain.parts.random import stream
from bptrain.parts.types import Array
from networks import network

OUT, IN = 200, 300

# The deviation that each definition asks for; a uniform distribution on ±a has a/√3.
DEVIATION = {
    "zeros": 0.0,
    "constant": 0.0,
    "normal": 1.0,
    "uniform": 0.05 / math.sqrt(3),
    "truncated_normal": 0.87962566103423978,  # of N(0, 1) on ±2: √(1 − 4 φ(2) / (2 Φ(2) − 1))
    "glorot_uniform": math.sqrt(2 / (IN + OUT)),
    "glorot_normal": math.sqrt(2 / (IN + OUT)),
    "he_uniform": math.sqrt(2 / IN),
    "he_normal": math.sqrt(2 / IN),
    "lecun_uniform": math.sqrt(1 / IN),
    "lecun_normal": math.sqrt(1 / IN),
    "orthogonal": math.sqrt(1 / IN),
    "nguyen_widrow": 0.7 * OUT ** (1 / IN) / math.sqrt(IN),
}
BOUND = {
    "uniform": 0.05,
    "truncated_normal": 2.0,
    "glorot_uniform": math.sqrt(6 / (IN + OUT)),
    "he_uniform": math.sqrt(6 / IN),
    "lecun_uniform": math.sqrt(3 / IN),
}


def drawn(name: str, seed: int = 0, n_out: int = OUT, n_in: int = IN, **options: object) -> Array:
    return initializers.get(name)(**options)(stream(seed, "weights"), n_out, n_in)


def kurtosis(W: Array) -> float:
    """3 for a normal distribution, 1.8 for a uniform one."""
    return float((W**4).mean() / (W**2).mean() ** 2)


def test_the_table_leaves_none_out() -> None:
    assert set(DEVIATION) == set(initializers)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", DEVIATION)
def test_moments(name: str, seed: int) -> None:
    """60,000 draws: the mean within 5 standard errors, the deviation within 2 %."""
    W = drawn(name, seed)
    deviation = DEVIATION[name]
    assert W.shape == (OUT, IN)
    assert W.dtype == np.float64
    assert abs(W.mean()) <= 5 * deviation / math.sqrt(OUT * IN)
    assert W.std() == pytest.approx(deviation, rel=0.02)


@pytest.mark.parametrize("name", BOUND)
def test_bounds_are_kept_and_reached(name: str) -> None:
    W, a = drawn(name), BOUND[name]
    assert -a <= W.min() < -0.99 * a
    assert 0.99 * a < W.max() <= a


@pytest.mark.parametrize(
    "name", [name for name in DEVIATION if name.endswith(("uniform", "_normal", "normal"))]
)
def test_shape_of_the_distribution(name: str) -> None:
    expected = 1.8 if name.endswith("uniform") else 3.0
    if name == "truncated_normal":  # its fourth moment over the square of its second
        expected = 2.3696
    assert kurtosis(drawn(name)) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("name", DEVIATION)
def test_a_seed_decides_the_draws(name: str) -> None:
    assert np.array_equal(drawn(name, 3), drawn(name, 3))
    if name not in ("zeros", "constant"):
        assert not np.isclose(drawn(name, 3), drawn(name, 4)).all(axis=1).any()


@pytest.mark.parametrize(("n_out", "n_in"), [(5, 5), (7, 3), (3, 7), (1, 4), (4, 1)])
def test_orthogonal(n_out: int, n_in: int) -> None:
    W = drawn("orthogonal", n_out=n_out, n_in=n_in, gain=1.5) / 1.5
    product = W.T @ W if n_out >= n_in else W @ W.T
    np.testing.assert_allclose(product, np.eye(min(n_out, n_in)), atol=1e-14)


def test_orthogonal_is_uniform_over_the_group() -> None:
    """Of a uniform Q the entries have mean 0, the first one too, whose sign QR alone would fix."""
    first = np.array([drawn("orthogonal", seed, 3, 3)[0, 0] for seed in range(400)])
    assert abs(first.mean()) < 5 * math.sqrt(1 / 3 / 400)


def test_options() -> None:
    assert (drawn("constant", value=0.25) == 0.25).all()
    assert drawn("normal", std=0.1).std() == pytest.approx(0.1, rel=0.02)
    assert np.abs(drawn("truncated_normal", std=0.1)).max() <= 0.2
    W = drawn("uniform", low=1.0, high=3.0)
    assert 1.0 <= W.min() < 1.01
    assert 2.99 < W.max() <= 3.0
    with pytest.raises(ValueError, match="low must be below high"):
        initializers.get("uniform")(low=1.0, high=1.0)
    with pytest.raises(ValueError, match="inputs must rise"):
        initializers.get("nguyen_widrow")(inputs=(1.0, 0.0))


def test_nguyen_widrow_by_its_paper() -> None:
    """|w_i| = 0.7 H^(1/N), and biases uniform between −|w_i| and |w_i|."""
    part = initializers.get("nguyen_widrow")()
    W = part(stream(0, "weights"), 2000, 2)
    beta = 0.7 * 2000 ** (1 / 2)
    np.testing.assert_allclose(np.sqrt((W * W).sum(axis=1)), beta, rtol=1e-14)
    assert part.b is not None
    b = part.b(stream(0, "weights", step=1), W)
    assert b.shape == (2000,)
    assert -beta <= b.min() < -0.99 * beta
    assert 0.99 * beta < b.max() <= beta
    assert kurtosis(b) == pytest.approx(1.8, rel=0.05)


def test_nguyen_widrow_spreads_its_units_over_the_inputs() -> None:
    """With one input the middle of each unit's slope, −b/w, lies in the interval, all of which is covered."""
    for low, high in ((-1.0, 1.0), (0.0, 10.0), (100.0, 101.0)):
        part = initializers.get("nguyen_widrow")(inputs=(low, high))
        W = part(stream(1, "weights"), 400, 1)
        assert part.b is not None
        middles = np.sort(-part.b(stream(1, "weights", step=1), W) / W[:, 0])
        assert low <= middles[0] + 1e-9
        assert middles[-1] - 1e-9 <= high
        gaps = [b - a for a, b in pairwise([low, *middles.tolist(), high])]
        assert max(gaps) < 0.03 * (high - low)


def test_nguyen_widrow_of_another_interval_is_that_of_mapped_inputs() -> None:
    plain, moved = (initializers.get("nguyen_widrow")(inputs=ends) for ends in ((-1.0, 1.0), (2.0, 5.0)))
    rng = np.random.default_rng(0)
    x = rng.uniform(2.0, 5.0, (10, 3))
    z = []
    for part, inputs in ((plain, (2 * x - 7.0) / 3.0), (moved, x)):
        W = part(stream(0, "weights"), 6, 3)
        assert part.b is not None
        z.append(inputs @ W.T + part.b(stream(0, "weights", step=1), W))
    np.testing.assert_allclose(z[0], z[1], rtol=1e-12)


def test_drawn_biases_reach_the_network() -> None:
    """Layer 1 draws its biases, layer 2 starts at the value that it is given."""
    net = network((3, 4, 2))
    zeros, widrow = initializers.get("zeros")(), initializers.get("nguyen_widrow")()
    P = views(net, initial_parameters(net, [zeros, widrow, zeros], [0.0, 0.0, 0.5], 7, np.float64))
    first, second = P.b[1], P.b[2]
    assert first is not None
    assert second is not None
    assert len(set(first.tolist())) == 4
    assert second.tolist() == [0.5, 0.5]
    W = widrow(stream(7, "weights", epoch=1), 4, 3)
    assert np.array_equal(P.W[1], W)
    assert widrow.b is not None
    assert np.array_equal(first, widrow.b(stream(7, "weights", epoch=1, step=1), W))
