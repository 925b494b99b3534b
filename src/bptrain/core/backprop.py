"""Forward and backward: the equations of the derivation, over the rows of a batch.

The derivation writes one instance as a column; here N instances are the rows of a matrix, and each line of
code is the transpose of a line there:

    derivation (columns)                        here (rows)                            shapes
    z_i = W_i x_{i−1} + b_i                     Z_i = X_{i−1} W_iᵀ + b_i               N × n_i
    x_i = f_i(z_i)                              X_i = f_i(Z_i)                         N × n_i
    δ_L = ∂E/∂x_L ∘ f_L'(z_L)                   D_L = dE ∘ f_L'(Z_L)                   N × n_L
    δ_i = (W_{i+1}ᵀ δ_{i+1}) ∘ f_i'(z_i)        D_i = (D_{i+1} W_{i+1}) ∘ f_i'(Z_i)    N × n_i
    ∂E/∂W_i = δ_i x_{i−1}ᵀ                      dW_i = D_iᵀ X_{i−1}                    n_i × n_{i−1}
    ∂E/∂b_i = δ_i                               db_i = 1ᵀ D_i, the column sums         n_i

    L        number of layers; i = 1 … L        n_0 … n_L   sizes
    W_i      weights, n_i × n_{i−1}             b_i         bias, n_i
    X_0      inputs                             T           targets, N × n_L
    f, f'    activation and its derivative      E, dE       loss of each row, ∂E/∂X_L
    D_i      δ_i of each row, by rows           ∘           element-wise product

With softmax, "∘ f'" reads: times the Jacobian. For a canonical pair of loss and f_L the two factors of D_L
cancel to X_L − T. A row's weight, v_n, multiplies its row of D_L, and the `mean` reduction divides D_L by Σ v_n
(N without weights), which divides every gradient below it. Where units of layer i are dropped (Srivastava et al.
2014), the next layer is given Y_i = X_i ∘ M_i instead of X_i, and D_i gets the factor M_i too. Penalties on W_i
add l1 sign(W_i) + l2 W_i to dW_i, once per batch. Steps before W_1 (`input_steps.py`) make X_0 of the inputs, and go
back from (D_1 W_1) ∘ M_0. Source: Raja, "A Derivation of Backpropagation in Matrix
Form" (2016).
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from bptrain.core import input_steps
from bptrain.core.network import PLAIN, BatchContext, Network, Views, views
from bptrain.core.objective import add_penalties, batch_divisor
from bptrain.drain import drain
from bptrain.mapped_rows import IN_MEMORY, Room
from bptrain.parts.types import Array


@dataclass
class Workspace:
    """The matrices of one batch of N rows; what the matrix products write is allocated once."""

    X: list[Array]  # X_0 … X_L
    Y: list[Array]  # Y_0 … Y_{L−1}: what the next layer is given, X_i itself where nothing is dropped
    Z: list[Array]  # Z_1 … Z_L; entry 0 is unused
    D: list[Array]  # D_1 … D_L; entry 0 is ∂objective/∂X_0 where steps before W_1 need it
    ones: Array  # N ones
    steps: list[input_steps.StepSpace]  # before W_1


def workspace(
    network: Network, N: int, dtype: type | np.dtype[np.generic], room: Room = IN_MEMORY
) -> Workspace:
    """A workspace for N rows."""
    Z, D = ([room.empty((N if i > 0 else 0, n), dtype) for i, n in enumerate(network.sizes)] for _ in "ZD")
    steps = [input_steps.step_space(step, N, dtype, room) for step in network.input_steps]
    if steps:
        D[0] = room.empty((N, network.sizes[0]), dtype)
    return Workspace(X=list(Z), Y=list(Z), Z=Z, D=D, ones=np.ones(N, dtype), steps=steps)


def forward(
    network: Network, parameters: Views, X_0: Array, space: Workspace, context: BatchContext = PLAIN
) -> Array:
    """X_L of the inputs X_0 (N × n_0, or as the first step before W_1 takes them), leaving every X_i and Z_i in the
    workspace.
    """
    W, b, M = parameters.W, parameters.b, context.dropout_masks
    X, Y, Z = space.X, space.Y, space.Z
    for step, (W_s, b_s), of_step in zip(network.input_steps, parameters.steps, space.steps, strict=True):
        X_0 = input_steps.forward(step, W_s, b_s, X_0, of_step)
    X[0] = X_0
    for i in range(1, network.L + 1):
        Y[i - 1] = X[i - 1] * M[i - 1] if i - 1 in M else X[i - 1]
        np.dot(Y[i - 1], W[i].T, out=Z[i])
        if (b_i := b[i]) is not None:
            Z[i] += b_i
        X[i] = network.activations[i].f(Z[i])
    return X[network.L]


def backward(
    network: Network,
    parameters: Views,
    T: Array,
    space: Workspace,
    into: Views,
    context: BatchContext = PLAIN,
    divisor: float | None = None,
) -> None:
    """Writes ∂objective/∂W_i and ∂objective/∂b_i into `into`, without penalties, after `forward` on the same workspace.

    The rows may be some of a batch: then `divisor` is that of the whole batch.
    """
    dW, db, Y, D = into.W, into.b, space.Y, space.D
    for i in deltas(network, parameters, T, space, context, divisor):
        if i == 0:
            step_gradients(network, parameters, space, into.steps)
            break
        np.dot(D[i].T, Y[i - 1], out=dW[i])
        if (db_i := db[i]) is not None:
            np.dot(space.ones, D[i], out=db_i)


def deltas(
    network: Network,
    parameters: Views,
    T: Array,
    space: Workspace,
    context: BatchContext = PLAIN,
    divisor: float | None = None,
) -> Generator[int, None, None]:
    """D_L … D_1 into the workspace. Yields i = L … 1 as soon as W_i may change: once D_{i−1} is computed as well.

    With steps before W_1, D_0 is ∂objective/∂X_0, and 0 is yielded in the end.
    """
    W, M, D, L = parameters.W, context.dropout_masks, space.D, network.L
    if divisor is None:
        divisor = batch_divisor(network, len(T), context.sample_weight)
    output_delta(network, T, space, context.sample_weight, divisor)
    for i in range(L, 0, -1):
        if i > 1:
            np.dot(D[i], W[i], out=D[i - 1])
            if i - 1 in M:
                D[i - 1] *= M[i - 1]
            through_activation(network, i - 1, space)
        elif network.input_steps:
            below_layer_1(parameters, space, context)
        yield i
    if network.input_steps:
        yield 0


def below_layer_1(parameters: Views, space: Workspace, context: BatchContext) -> None:
    """D_0 = (D_1 W_1) ∘ M_0, which is ∂objective/∂X_0: the steps before W_1 go on from it."""
    D_0, M_0 = space.D[0], context.dropout_masks.get(0)
    np.dot(space.D[1], parameters.W[1], out=D_0)
    if M_0 is not None:
        D_0 *= M_0


def step_gradients(
    network: Network, parameters: Views, space: Workspace, into: list[tuple[Array, Array | None]]
) -> None:
    """The gradients of the steps before W_1, from the last to the first, once D_0 is there."""
    G = space.D[0]
    for s in range(len(network.input_steps) - 1, -1, -1):
        step, of_step = network.input_steps[s], space.steps[s]
        input_steps.backward(step, G, of_step, *into[s])
        if s > 0:
            G = input_steps.input_gradient(step, parameters.steps[s][0], of_step.D, G)


def output_delta(network: Network, T: Array, space: Workspace, V: Array | None, divisor: float) -> None:
    """D_L = dE ∘ f_L'(Z_L), times v_n, divided by Σ v_n for the mean."""
    X, D, L = space.X, space.D, network.L
    if network.canonical:
        np.subtract(X[L], T, out=D[L])
    else:
        D[L][...] = network.loss.dE(X[L], T)
        through_activation(network, L, space)
    if V is not None:
        D[L] *= V[:, None]
    if divisor != 1.0:
        D[L] *= 1.0 / divisor


def through_activation(network: Network, i: int, space: Workspace) -> None:
    """D_i ← D_i ∘ f_i'(Z_i), or D_i ← J_iᵀ D_i for an activation that is not element-wise."""
    X, Z, D, activation = space.X, space.Z, space.D, network.activations[i]
    if activation.df is not None:
        D[i] *= activation.df(Z[i], X[i])
    elif activation.product is not None:
        D[i][...] = activation.product(X[i], D[i])


def gradient(network: Network, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
    """The flat gradient of the objective at the flat weights w, over all rows of X and T."""
    g = np.empty_like(w)
    space, parameters, into = workspace(network, len(X), w.dtype), views(network, w), views(network, g)
    forward(network, parameters, X, space, context)
    backward(network, parameters, T, space, into, context)
    add_penalties(network, parameters, into)
    return g


def input_gradient(network: Network, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
    """∂objective/∂X_0 = (D_1 W_1) ∘ M_0, N × n_0; X_0 is what W_1 takes, behind all steps before it."""
    space, parameters = workspace(network, len(X), w.dtype), views(network, w)
    forward(network, parameters, X, space, context)
    drain(deltas(network, parameters, T, space, context))
    G = np.dot(space.D[1], parameters.W[1])
    return np.asarray(G * context.dropout_masks[0] if 0 in context.dropout_masks else G)
