"""A point at which a gradient is checked, and the derivatives of the parts there, by the complex step.

Nothing here asks a part for its derivative: f' and ∂E/∂z_L are Im f(z + ih)/h and Im E(z + ih)/h (Squire and Trapp
1998). So what is built on a point is right whatever a part's own `df`, `product` or `dE` says. Only where the complex
step fails on a part are the parts' own derivatives taken (`derivatives_from`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from bptrain.core import input_steps
from bptrain.core.backprop import Workspace, forward, workspace
from bptrain.core.network import PLAIN, BatchContext, Network, Views, views
from bptrain.core.objective import batch_divisor, row_losses
from bptrain.mapped_rows import IN_MEMORY
from bptrain.parts.types import Array

STEP = 1e-30  # h: its square vanishes next to 1 in float64, and products with it stay normal numbers

# What a part may raise that is given what no layer of its network gives it.
REFUSALS = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)

DerivativeSource = Literal["complex_step", "parts"]  # how derivatives of the parts are taken


@dataclass(frozen=True)
class GradientPoint:
    """Flat weights w, rows X (N × n_0, or as the first step before W_1 takes them) and T (N × n_L), and what goes with
    them; all in float64.
    """

    network: Network
    w: Array
    X_0: Array
    T: Array
    context: BatchContext = PLAIN
    derivatives_from: DerivativeSource = "complex_step"

    @cached_property
    def parameters(self) -> Views:
        """W[i] and b[i]."""
        return views(self.network, self.w)

    @cached_property
    def space(self) -> Workspace:
        """X_i, Y_i (what the next layer is given) and Z_i of every layer, of the forward pass."""
        space = workspace(self.network, len(self.X_0), np.float64)
        with np.errstate(all="ignore"):
            forward(self.network, self.parameters, self.X_0, space, self.context)
        return space

    @cached_property
    def behind_steps(self) -> "GradientPoint":
        """The same point without steps before W_1: its inputs are what W_1 takes."""
        if not self.network.input_steps:
            return self
        X = self.X_0
        for step, (W, b) in zip(self.network.input_steps, self.parameters.steps, strict=True):
            X = input_steps.forward(step, W, b, X, input_steps.step_space(step, len(X), X.dtype, IN_MEMORY))
        network, w = replace(self.network, input_steps=()), self.w[self.network.of_steps :]
        return replace(self, network=network, w=w, X_0=X)

    @property
    def divisor(self) -> float:
        """What the sum over the rows is divided by."""
        return batch_divisor(self.network, len(self.X_0), self.context.sample_weight)

    def some_rows(self, rows: Array) -> "GradientPoint":
        """The same weights, on some of the rows."""
        return GradientPoint(
            self.network, self.w, self.X_0[rows], self.T[rows], self.context.part(rows), self.derivatives_from
        )

    @property
    def elementwise(self) -> tuple[int, ...]:
        """The layers whose activation is element-wise."""
        return tuple(i for i in range(1, self.network.L + 1) if self.network.activations[i].df is not None)

    def slope(self, i: int, Z: Array, derivatives_from: DerivativeSource | None = None) -> Array:
        """f_i'(z) of an element-wise f_i, at any z."""
        activation = self.network.activations[i]
        if (derivatives_from or self.derivatives_from) == "complex_step":
            return slope(activation.f, Z)
        assert activation.df is not None
        return np.broadcast_to(activation.df(Z, activation.f(Z)), Z.shape)

    def slope_elsewhere(self, i: int, Z: Array) -> Array:
        """f_i'(z) at a z that layer i is not given; NaN where f_i refuses it."""
        try:
            return self.slope(i, Z)
        except REFUSALS:
            return np.full(Z.shape, np.nan)

    def slope_of_loss(self, X: Array, derivatives_from: DerivativeSource | None = None) -> Array:
        """∂E/∂x_L of each row at any x_L, N × n_L."""
        loss = self.network.loss
        if (derivatives_from or self.derivatives_from) == "parts":
            return loss.dE(X, self.T)
        return slopes_of_rows(lambda x: loss.E(x, self.T), X)

    @cached_property
    def slopes(self) -> dict[int, Array]:
        """f_i'(Z_i), N × n_i, by layer; layers whose activation is not element-wise are not in it."""
        return {i: self.slope(i, self.space.Z[i]) for i in self.elementwise}

    @cached_property
    def jacobians(self) -> dict[int, Array]:
        """J of the layers whose activation is not element-wise, N × n_i × n_i: J[n, j, k] = ∂x_j/∂z_k of row n."""
        others = set(range(1, self.network.L + 1)) - set(self.elementwise)
        return {i: self.jacobian(i, self.space.Z[i]) for i in others}

    def jacobian(self, i: int, Z: Array) -> Array:
        """∂x_j/∂z_k of f_i at any z, for each row, N × n_i × n_i."""
        f, product = self.network.activations[i].f, self.network.activations[i].product
        units = np.eye(Z.shape[1])
        if self.derivatives_from == "complex_step" or product is None:
            return np.stack([f(Z + 1j * STEP * unit).imag / STEP for unit in units], axis=2)
        X = f(Z)
        return np.stack([product(X, np.broadcast_to(unit, X.shape)) for unit in units], axis=1)

    @cached_property
    def D_L(self) -> Array:
        """∂E/∂z_L of each row, N × n_L, neither weighted nor divided: through E of z_L for a canonical pair."""
        network, L = self.network, self.network.L
        if self.derivatives_from == "complex_step":
            return slopes_of_rows(lambda Z: row_losses(network, Z, None, self.T), self.space.Z[L])
        if network.canonical:
            return np.asarray(self.space.X[L] - self.T)
        if L in self.elementwise:
            return np.asarray(self.dE * self.slopes[L])
        return np.asarray(np.einsum("njk,nj->nk", self.jacobians[L], self.dE))

    @cached_property
    def dE(self) -> Array:
        """∂E/∂x_L of each row, N × n_L; not finite where E itself is not, such as at the edge of its range."""
        return self.slope_of_loss(self.space.X[self.network.L])


def slope(f: Callable[[Array], Array], Z: Array, step: float = STEP) -> Array:
    """f'(z) of an element-wise f: Im f(z + ih)/h."""
    return np.asarray(f(Z + 1j * step).imag / step)


def slopes_of_rows(E: Callable[[Array], Array], X: Array, step: float = STEP) -> Array:
    """∂E/∂x_k of a function of each row, N × n, one complex evaluation for each k."""
    columns = [E(X + 1j * step * unit).imag / step for unit in np.eye(X.shape[1])]
    return np.stack(columns, axis=1)
