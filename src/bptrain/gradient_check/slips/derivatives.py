"""Slips with f_i': left out, taken twice, of another number, of another function."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import numpy as np

from bptrain.gradient_check.lines import Lines
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.base import (
    RIGHT,
    GroundTruth,
    LineFunction,
    Slip,
    at,
    compare,
    in_each,
    takes_width_of,
)
from bptrain.parts.types import Array


def slips(truth: GroundTruth) -> Iterator[Slip]:
    """All of them."""
    yield from at_the_output(truth)
    network = truth.point.network
    for code, words, wrong, fits in VARIANTS:
        layers = [i for i in range(1, network.L) if fits(truth.point, i)]
        build = _hidden(wrong)
        yield from in_each(code, "δ_{i} " + words, "every hidden δ_i " + words.format(**ANY), layers, build)
        with_output = [*layers, network.L]
        if layers and not network.canonical and fits(truth.point, network.L):
            whole = replace(build(layers), output=_output(wrong))
            words_for_all = "every δ_i, of the output too, " + words.format(**ANY)
            yield Slip(code, words_for_all, None, whole, len(with_output))


def at_the_output(truth: GroundTruth) -> Iterator[Slip]:
    """Slips in δ_L."""
    point = truth.point
    network, L = point.network, point.network.L
    if network.canonical:
        for code, words, wrong, fits in PAIRED:
            if fits(point, L):
                lines = replace(RIGHT, output=_of_the_pair(wrong))
                yield Slip(code, words.format(i=L), L, lines)
    for code, words, wrong, fits in VARIANTS:
        if fits(point, L):
            name = f"δ_{L} " + words.format(i=L, j=L - 1, k=L + 1)
            yield Slip(code, name, L, replace(RIGHT, output=_output(wrong)))
    if not network.canonical:
        words = f"δ_{L} as x_{L} − t, though loss and f_{L} are not a canonical pair"
        yield Slip("canonical_shortcut", words, L, replace(RIGHT, output=_difference))
        words = f"δ_{L} with x_{L} − t instead of the loss's own ∂E/∂x_{L}"
        yield Slip("other_loss", words, L, replace(RIGHT, output=_difference_through))


def _hidden(wrong: LineFunction) -> Callable[[Collection[int]], Lines]:
    return lambda places: replace(RIGHT, through=at(places, wrong, RIGHT.through))


def _output(wrong: LineFunction) -> Callable[[GradientPoint], Array]:
    return lambda point: wrong(point, point.network.L, point.dE)


def _of_the_pair(wrong: LineFunction) -> Callable[[GradientPoint], Array]:
    return lambda point: wrong(point, point.network.L, point.D_L)


def _difference(point: GradientPoint) -> Array:
    return np.asarray(point.space.X[-1] - point.T)


def _difference_through(point: GradientPoint) -> Array:
    return RIGHT.through(point, point.network.L, _difference(point))


def missing(point: GradientPoint, i: int, G: Array) -> Array:
    """g as it is."""
    return G


def twice(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f' ∘ f'."""
    return RIGHT.through(point, i, RIGHT.through(point, i, G))


def divided(point: GradientPoint, i: int, G: Array) -> Array:
    """g / f'."""
    return np.asarray(G / point.slopes[i])


def at_x(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f'(x)."""
    return np.asarray(G * point.slope_elsewhere(i, point.space.X[i]))


def formula_of_z(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f' in a form that takes x, such as x (1 − x), given z."""
    df, Z = point.network.activations[i].df, point.space.Z[i]
    return G if df is None else np.asarray(G * df(Z, Z))


def value(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f."""
    return np.asarray(G * point.space.X[i])


def z_below(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f_i'(z_{i−1})."""
    return np.asarray(G * point.slope_elsewhere(i, point.space.Z[i - 1]))


def z_above(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f_i'(z_{i+1})."""
    return np.asarray(G * point.slope_elsewhere(i, point.space.Z[i + 1]))


def f_below(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f_{i−1}'(z_i)."""
    return np.asarray(G * point.slope_elsewhere(i - 1, point.space.Z[i]))


def f_above(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ f_{i+1}'(z_i)."""
    return np.asarray(G * point.slope_elsewhere(i + 1, point.space.Z[i]))


def as_sigmoid(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ x (1 − x)."""
    X = point.space.X[i]
    return np.asarray(G * (X * (1.0 - X)))


def as_tanh(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ (1 − x²)."""
    X = point.space.X[i]
    return np.asarray(G * (1.0 - X * X))


def not_transposed(point: GradientPoint, i: int, G: Array) -> Array:
    """J g for Jᵀg."""
    return np.einsum("njk,nk->nj", point.jacobians[i], G)


def diagonal(point: GradientPoint, i: int, G: Array) -> Array:
    """g ∘ the diagonal of J: x (1 − x) for softmax."""
    return np.asarray(G * np.einsum("njj->nj", point.jacobians[i]))


def _element_wise(point: GradientPoint, i: int) -> bool:
    return i in point.slopes


def _right_formula(point: GradientPoint, i: int) -> bool:
    """Whether the part's own f' is right, so that a slip may be in what it is given."""
    df = point.network.activations[i].df
    if df is None:
        return False
    return compare(df(point.space.Z[i], point.space.X[i]), point.slopes[i], np.ones(1)).right


def _joint(point: GradientPoint, i: int) -> bool:
    return i in point.jacobians


def _same_size_below(point: GradientPoint, i: int) -> bool:
    sizes = point.network.sizes
    return i in point.slopes and i > 1 and sizes[i] == sizes[i - 1]


def _same_size_above(point: GradientPoint, i: int) -> bool:
    sizes = point.network.sizes
    return i in point.slopes and i < point.network.L and sizes[i] == sizes[i + 1]


def _element_wise_below(point: GradientPoint, i: int) -> bool:
    return i in point.slopes and i - 1 in point.slopes and _another(point, i - 1, i)


def _element_wise_above(point: GradientPoint, i: int) -> bool:
    return i in point.slopes and i + 1 in point.slopes and _another(point, i + 1, i)


def _another(point: GradientPoint, other: int, i: int) -> bool:
    """Whether f' of another layer may be taken for f_i' at all, and is another function on these z."""
    if not takes_width_of(point, other, i):
        return False
    return not np.array_equal(point.slope_elsewhere(other, point.space.Z[i]), point.slopes[i])


ANY = {"i": "i", "j": "{i−1}", "k": "{i+1}"}
VARIANTS: tuple[tuple[str, str, LineFunction, Callable[[GradientPoint, int], bool]], ...] = (
    ("f_prime_missing", "without the factor f_{i}'(z_{i})", missing, _element_wise),
    ("f_prime_twice", "with the factor f_{i}'(z_{i}) twice", twice, _element_wise),
    ("f_prime_at_x", "with f_{i}' taken at x_{i} instead of z_{i}", at_x, _element_wise),
    (
        "f_prime_of_x_at_z",
        "with f_{i}' from its formula in x_{i}, applied to z_{i}",
        formula_of_z,
        _right_formula,
    ),
    ("f_for_f_prime", "with f_{i}(z_{i}) instead of f_{i}'(z_{i})", value, _element_wise),
    ("f_prime_divided", "divided by f_{i}'(z_{i})", divided, _element_wise),
    ("f_prime_z_below", "with f_{i}' taken at z_{j} instead of z_{i}", z_below, _same_size_below),
    ("f_prime_z_above", "with f_{i}' taken at z_{k} instead of z_{i}", z_above, _same_size_above),
    ("f_prime_below", "with f_{j}'(z_{i}) instead of f_{i}'(z_{i})", f_below, _element_wise_below),
    ("f_prime_above", "with f_{k}'(z_{i}) instead of f_{i}'(z_{i})", f_above, _element_wise_above),
    ("sigmoid_slope", "with x_{i} (1 − x_{i}), which is sigmoid's, for f_{i}'", as_sigmoid, _element_wise),
    ("tanh_slope", "with 1 − x_{i}², which is tanh's, for f_{i}'", as_tanh, _element_wise),
    (
        "softmax_element_wise",
        "with softmax treated as element-wise, with x_{i} (1 − x_{i})",
        diagonal,
        _joint,
    ),
    ("jacobian_missing", "without the Jacobian of f_{i}", missing, _joint),
    ("jacobian_not_transposed", "with the Jacobian of f_{i} not transposed", not_transposed, _joint),
)
PAIRED: tuple[tuple[str, str, LineFunction, Callable[[GradientPoint, int], bool]], ...] = (
    (
        "pair_times_f_prime",
        "x_{i} − t multiplied by f_{i}', which cancels here",
        RIGHT.through,
        _element_wise,
    ),
    ("pair_times_jacobian", "x_{i} − t multiplied by f_{i}'s Jacobian, which cancels", RIGHT.through, _joint),
    (
        "pair_softmax_element_wise",
        "x_{i} − t multiplied by x_{i} (1 − x_{i}): softmax treated as element-wise, and it cancels here",
        diagonal,
        _joint,
    ),
)
