"""How an error of a gradient is measured, and the verdict on it.

Where rounding is large, right code may differ from the exact gradient by as much. So the error of a block is taken
relative to a scale s, the norm of the same backward product in absolute values, each factor that rounding can spoil
raised by 10⁻³:

    ‖a − n‖ / max(‖a‖, ‖n‖, s),  and 0 where all three are 0

so that rounding does not count as an error where the gradient cancels, as in saturated units or at a minimum.

Absolute values never cancel, and so s outgrows the gradient by a factor of some √n in every layer of n units: twenty
layers on it would excuse anything. So the verdict uses q, what rounding may do to right code line by line
(`rounding.py`); with central differences, whose own noise is larger, the same product as s with squares instead of
absolute values (p = 2).
"""

from typing import Literal, NamedTuple

import numpy as np

from bptrain.core.network import PLAIN, BatchContext, Network, views
from bptrain.gradient_check import input_steps
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.types import Array

TOLERANCE = 1e-10  # with the complex step, whose error is rounding alone; right code reads below 1e-12
TOLERANCE_OF_DIFFERENCES = 1e-6
SAFETY = 10.0  # by this factor the estimated error of a difference may be too small
TOO_NOISY = (
    1e-3  # an estimated error above it, in units of the gradient, means that the difference is useless
)
VANISHING = 1e-7  # in units of s: below it the verdict adds that the gradient vanishes here
FLOOR = 1e-3  # what a factor that rounding can spoil is raised by

NumericMethod = Literal["complex_step", "central"]
KinkPolicy = Literal["interval", "skip", "fail"]
Outcome = Literal["pass", "kink", "mismatch", "undecided", "left out"]


class NumericGradient(NamedTuple):
    """The numeric side of one block: of some of its entries, and along directions through all of them."""

    entries: Array  # places in the block, flat
    n: Array
    estimate: Array  # how far off n may be; 0 for the complex step
    v: Array  # directions × size of the block, of ±1
    n_v: Array
    estimate_v: Array


class Tolerance(NamedTuple):
    """What a block's entries may be: at kinks anything in center ± radius, and elsewhere off by rounding."""

    s: Array  # the scale in absolute values, for the relative error
    squares: Array  # the same scale in squares: where the gradient is next to nothing of it, it vanishes
    q: Array  # what rounding may do, line by line, for the verdict
    q_elsewhere: Array  # the same of an engine whose z are rounded in another way
    exact: Array  # by the lines of the derivation
    center: Array
    radius: Array


class BlockVerdict(NamedTuple):
    """The verdict on one gradient of one block."""

    error: float  # relative, by s
    right: bool
    noisy: bool  # the differences are too noisy to decide
    worst: int  # place in the block
    vanishes: bool


class BlockDistance(NamedTuple):
    """One comparison: of all entries, or along one direction."""

    distance: float
    estimate: float  # of the numeric side's own error
    a: float
    n: float
    s: float
    squares: float
    q: float


def judge(a: Array, numeric: NumericGradient, allowed: Tolerance, tolerance: float) -> BlockVerdict:
    """Judges a block's gradient a, flat: by its entries, and along each direction.

    The error is ‖a − n‖ / max(‖a‖, ‖n‖, s) over the entries, |a·v − n_v| / max(‖a‖, |n_v|, s) along a direction v. At a
    kink it is how far a is outside what is possible there. For the verdict q takes the place of s.
    """
    some, center, radius = numeric.entries, allowed.center, allowed.radius
    parts, missing = [], np.zeros(1)
    if len(some):
        missing = excess_error(a[some], numeric.n, center[some], radius[some])
        known = np.nan_to_num(numeric.n)
        scales = [norm(scale[some]) for scale in (allowed.s, allowed.squares, allowed.q)]
        estimate = norm(numeric.estimate[~np.isnan(numeric.n)])
        parts.append(BlockDistance(norm(missing), estimate, norm(a[some]), norm(known), *scales))
    for v, n_v, estimate_v in zip(numeric.v, numeric.n_v, numeric.estimate_v, strict=True):
        apart = float(excess_error(a @ v, n_v, center @ v, radius @ np.abs(v)))
        unknown = bool(np.isnan(n_v))
        estimate, size = (0.0, 0.0) if unknown else (float(estimate_v), abs(float(n_v)))
        scales = [norm(scale) for scale in (allowed.s, allowed.squares, allowed.q)]
        parts.append(BlockDistance(apart, estimate, norm(a), size, *scales))
    errors = [ratio(part.distance, np.max([part.a, part.n, part.s])) for part in parts]
    sizes = [float(np.max([part.a, part.n, part.q])) for part in parts]
    noisy = any(part.estimate > TOO_NOISY * size for part, size in zip(parts, sizes, strict=True))
    close = [
        ratio(part.distance, size) <= tolerance or part.distance <= SAFETY * part.estimate  # False for NaN
        for part, size in zip(parts, sizes, strict=True)
    ]
    return BlockVerdict(
        error=float(np.max(errors, initial=0.0)),
        right=all(close) and not noisy,
        noisy=noisy,
        worst=int(some[np.argmax(missing)]) if len(some) else 0,
        vanishes=all(max(part.a, part.n) < VANISHING * part.squares for part in parts),
    )


def ratio(distance: float, size: float) -> float:
    """distance / size, and 0 where both are 0."""
    return 0.0 if size == 0 else float(distance / size)


def excess_error(a: Array, n: Array, center: Array, radius: Array) -> Array:
    """|a − n|, or how far a is outside center ± radius, where that is less; n is NaN where there is none."""
    outside = np.where((radius > 0) | np.isnan(n), np.maximum(np.abs(a - center) - radius, 0.0), np.nan)
    return np.asarray(np.fmin(np.abs(a - n), outside))


def norm(x: Array) -> float:
    """‖x‖, inf where an entry is."""
    return float(np.linalg.norm(x))


class Scale(NamedTuple):
    """s of each parameter, flat, of each input, N × n_0, and of each row's δ_i, N × n_i."""

    w: Array
    X_0: Array
    D: list[Array]  # A_1 … A_L; entry 0 is that of the inputs


def rounding_scale(network: Network, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
    """s of each parameter, flat."""
    return scale_at(GradientPoint(network, w, X, T, context), p=1).w


def scale_at(point: GradientPoint, p: int = 2) -> Scale:
    """The backward product in absolute values (p = 1), or in squares, of which the root is taken (p = 2).

    With A_i for |D_i|: A_L = |x_L − t| + 10⁻³ (max(1, |x_L|) + |t|) for a canonical pair, else (|dE| + 10⁻³ Σ|terms
    of dE|) ∘ (|f_L'| + 10⁻³); A_i = (A_{i+1} |W_{i+1}|) ∘ (|f_i'| + 10⁻³); s of W_i is A_iᵀ (|X_{i−1}| + 10⁻³), with
    |X_0| as it is; s of b_i is the column sums of A_i; s of X_0 is A_1 |W_1|. Where f_i is not element-wise, |J_i|ᵀ
    with 10⁻³ added on its diagonal takes the place of |f_i'| + 10⁻³. Penalties are left out; row weights and masks
    multiply as they do in the gradient. Through steps before W_1 it goes as through layers. f', J and dE are those of
    the point, not the parts' own.
    """
    network, T, (V, M) = point.network, point.T, point.context
    space, loss = point.space, network.loss
    X_L = space.X[network.L]

    def through(i: int, A: Array) -> Array:
        if i in point.slopes:
            return np.asarray(A * (np.abs(point.slopes[i]) + FLOOR))
        J = np.abs(point.jacobians[i]) + FLOOR * np.eye(network.sizes[i])
        return np.einsum("njk,nj->nk", J, A) if p == 1 else np.sqrt(np.einsum("njk,nj->nk", J * J, A * A))

    def product(A: Array, B: Array) -> Array:
        return np.asarray(A @ B if p == 1 else np.sqrt((A * A) @ (B * B)))

    scale = np.empty_like(point.w)
    S = views(network, scale)
    if network.canonical:
        A = np.abs(X_L - T) + FLOOR * (np.fmax(1.0, np.abs(X_L)) + np.abs(T))
    else:
        A = through(network.L, np.abs(point.dE) + FLOOR * loss.terms(X_L, T))
    A = A * (1.0 if V is None else np.abs(V)[:, None]) / point.divisor
    D, ones = [A] * (network.L + 1), np.ones(len(A))
    for i in range(network.L, 0, -1):
        x = np.abs(space.X[i - 1]) + (FLOOR if i > 1 else 0.0)
        S.W[i][...] = product(A.T, x * M[i - 1] if i - 1 in M else x)
        bias = S.b[i]
        if bias is not None:
            bias[...] = product(A.T, ones)
        A = product(A, np.abs(point.parameters.W[i])) * M.get(i - 1, 1.0)
        if i > 1:
            A = through(i - 1, A)
        D[i - 1] = A
    of_p = input_steps.of_sizes if p == 1 else input_steps.of_squares
    way = input_steps.Pass(
        lambda s, A: A * (np.abs(input_steps.slope(point, s)) + FLOOR),
        of_p(input_steps.outer),
        of_p(input_steps.carry),
        np.add if p == 1 else np.hypot,
    )
    input_steps.back(point, A, S, way)
    return Scale(scale, A, D)
