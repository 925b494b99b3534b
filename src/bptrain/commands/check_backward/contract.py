"""What a user's functions are given and what they return: columns and lists, indexed as in the derivation.

    forward(W, b, f, x_0) -> x, z
    backward(W, b, df, dE, x, z, t) -> delta, dW, db
    step(W, b, f, df, dE, x_0, t, rate) -> W, b          may be left out

    W[i]          n_i × n_{i−1}                  b[i]      n_i × 1, or None for a layer without bias
    x_0           n_0 × N                        t         n_L × N
    f[i](z)       x_i, n_i × N                   df[i](z)  f_i'(z), n_i × N
    dE(x, t)      ∂E/∂x_L, n_L × N               rate[i]   α_{W_i}, of the bias too
    x[i], z[i], delta[i]   n_i × N               dW[i], db[i]   the shapes of W[i] and b[i]

Lists have L + 1 entries, 0 … L. x[0] is x_0; every other entry 0 is unused, and None where they are given it. The
objective is the sum over the N instances of the loss. `df[i].product(z, g)` is J_iᵀ g for each instance: g ∘ f_i'(z),
but for softmax, which has no f'. The derivatives come from the complex step, so a wrong derivative in a plug-in has no
effect here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import numpy as np

from bptrain.gradient_check.part_slopes import STEEPEST
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.types import Array

TAKES = {
    "forward": ("W", "b", "f", "x_0"),
    "backward": ("W", "b", "df", "dE", "x", "z", "t"),
    "step": ("W", "b", "f", "df", "dE", "x_0", "t", "rate"),
}
RETURNS = {"forward": ("x", "z"), "backward": ("delta", "dW", "db"), "step": ("W", "b")}


def arguments(point: GradientPoint, rates: Sequence[float]) -> dict[str, list[Any]]:
    """What each function is given at a point, by its name."""
    network, space = point.network, point.space
    W: list[Any] = [None, *point.parameters.W[1:]]
    b = [None if b_i is None else b_i[:, None] for b_i in point.parameters.b]
    f = [_Unused("f"), *(_columns(activation.f, "f") for activation in network.activations[1:])]
    df = [_Unused("df"), *(Slope(point, i) for i in range(1, network.L + 1))]
    x: list[Any] = [np.ascontiguousarray(X_i.T) for X_i in space.X]
    z: list[Any] = [None, *(np.ascontiguousarray(Z_i.T) for Z_i in space.Z[1:])]
    t = np.ascontiguousarray(point.T.T)
    dE = _columns(partial(slope_of_loss, point), "dE")
    return {
        "forward": [W, b, f, x[0]],
        "backward": [W, b, df, dE, x, z, t],
        "step": [W, b, f, df, dE, x[0], t, [None, *rates[1:]]],
    }


def slope_of_loss(point: GradientPoint, X: Array, T: Array) -> Array:
    """∂E/∂x_L by the complex step; the part's own where E is too steep for the step, such as ln x near 0."""
    slopes = replace(point, T=T).slope_of_loss(X)
    return np.where(np.abs(slopes) < STEEPEST, slopes, point.network.loss.dE(X, T))


class Slope:
    """df[i]: f_i' of columns, and the product with the Jacobian."""

    def __init__(self, point: GradientPoint, i: int) -> None:
        self._point, self._i = point, i
        self._activation = point.network.activations[i]

    def __call__(self, z: Array) -> Array:
        """f_i'(z). Raises TypeError for softmax, which has none."""
        if self._activation.df is None:
            raise TypeError(
                "softmax is not element-wise, so it has no f': write δ_L = x_L − t where the loss is cross_entropy, "
                "or df[i].product(z, g), its Jacobian's product Jᵀg"
            )
        return _columns(lambda Z: self._point.slope(self._i, Z), "df")(z)

    def product(self, z: Array, g: Array) -> Array:
        """J_iᵀ g of each instance: g ∘ f_i'(z) where f_i is element-wise."""
        if self._activation.df is not None:
            return g * self(z)

        def product(Z: Array, G: Array) -> Array:
            return np.einsum("njk,nj->nk", self._point.jacobian(self._i, Z), G)

        return _columns(product, "df[i].product")(z, g)


class _Unused:
    """Entry 0 of f and df."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *given: object) -> NoReturn:
        """Raises IndexError."""
        raise IndexError(
            f"{self._name}[0] does not exist: layers count from 1, so {self._name}[1] is that of W[1]"
        )

    product = __call__


def _columns(function: Callable[..., Array], name: str) -> Callable[..., Array]:
    """A function of rows as one of columns, or of a single instance without its second axis."""

    def of_columns(*given: Any) -> Array:
        arrays = []
        for value in given:
            array = np.asarray(value)
            if array.ndim not in (1, 2) or array.dtype.kind not in "fiub":
                raise TypeError(f"{name} takes arrays of n_i × N, but was given {described(value)}")
            arrays.append(np.asarray(array, np.float64))
        with np.errstate(all="ignore"):
            rows = [array[None] if array.ndim == 1 else array.T for array in arrays]
            made = function(*rows)
        return made[0].copy() if arrays[0].ndim == 1 else np.array(made.T)

    return of_columns


def described(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return (
            f"an array of shape {value.shape}" if value.dtype.kind in "fiub" else f"an array of {value.dtype}"
        )
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a value of type {type(value).__name__}"


def shape(numbers: tuple[int, ...]) -> str:
    """A shape as the derivation writes it: 3×5; one of another rank as Python does."""
    return "×".join(map(str, numbers)) if len(numbers) == 2 else str(numbers)
