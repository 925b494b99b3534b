"""Initializers: the start values of one weight matrix W_i, n_i × n_{i−1}, in float64."""

import math
from collections.abc import Callable

import numpy as np

from bptrain.parts.types import Array, Generator, Positive
from bptrain.registry import Registry

Initializer = Callable[[Generator, int, int], Array]  # (rng, n_out, n_in) -> W, n_out × n_in

initializers: Registry[Initializer] = Registry("initializer")


@initializers.add("zeros")
def zeros() -> Initializer:
    """0. Units of a layer that start alike stay alike, so this suits one layer, or a demonstration."""

    def draw(rng: Generator, n_out: int, n_in: int) -> Array:
        return np.zeros((n_out, n_in))

    return draw


@initializers.add("normal")
def normal(std: Positive = 1.0) -> Initializer:
    """N(0, std²)."""

    def draw(rng: Generator, n_out: int, n_in: int) -> Array:
        return rng.normal(0.0, std, (n_out, n_in))

    return draw


@initializers.add("glorot_uniform")
def glorot_uniform() -> Initializer:
    """U(−a, a) with a = √(6 / (n_in + n_out)). Glorot and Bengio 2010."""

    def draw(rng: Generator, n_out: int, n_in: int) -> Array:
        a = math.sqrt(6.0 / (n_in + n_out))
        return rng.uniform(-a, a, (n_out, n_in))

    return draw


@initializers.add("he_normal")
def he_normal() -> Initializer:
    """N(0, 2 / n_in). He, Zhang, Ren and Sun 2015; the plain normal, not truncated (as in PyTorch)."""

    def draw(rng: Generator, n_out: int, n_in: int) -> Array:
        return rng.normal(0.0, math.sqrt(2.0 / n_in), (n_out, n_in))

    return draw
