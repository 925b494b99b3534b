"""What a wrong derivative of a part looks like: a factor, a sign, another function's, one wrong unit or row.

A pattern must explain what is wrong: one that is the right derivative itself, such as f'(−z) where f' is even, explains
nothing and is not named.
"""

from collections.abc import Callable, Iterator
from inspect import Parameter

import numpy as np

from bptrain.gradient_check.number_words import factor_words
from bptrain.gradient_check.part_slopes import Known, row_slopes_known, slopes_known
from bptrain.gradient_check.point import REFUSALS, GradientPoint
from bptrain.gradient_check.slips.base import EXPLAINED
from bptrain.gradient_check.slips.factors import named
from bptrain.gradient_check.verdicts import TOLERANCE, TOLERANCE_OF_DIFFERENCES
from bptrain.parts.activations import activations
from bptrain.parts.losses import losses
from bptrain.parts.types import Array
from bptrain.registry import Part, Registry

Candidate = tuple[str, str, Callable[[], Array]]  # code, words, and what it would give
SURE = {
    "complex_step": 1e-12,
    "parts": 1e-6,
}  # of the size: how well a right value must be known to be compared


def pattern(
    point: GradientPoint,
    quantity: str,
    at: Array,
    given: Array,
    known: Known,
    size: Array,
    wrong: Array,
    like: list[Candidate],
) -> tuple[str, str] | None:
    """Code and words of what the values given look like."""
    tolerance = TOLERANCE if point.derivatives_from == "complex_step" else TOLERANCE_OF_DIFFERENCES
    sure = np.isfinite(known.right) & (known.high - known.low <= SURE[point.derivatives_from] * size)
    a, n, s = given[sure], known.right[sure], size[sure]
    if len(a) < 3 or not np.isfinite(a).all() or not (wrong & sure).any():
        return None
    apart = float(np.linalg.norm(a - n))

    def same(m: Array) -> bool:
        close = np.isfinite(m).all() and (np.abs(a - m) <= tolerance * (s + np.abs(m))).all()
        return bool(close and np.linalg.norm(a - m) <= EXPLAINED * apart)

    table: list[Candidate] = [
        ("zero", f"{quantity} left at zero", lambda: 0 * known.right),
        ("sign", f"{quantity} with the wrong sign", lambda: -known.right),
        ("one", f"1 for {quantity}", lambda: 0 * known.right + 1),
        *like,
    ]
    for code, words, values in table:
        try:
            candidate = values()
        except REFUSALS:
            continue  # a part need not take what no layer gives it
        if np.shape(candidate) == known.right.shape and same(candidate[sure]):
            return code, words
    square = float(n @ n)
    c = float(a @ n) / square if square > 0 else 0.0
    if c and same(c * n):
        times = (named(point, c, tolerance) or ("", factor_words(c)))[1]
        return "factor", f"{quantity} at {times} times the right one"
    offset = float((a - n).mean())
    if same(n + offset):
        return "offset", f"{quantity} with {offset:.6g} added"
    return _of_some(quantity, at, wrong & sure, sure)


def _of_some(quantity: str, at: Array, wrong: Array, sure: Array) -> tuple[str, str] | None:
    """Where it is wrong in one row, in one unit, or on one side of 0 alone."""
    for axis, name, letters in ((1, "instance", "row"), (0, "unit", "unit")):
        found = np.flatnonzero(wrong.any(axis=axis))
        if len(found) == 1 and wrong.shape[1 - axis] > 1 and wrong.shape[axis] > 1 and wrong.sum() > 1:
            return f"wrong_{letters}", f"{quantity} that is wrong in {name} {found[0]} alone"
    positive = at > 0
    for code, words, side in (("left", "≤ 0", sure & ~positive), ("right", "> 0", sure & positive)):
        if wrong[side].any() and not wrong[sure & ~side].any() and (sure & ~side).any():
            letter = "x" if quantity == "∂E/∂x" else "z"
            return f"wrong_{code}", f"{quantity} that is right on one side and wrong where {letter} {words}"
    return None


def like_slopes(point: GradientPoint, i: int, n: Array) -> list[Candidate]:
    """What f' is often confused with."""
    f, Z, X = point.network.activations[i].f, point.space.Z[i], point.space.X[i]

    def slope(f: Callable[[Array], Array], Z: Array) -> Callable[[], Array]:
        return lambda: slopes_known(point, f, Z).right

    table: list[Candidate] = [
        ("at_x", "f' taken at x instead of z", slope(f, X)),
        ("value", "f instead of f'", lambda: X),
        ("twice", "f' squared", lambda: n * n),
        ("reciprocal", "1/f'", lambda: 1 / n),
        ("at_minus_z", "f' taken at −z", slope(f, -Z)),
        ("sigmoid_slope", "x (1 − x), which is sigmoid's", lambda: X * (1 - X)),
        ("tanh_slope", "1 − x², which is tanh's", lambda: 1 - X * X),
        ("sigmoid_slope_of_z", "z (1 − z), sigmoid's form in x given z", lambda: Z * (1 - Z)),
        ("tanh_slope_of_z", "1 − z², tanh's form in x given z", lambda: 1 - Z * Z),
    ]
    for name, other in _by_default(activations):
        if other.df is not None:
            table.append(("other_activation", f"the derivative of {name}", slope(other.f, Z)))
    return table


def like_jacobian(J: Array, g: Array) -> list[Candidate]:
    """What Jᵀg is often confused with."""
    return [
        ("softmax_element_wise", "Jᵀg taken as element-wise", lambda: g * np.einsum("njj->nj", J)),
        ("jacobian_missing", "g itself, without the Jacobian", lambda: g),
        ("jacobian_not_transposed", "J g for Jᵀg", lambda: np.einsum("njk,nk->nj", J, g)),
    ]


def like_losses(point: GradientPoint, n: Array) -> list[Candidate]:
    """What ∂E/∂x is often confused with."""
    L, T, loss = point.network.L, point.T, point.network.loss
    X = point.space.X[L]

    def slope(E: Callable[[Array, Array], Array], X: Array, T: Array) -> Callable[[], Array]:
        return lambda: row_slopes_known(point, lambda x: E(x, T), X).right

    table: list[Candidate] = [
        ("swapped", "∂E/∂x with x and t in each other's place", slope(loss.E, T, X)),
        ("difference", "x − t, the slope of half_squared_error", lambda: X - T),
        ("value", "E instead of ∂E/∂x", lambda: np.broadcast_to(loss.E(X, T)[:, None], X.shape)),
        ("twice", "∂E/∂x squared", lambda: n * n),
    ]
    if L in point.slopes:
        table.append(("times_f_prime", f"∂E/∂x multiplied by f_{L}' already", lambda: n * point.slopes[L]))
    for name, other in _by_default(losses):
        table.append(("other_loss", f"the slope of {name}", slope(other.E, X, T)))
    return table


def _by_default(registry: Registry[Part]) -> Iterator[tuple[str, Part]]:
    """bptrain's own parts that need no option; not those of plug-ins, which may do anything."""
    for name in registry:
        own = registry.get(name).__module__.startswith("bptrain.")
        if own and all(option.default is not Parameter.empty for option in registry.options(name).values()):
            yield name, registry.get(name)()
