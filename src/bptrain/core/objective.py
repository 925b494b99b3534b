"""The objective: the losses of a batch's rows, summed or averaged, and the penalties on the weights.

    objective = Σ v_n E_n / d + l1 Σ|w| + ½ l2 Σ w²

    E_n    loss of row n                            v_n    its weight, 1 unless rows are weighted
    d      Σ v_n for the mean (N without weights), 1 for the sum
    w      the entries of all W_i, not of the b_i

The penalties add l1 sign(W_i) + l2 W_i to ∂E/∂W_i, once per batch.
"""

from typing import Any

import numpy as np

from bptrain.core.network import Network, Views, views
from bptrain.mapped_rows import by_rows
from bptrain.parts.types import Array


def row_losses(network: Network, Z_L: Array, X_L: Array | None, T: Array) -> Array:
    """E of each row, N, without weights and reduction: from Z_L where the pair is canonical, which is exact."""
    if network.canonical and network.loss.E_of_z is not None:
        return network.loss.E_of_z(Z_L, T)
    return network.loss.E(network.activations[-1].f(Z_L) if X_L is None else X_L, T)


def loss_sum(losses: Array, V: Array | None) -> Any:
    """Σ v_n E_n."""
    return losses.sum() if V is None else by_rows(np.multiply, V, losses).sum()


def batch_divisor(network: Network, rows: int, V: Array | None) -> float:
    """What the sum over a batch is divided by: for the mean Σ v_n, or N without weights."""
    if network.reduction == "sum":
        return 1.0
    total = float(rows if V is None else V.sum(dtype=np.float64))
    return total if total != 0 else 1.0  # rows of weight 0 have no gradient


def penalty(network: Network, parameters: Views) -> Any:
    """l1 Σ|w| + ½ l2 Σ w² over all W_i; complex for complex weights."""
    of_one = network.penalty
    return 0.0 if of_one is None else sum(of_one.value(W_i).sum() for W_i in parameters.W[1:])


def penalty_at(network: Network, w: Array) -> float:
    """The penalty at the flat weights w."""
    if network.penalty is None:  # spares a copy of the weights
        return 0.0
    return float(penalty(network, views(network, w.astype(np.float64))))


def add_penalties(network: Network, parameters: Views, into: Views) -> None:
    """dW_i ← dW_i + l1 sign(W_i) + l2 W_i, for every layer."""
    if network.penalty is None:  # spares single instances the loop
        return
    for W_i, dW_i in zip(parameters.W[1:], into.W[1:], strict=True):
        add_penalty(network, W_i, dW_i)


def add_penalty(network: Network, W_i: Array, dW_i: Array) -> None:
    """The same for one layer, or for some of its weights."""
    if network.penalty is not None:
        dW_i += network.penalty.slope(W_i)
