"""Initializers: the initial values of one weight matrix W_i, n_i × n_{i−1}, in float64.

Biases start at the value of network.bias; an initializer that draws them with the weights says how.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.parts.types import Array, Generator, Positive
from bptrain.registry import Registry


class Initializer(NamedTuple):
    """One initializer; calling it draws a W."""

    W: Callable[[Generator, int, int], Array]  # (rng, n_out, n_in) -> W, n_out × n_in
    b: Callable[[Generator, Array], Array] | None = None  # (rng, W) -> b, n_out; None: it draws no biases

    def __call__(self, rng: Generator, n_out: int, n_in: int) -> Array:
        """W, n_out × n_in."""
        return self.W(rng, n_out, n_in)


initializers: Registry[Initializer] = Registry("initializer")


@initializers.add("zeros", "0")
def zeros() -> Initializer:
    """0. Units of a layer that start alike stay alike, so this suits one layer, or a demonstration."""

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        return np.zeros((n_out, n_in))

    return Initializer(W)


@initializers.add("constant", "{value}")
def constant(value: float = 0.0) -> Initializer:
    """value. Units of a layer that start alike stay alike, as with zeros."""

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        return np.full((n_out, n_in), value)

    return Initializer(W)


@initializers.add("normal", "N(0, {std}²)")
def normal(std: Positive = 1.0) -> Initializer:
    """N(0, std²)."""
    return _normal(lambda n_out, n_in: std)


@initializers.add("uniform", "U({low}, {high})")
def uniform(low: float = -0.05, high: float = 0.05) -> Initializer:
    """U(low, high). The default bounds are those of Keras and Weka; FANN's are ±0.1."""
    if low >= high:
        raise ValueError(f"low must be below high, but low is {low:g} and high is {high:g}")

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        return rng.uniform(low, high, (n_out, n_in))

    return Initializer(W)


@initializers.add("truncated_normal", "N(0, {std}²), drawn again beyond 2 {std}")
def truncated_normal(std: Positive = 1.0) -> Initializer:
    """N(0, std²), drawn again beyond 2 std. So the standard deviation of the result is 0.88 std (as in Keras)."""

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        drawn = rng.normal(0.0, 1.0, (n_out, n_in))
        while np.any(beyond := np.abs(drawn) > 2.0):
            drawn[beyond] = rng.normal(0.0, 1.0, np.count_nonzero(beyond))
        return std * drawn

    return Initializer(W)


@initializers.add("glorot_uniform", "U(−{B}, {B}), {B} = √(6 / (n_in + n_out))")
def glorot_uniform() -> Initializer:
    """U(−a, a) with a = √(6 / (n_in + n_out)). Glorot and Bengio 2010."""
    return _uniform(lambda n_out, n_in: math.sqrt(6.0 / (n_in + n_out)))


@initializers.add("glorot_normal", "N(0, 2 / (n_in + n_out))")
def glorot_normal() -> Initializer:
    """N(0, 2 / (n_in + n_out)). Glorot and Bengio 2010; an untruncated normal (as in PyTorch; Keras truncates it)."""
    return _normal(lambda n_out, n_in: math.sqrt(2.0 / (n_in + n_out)))


@initializers.add("he_uniform", "U(−{B}, {B}), {B} = √(6 / n_in)")
def he_uniform() -> Initializer:
    """U(−a, a) with a = √(6 / n_in). He, Zhang, Ren and Sun 2015."""
    return _uniform(lambda n_out, n_in: math.sqrt(6.0 / n_in))


@initializers.add("he_normal", "N(0, 2 / n_in)")
def he_normal() -> Initializer:
    """N(0, 2 / n_in). He, Zhang, Ren and Sun 2015; an untruncated normal (as in PyTorch; Keras truncates it)."""
    return _normal(lambda n_out, n_in: math.sqrt(2.0 / n_in))


@initializers.add("lecun_uniform", "U(−{B}, {B}), {B} = √(3 / n_in)")
def lecun_uniform() -> Initializer:
    """U(−a, a) with a = √(3 / n_in). LeCun, Bottou, Orr and Müller 1998."""
    return _uniform(lambda n_out, n_in: math.sqrt(3.0 / n_in))


@initializers.add("lecun_normal", "N(0, 1 / n_in)")
def lecun_normal() -> Initializer:
    """N(0, 1 / n_in). LeCun, Bottou, Orr and Müller 1998; Klambauer et al. 2017 use it for selu."""
    return _normal(lambda n_out, n_in: math.sqrt(1.0 / n_in))


@initializers.add(
    "orthogonal",
    "{gain} times a random matrix whose columns are orthonormal, or its rows where there are fewer",
)
def orthogonal(gain: Positive = 1.0) -> Initializer:
    """gain · Q with QᵀQ = 1, or QQᵀ = 1 where n_out < n_in. Saxe, McClelland and Ganguli 2014.

    Q comes from the QR decomposition of a matrix of normal draws, with the sign of each column chosen so that the
    diagonal of R is positive: otherwise Q would not be uniform over all orthogonal matrices (Mezzadri 2007).
    """

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        drawn = rng.normal(0.0, 1.0, (max(n_out, n_in), min(n_out, n_in)))
        Q, R = np.linalg.qr(drawn)
        Q = Q * np.where(np.diag(R) < 0, -1.0, 1.0)
        return gain * (Q if n_out >= n_in else Q.T)

    return Initializer(W)


@initializers.add(
    "nguyen_widrow",
    "rows in random directions, {B} = 0.7 n_out^(1/n_in) long, and biases U(−{B}, {B}), for inputs in [−1, 1]",
    "both are fitted to inputs in {inputs} instead",
)
def nguyen_widrow(inputs: tuple[float, float] = (-1.0, 1.0)) -> Initializer:
    """Rows of length β = 0.7 n_out^(1/n_in) in random directions, biases U(−β, β). Nguyen and Widrow 1990.

    For a hidden tanh layer: the steep parts of its units are spread over inputs in [−1, 1], or over the interval
    `inputs`, which is mapped to [−1, 1]. This is the paper's form; MATLAB spaces the biases evenly, and FANN draws
    weights and biases from one interval. The bias must be true: an initial value would undo it.
    """
    low, high = inputs
    if low >= high:
        raise ValueError(f"inputs must rise, but is [{low:g}, {high:g}]")

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        drawn = rng.uniform(-1.0, 1.0, (n_out, n_in))
        length = 0.7 * n_out ** (1.0 / n_in) * 2.0 / (high - low)
        return length * drawn / np.sqrt((drawn * drawn).sum(axis=1, keepdims=True))

    def b(rng: Generator, W: Array) -> Array:
        n_out, n_in = W.shape
        beta = 0.7 * n_out ** (1.0 / n_in)
        return rng.uniform(-beta, beta, n_out) - 0.5 * (low + high) * W.sum(axis=1)

    return Initializer(W, b)


def _normal(std: Callable[[int, int], float]) -> Initializer:
    """N(0, std²), std a function of (n_out, n_in)."""

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        return rng.normal(0.0, std(n_out, n_in), (n_out, n_in))

    return Initializer(W)


def _uniform(bound: Callable[[int, int], float]) -> Initializer:
    """U(−a, a), a a function of (n_out, n_in)."""

    def W(rng: Generator, n_out: int, n_in: int) -> Array:
        a = bound(n_out, n_in)
        return rng.uniform(-a, a, (n_out, n_in))

    return Initializer(W)
