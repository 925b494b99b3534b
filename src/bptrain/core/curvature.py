"""The Gauss–Newton matrix JᵀJ of a network under half_squared_error, by backpropagation of each output.

    E = ½ ‖x_L − t‖² of a row,    J = ∂x_L/∂w of a row (n_L × P),    JᵀJ = Σ over rows

Row j of J is the derivation's backward pass with the j-th unit vector in place of ∂E/∂x_L, and one pass does it for
all rows at once: the entries that belong to W_i are δ_i x_{i−1}ᵀ, row by row. Rows go through in chunks, so that J is
never whole in memory. Hagan and Menhaj, "Training Feedforward Networks with the Marquardt Algorithm" (1994).
"""

from collections.abc import Iterator

import numpy as np

from bptrain.core import input_steps
from bptrain.core.backprop import Workspace, forward, through_activation, workspace
from bptrain.core.network import Network, Views, views
from bptrain.core.objective import batch_divisor
from bptrain.mapped_rows import by_rows, room_of
from bptrain.parts.types import Array

CHUNK_NUMBERS = 4_000_000  # entries of J in memory at a time


def gauss_newton(network: Network, w: Array, X: Array, V: Array | None = None) -> Array:
    """JᵀJ (P × P) of the objective at w over all rows of X, in float64; the mean divides it by N.

    A row of weight v_n counts v_n times, and then the mean divides by Σ v_n. A penalty l2 adds l2 to the diagonal, at
    the entries of the W_i.
    """
    JTJ = np.zeros((network.size, network.size))
    for rows, J in jacobians(network, w, X):
        JTJ += J.T @ (J if V is None else by_rows(np.multiply, V[rows, None], J))
    JTJ *= 1.0 / batch_divisor(network, len(X), V)
    for block in network.blocks:
        if block.kind == "weight":
            on_diagonal = np.arange(block.start, block.stop)
            JTJ[on_diagonal, on_diagonal] += network.l2
    return JTJ


def jacobians(network: Network, w: Array, X: Array) -> Iterator[tuple[slice, Array]]:
    """Some rows of X, and ∂(x_L)_j/∂w of these in float64, for each j; the array is written over by the next one."""
    w = w.astype(np.float64)
    parameters, L = views(network, w), network.L
    rows = max(1, CHUNK_NUMBERS // network.size)
    room = room_of(X)
    whole = room.empty((min(rows, len(X)), network.size), np.float64)
    for a in range(0, len(X), rows):
        part = slice(a, a + rows)
        X_0 = X[part].astype(np.float64)
        space, J = workspace(network, len(X_0), w.dtype, room), whole[: len(X_0)]
        forward(network, parameters, X_0, space)
        for j in range(network.sizes[L]):
            space.D[L][...] = 0.0
            space.D[L][:, j] = 1.0
            _backward(network, parameters, space, J)
            yield part, J


def _backward(network: Network, parameters: Views, space: Workspace, J: Array) -> None:
    """Writes δ_i x_{i−1}ᵀ and δ_i of each row into J, for what D_L holds of ∂/∂x_L."""
    X, D = space.X, space.D
    through_activation(network, network.L, space)
    for i in range(network.L - 1, 0, -1):
        np.dot(D[i + 1], parameters.W[i + 1], out=D[i])
        through_activation(network, i, space)
    if network.input_steps:
        _steps_backward(network, parameters, space, J)
    for block in network.blocks:
        i, of_block = block.layer, J[:, block.start : block.stop]
        if i == 0:
            continue
        if block.kind == "bias":
            of_block[...] = D[i]
        else:
            matrices = of_block.reshape(len(J), *block.shape)  # a view: one axis made two
            np.multiply(D[i][:, :, None], X[i - 1][:, None, :], out=matrices)


def _steps_backward(network: Network, parameters: Views, space: Workspace, J: Array) -> None:
    """The same of the steps before W_1, from the last to the first."""
    places = {block.kind: slice(block.start, block.stop) for block in network.blocks if block.layer == 0}
    G = np.dot(space.D[1], parameters.W[1], out=space.D[0])
    for s in range(len(network.input_steps) - 1, -1, -1):
        step, of_step = network.input_steps[s], space.steps[s]
        input_steps.delta(step, G, of_step)
        D = input_steps.grouped(step, of_step.D)
        per_row = D[:, :, :, None] * input_steps.taken(step, of_step.X)[:, :, None, :]
        J[:, places[step.weight.name]] = per_row.reshape(len(J), -1)
        if step.bias is not None:
            J[:, places[step.bias.name]] = of_step.D
        if s > 0:
            G = input_steps.input_gradient(step, parameters.steps[s][0], of_step.D, G)
