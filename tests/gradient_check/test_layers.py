"""A backward pass is judged in its own order: the first wrong quantity, and what is wrong below it by itself."""

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.network import views
from bptrain.gradient_check.layers import LayersReport, diagnose_layers
from bptrain.gradient_check.lines import Backward, backward
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.types import Array
from gradient_check.planted import case
from gradient_check.random_networks import drawn_networks
from networks import data_for, network


def point_of(of: str) -> GradientPoint:
    return GradientPoint(*case(of))


def by_hand(of: str, slips: set[str]) -> tuple[GradientPoint, Backward]:
    """The backward pass of "squares" (tanh, sigmoid, tanh; the mean of squares), typed out, with slips in it."""
    point = point_of(of)
    W, (X, Z) = point.parameters.W, (point.space.X, point.space.Z)
    D = [np.empty(0)] * 4
    N, n_L = point.T.shape
    D[3] = 2 / n_L * (X[3] - point.T) * (1 if "f_3'" in slips else 1 - X[3] ** 2)
    D[3] = D[3] / (1 if "mean" in slips or "late" in slips else N)
    s = 1 / (1 + np.exp(-Z[2]))
    D[2] = (D[3] @ W[3]) * (1 if "f_2'" in slips else s * (1 - s))
    D[1] = (D[2] @ (W[2].T if "W_2" in slips else W[2])) * (1 - X[1] ** 2)
    g = np.empty_like(point.w)
    into = views(point.network, g)
    for i in (1, 2, 3):
        into.W[i][...] = D[i].T @ X[i - 1] / (N if "late" in slips else 1)
        b = into.b[i]
        assert b is not None
        b[...] = D[i].sum(axis=0) / (N if "late" in slips else 1)
        if f"b_{i}" in slips:
            b[...] = D[i][-1] / (N if "late" in slips else 1)
    return point, Backward(D, g)


def judged(slips: set[str]) -> LayersReport:
    point, made = by_hand("squares", slips)
    return diagnose_layers(point, made.D, made.g)


def test_right() -> None:
    report = judged(set())
    assert report.passed
    assert report.likely is None
    assert [one.name for one in report.quantities[:4]] == ["δ_3", "∂E/∂W_3", "∂E/∂b_3", "δ_2"]
    assert len(report.quantities) == 9
    assert max(one.relative_error for one in report.quantities) < 1e-14
    assert all(one.follows for one in report.quantities)


def test_divided_late() -> None:
    """δ of the sum over the rows, and the gradients divided, is the same thing; without the division it is not."""
    report = judged({"late"})
    assert report.passed
    assert report.divided_late
    assert not judged(set()).divided_late
    wrong = judged({"late", "b_1"})
    first = wrong.first_wrong
    assert first is not None
    assert (first.name, first.likely and first.likely.code) == ("∂E/∂b_1", "bias_last_row")


@pytest.mark.parametrize(
    ("slips", "first", "code", "layer"),
    [
        ({"f_3'"}, "δ_3", "f_prime_missing", 3),
        ({"f_2'"}, "δ_2", "f_prime_missing", 2),
        ({"W_2"}, "δ_1", "carry_not_transposed", 1),
        ({"mean"}, "δ_3", "sum_for_mean", None),
        ({"b_2"}, "∂E/∂b_2", "bias_last_row", 2),
        ({"f_2'", "b_1"}, "δ_2", "f_prime_missing", 2),
        ({"mean", "b_3"}, "δ_3", "sum_for_mean", None),
        ({"W_2", "b_3"}, "∂E/∂b_3", "bias_last_row", 3),
    ],
)
def test_the_first_wrong_one(slips: set[str], first: str, code: str, layer: int | None) -> None:
    report = judged(slips)
    assert not report.passed
    assert report.first_wrong is not None
    assert report.first_wrong.name == first
    assert report.likely is not None
    assert (report.likely.code, report.likely.layer) == (code, layer)


def test_what_follows_from_a_wrong_one_is_no_slip_of_its_own() -> None:
    report = judged({"f_2'", "b_1"})
    wrong = [one.name for one in report.quantities if not one.right]
    assert wrong == ["δ_2", "∂E/∂W_2", "∂E/∂b_2", "δ_1", "∂E/∂W_1", "∂E/∂b_1"]
    own = {one.name: one.likely and one.likely.code for one in report.quantities if not one.follows}
    assert own == {"δ_2": "f_prime_missing", "∂E/∂b_1": "bias_last_row"}


def test_without_deltas() -> None:
    point, made = by_hand("squares", {"f_2'"})
    report = diagnose_layers(point, [None] * 4, made.g)
    assert report.first_wrong is not None
    assert report.first_wrong.name == "∂E/∂W_2"
    assert report.likely is not None
    assert (report.likely.code, report.likely.layer) == ("f_prime_missing", 2)
    assert len(report.quantities) == 6
    some: list[Array | None] = [None, made.D[1], None, made.D[3]]
    assert len(diagnose_layers(point, some, made.g).quantities) == 8


def test_not_a_number() -> None:
    point, made = by_hand("squares", set())
    made.D[2][0, 0] = np.nan
    report = diagnose_layers(point, made.D, made.g)
    assert report.first_wrong is not None
    assert (report.first_wrong.name, report.likely) == ("δ_2", None)


@pytest.mark.parametrize("of", ["classes weighted penalized", "shares dropped", "even summed", "yes_or_no"])
def test_a_factor_in_each_delta(of: str) -> None:
    """Penalties, weights, masks and a Jacobian below it: c is found where it was brought in, and nowhere else."""
    point = point_of(of)
    for layer in range(1, point.network.L):
        D = list(backward(point).D)
        D[layer] = 1.7 * D[layer]
        report = diagnose_layers(point, D, backward(point).g)
        assert [one.name for one in report.quantities if not one.right] == [f"δ_{layer}"]
        assert report.likely is not None
        assert (report.likely.code, report.likely.layer) == ("factor", layer)


def test_no_false_alarm() -> None:
    for one in drawn_networks()[::2]:  # every kind is among them
        point = GradientPoint(*one[2:])
        assert diagnose_layers(point, backward(point).D, gradient(*one[2:])).passed, one.name


@pytest.mark.parametrize("slope_at_0", [0.0, 0.5, 1.0, 2.0])
def test_a_slope_at_a_kink_is_the_pass_s_own(slope_at_0: float) -> None:
    """A row of zeros without a bias puts every unit of relu at its kink; between 0 and 1 all is right there."""
    net = network((3, 4, 4, 2), ["tanh", "relu", "tanh"], bias=False)
    X, T = data_for(net, 5, 1)
    X[2] = 0.0
    w = np.random.default_rng(2).normal(size=net.size)
    point = GradientPoint(net, w, X, T)
    W, (Z, X_) = point.parameters.W, (point.space.Z, point.space.X)
    D: list[Array] = [np.empty(0)] * 4
    D[3] = (X_[3] - T) * (1 - X_[3] ** 2) / 5
    D[2] = (D[3] @ W[3]) * np.where(Z[2] == 0, slope_at_0, np.where(Z[2] < 0, 0.0, 1.0))
    D[1] = (D[2] @ W[2]) * (1 - X_[1] ** 2)
    g = np.concatenate([(D[i].T @ X_[i - 1]).ravel() for i in (1, 2, 3)])
    report = diagnose_layers(point, D, g)
    assert report.passed is (slope_at_0 <= 1)
    if slope_at_0 > 1:
        assert report.first_wrong is not None
        assert report.first_wrong.name == "δ_2"


@pytest.mark.parametrize("slope_at_t", [-1.0, 0.0, 1.0, 1.5])
def test_a_kink_of_the_loss(slope_at_t: float) -> None:
    """|x − t| where x is t: any slope from −1 to 1."""
    net = network((3, 2), ["identity"], "absolute_error")
    X, T = data_for(net, 5, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    T[1, 0] = GradientPoint(net, w, X, T).space.X[1][1, 0]
    D = np.sign(GradientPoint(net, w, X, T).space.X[1] - T) / 5
    D[1, 0] = slope_at_t / 5
    g = np.concatenate([(D.T @ X).ravel(), D.sum(axis=0)])
    assert diagnose_layers(GradientPoint(net, w, X, T), [None, D], g).passed is (slope_at_t <= 1)
