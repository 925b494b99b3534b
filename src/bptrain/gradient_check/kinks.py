"""Kinks: where the slope of an activation or of a loss jumps, and what the gradient may be there.

A unit of relu with z = 0 has the slope 0 on one side and 1 on the other, and the objective no gradient, but one on each
side. An engine may take either slope, or one between; so may another engine whose z is off by a rounding. So near
a kink (nearer than rounding) each slope s is known only as an interval, c ± r, and so is each δ and each gradient:

    D = C ± R, s = c ± r:    D ∘ s = (C ∘ c) ± (|C| r + R (|c| + r)),    D W = C W ± R |W|

With r = 0 everywhere these are the lines of the derivation.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from bptrain.core.network import views
from bptrain.gradient_check import input_steps
from bptrain.gradient_check.point import DerivativeSource, GradientPoint
from bptrain.parts.types import Array

JUMP = 1e-6  # in slopes, relative to the larger one, where that is above 1
ROUNDING = 8 * np.finfo(np.float64).eps
TINY = 1e-200  # so that what is exactly at a kink has two sides
HALVINGS = 60
STEEPEST = 1e10  # a slope above it is a pole's


class Bounded(NamedTuple):
    """An array of numbers that are known as c ± r."""

    c: Array
    r: Array

    def times(self, other: "Bounded") -> "Bounded":
        """The element-wise product."""
        radius = np.abs(self.c) * other.r + self.r * (np.abs(other.c) + other.r)
        return Bounded(self.c * other.c, radius)

    def through(self, A: Array) -> "Bounded":
        """The matrix product with exact numbers."""
        return Bounded(self.c @ A, self.r @ np.abs(A))


class Kink(NamedTuple):
    """A unit of an instance, or a weight, that is at a kink, and the two slopes there."""

    layer: int
    what: str  # "f": of the activation, in z; "E": of the loss, in x_L; "penalty": l1, in a weight
    row: int | None  # the instance, from 0; None for a weight
    unit: tuple[int, ...]  # the unit, or the index of the weight
    at: float
    left: float
    right: float


class FoundKinks(NamedTuple):
    """What was found, and the gradients that are possible there: center ± radius."""

    kinks: tuple[Kink, ...]
    center: Array  # flat
    radius: Array
    center_inputs: Array  # N × n_0
    radius_inputs: Array
    rows: Array  # N of bool: the rows that have one


def jumps(of: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Where the slope `of` jumps between low and high, elementwise: halving keeps the half that differs more."""
    left, right = of(low), of(high)
    found = differ(left, right)
    if not found.any():
        return found
    a, b, left, right = low.copy(), high.copy(), left.copy(), right.copy()
    for _ in range(HALVINGS):
        middle = a + (b - a) / 2
        s = of(middle)
        lower = np.abs(s - left) >= np.abs(right - s)
        b, right = np.where(lower, middle, b), np.where(lower, s, right)
        a, left = np.where(lower, a, middle), np.where(lower, left, s)
    return found & differ(left, right)


def differ(left: Array, right: Array) -> Array:
    """Whether two slopes are more than rounding and curvature apart; at a pole, as of ln x at 0, there are none."""
    steep = np.fmax(np.abs(left), np.abs(right)) > STEEPEST
    return ~steep & (np.abs(right - left) > JUMP * np.fmax(1.0, np.fmax(np.abs(left), np.abs(right))))


def reach(point: GradientPoint, wider: float) -> list[Array]:
    """How far rounding may move each Z_i, and a share of its terms in addition; entry 0 is unused.

    Roundings add up as the root of their squares: as sums of absolute values they would reach any kink after some ten
    wide layers.
    """
    network, space = point.network, point.space
    R = [input_steps.reach(point, ROUNDING)]
    for i in range(1, network.L + 1):
        W, b = point.parameters.W[i] ** 2, point.parameters.b[i]
        below = R[0] if i == 1 else moved(point, i - 1, R[i - 1])
        below = below * point.context.dropout_masks.get(i - 1, 1.0)
        terms = np.sqrt(space.Y[i - 1] ** 2 @ W.T + (0.0 if b is None else b * b))
        R.append(np.sqrt((ROUNDING * terms) ** 2 + below**2 @ W.T) + wider * (1.0 + terms) + TINY)
    return R


def moved(point: GradientPoint, i: int, R: Array) -> Array:
    """How far X_i moves where Z_i moves by R: by |f_i'|, or by the root of the squares through |J_i|."""
    if i in point.slopes:
        return np.asarray(R * np.abs(point.slopes[i]))
    J = point.jacobians[i]
    return np.sqrt(np.einsum("njk,nk->nj", J * J, R * R))


def find_kinks(point: GradientPoint, wider: float = 0.0) -> FoundKinks | None:
    """The kinks at a point and the gradients that are possible there; None without one.

    `wider` is the share of z's terms by which a unit may be off a kink and still count as at it.
    """
    network, space, L = point.network, point.space, point.network.L
    found: list[Kink] = []
    R = reach(point, wider)
    known = {
        i: sides(partial(point.slope, i), point.slopes[i], space.Z[i], R[i], i, "f", found)
        for i in point.elementwise
    }
    D_L = Bounded(point.D_L, np.zeros_like(point.D_L))
    if not network.canonical:
        x = space.X[L]
        room = (ROUNDING + wider) * np.abs(x)  # where x is about t, that is t's as well
        room = TINY + room + moved(point, L, R[L])
        dE = sides(point.slope_of_loss, point.dE, x, room, L, "E", found)
        if dE.r.any() or (L in known and known[L].r.any()):
            D_L = through(point, L, dE, known)
    penalties = penalty_slopes(point, found)
    return possible(point, D_L, known, penalties, tuple(found)) if found else None


def sides(
    of: Callable[[Array], Array], plain: Array, at: Array, room: Array, i: int, what: str, found: list[Kink]
) -> Bounded:
    """Slopes as they are known within some room, N × n_i; the kinks there are added to `found`."""
    low, high = at - room, at + room
    on, left, right = jumps(of, low, high), of(low), of(high)
    for row, unit in zip(*np.nonzero(on), strict=True):
        place = (row, unit)
        found.append(
            Kink(i, what, int(row), (int(unit),), float(at[place]), float(left[place]), float(right[place]))
        )
    return Bounded(np.where(on, (left + right) / 2, plain), np.where(on, np.abs(right - left) / 2, 0.0))


def penalty_slopes(point: GradientPoint, found: list[Kink]) -> Bounded:
    """The slope of the penalty in each parameter; that of l1 |w| at 0 is anything in ±l1."""
    slope = Bounded(np.zeros_like(point.w), np.zeros_like(point.w))
    of_one, l1 = point.network.penalty, point.network.l1
    for block in point.network.blocks if of_one is not None else ():
        assert of_one is not None
        if block.kind == "weight":
            W = block.view(point.w)
            block.view(slope.c)[...] = of_one.slope(W)
            block.view(slope.r)[...] = np.where(W == 0, l1, 0.0)
            for index in zip(*np.nonzero(W == 0), strict=True) if l1 else ():
                unit = tuple(int(k) for k in index)
                found.append(Kink(block.layer, "penalty", None, unit, 0.0, -l1, l1))
    return slope


def through(point: GradientPoint, i: int, G: Bounded, known: dict[int, Bounded]) -> Bounded:
    """∘ f_i'(Z_i), or each row's J_iᵀ g."""
    if i in known:
        return G.times(known[i])
    J = point.jacobians[i]
    return Bounded(np.einsum("njk,nj->nk", J, G.c), np.einsum("njk,nj->nk", np.abs(J), G.r))


def possible(
    point: GradientPoint, D_L: Bounded, known: dict[int, Bounded], penalties: Bounded, found: tuple[Kink, ...]
) -> FoundKinks:
    """The gradients that are possible where the slopes are known as intervals."""
    network, (V, M) = point.network, point.context
    center, radius = np.empty_like(point.w), np.empty_like(point.w)
    C, R = views(network, center), views(network, radius)
    reduction = (np.ones(len(point.X_0)) if V is None else V)[:, None] / point.divisor
    D = Bounded(D_L.c * reduction, D_L.r * np.abs(reduction))
    for i in range(network.L, 0, -1):
        Y = point.space.Y[i - 1]
        C.W[i][...], R.W[i][...] = D.c.T @ Y, D.r.T @ np.abs(Y)
        if (c_i := C.b[i]) is not None and (r_i := R.b[i]) is not None:
            c_i[...], r_i[...] = D.c.sum(axis=0), D.r.sum(axis=0)
        G = D.through(point.parameters.W[i])
        mask = M.get(i - 1, np.ones(1))
        G = Bounded(G.c * mask, G.r * mask)
        D = through(point, i - 1, G, known) if i > 1 else G
    input_steps.back(point, D.c, C, input_steps.plain(point))
    sizes = input_steps.Pass(
        lambda s, G: G * np.abs(input_steps.slope(point, s)),
        input_steps.of_sizes(input_steps.outer),
        input_steps.of_sizes(input_steps.carry),
    )
    input_steps.back(point, D.r, R, sizes)
    rows = np.zeros(len(point.X_0), bool)
    rows[[kink.row for kink in found if kink.row is not None]] = True
    return FoundKinks(found, center + penalties.c, radius + penalties.r, D.c, D.r, rows)


def crosses(
    point: GradientPoint, ends: Sequence[GradientPoint], derivatives_from: DerivativeSource | None = None
) -> bool:
    """Whether a unit, a loss or a weight is on the other side of a kink at one of the ends, or at a kink."""
    network, L = point.network, point.network.L
    if network.l1:
        for block in network.blocks:
            W = [block.view(one.w) for one in (point, *ends)]
            passes = (np.min(W, axis=0) <= 0) & (np.max(W, axis=0) >= 0) & (W[0] != W[1])
            if block.kind == "weight" and passes.any():
                return True
    for i in point.elementwise:
        Z = [one.space.Z[i] for one in (point, *ends)]
        of = partial(point.slope, i, derivatives_from=derivatives_from)
        if jumps(of, np.min(Z, axis=0), np.max(Z, axis=0)).any():
            return True
    if network.canonical:
        return False
    X = [one.space.X[L] for one in (point, *ends)]
    return bool(
        jumps(
            partial(point.slope_of_loss, derivatives_from=derivatives_from),
            np.min(X, axis=0),
            np.max(X, axis=0),
        ).any()
    )
