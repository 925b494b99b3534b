"""The parts of a network at a point: is the derivative that each gives the derivative of its function?

f', Jᵀg, ∂E/∂x and, for a canonical pair, x_L − t are compared with the complex step of f and E at the point's own z,
or, where that fails on a part, with differences. Near a kink, what lies between the slopes on both sides is right.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from bptrain.core.objective import row_losses
from bptrain.gradient_check.part_patterns import Candidate, like_jacobian, like_losses, like_slopes, pattern
from bptrain.gradient_check.part_slopes import Known, jacobian_known, row_slopes_known, slopes_known
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.verdicts import FLOOR, TOLERANCE, TOLERANCE_OF_DIFFERENCES
from bptrain.parts.losses import difference_terms
from bptrain.parts.types import Array


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
    """What a part gives, what is right there, and what an error is relative to; all N × n."""

    given: Array
    known: Known
    size: Array

    @property
    def error(self) -> Array:
        """The error of each entry; infinite for NaN, 0 where there is no right value."""
        outside = np.fmax(np.fmax(self.known.low - self.given, self.given - self.known.high), 0.0)
        error = np.where(np.isfinite(self.given), outside / self.size, np.inf)
        return np.where(np.isfinite(self.known.right), error, 0.0)


def part_faults(point: GradientPoint) -> list[PartFault]:
    """The faults of the activations, layer by layer, and of the loss."""
    with np.errstate(all="ignore"):
        return [*_of_activations(point), *_of_loss(point)]


def _of_activations(point: GradientPoint) -> Iterator[PartFault]:
    for i in range(1, point.network.L + 1):
        f, df, product = point.network.activations[i][:3]
        Z, X = point.space.Z[i], point.space.X[i]
        if df is not None:
            known = slopes_known(point, f, Z)
            values = PartValues(df(Z, X) + 0 * Z, known, np.abs(known.right) + FLOOR)
            yield from _fault(point, i, "f'", Z, values, like_slopes(point, i, known.right))
        elif product is not None:
            N, n = X.shape
            g = np.cos(1.0 + np.arange(N * n)).reshape(N, n)
            J, off = jacobian_known(point, i)
            right = np.einsum("njk,nj->nk", J, g)
            room = np.einsum("njk,nj->nk", off, np.abs(g))
            size = np.einsum("njk,nj->nk", np.abs(J), np.abs(g)) + FLOOR
            values = PartValues(product(X, g), Known(right, right - room, right + room), size)
            yield from _fault(point, i, "Jᵀg", Z, values, like_jacobian(J, g))


def _of_loss(point: GradientPoint) -> Iterator[PartFault]:
    network, loss, L, T = point.network, point.network.loss, point.network.L, point.T
    X, Z = point.space.X[L], point.space.Z[L]
    known = row_slopes_known(point, lambda x: loss.E(x, T), X)
    values = PartValues(loss.dE(X, T), known, np.abs(known.right) + FLOOR * loss.terms(X, T))
    if network.canonical:
        # which asks for no ∂E/∂x, so that it need not be finite where x_L has rounded to the edge of its range
        at_edge = np.isin(X, network.activations[L].range)
        right = np.where(at_edge & ~np.isfinite(values.given), np.nan, known.right)
        values = values._replace(known=known._replace(right=right))
    yield from _fault(point, L, "∂E/∂x", X, values, like_losses(point, known.right))
    if not network.canonical:
        return
    E_of_z = partial(row_losses, network, X_L=None, T=T)
    if loss.E_of_z is not None:
        # below the smallest normal number x has lost digits, and 1 / x may be infinite
        of_x = np.fmax(np.abs(X), np.finfo(X.dtype).tiny)
        rounded = 1e-4 * np.nansum(np.abs(loss.dE(X, T)) * of_x, axis=1)
        E = loss.E(X, T)[:, None]
        size = 1.0 + np.abs(E) + rounded[:, None]
        values = PartValues(E_of_z(Z)[:, None], Known(E, E, E), size)
        yield from _fault(point, L, "E of z", Z[:, :1], values, [])
    known = row_slopes_known(point, E_of_z, Z)
    values = PartValues(X - T, known, np.abs(known.right) + FLOOR * difference_terms(X, T))
    yield from _fault(point, L, "∂E/∂z", Z, values, [])


def _fault(
    point: GradientPoint, i: int, quantity: str, at: Array, values: PartValues, like: list[Candidate]
) -> Iterator[PartFault]:
    tolerance = TOLERANCE if point.derivatives_from == "complex_step" else TOLERANCE_OF_DIFFERENCES
    error = values.error
    if not error.max(initial=0.0) > tolerance:
        return
    row, unit = (int(k) for k in np.unravel_index(int(np.argmax(error)), error.shape))
    z, given, right, off = (
        float(array[row, unit]) for array in (at, values.given, values.known.right, error)
    )
    found = pattern(point, quantity, at, values.given, values.known, values.size, error > tolerance, like)
    code, words = found or (None, None)
    yield PartFault(i, quantity, row, unit, z, given, right, off, code, words)
