"""The steps before W_1 at a point, from ∂objective/∂X_0 back to their parameters.

Each of the check's passes (the derivation's lines, the scales, what rounding may do, what is possible at kinks) goes
back through a step in its own way: by products, by products of absolute values, or of squares. So a pass is three
functions.

    D = G ∘ f'(Z)          `through`
    dW_g = D_gᵀ X_g        `outer`       db_g = 1ᵀ D_g, the column sums of D
    D_g W_g                `carry`       ∂objective/∂X of what the step takes
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.core import input_steps
from bptrain.core.network import Views
from bptrain.gradient_check.point import STEP, GradientPoint
from bptrain.parts.input_steps import InputStep
from bptrain.parts.types import Array


class Pass(NamedTuple):
    """One way of going back; a number stands for itself, for its size or for an interval's radius."""

    through: Callable[[int, Array], Array]  # (number of the step, G of its units) -> D
    outer: Callable[[Array, Array], Array]  # (D, X) -> D_gᵀ X_g of every group
    carry: Callable[[Array, Array], Array]  # (D, W) -> D_g W_g of every group
    add: Callable[[Array, Array], Array] = np.add  # where an input is kept and taken too


def outer(D: Array, X: Array) -> Array:
    """D_gᵀ X_g of every group, groups × outputs × columns of a group."""
    return np.einsum("ngo,ngk->gok", D, X)


def carry(D: Array, W: Array) -> Array:
    """D_g W_g of every group, N × groups × columns of a group."""
    return np.einsum("ngo,gok->ngk", D, W)


def of_sizes(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """The same of absolute values."""
    return lambda A, B: function(np.abs(A), np.abs(B))


def of_squares(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """The same of squares, of which the root is taken."""
    return lambda A, B: np.asarray(np.sqrt(function(A * A, B * B)))


def back(point: GradientPoint, G: Array, into: Views, way: Pass) -> None:
    """The steps' part of a flat vector, from what a pass has of X_0, N × n_0."""
    for s in range(len(point.network.input_steps) - 1, -1, -1):
        step, of_step, (W, _), (dW, db) = (
            point.network.input_steps[s],
            point.space.steps[s],
            point.parameters.steps[s],
            into.steps[s],
        )
        kept = len(step.kept)
        D = input_steps.grouped(step, way.through(s, G[:, kept:]))
        dW[...] = way.outer(D, input_steps.taken(step, of_step.X))
        if db is not None:
            db[...] = way.outer(D, np.ones((*D.shape[:2], 1)))[:, :, 0]
        G = below(step, way, G[:, :kept], way.carry(D, W))


def below(step: InputStep, way: Pass, of_kept: Array, of_groups: Array) -> Array:
    """What a pass has of the columns that a step takes, N × n_in."""
    G = np.zeros((len(of_kept), step.n_in))
    G[:, [*step.kept]] = of_kept
    for k in range(of_groups.shape[2]):
        columns = [group[k] for group in step.columns]
        G[:, columns] = way.add(G[:, columns], of_groups[:, :, k])
    return G


def slope(point: GradientPoint, s: int) -> Array:
    """f' of a step's z, N × units, by the complex step or the part's own."""
    step, of_step = point.network.input_steps[s], point.space.steps[s]
    if point.derivatives_from == "complex_step":
        return np.asarray(step.f.f(of_step.Z + 1j * STEP).imag / STEP)
    assert step.f.df is not None
    return np.broadcast_to(step.f.df(of_step.Z, step.f.f(of_step.Z)), of_step.Z.shape)


def plain(point: GradientPoint) -> Pass:
    """The lines of the derivation."""
    return Pass(lambda s, G: G * slope(point, s), outer, carry)


def tangent(point: GradientPoint, direction: Views) -> Array:
    """The change of X_0, N × n_0, where the parameters of the steps change along a direction."""
    dX = np.zeros_like(point.X_0)
    for s, step in enumerate(point.network.input_steps):
        of_step, (W, _), (V, v) = point.space.steps[s], point.parameters.steps[s], direction.steps[s]
        dZ = np.einsum("gok,ngk->ngo", V, input_steps.taken(step, of_step.X))
        dZ += np.einsum("gok,ngk->ngo", W, input_steps.taken(step, dX))
        dZ = dZ.reshape(of_step.Z.shape) + (0.0 if v is None else v.reshape(-1))
        dX = np.hstack([dX[:, [*step.kept]], step.f.f(of_step.Z + 1j * STEP * dZ).imag / STEP])
    return dX


def forward_error(point: GradientPoint) -> float:
    """How far the steps' forward pass is from z_g = W_g x_g + b_g and x' = f(z), relative to the terms."""
    worst, X = 0.0, point.X_0
    for step, of_step, (W, b) in zip(
        point.network.input_steps, point.space.steps, point.parameters.steps, strict=True
    ):
        given, bias = input_steps.taken(step, X), np.zeros(step.units) if b is None else b.reshape(-1)
        Z = np.einsum("gok,ngk->ngo", W, given).reshape(of_step.Z.shape) + bias
        terms = np.einsum("gok,ngk->ngo", np.abs(W), np.abs(given)).reshape(Z.shape) + np.abs(bias)
        difference = np.abs(of_step.Z - Z) / np.where(terms == 0, 1.0, terms)
        right = np.hstack([X[:, [*step.kept]], step.f.f(of_step.Z)])
        same = np.array_equal(of_step.Y, right, equal_nan=True)
        worst = float(np.max([worst, difference.max(initial=0.0), 0.0 if same else np.inf]))
        X = of_step.Y
    return worst


def reach(point: GradientPoint, rounding: float) -> Array:
    """How far rounding may move X_0, N × n_0: as `kinks.reach` has it of Z_i."""
    R = np.zeros_like(point.X_0)
    for s, step in enumerate(point.network.input_steps):
        of_step, (W, b) = point.space.steps[s], point.parameters.steps[s]
        squares = np.einsum("gok,ngk->ngo", W**2, input_steps.taken(step, of_step.X) ** 2).reshape(
            of_step.Z.shape
        )
        own = rounding * np.sqrt(squares + (0.0 if b is None else b.reshape(-1) ** 2))
        moved = np.einsum("gok,ngk->ngo", W**2, input_steps.taken(step, R) ** 2).reshape(of_step.Z.shape)
        by = np.abs(slope(point, s)) * np.sqrt(own**2 + moved)
        rounded = rounding * np.abs(of_step.Y[:, len(step.kept) :])
        R = np.hstack([R[:, [*step.kept]], np.hypot(by, rounded)])
    return R
