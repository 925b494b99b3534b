"""Derivatives of the objective by the complex step: ∂f/∂θ = Im f(θ + ih) / h, h tiny. Squire and Trapp 1998.

It needs no subtraction, so its error is rounding alone. The derivative travels in the imaginary parts; the real parts
are those of the real pass at every layer. (A complex product rounds its real part in another way than a real
one; where terms cancel in z and f is steep, f' would be taken at another z than backpropagation takes it.)
"""

from collections.abc import Iterator

import numpy as np

from bptrain.core.network import Block, Views, views
from bptrain.core.objective import loss_sum, row_losses
from bptrain.gradient_check import input_steps
from bptrain.gradient_check.point import STEP, GradientPoint
from bptrain.parts.types import Array

ROWS = 4096  # that go through the network at once


def of_entries(point: GradientPoint, block: Block, entries: Array) -> Iterator[Array]:
    """∂objective/∂θ_k for the entries k of a block (places in the flat vector), some at a time.

    Each entry has its own copy of the batch: z_i + ih x_{i−1,k} in the unit that the entry belongs to.
    """
    N, i = len(point.X_0), block.layer
    if i == 0:  # of a step before W_1
        for k in entries:
            unit = np.zeros_like(point.w)
            unit[k] = 1.0
            yield np.array([along(point, unit)])
        return
    for some in np.array_split(entries, max(1, -(-len(entries) * N // ROWS))):
        indices = np.unravel_index(some - block.start, block.shape)
        dZ = np.zeros((len(some), N, point.network.sizes[i]))
        copies = np.arange(len(some))
        dZ[copies, :, indices[0]] = point.space.Y[i - 1][:, indices[1]].T if len(indices) == 2 else 1.0
        dE = of_rows(point, i, dZ.reshape(-1, dZ.shape[2]), len(some)).reshape(len(some), N)
        V = point.context.sample_weight
        yield np.asarray(
            (dE if V is None else dE * V).sum(axis=1) / point.divisor + penalty(point, block, some)
        )


def penalty(point: GradientPoint, block: Block, entries: Array) -> Array | float:
    """What the penalty adds to the derivative with respect to these entries."""
    of_one = point.network.penalty
    if of_one is None or block.kind != "weight":
        return 0.0
    return np.asarray(of_one.value(point.w[entries] + 1j * STEP).imag / STEP)


def along(point: GradientPoint, v: Array) -> float:
    """The derivative of the objective along v (flat): one evaluation, whatever the size of the network."""
    network, direction = point.network, views(point.network, v)
    if v[: network.of_steps].any():
        M = point.context.dropout_masks.get(0, 1.0)
        dZ = (input_steps.tangent(point, direction) * M) @ point.parameters.W[1].T
        first = 1
        if moves(direction, 1):
            dZ += tangent(point, direction, 1)
    else:
        first = next((i for i in range(1, network.L + 1) if moves(direction, i)), 0)
        if first == 0:
            return 0.0
        dZ = tangent(point, direction, first)
    dE = of_rows(point, first, dZ, 1, direction)
    derivative = float(loss_sum(dE, point.context.sample_weight)) / point.divisor
    if network.penalty is not None:
        for W_i, V_i in zip(point.parameters.W[1:], direction.W[1:], strict=True):
            derivative += float((network.penalty.value(W_i + 1j * STEP * V_i).imag / STEP).sum())
    return derivative


def moves(direction: Views, i: int) -> bool:
    """Whether a direction changes layer i."""
    b = direction.b[i]
    return bool(direction.W[i].any() or (b is not None and b.any()))


def tangent(point: GradientPoint, direction: Views, i: int) -> Array:
    """The change of Z_i by W_i and b_i: Y_{i−1} V_iᵀ + v_i."""
    dZ = point.space.Y[i - 1] @ direction.W[i].T
    b = direction.b[i]
    return np.asarray(dZ if b is None else dZ + b)


def of_inputs(point: GradientPoint) -> Array:
    """∂objective/∂X_0, N × n_0: one evaluation for each input, as no row depends on another."""
    V, M, W_1 = point.context.sample_weight, point.context.dropout_masks.get(0), point.parameters.W[1]
    columns = []
    for k in range(point.network.sizes[0]):
        dZ = np.tile(W_1[:, k], (len(point.X_0), 1))
        columns.append(of_rows(point, 1, dZ if M is None else dZ * M[:, k, None], 1))
    dE = np.stack(columns, axis=1)
    return np.asarray((dE if V is None else dE * V[:, None]) / point.divisor)


def of_rows(
    point: GradientPoint, first: int, dZ: Array, copies: int, direction: Views | None = None
) -> Array:
    """The change of each row's loss, neither weighted nor divided, where Z of layer `first` changes by dZ.

    The rows of dZ are this number of copies of the batch, one below the other. With a direction, the parameters of the
    layers above `first` change too.
    """
    network, space = point.network, point.space
    dX, Z = np.empty(0), np.empty(0, np.complex128)
    for i in range(first, network.L + 1):
        if i > first:
            M = point.context.dropout_masks.get(i - 1)
            dZ = (dX if M is None else dX * np.tile(M, (copies, 1))) @ point.parameters.W[i].T
            if direction is not None and moves(direction, i):
                dZ += tangent(point, direction, i)
        Z = np.tile(space.Z[i], (copies, 1)) + 1j * STEP * dZ
        dX = network.activations[i].f(Z).imag / STEP
    X_L = np.tile(space.X[network.L], (copies, 1)) + 1j * STEP * dX
    return np.asarray(row_losses(network, Z, X_L, np.tile(point.T, (copies, 1))).imag / STEP)
