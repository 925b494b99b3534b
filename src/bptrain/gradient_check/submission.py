"""A user's own forward pass, backward pass and step, compared with the derivation quantity by quantity.

All arrays are as the derivation has them, with an instance in each column: x_i, z_i and δ_i are n_i × N, b_i and
∂E/∂b_i n_i × 1. The right values come from `point.py` and `lines.py`, which ask no part for its derivative. Errors are
relative to the scale of `verdicts.py`, so rounding does not count as an error.

A quantity is computed from one before it, its source. Where the source is wrong already, the line is computed once more
from the wrong values: a quantity that agrees with that follows from the earlier error, and is not wrong by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bptrain.core.network import views
from bptrain.gradient_check.lines import Backward, bias, carry, through, weight
from bptrain.gradient_check.lines import backward as right_backward
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.base import compare
from bptrain.gradient_check.verdicts import FLOOR, TOLERANCE, scale_at
from bptrain.parts.types import Array

Key = tuple[str, int]  # such as ("delta", 2)
# An array of the right shape, or what is wrong with it in words, or None: never reached.
SubmittedValues = Mapping[Key, Array | str | None]
VERDICTS = {
    "right": "right",
    "wrong": "WRONG",
    "inherited": "follows from an earlier error",  # right, computed from a wrong source
    "unclear": "unclear",  # not right, and its source has no values
    "missing": "not reached",
}
SINGLE_TOLERANCE = 1e-3  # of float32: as many of its roundings as the other has of float64's


class ExpectedQuantity(NamedTuple):
    """One quantity as it should be."""

    name: str  # x | z | delta | dW | db | W | b
    layer: int
    right: Array
    scale: Array  # what its entries' errors are relative to
    source: Key | None = None  # the quantity that it is computed from
    recompute: Callable[[Array], Array] | None = None  # the line that computes it from its source

    @property
    def key(self) -> Key:
        """Name and layer."""
        return self.name, self.layer


class QuantityVerdict(NamedTuple):
    """The verdict on one quantity."""

    name: str
    layer: int
    shape: tuple[int, ...]  # that it should have
    relative_error: float  # NaN where there is no value to compare
    verdict: str  # one of VERDICTS
    complaint: str | None = None  # in words, where it cannot be compared
    worst: tuple[int, ...] | None = None  # index of the entry with the largest difference
    theirs: float | None = None
    right: float | None = None

    @property
    def key(self) -> Key:
        """Name and layer."""
        return self.name, self.layer


def expected_forward(point: GradientPoint) -> list[ExpectedQuantity]:
    """x_0, z_1, x_1, … z_L, x_L."""
    W, b, network = point.parameters.W, point.parameters.b, point.network
    X, Z = point.space.X, point.space.Z
    expected = [ExpectedQuantity("x", 0, X[0].T, np.abs(X[0].T))]
    for i in range(1, network.L + 1):
        b_i = b[i]
        offset = np.zeros((network.sizes[i], 1)) if b_i is None else b_i[:, None]
        terms = np.abs(W[i]) @ np.abs(X[i - 1].T) + np.abs(offset)

        def z(x: Array, W: Array = W[i], b: Array = offset) -> Array:
            return W @ x + b

        def x(z: Array, f: Callable[[Array], Array] = network.activations[i].f) -> Array:
            return f(z.T).T

        slope = np.abs(point.slopes[i].T) if i in point.slopes else 1.0
        expected.append(ExpectedQuantity("z", i, Z[i].T, terms, ("x", i - 1), z))
        expected.append(ExpectedQuantity("x", i, X[i].T, slope * terms + np.abs(X[i].T) + FLOOR, ("z", i), x))
    return expected


def expected_backward(point: GradientPoint) -> list[ExpectedQuantity]:
    """δ_L, ∂E/∂W_L, ∂E/∂b_L, δ_{L−1}, …: in the order of the backward pass."""
    right, into = columns(point, right_backward(point))
    scale = scale_at(point)
    S = views(point.network, scale.w)
    expected = []
    for i in range(point.network.L, 0, -1):

        def delta(above: Array, i: int = i) -> Array:
            return through(point, i, carry(point, i, above.T)).T

        def dW(delta: Array, i: int = i) -> Array:
            return weight(point, i, delta.T)

        def db(delta: Array, i: int = i) -> Array:
            return bias(point, i, delta.T)[:, None]

        above = ("delta", i + 1) if i < point.network.L else None
        expected.append(
            ExpectedQuantity("delta", i, right["delta", i], scale.D[i].T, above, delta if above else None)
        )
        expected.append(ExpectedQuantity("dW", i, into["dW", i], S.W[i], ("delta", i), dW))
        if (s := S.b[i]) is not None:
            expected.append(ExpectedQuantity("db", i, into["db", i], s[:, None], ("delta", i), db))
    return expected


def expected_step(point: GradientPoint, rates: Sequence[float]) -> list[ExpectedQuantity]:
    """W_L, b_L, W_{L−1}, … after one update by gradient descent, with the rate of each layer 0 … L."""
    S = views(point.network, scale_at(point).w)
    after = updated(point, rates, right_backward(point))
    W, b = point.parameters.W, point.parameters.b
    expected = []
    for i in range(point.network.L, 0, -1):
        expected.append(ExpectedQuantity("W", i, after["W", i], np.abs(W[i]) + rates[i] * S.W[i]))
        b_i, s = b[i], S.b[i]
        if b_i is not None and s is not None:
            expected.append(ExpectedQuantity("b", i, after["b", i], (np.abs(b_i) + rates[i] * s)[:, None]))
    return expected


def columns(point: GradientPoint, passed: Backward) -> tuple[dict[Key, Array], dict[Key, Array]]:
    """The deltas of a backward pass, and its gradient, in the derivation's shapes."""
    into = views(point.network, passed.g)
    layers = range(1, point.network.L + 1)
    gradient: dict[Key, Array] = {("dW", i): into.W[i] for i in layers}
    gradient |= {("db", i): db[:, None] for i in layers if (db := into.b[i]) is not None}
    return {("delta", i): passed.D[i].T for i in layers}, gradient


def updated(point: GradientPoint, rates: Sequence[float], passed: Backward) -> dict[Key, Array]:
    """W_i − α_i ∂E/∂W_i and b_i − α_i ∂E/∂b_i."""
    _, into = columns(point, passed)
    W, b = point.parameters.W, point.parameters.b
    after: dict[Key, Array] = {("W", i): W[i] - rates[i] * into["dW", i] for i in range(1, len(W))}
    for i in range(1, len(W)):
        if (b_i := b[i]) is not None:
            after["b", i] = b_i[:, None] - rates[i] * into["db", i]
    return after


def judge_all(expected: Sequence[ExpectedQuantity], theirs: SubmittedValues) -> list[QuantityVerdict]:
    """The verdict on each quantity, in order. Arrays of float32 are judged by what float32 can do."""
    judged: dict[Key, QuantityVerdict] = {}
    with np.errstate(all="ignore"):
        for one in expected:
            judged[one.key] = quantity_verdict(one, theirs, judged)
    return list(judged.values())


def quantity_verdict(
    one: ExpectedQuantity, theirs: SubmittedValues, before: Mapping[Key, QuantityVerdict]
) -> QuantityVerdict:
    """The verdict on one quantity, after those before it."""
    given, shape = theirs[one.key], one.right.shape
    if given is None or isinstance(given, str):
        return QuantityVerdict(*one.key, shape, np.nan, "missing" if given is None else "wrong", given)
    a, tolerance = given.astype(np.float64), tolerance_of(given)
    error, right = compare(a, one.right, one.scale, tolerance)
    difference = np.abs(a - one.right)
    index = np.unravel_index(int(np.argmax(np.where(np.isnan(difference), np.inf, difference))), shape)
    place = tuple(int(k) for k in index)
    verdict = "right" if right else own_verdict(one, a, tolerance, theirs, before)
    return QuantityVerdict(
        *one.key, shape, error, verdict, None, place, float(a[index]), float(one.right[index])
    )


def own_verdict(
    one: ExpectedQuantity,
    a: Array,
    tolerance: float,
    theirs: SubmittedValues,
    before: Mapping[Key, QuantityVerdict],
) -> str:
    """Whether a quantity that is not right is wrong by itself."""
    if one.source is None or one.recompute is None:
        return "wrong"
    source = theirs[one.source]
    if source is None or isinstance(source, str):
        return "unclear"
    follows = one.recompute(source.astype(np.float64))
    both = np.isnan(a) & np.isnan(follows)
    given = np.where(both, 0.0, a), np.where(both, 0.0, follows)
    if not compare(*given, one.scale, max(tolerance, tolerance_of(source))).right:
        return "wrong"
    # the line is right: from right values, what differs is rounding that the layers before have magnified
    return "right" if before[one.source].verdict == "right" else "inherited"


def tolerance_of(array: Array) -> float:
    """How large a relative error may be."""
    single = array.dtype.kind == "f" and array.dtype.itemsize < 8
    return SINGLE_TOLERANCE if single else TOLERANCE
