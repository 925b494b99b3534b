"""The first steps of each solver, worked by hand as plain numbers; and its own rules."""

import math

import numpy as np
import pytest

from bptrain.parts.methods import methods
from bptrain.parts.optimizers import optimizers
from bptrain.parts.solvers import (
    Objective,
    fresh_slots,
    lbfgs,
    levenberg_marquardt,
    scaled_conjugate_gradient,
    solvers,
)
from bptrain.parts.types import Array
from functions import VALLEY, quadratic, rosenbrock

# E = ½ (3 a² + b²), from (1, 2): g = (3, 2)
BOWL = quadratic(np.diag([3.0, 1.0]), np.zeros(2))
START = np.array([1.0, 2.0])


def test_lbfgs_by_hand() -> None:
    """Two iterations: 1/‖g‖ along −g, and then the two-loop recursion with one pair, written out."""
    solver = lbfgs(memory=3)
    w, slots, value, converged = solver.step(BOWL, START, fresh_slots(solver, 2), 1)
    norm = math.sqrt(13)
    a, b = 1 - 3 / norm, 2 - 2 / norm  # φ(1/‖g‖) falls enough, and |φ'| < 0.9 |φ'(0)|
    np.testing.assert_allclose(w, [a, b], rtol=1e-14)
    assert value == pytest.approx(0.5 * (3 * a * a + b * b), rel=1e-14)
    assert not converged

    s1, s2, y1, y2, g1, g2 = a - 1, b - 2, 3 * (a - 1), b - 2, 3 * a, b
    rho = 1 / (s1 * y1 + s2 * y2)
    alpha = rho * (s1 * g1 + s2 * g2)
    q1, q2 = g1 - alpha * y1, g2 - alpha * y2
    gamma = (s1 * y1 + s2 * y2) / (y1 * y1 + y2 * y2)
    beta = rho * (y1 * gamma * q1 + y2 * gamma * q2)
    d1, d2 = -(gamma * q1 + s1 * (alpha - beta)), -(gamma * q2 + s2 * (alpha - beta))
    w, slots, value, _ = solver.step(BOWL, w, slots, 2)
    np.testing.assert_allclose(w, [a + d1, b + d2], rtol=1e-13)
    assert [float(slots[4]), slots[2].shape] == [2.0, (3, 2)]
    np.testing.assert_array_equal(slots[2][0], [0.0, 0.0])
    np.testing.assert_allclose(slots[2][1:], [[s1, s2], [d1, d2]], rtol=1e-12)
    np.testing.assert_allclose(slots[3][1:], [[y1, y2], [3 * d1, d2]], rtol=1e-12)


def test_scaled_conjugate_gradient_by_hand() -> None:
    """Møller's steps 1 to 9 twice over, in scalars."""
    sigma, lam = 1e-4, 1e-6
    solver = scaled_conjugate_gradient(sigma=sigma, lambda_start=lam)
    w, slots, value, _ = solver.step(BOWL, START, fresh_slots(solver, 2), 1)
    a, b, p1, p2, r1, r2, lam_bar = 1.0, 2.0, -3.0, -2.0, -3.0, -2.0, 0.0
    for k in (1, 2):
        size = p1 * p1 + p2 * p2
        s1, s2 = 3 * p1, p2  # a difference of gradients is exact on a quadratic
        delta = p1 * s1 + p2 * s2 + (lam - lam_bar) * size
        assert delta > 0
        mu = p1 * r1 + p2 * r2
        alpha = mu / delta
        before, a, b = 0.5 * (3 * a * a + b * b), a + alpha * p1, b + alpha * p2
        comparison = 2 * delta * (before - 0.5 * (3 * a * a + b * b)) / mu**2
        assert comparison >= 0.75
        n1, n2 = -3 * a, -b
        beta = 0.0 if k % 2 == 0 else (n1 * n1 + n2 * n2 - n1 * r1 - n2 * r2) / mu
        p1, p2, r1, r2, lam = n1 + beta * p1, n2 + beta * p2, n1, n2, lam / 4
        if k == 2:
            w, slots, value, _ = solver.step(BOWL, w, slots, 2)
        np.testing.assert_allclose(w, [a, b], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(slots[0], [p1, p2], rtol=1e-7, atol=1e-9)
        assert float(slots[4]) == lam
    assert abs(value) < 1e-9  # conjugate directions: two iterations for two dimensions


def test_scaled_conjugate_gradient_makes_the_hessian_positive() -> None:
    """Step 4 on E = −½ w²: δ = −p² + λp² is negative, so λ̄ = 2(λ − δ/p²) and δ = −δ + λp². The point is better."""
    solver, lam = scaled_conjugate_gradient(), 5e-7
    hill = Objective(lambda w: float(-0.5 * w @ w), lambda w: -w)
    w, slots, _, _ = solver.step(hill, np.array([1.0]), fresh_slots(solver, 1), 1)
    delta = -1 + lam
    lam_bar = 2 * (lam - delta)
    delta = -delta + lam
    assert w[0] == pytest.approx(1 + 1 / delta, rel=1e-8)
    assert float(slots[4]) == pytest.approx(lam_bar / 4, rel=1e-8)  # Δ = 3: the scale is lowered
    assert [float(slots[5]), float(slots[6])] == [0.0, 1.0]


def test_scaled_conjugate_gradient_stays_where_the_point_is_worse() -> None:
    """Steps 7 and 8: w stands, λ̄ = λ, λ ← λ + δ(1 − Δ)/p²; and the next pass asks for no second-order information."""
    solver = scaled_conjugate_gradient()
    calls: list[float] = []

    def value(
        w: Array,
    ) -> float:  # flatter where the curvature is taken than further out: the step is too long
        calls.append(float(w[0]))
        return float(w[0] + 0.5 * w[0] ** 2 + 3 * w[0] ** 4)

    E = Objective(value, lambda w: 1 + w + 12 * w**3)
    w, slots, end, _ = solver.step(E, np.zeros(1), fresh_slots(solver, 1), 1)
    assert (w[0], end) == (0.0, 0.0)
    delta = float(slots[3])
    alpha = 1 / delta
    worse = -alpha + 0.5 * alpha**2 + 3 * alpha**4  # 2.5, so Δ is −5
    assert float(slots[5]) == 5e-7
    assert float(slots[4]) == pytest.approx(5e-7 + delta * (1 + 2 * delta * worse), rel=1e-9)
    assert len(calls) == 3  # the start, the curvature, the trial
    solver.step(E, w, slots, 2)
    assert len(calls) == 4


def test_levenberg_marquardt_by_hand() -> None:
    """(JᵀJ + µI) p = −g for Rosenbrock's residuals at (−1.2, 1): µ 0.001, then what the outcome makes of it."""
    solver = levenberg_marquardt()
    w, slots, value, _ = solver.step(rosenbrock(), VALLEY, fresh_slots(solver, 2), 1)
    x, y, mu, tries = -1.2, 1.0, 1e-3, 0
    r1, r2 = 10 * (y - x * x), 1 - x
    E = 0.5 * (r1 * r1 + r2 * r2)
    while True:
        tries += 1
        A11, A12, A22 = 400 * x * x + 1 + mu, -200 * x, 100 + mu
        g1, g2 = -20 * x * r1 - r2, 10 * r1
        det = A11 * A22 - A12 * A12
        u, v = x - (A22 * g1 - A12 * g2) / det, y - (A11 * g2 - A12 * g1) / det
        after = 0.5 * ((10 * (v - u * u)) ** 2 + (1 - u) ** 2)
        if after < E:
            break
        mu *= 10
    assert tries > 1  # else µ is never raised here
    np.testing.assert_allclose(w, [u, v], rtol=1e-10)
    assert value == pytest.approx(after, rel=1e-10)
    assert float(slots[2]) == pytest.approx(mu / 10, rel=1e-14)


def test_one_name_space() -> None:
    """Solvers and element-wise rules are chosen by one key, so no name may stand for both."""
    assert set(methods) == {*optimizers, *solvers}
    assert len(list(methods)) == len(list(optimizers)) + len(list(solvers))
    assert methods.options("lbfgs")["memory"].default == 10


def test_a_solver_registered_later_is_there_at_once() -> None:
    solvers.add("another")(lbfgs)
    try:
        assert "another" in methods
    finally:
        solvers.remove("another")
    assert "another" not in methods
