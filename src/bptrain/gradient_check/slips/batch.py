"""Slips in the reduction over the rows (sum or mean), row weights, dropout and penalties."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import numpy as np

from bptrain.gradient_check.lines import Lines
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.base import RIGHT, GroundTruth, LineFunction, Slip, at, in_each
from bptrain.parts.penalties import penalty
from bptrain.parts.types import Array

Reduction = Callable[[GradientPoint, Array], Array]


def slips(truth: GroundTruth) -> Iterator[Slip]:
    """All of them."""
    yield from of_reduction(truth.point)
    yield from of_rows(truth.point)
    if truth.point.context.dropout_masks:
        yield from of_dropout(truth.point)
    if truth.point.network.penalty is not None:
        yield from of_penalties(truth.point)


def times(c: float) -> Lines:
    """δ_L, and so all but the penalties, c times."""
    return replace(RIGHT, reduction=lambda point, D: c * RIGHT.reduction(point, D))


def of_reduction(point: GradientPoint) -> Iterator[Slip]:
    """A factor on δ_L: the count of rows or outputs, 2, a sign."""
    N, n_L, divisor = len(point.X_0), point.network.sizes[-1], point.divisor
    total = N if point.context.sample_weight is None else float(point.context.sample_weight.sum())
    if point.network.reduction == "mean":
        if divisor != 1:
            yield Slip(
                "sum_for_mean", f"the sum over the rows, {divisor:g} times their mean", None, times(divisor)
            )
            words = f"the mean over the rows divided by {divisor:g} once more"
            yield Slip("divided_twice", words, None, times(1 / divisor))
    elif total not in (0, 1):
        words = f"the mean over the rows, the sum divided by {total:g}"
        yield Slip("mean_for_sum", words, None, times(1 / total))
        yield Slip("times_rows", f"the sum over the rows times {total:g}", None, times(total))
    yield Slip("sign", "δ_L with the wrong sign, t − x_L for x_L − t", None, times(-1))
    yield Slip("times_2", "twice the gradient of the loss, as by ‖x − t‖² for ½ ‖x − t‖²", None, times(2))
    yield Slip("half", "half the gradient of the loss", None, times(0.5))
    if n_L > 1:
        yield Slip("mean_over_outputs", f"the loss divided by its {n_L} outputs", None, times(1 / n_L))
        yield Slip("sum_over_outputs", f"the loss times its {n_L} outputs", None, times(n_L))


def of_rows(point: GradientPoint) -> Iterator[Slip]:
    """Rows left out, and row weights."""
    V, N = point.context.sample_weight, len(point.X_0)
    if N > 1:
        for name, row in (("last", N - 1), ("first", 0)):
            words = f"the gradient of the {name} row alone instead of the sum over the rows"
            yield Slip(f"{name}_row", words, None, replace(RIGHT, reduction=_row(row, 1.0)))
            if point.divisor != 1:
                undivided = replace(RIGHT, reduction=_row(row, point.divisor))
                yield Slip(f"{name}_row", words + ", not divided", None, undivided)
    if V is None:
        return
    column, total = V[:, None], float(V.sum())
    count = 1.0 if point.network.reduction == "sum" else float(N)
    table: tuple[tuple[str, str, Reduction], ...] = (
        ("row_weights_forgotten", "the row weights left out", lambda p, D: D / count),
        ("row_weights_in_divisor", "the row weights in the divisor alone", lambda p, D: D / p.divisor),
        ("row_weights_twice", "the row weights twice", lambda p, D: D * (column * column) / p.divisor),
        ("divided_by_rows", "a division by N, not by Σ v", lambda p, D: D * column / count),
        (
            "row_weights_on_targets",
            "the row weights multiplied with t instead of δ_L",
            lambda p, D: replace(p, T=p.T * column).D_L / p.divisor,
        ),
    )
    for code, words, reduction in table:
        if total != 0:
            yield Slip(code, words, None, replace(RIGHT, reduction=reduction))


def _row(row: int, factor: float) -> Reduction:
    def reduction(point: GradientPoint, D: Array) -> Array:
        alone = np.zeros_like(D)
        alone[row] = factor * RIGHT.reduction(point, D)[row]
        return alone

    return reduction


def of_dropout(point: GradientPoint) -> Iterator[Slip]:
    """Masks left out of the backward pass, or without their factor 1/(1 − p)."""
    masked = [i for i in sorted(point.context.dropout_masks) if i > 0]

    def kept(point: GradientPoint, i: int) -> Array:
        return np.asarray(point.context.dropout_masks[i] != 0)

    drops: tuple[tuple[str, str, LineFunction], ...] = (
        ("mask_forgotten", "without the mask", lambda p, i, G: G),
        ("mask_unscaled", "with a mask of 0 and 1, without 1/(1 − p)", lambda p, i, G: G * kept(p, i)),
        (
            "mask_twice",
            "with the mask twice",
            lambda p, i, G: G * p.context.dropout_masks[i] * p.context.dropout_masks[i],
        ),
    )
    weights: tuple[tuple[str, str, LineFunction], ...] = (
        ("mask_forgotten", "without the mask of x_{j}", lambda p, i, D: D.T @ p.space.X[i - 1]),
        (
            "mask_unscaled",
            "with a mask of 0 and 1 on x_{j}, without 1/(1 − p)",
            lambda p, i, D: D.T @ (p.space.X[i - 1] * kept(p, i - 1)),
        ),
        (
            "mask_twice",
            "with the mask of x_{j} twice",
            lambda p, i, D: D.T @ (p.space.Y[i - 1] * p.context.dropout_masks[i - 1]),
        ),
    )
    for (code, down, drop), (_, across, weight) in zip(drops, weights, strict=True):

        def dropped(places: Collection[int], drop: LineFunction = drop) -> Lines:
            return replace(RIGHT, drop=at(places, drop, RIGHT.drop))

        def weighed(places: Collection[int], weight: LineFunction = weight) -> Lines:
            return replace(RIGHT, weight=at(places, weight, RIGHT.weight))

        above = [i + 1 for i in sorted(point.context.dropout_masks)]
        yield from in_each(f"{code}_in_delta", "δ_{i} " + down, "every δ_i " + down, masked, dropped)
        everywhere = "every ∂E/∂W_i " + across.replace("{j}", "{i−1}")
        yield from in_each(f"{code}_in_weight", "∂E/∂W_{i} " + across, everywhere, above, weighed)
        if masked:
            both = replace(dropped(masked), weight=weighed(above).weight)
            words = "the whole backward pass " + down
            yield Slip(code, words, None, both, len(masked) + len(above))


def of_penalties(point: GradientPoint) -> Iterator[Slip]:
    """The slope of the penalty left out, doubled, divided, on the biases."""
    network = point.network
    l1, l2, layers = network.l1, network.l2, range(1, network.L + 1)
    slope = penalty(l1, l2).slope
    N = point.divisor if network.reduction == "mean" else float(len(point.X_0))
    table: list[tuple[str, str, Callable[[Array], Array]]] = [
        ("penalty_missing", "without the penalty", lambda W: 0 * W),
        ("penalty_twice", "with the penalty twice", lambda W: 2 * slope(W)),
        ("penalty_half", "with half the penalty", lambda W: 0.5 * slope(W)),
        ("penalty_sign", "with the penalty's sign wrong", lambda W: -slope(W)),
    ]
    if N != 1:
        table += [
            ("penalty_divided", f"with the penalty divided by {N:g}", lambda W: slope(W) / N),
            ("penalty_times_rows", f"with the penalty {N:g} times", lambda W: slope(W) * N),
        ]
    if l1 and l2:
        table += [
            ("l1_missing", "without l1 sign(w)", lambda W: penalty(0, l2).slope(W)),
            ("l2_missing", "without l2 w", lambda W: penalty(l1, 0).slope(W)),
            ("l1_sign", "with l1's sign wrong", lambda W: penalty(-l1, l2).slope(W)),
            ("l2_doubled", "with 2 l2 w, as of l2 w² without ½", lambda W: penalty(l1, 2 * l2).slope(W)),
        ]
    if l1:
        table.append(("l1_by_w", "with l1 w for l1 sign(w)", lambda W: l1 * W + penalty(0, l2).slope(W)))
    for code, words, of_W in table:

        def build(places: Collection[int], of_W: Callable[[Array], Array] = of_W) -> Lines:
            return replace(RIGHT, penalty=at(places, _penalty(of_W), RIGHT.penalty))

        yield from in_each(code, "∂E/∂W_{i} " + words, "every ∂E/∂W_i " + words, layers, build)

    def on_biases(places: Collection[int]) -> Lines:
        return replace(RIGHT, bias=at(places, with_penalty, RIGHT.bias))

    def with_penalty(point: GradientPoint, i: int, D: Array) -> Array:
        b = point.parameters.b[i]
        return RIGHT.bias(point, i, D) + (0.0 if b is None else slope(b))

    biases = [i for i in layers if network.bias[i]]
    words = "the penalty on the biases too, in "
    yield from in_each("penalty_on_bias", words + "∂E/∂b_{i}", words + "every ∂E/∂b_i", biases, on_biases)


def _penalty(of_W: Callable[[Array], Array]) -> LineFunction:
    return lambda point, i, dW: np.asarray(dW + of_W(point.parameters.W[i]))
