"""Slips in what is multiplied with what: W_{i+1}ᵀ δ_{i+1}, δ_i x_{i−1}ᵀ, and the sum of δ_i over the rows."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from bptrain.gradient_check.lines import Lines
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.base import RIGHT, GroundTruth, LineFunction, Slip, at, in_each
from bptrain.parts.types import Array


def slips(truth: GroundTruth) -> Iterator[Slip]:
    """All of them."""
    yield from of_carry(truth)
    yield from of_weight(truth)
    yield from of_bias(truth)
    yield from of_both(truth)


def of_carry(truth: GroundTruth) -> Iterator[Slip]:
    """Slips in what layer i + 1 passes down."""
    network, W = truth.point.network, truth.point.parameters.W
    hidden = range(1, network.L)
    square = [i for i in hidden if W[i + 1].shape[0] == W[i + 1].shape[1]]
    one, every = "δ_{i} from W_{k} ", "every hidden δ_i from W_{i+1} "
    table: tuple[tuple[str, str, LineFunction, Collection[int]], ...] = (
        ("carry_not_transposed", "not transposed", lambda p, i, D: D @ p.parameters.W[i + 1].T, square),
        ("carry_sign", "with the wrong sign", lambda p, i, D: -RIGHT.carry(p, i, D), hidden),
    )
    for code, words, wrong, layers in table:
        yield from _carried(code, one + words, every + words, layers, wrong)
    yield from _carried(
        "carry_without_w",
        "δ_{i} without W_{k}",
        "every hidden δ_i without W_{i+1}",
        square,
        lambda p, i, D: D,
    )
    yield from _carried(
        "nothing_handed_down",
        "nothing passed down to δ_{i}, which is zero",
        "nothing passed down to any hidden δ_i",
        hidden,
        lambda p, i, D: np.zeros_like(p.space.X[i]),
    )
    for i in hidden:
        for k in range(1, network.L + 1):
            if k != i + 1 and W[k].shape == W[i + 1].shape:
                words = f"δ_{i} from W_{k} instead of W_{i + 1}"
                lines = replace(RIGHT, carry=at({i}, _by_other(k), RIGHT.carry))
                yield Slip("carry_other_w", words, i, lines)
    yield from _without_f_prime(truth)


def _carried(code: str, one: str, every: str, layers: Collection[int], wrong: LineFunction) -> Iterator[Slip]:
    def build(places: Collection[int]) -> Lines:
        return replace(RIGHT, carry=at(places, wrong, RIGHT.carry))

    return in_each(code, one, every, layers, build)


def _by_other(k: int) -> LineFunction:
    return lambda point, i, D: np.asarray(D @ point.parameters.W[k])


def _without_f_prime(truth: GroundTruth) -> Iterator[Slip]:
    """δ_i is right where ∂E/∂W_i takes it, but layer i − 1 is given it without f_i'."""
    point, L = truth.point, truth.point.network.L
    H = [*truth.right.D]  # as the chain of all such layers hands it down
    for i in range(L - 1, 0, -1):
        H[i] = RIGHT.drop(point, i, RIGHT.carry(point, i, H[i + 1]))
    for k in range(2, L + 1):  # the layer whose f' is left out
        words = f"δ_{k - 1} from a δ_{k} without f_{k}'"
        lines = replace(RIGHT, carry=at({k - 1}, _of(truth.G), RIGHT.carry))
        yield Slip("handed_down_without_f_prime", words, k - 1, lines)
    if L > 3:
        words = "every δ_i passed down without f_i'"
        lines = replace(RIGHT, carry=at(range(1, L - 1), _of(H), RIGHT.carry))
        yield Slip("handed_down_without_f_prime", words, None, lines, L - 2)


def _of(H: list[Array]) -> LineFunction:
    return lambda point, i, D: RIGHT.carry(point, i, H[i + 1])


def of_weight(truth: GroundTruth) -> Iterator[Slip]:
    """Slips in ∂E/∂W_i."""
    network = truth.point.network
    sizes, layers = network.sizes, range(1, network.L + 1)
    square = [i for i in layers if sizes[i] == sizes[i - 1]]
    upper = range(2, network.L + 1)
    as_two_below = [i for i in upper if sizes[i - 1] == sizes[i - 2]]
    as_above = [i for i in layers[:-1] if sizes[i] == sizes[i + 1]]
    as_below = [i for i in upper if sizes[i] == sizes[i - 1]]
    D = truth.right.D
    table: tuple[tuple[str, str, LineFunction, Collection[int]], ...] = (
        ("weight_transposed", "transposed", lambda p, i, D: RIGHT.weight(p, i, D).T, square),
        ("weight_by_x_i", "from x_{i} instead of x_{j}", lambda p, i, D: D.T @ p.space.X[i], square),
        ("weight_by_z", "from z_{j} instead of x_{j}", lambda p, i, D: D.T @ p.space.Z[i - 1], upper),
        ("weight_by_x_below", "from the x below x_{j}", lambda p, i, D: D.T @ p.space.Y[i - 2], as_two_below),
        ("weight_by_delta_above", "from δ_{k} instead of δ_{i}", _with_delta(D, 1), as_above),
        ("weight_by_delta_below", "from δ_{j} instead of δ_{i}", _with_delta(D, -1), as_below),
        ("weight_of_means", "as the product of means over the rows", _product_of_sums, layers),
        ("weight_zero", "left at zero", lambda p, i, D: np.zeros_like(p.parameters.W[i]), layers),
    )
    for code, words, wrong, those in table:

        def build(places: Collection[int], wrong: LineFunction = wrong) -> Lines:
            return replace(RIGHT, weight=at(places, wrong, RIGHT.weight))

        every = "every ∂E/∂W_i " + words.format(i="i", j="{i−1}", k="{i+1}")
        yield from in_each(code, "∂E/∂W_{i} " + words, every, those, build)


def _with_delta(D: list[Array], step: int) -> LineFunction:
    return lambda point, i, given: RIGHT.weight(point, i, D[i + step])


def _product_of_sums(point: GradientPoint, i: int, D: Array) -> Array:
    return np.outer(D.sum(axis=0), point.space.Y[i - 1].mean(axis=0))


def of_bias(truth: GroundTruth) -> Iterator[Slip]:
    """Slips in ∂E/∂b_i."""
    network, N = truth.point.network, len(truth.point.X_0)
    layers = [i for i in range(1, network.L + 1) if network.bias[i]]
    as_rows = [i for i in layers if network.sizes[i] == N]
    table: tuple[tuple[str, str, LineFunction, Collection[int]], ...] = (
        ("bias_last_row", "of the last row, not summed over the rows", lambda p, i, D: D[-1], layers),
        ("bias_first_row", "of the first row, not summed over the rows", lambda p, i, D: D[0], layers),
        ("bias_mean", "as the mean over the rows instead of the sum", lambda p, i, D: D.mean(0), layers),
        ("bias_zero", "left at zero", lambda p, i, D: np.zeros(D.shape[1]), layers),
        ("bias_wrong_axis", "summed over the units, not over the rows", lambda p, i, D: D.sum(1), as_rows),
        ("bias_one_sum", "as one sum over rows and units", lambda p, i, D: 0 * D[0] + D.sum(), layers),
    )
    for code, words, wrong, those in table:

        def build(places: Collection[int], wrong: LineFunction = wrong) -> Lines:
            return replace(RIGHT, bias=at(places, wrong, RIGHT.bias))

        yield from in_each(code, "∂E/∂b_{i} " + words, "every ∂E/∂b_i " + words, those, build)


def of_both(truth: GroundTruth) -> Iterator[Slip]:
    """∂E/∂W_i and ∂E/∂b_i by a δ_i that lacks f_i', though it is passed down with it."""
    layers = range(1, truth.point.network.L + 1)

    def weight(point: GradientPoint, i: int, D: Array) -> Array:
        return RIGHT.weight(point, i, truth.G[i])

    def bias(point: GradientPoint, i: int, D: Array) -> Array:
        return RIGHT.bias(point, i, truth.G[i])

    def both(places: Collection[int]) -> Lines:
        return replace(only_weight(places), bias=at(places, bias, RIGHT.bias))

    def only_weight(places: Collection[int]) -> Lines:
        return replace(RIGHT, weight=at(places, weight, RIGHT.weight))

    def only_bias(places: Collection[int]) -> Lines:
        return replace(RIGHT, bias=at(places, bias, RIGHT.bias))

    without = " from a δ_{i} without f_{i}', which is passed down with it"
    for code, what, build in (
        ("used_without_f_prime", "∂E/∂W_{i} and ∂E/∂b_{i}", both),
        ("weight_without_f_prime", "∂E/∂W_{i}", only_weight),
        ("bias_without_f_prime", "∂E/∂b_{i}", only_bias),
    ):
        yield from in_each(
            code, what + without, "every " + (what + without).replace("{i}", "i"), layers, build
        )


def of_step(truth: GroundTruth, rate: float) -> Iterator[Slip]:
    """δ_i by W_{i+1} after its update of gradient descent at this rate. Seen in a step, never in a gradient alone."""

    def updated(point: GradientPoint, i: int, D: Array) -> Array:
        dW = RIGHT.penalty(point, i + 1, RIGHT.weight(point, i + 1, D))
        return np.asarray(D @ (point.parameters.W[i + 1] - rate * dW))

    return _carried(
        "carry_after_update",
        "δ_{i} computed with W_{k} after its update instead of before",
        "every hidden δ_i computed with W_{i+1} after its update instead of before",
        range(1, truth.point.network.L),
        updated,
    )
