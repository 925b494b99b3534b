"""Slips that show in a user's own code: in its forward pass, in a step, and in one quantity of its backward pass.

A gradient alone cannot show these, or they are of one line only: what it is computed from was right.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from bptrain.gradient_check.lines import Lines, backward, through, weight
from bptrain.gradient_check.point import REFUSALS, GradientPoint
from bptrain.gradient_check.slips.base import LikelySlip, compare, matches, takes_width_of
from bptrain.gradient_check.submission import ExpectedQuantity, Key, SubmittedValues, updated
from bptrain.parts.types import Array

Pattern = tuple[str, str, Array]  # code, words, and what the quantity would be


def forward_slip(
    point: GradientPoint, one: ExpectedQuantity, theirs: Array, source: Array
) -> LikelySlip | None:
    """The slip whose pattern a wrong z_i or x_i matches, from the x_{i−1} or z_i that it was computed from."""
    patterns = in_z(point, one.layer, source) if one.name == "z" else in_x(point, one.layer, source)
    return first_match(patterns, one, theirs)


def in_z(point: GradientPoint, i: int, x: Array) -> Iterator[Pattern]:
    """What slips make of z_i = W_i x_{i−1} + b_i."""
    W, b = point.parameters.W, point.parameters.b
    W_i, b_i = W[i], b[i]
    offset = np.zeros((len(W_i), 1)) if b_i is None else b_i[:, None]
    if b_i is not None:
        yield "no_bias", f"b_{i} left out", W_i @ x
        yield "bias_sign", f"b_{i} subtracted", W_i @ x - offset
    if i > 1:
        yield "z_for_x", f"z_{i - 1} instead of x_{i - 1}", W_i @ point.space.Z[i - 1].T + offset
    if W_i.shape[0] == W_i.shape[1]:
        yield "transposed", f"W_{i} transposed", W_i.T @ x + offset
    for j in range(i - 1):
        if point.network.sizes[j] == len(x):
            yield "other_x", f"x_{j} instead of x_{i - 1}", W_i @ point.space.X[j].T + offset
    for j in range(1, len(W)):
        if j != i and W[j].shape == W_i.shape:
            yield "other_weights", f"W_{j} instead of W_{i}", W[j] @ x + offset


def in_x(point: GradientPoint, i: int, z: Array) -> Iterator[Pattern]:
    """What slips make of x_i = f_i(z_i)."""
    activations = point.network.activations
    yield "no_activation", f"f_{i} left out", z
    yield "activation_twice", f"f_{i} applied twice", _elsewhere(activations[i].f, activations[i].f(z.T).T)
    if i in point.slopes:
        yield "slope_for_value", f"f_{i}' instead of f_{i}", point.slopes[i].T
    for j in range(1, len(activations)):
        if j != i and takes_width_of(point, j, i):
            yield "other_activation", f"f_{j} instead of f_{i}", _elsewhere(activations[j].f, z)


def _elsewhere(f: Callable[[Array], Array], z: Array) -> Array:
    """f at a z that its layer is not given; NaN where f refuses it."""
    try:
        return f(z.T).T
    except REFUSALS:
        return np.full(z.shape, np.nan)


def backward_slip(
    point: GradientPoint, one: ExpectedQuantity, theirs: Array, source: Array | None
) -> LikelySlip | None:
    """The slip whose pattern a wrong δ_i, ∂E/∂W_i or ∂E/∂b_i matches, from the δ that it was computed from."""
    patterns = in_delta(point, one, theirs, source) if one.name == "delta" else in_sum(point, one, source)
    return first_match(patterns, one, theirs)


def in_delta(
    point: GradientPoint, one: ExpectedQuantity, theirs: Array, above: Array | None
) -> Iterator[Pattern]:
    """What slips make of δ_i."""
    i = one.layer
    if above is None:
        if i in point.slopes:
            yield "no_loss_slope", f"f_{i}' alone, without ∂E/∂x_{i}", point.slopes[i].T
        return
    D = above.T
    change = through(point, i, D @ weight(point, i + 1, D)).T  # of δ_i, for each unit of the rate
    square = float(np.sum(change * change))
    if square > 0:
        rate = float(np.sum(change * (one.right - theirs))) / square
        words = f"W_{i + 1} used after its update at a rate of {rate:.4g} instead of before"
        yield "updated_weights", words, one.right - rate * change


def in_sum(point: GradientPoint, one: ExpectedQuantity, delta: Array | None) -> Iterator[Pattern]:
    """What slips make of δ_i x_{i−1}ᵀ, and of the sum of δ_i."""
    N = len(point.X_0)
    if delta is None or N == 1:
        return
    x = point.space.X[one.layer - 1].T if one.name == "dW" else np.ones((1, N))
    for name, n in (("last", N - 1), ("first", 0)):
        words = f"the {name} instance alone instead of the sum over all {N}"
        yield f"{name}_instance", words, delta[:, [n]] @ x[:, [n]].T


def step_slip(
    point: GradientPoint,
    rates: Sequence[float],
    expected: Sequence[ExpectedQuantity],
    theirs: SubmittedValues,
) -> LikelySlip | None:
    """The slip whose pattern a wrong update matches, in all the quantities expected."""
    for code, words, after in steps(point, rates):
        errors = []
        for one in expected:
            given = theirs[one.key]
            if given is None or isinstance(given, str):
                break
            error = matches(given, after[one.key], compare(given, one.right, one.scale), one.scale)
            if error is None:
                break
            errors.append(error)
        else:
            return LikelySlip(code, words, None, max(errors))
    return None


def steps(point: GradientPoint, rates: Sequence[float]) -> Iterator[tuple[str, str, dict[Key, Array]]]:
    """What slips make of W_i − α_i ∂E/∂W_i and b_i − α_i ∂E/∂b_i."""
    right, N = backward(point), len(point.X_0)
    after = updated(point, rates, right)
    before = updated(point, [0.0] * len(rates), right)
    turned = updated(point, rates, backward(point, with_updated_weights(rates)))
    words = "δ_i computed with W_{i+1} after its update instead of before"
    yield "updated_weights", words, turned
    yield "ascent", "the gradient added instead of subtracted", updated(point, [-r for r in rates], right)
    yield "no_rate", "the rate left out", updated(point, [1.0] * len(rates), right)
    if N > 1:
        mean = updated(point, [rate / N for rate in rates], right)
        yield "mean", f"the mean over the {N} instances instead of their sum", mean
        point_of_last = replace(point, X_0=point.X_0[-1:], T=point.T[-1:])
        last = updated(point, rates, backward(point_of_last))
        yield "last_instance", "the last instance alone instead of the sum over all", last
    for i in range(1, len(rates)):
        of_one = updated(point, [rates[i]] * len(rates), right)
        yield "one_rate", f"the rate of layer {i} in every layer", of_one
    for kind, name in (("b", "biases"), ("W", "weights")):
        kept = {key: value for key, value in before.items() if key[0] == kind}
        yield f"no_{name}", f"the {name} not updated", after | kept
    yield "no_update", "no update at all", before


def with_updated_weights(rates: Sequence[float]) -> Lines:
    """The lines where δ_i is computed with W_{i+1} after its update, which came from the δ_{i+1} of this very pass."""

    def carry(point: GradientPoint, i: int, D: Array) -> Array:
        W = point.parameters.W[i + 1] - rates[i + 1] * weight(point, i + 1, D)
        return np.asarray(D @ W)

    return Lines(carry=carry)


def first_match(patterns: Iterator[Pattern], one: ExpectedQuantity, theirs: Array) -> LikelySlip | None:
    """The first pattern that a wrong quantity matches."""
    for code, words, pattern in patterns:
        if pattern.shape == theirs.shape and not compare(pattern, one.right, one.scale).right:
            error = matches(theirs, pattern, compare(theirs, one.right, one.scale), one.scale)
            if error is not None:
                return LikelySlip(code, words, one.layer, error)
    return None
