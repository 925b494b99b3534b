"""The steps before W_1 (`parts/input_steps.py`), over the rows of a batch, forward and back.

    derivation (columns)              here (rows)                               shapes
    z_g = W_g x_g + b_g               Z_g = X_g W_gᵀ + b_g                      N × outputs
    x'_g = f(z_g)                     X'_g = f(Z_g)                             N × outputs
    δ_g = (∂E/∂x'_g) ∘ f'(z_g)        D_g = G_g ∘ f'(Z_g)                       N × outputs
    ∂E/∂W_g = δ_g x_gᵀ                dW_g = D_gᵀ X_g                           outputs × columns of a group
    ∂E/∂b_g = δ_g                     db_g = 1ᵀ D_g                             outputs

    X_g      the columns that group g takes
    G        ∂objective/∂X' of each row; of the last step (D_1 W_1) ∘ M_0

All groups are worked out at once: what they take is N × groups × columns of a group, Z and D are N × groups × outputs.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bptrain.mapped_rows import Room, by_rows
from bptrain.parts.input_steps import InputStep
from bptrain.parts.types import Array


@dataclass
class StepSpace:
    """The matrices of one step for N rows."""

    X: Array  # what it takes, N × n_in
    Z: Array  # N × units
    Y: Array  # what it gives, N × n_out
    D: Array  # N × units


def step_space(step: InputStep, N: int, dtype: type | np.dtype[np.generic], room: Room) -> StepSpace:
    """Room for N rows."""
    Z, D = (room.empty((N, step.units), dtype) for _ in "ZD")
    Y = room.empty((N, step.n_out), dtype)
    return StepSpace(Y[:, :0], Z, Y, D)


def forward(step: InputStep, W: Array, b: Array | None, X: Array, space: StepSpace) -> Array:
    """X' of the rows X."""
    space.X, kept = X, len(step.kept)
    product(taken(step, X), W, grouped(step, space.Z))
    if b is not None:
        space.Z += b.reshape(-1)
    if kept:
        space.Y[:, :kept] = by_rows(lambda part: part[:, chosen(step.kept)], X)
    space.Y[:, kept:] = step.f.f(space.Z)
    return space.Y


def backward(step: InputStep, G: Array, space: StepSpace, dW: Array, db: Array | None) -> None:
    """∂objective/∂W and ∂objective/∂b, after `forward` on the same space, from G = ∂objective/∂X'."""
    delta(step, G, space)
    weight_gradient(grouped(step, space.D), taken(step, space.X), dW)
    if db is not None:
        np.einsum("nu->u", space.D, out=db.reshape(-1))


def delta(step: InputStep, G: Array, space: StepSpace) -> None:
    """D = G ∘ f'(Z), where the columns that are kept are left out of G."""
    assert step.f.df is not None
    of_units = slice(len(step.kept), None)
    np.multiply(G[:, of_units], step.f.df(space.Z, space.Y[:, of_units]), out=space.D)


def input_gradient(step: InputStep, W: Array, D: Array, G: Array) -> Array:
    """∂objective/∂X, N × n_in: through the groups, and through the columns that are kept."""
    below = np.zeros((len(D), step.n_in), D.dtype)
    if step.kept:
        below[:, chosen(step.kept)] = G[:, : len(step.kept)]
    of_groups = carried(grouped(step, D), W)
    for k in range(of_groups.shape[2]):  # each group takes a column once, and so do all groups of one step
        below[:, chosen(tuple(group[k] for group in step.columns))] += of_groups[:, :, k]
    return below


def grouped(step: InputStep, of_units: Array) -> Array:
    """N × units as N × groups × outputs: a view."""
    return of_units.reshape(len(of_units), len(step.columns), step.outputs)


def taken(step: InputStep, X: Array) -> Array:
    """What the groups take, N × groups × columns of a group."""
    picked = by_rows(lambda part: part[:, chosen(tuple(k for group in step.columns for k in group))], X)
    return picked.reshape(len(X), len(step.columns), len(step.columns[0]))


@lru_cache(maxsize=64)
def chosen(columns: tuple[int, ...]) -> slice | Array:
    """Columns as an index: a slice where they follow one another, which copies nothing."""
    if columns == tuple(range(columns[0], columns[0] + len(columns))):
        return slice(columns[0], columns[0] + len(columns))
    return np.array(columns)


def product(X: Array, W: Array, out: Array) -> Array:
    """X_g W_gᵀ of every group, N × groups × outputs."""
    if W.shape[2] == 1:  # one column per group: no product of matrices
        return np.multiply(X, W[:, :, 0], out=out)
    np.matmul(X.transpose(1, 0, 2), W.transpose(0, 2, 1), out=out.transpose(1, 0, 2))
    return out


def weight_gradient(D: Array, X: Array, out: Array) -> Array:
    """D_gᵀ X_g of every group, groups × outputs × columns of a group."""
    if X.shape[2] == 1:
        np.einsum("ngo,ng->go", D, X[:, :, 0], out=out[:, :, 0])
        return out
    return np.matmul(D.transpose(1, 2, 0), X.transpose(1, 0, 2), out=out)


def carried(D: Array, W: Array) -> Array:
    """D_g W_g of every group, N × groups × columns of a group."""
    if W.shape[2] == 1:
        return np.einsum("ngo,go->ng", D, W[:, :, 0])[:, :, None]
    return np.matmul(D.transpose(1, 0, 2), W).transpose(1, 0, 2)
