"""A point at which a gradient is checked, and the derivatives of the parts there, by the complex step.

Nothing here asks a part for its derivative: f' and ∂E/∂z_L are Im f(z + ih)/h and Im E(z + ih)/h (Squire and Trapp
1998). So what is built on a point is right whatever a part's own `df`, `product` or `dE` says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bptrain.core.backprop import (
    NONE,
    Extras,
    Workspace,
    batch_divisor,
    forward,
    row_losses,
    workspace,
)
from bptrain.core.network import Network, Views, views
from bptrain.parts.types import Array

STEP = 1e-30  # h: its square vanishes beside 1 in float64, and products with it stay normal numbers


@dataclass(frozen=True)
class Point:
    """Flat weights w, rows X (N × n_0) and T (N × n_L), and what goes with them; all in float64."""

    network: Network
    w: Array
    X_0: Array
    T: Array
    extras: Extras = NONE

    @cached_property
    def parameters(self) -> Views:
        """W[i] and b[i]."""
        return views(self.network, self.w)

    @cached_property
    def space(self) -> Workspace:
        """X_i, Y_i (what the next layer is given) and Z_i of every layer, of the forward pass."""
        space = workspace(self.network, len(self.X_0), np.float64)
        forward(self.network, self.parameters, self.X_0, space, self.extras)
        return space

    @property
    def divisor(self) -> float:
        """What the sum over the rows is divided by."""
        return batch_divisor(self.network, len(self.X_0), self.extras.V)

    @cached_property
    def slopes(self) -> dict[int, Array]:
        """f_i'(Z_i), N × n_i, by layer; layers whose activation is not element-wise are not in it."""
        activations = self.network.activations
        return {
            i: slope(activations[i].f, self.space.Z[i])
            for i in range(1, self.network.L + 1)
            if activations[i].df is not None
        }

    @cached_property
    def jacobians(self) -> dict[int, Array]:
        """J of the layers whose activation is not element-wise, N × n_i × n_i: J[n, j, k] = ∂x_j/∂z_k of row n."""
        return {
            i: jacobian(self.network.activations[i].f, self.space.Z[i])
            for i in range(1, self.network.L + 1)
            if i not in self.slopes
        }

    @cached_property
    def D_L(self) -> Array:
        """∂E/∂z_L of each row, N × n_L, neither weighed nor divided: through E of z_L for a canonical pair."""
        return slopes_of_rows(
            lambda Z: row_losses(self.network, Z, None, self.T), self.space.Z[self.network.L]
        )

    @cached_property
    def dE(self) -> Array:
        """∂E/∂x_L of each row, N × n_L; not finite where E itself is not, as beside the edge of its range."""
        loss = self.network.loss
        return slopes_of_rows(lambda X: loss.E(X, self.T), self.space.X[self.network.L])


def slope(f: Callable[[Array], Array], Z: Array) -> Array:
    """f'(z) of an element-wise f: Im f(z + ih)/h."""
    return np.asarray(f(Z + 1j * STEP).imag / STEP)


def jacobian(f: Callable[[Array], Array], Z: Array) -> Array:
    """∂x_j/∂z_k for each row, N × n × n, one complex evaluation for each k."""
    columns = [f(Z + 1j * STEP * unit).imag / STEP for unit in np.eye(Z.shape[1])]
    return np.stack(columns, axis=2)


def slopes_of_rows(E: Callable[[Array], Array], X: Array) -> Array:
    """∂E/∂x_k of a function of each row, N × n, one complex evaluation for each k."""
    columns = [E(X + 1j * STEP * unit).imag / STEP for unit in np.eye(X.shape[1])]
    return np.stack(columns, axis=1)
