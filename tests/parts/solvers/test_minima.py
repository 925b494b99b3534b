"""Known minima: how many iterations they take, and what ends the search for one."""

import math

import numpy as np
import pytest

from bptrain.parts.solvers import Objective, Solver, fresh_slots, lbfgs, levenberg_marquardt, solvers
from bptrain.parts.solvers.base import EvaluatedPoint
from bptrain.parts.solvers.least_squares import solved
from bptrain.parts.solvers.line_search import TrialStep, _between, strong_wolfe
from bptrain.parts.types import Array
from functions import VALLEY, quadratic, rosenbrock, run

EVERY = pytest.mark.parametrize("name", list(solvers))


def bowl(n: int, condition: float, seed: int = 0) -> tuple[Objective, Array]:
    """A quadratic of that condition number, turned at random, and its minimum."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    A, b = (Q * np.geomspace(1.0, condition, n)) @ Q.T, rng.normal(size=n)
    return quadratic(A, b), np.linalg.solve(A, b)


@EVERY
def test_quadratic(name: str) -> None:
    objective, minimum = bowl(10, 100.0)
    end = run(solvers.get(name)(), objective, np.zeros(10))
    assert end.converged
    np.testing.assert_allclose(end.w, minimum, atol=1e-7)


def test_iterations_for_a_quadratic() -> None:
    """Conjugate directions need n iterations in n dimensions, Gauss-Newton one and a check."""
    objective, minimum = bowl(5, 10.0)
    conjugate = run(solvers.get("scaled_conjugate_gradient")(tolerance=1e-5), objective, np.zeros(5))
    assert conjugate.iterations == 5
    newton = run(levenberg_marquardt(mu=1e-12), objective, np.zeros(5))
    assert newton.iterations == 1
    np.testing.assert_allclose(newton.w, minimum, rtol=1e-10)
    assert run(lbfgs(), objective, np.zeros(5)).iterations <= 20


@EVERY
def test_rosenbrock(name: str) -> None:
    end = run(solvers.get(name)(tolerance=1e-10), rosenbrock(), VALLEY)
    assert end.converged
    np.testing.assert_allclose(end.w, [1.0, 1.0], atol=1e-8)
    assert end.evaluations < 300


def test_lbfgs_beside_scipy() -> None:
    """The minimum of a sum of curved valleys in 12 dimensions, and about as many evaluations."""
    optimize = pytest.importorskip("scipy.optimize")

    def value(w: Array) -> float:
        return float((100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum())

    def gradient(w: Array) -> Array:
        g, rise = np.zeros_like(w), w[1:] - w[:-1] ** 2
        g[1:] += 200 * rise
        g[:-1] -= 400 * w[:-1] * rise + 2 * (1 - w[:-1])
        return g

    start = np.tile(VALLEY, 6)
    theirs = optimize.minimize(
        value, start, jac=gradient, method="L-BFGS-B", options={"gtol": 1e-8, "ftol": 0}
    )
    ours = run(lbfgs(tolerance=1e-8), Objective(value, gradient), start)
    np.testing.assert_allclose(ours.w, theirs.x, atol=1e-7)
    assert ours.value == pytest.approx(theirs.fun, abs=1e-14)
    assert ours.evaluations < 1.5 * theirs.nfev


def test_levenberg_marquardt_beside_scipy() -> None:
    """An exponential fitted to noise."""
    optimize = pytest.importorskip("scipy.optimize")
    x = np.linspace(0, 2, 30)
    y = 2.0 * np.exp(-1.3 * x) + 0.5 + 0.05 * np.random.default_rng(0).normal(size=30)

    def r(w: Array) -> Array:
        return w[0] * np.exp(w[1] * x) + w[2] - y

    def J(w: Array) -> Array:
        e = np.exp(w[1] * x)
        return np.stack([e, w[0] * x * e, np.ones_like(x)], axis=1)

    objective = Objective(
        lambda w: float(0.5 * r(w) @ r(w)), lambda w: J(w).T @ r(w), lambda w: J(w).T @ J(w)
    )
    theirs = optimize.least_squares(r, np.array([1.0, -1.0, 0.0]), jac=J, method="lm", xtol=1e-14, ftol=1e-14)
    ours = run(levenberg_marquardt(tolerance=1e-10), objective, np.array([1.0, -1.0, 0.0]))
    np.testing.assert_allclose(ours.w, theirs.x, rtol=1e-7)


@EVERY
def test_an_iteration_depends_on_its_slots_alone(name: str) -> None:
    """From a copy of what it remembers, another instance goes on to the same bits."""
    one, other = solvers.get(name)(), solvers.get(name)()
    w, slots = VALLEY, fresh_slots(one, 2)
    for t in range(1, 8):
        w, slots, _, _ = one.step(rosenbrock(), w, slots, t)
    kept = tuple(slot.copy() for slot in slots)
    assert all(slot.dtype == np.float64 for slot in kept)
    for t in range(8, 12):
        w_other, kept, _, _ = other.step(rosenbrock(), w.copy(), kept, t)
        w, slots, _, _ = one.step(rosenbrock(), w, slots, t)
        np.testing.assert_array_equal(w, w_other)
    for a, b in zip(slots, kept, strict=True):
        np.testing.assert_array_equal(a, b)


@EVERY
def test_a_minimum_is_seen_at_once(name: str) -> None:
    end = run(solvers.get(name)(), quadratic(np.eye(3), np.ones(3)), np.ones(3))
    assert (end.iterations, end.evaluations, end.converged) == (1, 1, True)
    np.testing.assert_array_equal(end.w, np.ones(3))


def cliff(limit: float) -> Objective:
    """½ (w − 1)², and no number beyond a limit: a step may land there."""

    def value(w: Array) -> float:
        return float(0.5 * (w[0] - 1) ** 2) if abs(w[0]) < limit else math.nan

    def gradient(w: Array) -> Array:
        assert abs(w[0]) < limit  # nobody needs it where there is no value
        return w - 1

    return Objective(value, gradient, lambda w: np.full((1, 1), 1e-3))


@EVERY
def test_a_trial_that_is_not_finite_is_a_step_too_long(name: str) -> None:
    end = run(solvers.get(name)(), cliff(1.05), np.array([-1.0]))
    assert end.converged
    np.testing.assert_allclose(end.w, [1.0], atol=1e-6)


@EVERY
def test_where_nothing_improves_the_search_ends(name: str) -> None:
    """A gradient that points the wrong way: no step lowers the value."""
    wrong = Objective(lambda w: float(w[0]), lambda w: -np.ones(1), lambda w: np.eye(1))
    end = run(solvers.get(name)(), wrong, np.ones(1), most=200)
    assert end.converged
    assert end.w[0] == 1.0


def test_the_minimum_of_a_cubic() -> None:
    """α³ − 3α has its minimum at 1; from a bracket on either side, by values and slopes at its ends."""
    objective = Objective(lambda w: float(w[0] ** 3 - 3 * w[0]), lambda w: 3 * w**2 - 3)

    def trial(alpha: float) -> TrialStep:
        point = objective.at(np.array([alpha]))
        return TrialStep(alpha, point, float(point.g[0]))

    for low, high in ((0.0, 3.0), (0.5, 1.7), (1.4, 0.2)):
        assert _between(trial(low), trial(high), np.ones(1)) == pytest.approx(1.0, rel=1e-12)
    assert _between(trial(0.95), trial(3.0), np.ones(1)) == pytest.approx(
        0.95 + 0.1 * 2.05
    )  # kept off the ends


def test_the_line_search_satisfies_the_strong_wolfe_conditions() -> None:
    """On a wavy function with steps tried first that are far too short and far too long."""

    def value(w: Array) -> float:
        return float(0.05 * w[0] ** 2 + np.cos(w[0]))

    objective = Objective(value, lambda w: 0.1 * w - np.sin(w))
    start = objective.at(np.array([0.5]))
    slope = float(-(start.g[0] ** 2))
    for c2 in (0.9, 0.1, 0.01):
        for first in (1e-4, 0.1, 1.0, 10.0, 1e3, 1e6):
            end = strong_wolfe(objective, start, -start.g, first, 1e-4, c2, 60)
            assert end is not None
            alpha = float((end.w - start.w)[0] / -start.g[0])
            assert end.value <= start.value + 1e-4 * alpha * slope
            assert abs(float(end.g[0] * -start.g[0])) <= -c2 * slope


def test_a_pair_without_curvature_is_left_out() -> None:
    """Along a straight fall y = 0: sᵀy = 0 would divide by nothing. The search doubles on until it is cut off."""
    fall = Objective(lambda w: float(-w[0]), lambda w: -np.ones(1))
    solver = lbfgs(max_evaluations=4)
    w, slots, _, _ = solver.step(fall, np.zeros(1), fresh_slots(solver, 1), 1)
    assert w[0] == 64.0
    assert float(slots[4]) == 0.0


def test_cholesky() -> None:
    """A system wider than a block of rows; and none that is not positive definite."""
    rng = np.random.default_rng(0)
    B = rng.normal(size=(400, 300))
    A, b = B.T @ B, rng.normal(size=300)
    x = solved(A, 0.5, b)
    assert x is not None
    np.testing.assert_allclose((A + 0.5 * np.eye(300)) @ x, b, atol=1e-10)
    assert solved(-A, 0.5, b) is None


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lbfgs", {"c1": 0.5, "c2": 0.4}, "c1 must be less than c2"),
        ("levenberg_marquardt", {"mu": 1.0, "mu_max": 0.5}, "mu must be less than mu_max"),
    ],
)
def test_options_that_contradict_each_other(name: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        solvers.get(name)(**options)


def test_a_point_knows_its_gradient_once() -> None:
    calls: list[Array] = []

    def gradient(w: Array) -> Array:
        calls.append(w)
        return w

    point: EvaluatedPoint = Objective(lambda w: 0.0, gradient).at(np.ones(2))
    assert calls == []
    assert point.g is point.g
    assert len(calls) == 1


def test_size() -> None:
    solver: Solver = levenberg_marquardt(max_gigabytes=1.0)
    assert solver.too_large(5590) is None
    assert "206.2 GB, more than optimizer.max_gigabytes: 1, enough for 5,590" in (
        solver.too_large(80_280) or ""
    )
    assert solver.too_large(5591) is not None
    assert lbfgs().too_large(10**9) is None
