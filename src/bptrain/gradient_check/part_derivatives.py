"""The parts of a network at a point: is the derivative that each gives the derivative of its function?

f', Jᵀg, ∂E/∂x and, for a canonical pair, x_L − t are compared with the complex step of f and E at the point's own z.
Near a kink, what lies between the slopes on both sides is right.
"""

from collections.abc import Callable, Iterator
from functools import partial
from inspect import Parameter
from typing import NamedTuple

import numpy as np

from bptrain.core.objective import row_losses
from bptrain.gradient_check.point import STEP, GradientPoint, slope, slopes_of_rows
from bptrain.gradient_check.slips.factors import named
from bptrain.gradient_check.verdicts import FLOOR, TOLERANCE
from bptrain.parts.activations import activations
from bptrain.parts.losses import difference_terms, losses
from bptrain.parts.types import Array
from bptrain.registry import Part, Registry

STEEPEST = 1e-10 / STEP  # of what a step of h may be taken on
Candidate = tuple[str, str, Array]  # code, words, and what it would give


class PartFault(NamedTuple):
    """A part whose derivative is not that of its value."""

    layer: int
    quantity: str  # f' | Jᵀg | ∂E/∂x | ∂E/∂z (x_L − t of a canonical pair) | E of z
    row: int
    unit: int
    z: float  # where it is furthest off; x_L for ∂E/∂x
    given: float
    right: float
    error: float  # relative
    code: str | None = None  # of the pattern that it matches
    words: str | None = None  # what follows "matches the pattern of"


class PartValues(NamedTuple):
    """What a part gives, and the least and the largest that is right there; all N × n."""

    given: Array
    right: Array
    low: Array
    high: Array
    size: Array  # that an error is relative to

    def off(self, given: Array) -> Array:
        """The error of each entry; infinite for NaN, 0 where there is no right value."""
        outside = np.fmax(np.fmax(self.low - given, given - self.high), 0.0)
        error = np.where(np.isfinite(given), outside / self.size, np.inf)
        return np.where(np.isfinite(self.right), error, 0.0)


def part_faults(point: GradientPoint, tolerance: float = TOLERANCE) -> list[PartFault]:
    """The faults of the activations, layer by layer, and of the loss; none where the complex step fails on them."""
    if point.derivatives_from == "parts":
        return []
    with np.errstate(all="ignore"):
        return [*_of_activations(point, tolerance), *_of_loss(point, tolerance)]


def _of_activations(point: GradientPoint, tolerance: float) -> Iterator[PartFault]:
    for i in range(1, point.network.L + 1):
        f, df, product = point.network.activations[i][:3]
        Z, X = point.space.Z[i], point.space.X[i]
        if df is not None:
            values = _with_bounds(df(Z, X) + 0 * Z, partial(slope, f), Z, FLOOR)
            yield from _fault(point, i, "f'", Z, values, _like_slopes(point, i), tolerance)
        elif product is not None:
            N, n = X.shape
            g = np.cos(1.0 + np.arange(N * n)).reshape(N, n)
            J = point.jacobians[i]
            right = np.einsum("njk,nj->nk", J, g)
            size = np.einsum("njk,nj->nk", np.abs(J), np.abs(g)) + FLOOR
            values = PartValues(product(X, g), right, right, right, size)
            diagonal = g * np.einsum("njj->nj", J)
            like = [
                ("softmax_element_wise", "Jᵀg taken as element-wise", diagonal),
                ("jacobian_missing", "g itself, without the Jacobian", g),
                ("jacobian_not_transposed", "J g for Jᵀg", np.einsum("njk,nk->nj", J, g)),
            ]
            yield from _fault(point, i, "Jᵀg", Z, values, like, tolerance)


def _of_loss(point: GradientPoint, tolerance: float) -> Iterator[PartFault]:
    network, loss, L, T = point.network, point.network.loss, point.network.L, point.T
    X, Z = point.space.X[L], point.space.Z[L]
    values = _with_bounds(loss.dE(X, T), lambda x: _slope_of(loss.E, x, T), X, FLOOR * loss.terms(X, T))
    if (
        network.canonical
    ):  # which asks for no ∂E/∂x, so that it need not be finite where x_L has rounded to 0 or 1
        values = values._replace(right=np.where(np.isfinite(values.given), values.right, np.nan))
    yield from _fault(point, L, "∂E/∂x", X, values, _like_losses(point), tolerance)
    if not network.canonical:
        return

    def E_of_z(z: Array) -> Array:
        return row_losses(network, z, None, T)

    if loss.E_of_z is not None:
        of_x = np.fmax(
            np.abs(X), np.finfo(X.dtype).tiny
        )  # below it x has lost digits, and 1 / x may be infinite
        rounded = 1e-4 * np.nansum(np.abs(loss.dE(X, T)) * of_x, axis=1)
        E = loss.E(X, T)[:, None]
        size = 1.0 + np.abs(E) + rounded[:, None]
        yield from _fault(
            point, L, "E of z", Z[:, :1], PartValues(E_of_z(Z)[:, None], E, E, E, size), [], tolerance
        )
    values = _with_bounds(X - T, lambda z: slopes_of_rows(E_of_z, z), Z, FLOOR * difference_terms(X, T))
    yield from _fault(point, L, "∂E/∂z", Z, values, [], tolerance)


def _with_bounds(
    given: Array, right: Callable[[Array], Array], at: Array, floor: Array | float
) -> PartValues:
    """Right is what lies between the slopes a few roundings to the left and to the right."""
    step = 4 * np.spacing(np.maximum(np.abs(at), 1.0))
    left, here, beyond = right(at - step), right(at), right(at + step)
    low, high = np.fmin(np.fmin(left, here), beyond), np.fmax(np.fmax(left, here), beyond)
    return PartValues(given, here, low, high, np.abs(here) + floor)


def _fault(
    point: GradientPoint,
    i: int,
    quantity: str,
    at: Array,
    values: PartValues,
    like: list[Candidate],
    tolerance: float,
) -> Iterator[PartFault]:
    error = values.off(values.given)
    if not error.max(initial=0.0) > tolerance:
        return
    row, unit = (int(k) for k in np.unravel_index(int(np.argmax(error)), error.shape))
    z, given, right, off = (float(array[row, unit]) for array in (at, values.given, values.right, error))
    fault = PartFault(i, quantity, row, unit, z, given, right, off)
    pattern = _pattern(point, quantity, at, values, like, tolerance)
    yield fault if pattern is None else fault._replace(code=pattern[0], words=pattern[1])


def _pattern(
    point: GradientPoint,
    quantity: str,
    at: Array,
    values: PartValues,
    like: list[Candidate],
    tolerance: float,
) -> tuple[str, str] | None:
    """What the values given look like."""
    known = np.isfinite(values.right) & (values.high - values.low <= 1e-12 * values.size)  # and at no kink
    given, right, size = values.given[known], values.right[known], values.size[known]
    if len(given) < 3 or not np.isfinite(given).all():
        return None

    def same(a: Array, n: Array) -> bool:
        return bool(np.isfinite(n).all() and (np.abs(a - n) <= tolerance * (size + np.abs(n))).all())

    table: list[Candidate] = [
        ("zero", f"{quantity} left at zero", 0 * values.right),
        ("sign", f"{quantity} with the wrong sign", -values.right),
        ("one", f"1 for {quantity}", 0 * values.right + 1),
        *like,
    ]
    for code, words, candidate in table:
        if np.shape(candidate) == values.right.shape and same(given, candidate[known]):
            return code, words
    square = float(right @ right)
    c = float(given @ right) / square if square > 0 else 0.0
    if c and same(given, c * right):
        times = (named(point, c) or ("", f"{c:.7g}"))[1]
        return "factor", f"{quantity} at {times} times the right one"
    offset = float((given - right).mean())
    if same(given, right + offset):
        return "offset", f"{quantity} with {offset:.6g} added"
    wrong = np.abs(given - right) > tolerance * size
    positive = at[known] > 0
    for code, words, side in (("left", "≤ 0", ~positive), ("right", "> 0", positive)):
        if wrong[side].any() and not wrong[~side].any() and (~side).any():
            letter = "x" if quantity == "∂E/∂x" else "z"
            return f"wrong_{code}", f"{quantity} that is right on one side and wrong where {letter} {words}"
    return None


def _like_slopes(point: GradientPoint, i: int) -> list[Candidate]:
    """What f' is often confused with."""
    f, Z, X = point.network.activations[i].f, point.space.Z[i], point.space.X[i]
    n = point.slopes[i]
    table: list[Candidate] = [
        ("at_x", "f' taken at x instead of z", slope(f, X)),
        ("value", "f instead of f'", X),
        ("twice", "f' squared", n * n),
        ("reciprocal", "1/f'", 1 / n),
        ("at_minus_z", "f' taken at −z", slope(f, -Z)),
        ("sigmoid_slope", "x (1 − x), which is sigmoid's", X * (1 - X)),
        ("tanh_slope", "1 − x², which is tanh's", 1 - X * X),
        ("sigmoid_slope_of_z", "z (1 − z), sigmoid's form in x given z", Z * (1 - Z)),
        ("tanh_slope_of_z", "1 − z², tanh's form in x given z", 1 - Z * Z),
    ]
    for name, other in _by_default(activations):
        if other.df is not None:
            table.append(("other_activation", f"the derivative of {name}", slope(other.f, Z)))
    return table


def _like_losses(point: GradientPoint) -> list[Candidate]:
    """What ∂E/∂x is often confused with."""
    L, T, loss = point.network.L, point.T, point.network.loss
    X, n = point.space.X[L], point.dE
    swapped = _slope_of(loss.E, T, X)
    table: list[Candidate] = [
        ("swapped", "∂E/∂x with x and t in each other's place", swapped),
        ("difference", "x − t, the slope of half_squared_error", X - T),
        ("value", "E instead of ∂E/∂x", np.broadcast_to(loss.E(X, T)[:, None], X.shape)),
        ("twice", "∂E/∂x squared", n * n),
    ]
    if L in point.slopes:
        table.append(("times_f_prime", f"∂E/∂x multiplied by f_{L}' already", n * point.slopes[L]))
    for name, other in _by_default(losses):
        table.append(("other_loss", f"the slope of {name}", _slope_of(other.E, X, T)))
    return table


def _by_default(registry: Registry[Part]) -> Iterator[tuple[str, Part]]:
    """bptrain's own parts that need no option; not those of plug-ins, which may do anything."""
    for name in registry:
        own = registry.get(name).__module__.startswith("bptrain.")
        if own and all(option.default is not Parameter.empty for option in registry.options(name).values()):
            yield name, registry.get(name)()


def _slope_of(E: Callable[[Array, Array], Array], X: Array, T: Array) -> Array:
    """∂E/∂x of each row, N × n_L; NaN where E is so steep, such as ln x near 0, that the step is too long for it."""
    slopes = slopes_of_rows(lambda x: E(x, T), X)
    return np.where(np.abs(slopes) < STEEPEST, slopes, np.nan)
