"""How far rounding may take right code from the exact gradient: q, line by line of the backward pass.

A right gradient may be off by 10⁻¹⁰ q. Each line hands on the q of the line above it as the root of its squares, since
roundings add up that way, and adds what it rounds itself: 10⁻⁴ of its terms (that is 45 units in the last place), and
the noise of the part's own formula where that is more, as 1 − x² has it where x is about 1.

The noise is read from the formula itself: at a dozen points around z, a tenth of a thousandth apart, the sixth
differences of a smooth function are nothing but rounding (Hamming 1962; Moré and Wild 2011). A wrong formula is smooth
too: no slip is taken for noise. Where neighboring values are equal, the formula has lost all digits, and its noise is a
few units in the last place of its terms.
"""

from collections.abc import Callable
from dataclasses import replace
from math import comb
from typing import NamedTuple

import numpy as np

from bptrain.core.network import Views, views
from bptrain.gradient_check import input_steps
from bptrain.gradient_check.kinks import FoundKinks
from bptrain.gradient_check.lines import backward, carry, drop
from bptrain.gradient_check.lines import through as line_through
from bptrain.gradient_check.point import STEP, GradientPoint, slopes_of_rows
from bptrain.gradient_check.point import slope as slope_of
from bptrain.gradient_check.verdicts import TOLERANCE, Scale
from bptrain.parts.losses import difference_terms
from bptrain.parts.random import stream
from bptrain.parts.types import Array

ROUNDS = 1e-4  # of its terms, in units of q: what a line rounds itself, 45 units in the last place
SPACING = 1e-4  # of the points around z
ORDER = 6
POINTS = 12
OTHER_STEPS = (0.7, 0.9, 1.3)  # in units of h
TIMES = 30.0  # by which the noise of one entry may be more than the differences show
LOST = 1e-5  # of its terms, as of 4 units in the last place: the noise of a formula without digits
SAME = 1e-8  # relative: a part's own derivative and the complex step agree, but for rounding
MOVES = 3  # of weights and inputs
UNDERFLOW = 1e-260  # what is below 10⁻¹⁰ of it underflows in the complex step


class Noise(NamedTuple):
    """The noise of a formula, in units of q, and where neighboring values are equal."""

    q: Array
    lost: Array


def rounding_at(point: GradientPoint) -> Scale:
    """q of each parameter, of each input, and of each row's δ_i."""
    network, parameters, (V, M) = point.network, point.parameters, point.context
    exact = backward(point)
    flat = np.empty_like(point.w)
    Q, D = views(network, flat), [np.empty(0)] * (network.L + 1)
    reduction = (np.ones(len(point.X_0)) if V is None else np.abs(V))[:, None] / point.divisor
    q = of_output(point) * reduction
    for i in range(network.L, 0, -1):
        D[i], D_i, Y, W = q, exact.D[i], np.abs(point.space.Y[i - 1]), np.abs(parameters.W[i])
        q_i = np.hypot(q, ROUNDS * D_i)
        Q.W[i][...] = product(q_i.T, Y)
        if network.penalty is not None:
            Q.W[i][...] += ROUNDS * np.abs(network.penalty.slope(parameters.W[i]))
        if (bias := Q.b[i]) is not None:
            bias[...] = product(q_i.T, np.ones(len(q_i)))
        q = product(q_i, W) * M.get(i - 1, 1.0)
        if i > 1:
            q = through(point, i - 1, drop(point, i - 1, carry(point, i - 1, D_i)), q)
    D[0] = q
    through_steps(point, exact.D[0], q, Q)
    return Scale(flat + UNDERFLOW, q + UNDERFLOW, D)


def through_steps(point: GradientPoint, G: Array, q: Array, Q: Views) -> None:
    """q of the steps' parameters, from q of G = ∂objective/∂X_0; each line as of a layer."""
    exact = views(point.network, np.empty_like(point.w))
    below = {len(point.network.input_steps): G}  # G of each step

    def right(s: int, G: Array) -> Array:
        below[s] = G
        return G * input_steps.slope(point, s)

    input_steps.back(point, G, exact, input_steps.plain(point)._replace(through=right))

    def through(s: int, q: Array) -> Array:
        f, size = point.network.input_steps[s].f, np.abs(below[s])
        given, Z = input_steps.slope(point, s), point.space.steps[s].Z
        assert f.df is not None
        own = noise(lambda Z: f.df(Z, f.f(Z)), Z, 1.0)  # type: ignore[misc]
        off = less_where_same(own, f.df(Z, f.f(Z)), given, np.ones_like(Z)) + ROUNDS * np.abs(given)
        q = np.hypot(q * (np.abs(given) + TOLERANCE * off), size * off)
        return np.hypot(q, ROUNDS * size * np.abs(given))

    squares = input_steps.of_squares
    way = input_steps.Pass(through, squares(input_steps.outer), squares(input_steps.carry), np.hypot)
    input_steps.back(point, q, Q, way)


def rounded_elsewhere(point: GradientPoint, found: FoundKinks | None, q: Scale) -> Scale:
    """q of a gradient whose z are rounded in another way than those of the point, as another engine rounds them.

    What that may do is seen from the gradients at weights and inputs that are off by a unit in the last place, with the
    same slopes at kinks: what the other slopes there may do is known (`kinks.py`).
    """
    right, w = backward(point).g, np.zeros_like(point.w)
    for seed in range(MOVES):
        rng = stream(seed, "check", epoch=0, step=3)
        by = [np.finfo(np.float64).eps * rng.choice((-1.0, 1.0), a.shape) for a in (point.w, point.X_0)]
        moved = replace(point, w=point.w * (1.0 + by[0]), X_0=point.X_0 * (1.0 + by[1]))
        if found is not None:
            hold_slopes(point, moved, found)
        w = np.fmax(w, np.abs(backward(moved).g - right))
    return q._replace(w=q.w + TIMES / TOLERANCE * w)


def hold_slopes(point: GradientPoint, moved: GradientPoint, found: FoundKinks) -> None:
    """Gives a point that is a little off the slopes of the point itself at the kinks there."""
    L = point.network.L
    for kink in found.kinks:
        if kink.row is not None:
            at, of = (
                (moved.slopes[kink.layer], point.slopes[kink.layer])
                if kink.what == "f"
                else (moved.dE, point.dE)
            )
            at[kink.row, kink.unit[0]] = of[kink.row, kink.unit[0]]
    rows = [kink.row for kink in found.kinks if kink.row is not None and kink.layer == L]
    if rows and not point.network.canonical:
        moved.D_L[rows] = line_through(moved, L, moved.dE)[rows]


def product(A: Array, B: Array) -> Array:
    """The matrix product in squares, of which the root is taken."""
    return np.asarray(np.sqrt((A * A) @ (B * B)))


def of_output(point: GradientPoint) -> Array:
    """q of each row's ∂E/∂z_L, neither weighted nor divided."""
    network, L, T = point.network, point.network.L, point.T
    if network.canonical:
        f, terms = network.activations[L].f, difference_terms(point.space.X[L], T)
        return capped(noise(lambda Z: f(Z) - T, point.space.Z[L], 1.0), terms) + ROUNDS * np.abs(point.D_L)
    return through(point, L, point.dE, loss_noise(point) + ROUNDS * np.abs(point.dE))


def loss_noise(point: GradientPoint) -> Array:
    """The noise of ∂E/∂x_L, N × n_L, in units of q."""
    loss, T, X = point.network.loss, point.T, point.space.X[point.network.L]
    low, high = point.network.activations[-1].range
    room = np.fmin(np.abs(X), np.fmin(np.abs(X - low), np.abs(high - X)))  # a pole may be that near
    room = np.fmin(room, np.abs(X - T))  # and a loss that is a function of x − t has its own digits there
    own, terms = noise(lambda X: loss.dE(X, T), X, room), loss.terms(X, T)
    constant = own.lost & (loss.dE(X, T) == point.dE)
    q = np.where(constant, 0.0, capped(own, terms))
    if point.derivatives_from == "complex_step":
        of_step = spread(lambda step: slopes_of_rows(lambda x: loss.E(x, T), X, step), point.dE)
        q = np.fmax(q, np.fmin(of_step, ROUNDS * terms))
    return q + UNDERFLOW


def slope_noise(point: GradientPoint, i: int) -> Array:
    """The noise of f_i'(Z_i), N × n_i, in units of q."""
    f, df, Z, right = *point.network.activations[i][:2], point.space.Z[i], point.slopes[i]
    assert df is not None
    X, own = point.space.X[i], noise(lambda Z: df(Z, f(Z)), Z, 1.0)
    given = df(Z, X)
    beside = [np.abs(df(Z, np.nextafter(X, side)) - given) for side in (-np.inf, np.inf)]
    found = [own.q, *(TIMES / TOLERANCE * off for off in beside)]
    if point.derivatives_from == "complex_step":
        found.append(spread(lambda step: slope_of(f, Z, step), right))
    worst = np.where(np.isnan(found), np.inf, found).max(axis=0)
    return less_where_same(own._replace(q=worst), given, right, np.ones_like(Z)) + UNDERFLOW


def spread(by_step: Callable[[float], Array], right: Array) -> Array:
    """The noise of the complex step itself, in units of q: what other steps give."""
    return (
        TIMES / TOLERANCE * np.max([np.abs(by_step(times * STEP) - right) for times in OTHER_STEPS], axis=0)
    )


def through(point: GradientPoint, i: int, G: Array, q: Array) -> Array:
    """q of G ∘ f_i'(Z_i), or of each row's J_iᵀ G, from q of G."""
    size = np.abs(G)
    if i in point.slopes:
        slope = np.abs(point.slopes[i])
        off = slope_noise(point, i) + ROUNDS * slope
        return np.hypot(q * (slope + TOLERANCE * off), size * off)
    f, _, of_rows = point.network.activations[i][:3]
    assert of_rows is not None
    J, Z = point.jacobians[i], point.space.Z[i]
    own, right = noise(lambda Z: of_rows(f(Z), G), Z, 1.0), np.einsum("njk,nj->nk", J, G)
    off = less_where_same(own, of_rows(point.space.X[i], G), right, size)
    largest = size.max(axis=1, keepdims=True)
    off = np.fmax(off, np.fmin(of_mixture(point, i, G), ROUNDS * largest))
    of_J = np.where(largest > 0, off.max(axis=1, keepdims=True) / largest, 0.0)
    handed_on = np.sqrt(np.einsum("njk,nj->nk", J * J, q * q)) + TOLERANCE * of_J * q
    return np.hypot(handed_on, off + ROUNDS * np.einsum("njk,nj->nk", np.abs(J), size))


def of_mixture(point: GradientPoint, i: int, G: Array) -> Array:
    """The noise of the complex step where all z of a row change at once, N × 1, in units of q."""
    if point.derivatives_from == "parts":
        return np.zeros((len(G), 1))
    v = np.cos(1.0 + np.arange(G.shape[1]))
    dX = point.network.activations[i].f(point.space.Z[i] + 1j * STEP * v).imag / STEP
    off = np.abs(dX - np.einsum("njk,k->nj", point.jacobians[i], v))
    return TIMES / TOLERANCE * (np.abs(G) * off).sum(axis=1, keepdims=True)


def less_where_same(noise: Noise, own: Array, right: Array, terms: Array) -> Array:
    """The noise of a part; where the points do not show it, what its own value and the complex step differ by.

    A difference of more may be a slip, and is no measure of noise.
    """
    off, apart, known = capped(noise, terms), np.abs(own - right), np.abs(right)
    unseen = noise.lost | (off >= ROUNDS * terms)  # as at a kink
    return np.where(unseen & (apart <= SAME * known), np.fmin(off, TIMES / TOLERANCE * apart), off)


def capped(noise: Noise, terms: Array) -> Array:
    """The noise, which is at most that of the terms."""
    return np.where(noise.lost, LOST * terms, np.fmin(noise.q, ROUNDS * terms))


def noise(of: Callable[[Array], Array], at: Array, room: Array | float) -> Noise:
    """The noise of a function of an array, N × n, near there, and within a part of that room.

    The points have so few digits that nothing is rounded before the function is.
    """
    with np.errstate(all="ignore"):
        step = np.exp2(np.ceil(np.log2(np.fmax(SPACING * np.fmin(room, 1.0), 64 * np.spacing(np.abs(at))))))
        middle = step * np.round(at / step)
    unit = np.arange(at.shape[1])  # softmax sees no step of two units together
    step = step * np.where(unit % 2, -1.0, 1.0) * (1 + unit * 5 % 8)
    values = np.stack([of(middle + (k - POINTS // 2) * step) for k in range(POINTS)])
    lost = (values[1:] == values[:-1]).any(axis=0)
    deviation = np.abs(np.diff(values, ORDER, axis=0)).max(axis=0) / np.sqrt(float(comb(2 * ORDER, ORDER)))
    return Noise(np.where(np.isnan(deviation), np.inf, TIMES * deviation / TOLERANCE), lost)
