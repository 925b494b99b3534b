"""The engine that everyone has: NumPy, one batch after the other.

What the matrix products write is allocated once; element-wise formulas allocate as they please, which costs about
two percent. The pre-activations Z_L of a whole slice are kept, so that the losses are computed once a slice.
"""

import numpy as np

from bptrain.core.backprop import Workspace, backward, forward, gradient, row_losses, workspace
from bptrain.core.network import Network, views
from bptrain.engines.base import Memory, Outputs, Task, aligned
from bptrain.parts.types import Array

CHUNK_NUMBERS = 2_000_000  # matrix entries of one layer in memory at a time, in a forward pass alone


class NumpyEngine:
    """Runs `core/backprop.py` and the optimizer's rule, update by update."""

    name = "numpy"
    step_work = 2e4
    compile_seconds = 0.0

    def __init__(self, task: Task) -> None:
        self.task = task
        self._spaces: dict[int, Workspace] = {}  # by rows: the batch, and a shorter last one

    def run_slice(self, memory: Memory, X: Array, T: Array) -> float:
        """See `Engine.run_slice`."""
        with np.errstate(all="ignore"):  # the trainer looks for what is not finite, once a slice
            return self._updates(memory, X, T)

    def _updates(self, memory: Memory, X: Array, T: Array) -> float:
        task, network, L = self.task, self.task.network, self.task.network.L
        step_rule, B = task.optimizer.step, task.batch_size
        steps_per_epoch, epoch = task.steps_per_epoch, task.epoch_of(memory.t + 1)
        w, g = memory.w, aligned(memory.w.shape, memory.w.dtype)
        alpha = rate_of_each_weight(task, w.dtype) * memory.rate_factor
        parameters, dw = views(network, w), views(network, g)
        Z_L = np.empty((len(X), network.sizes[L]), w.dtype)
        E, space = np.nan, self._space(min(B, len(X)), w.dtype)
        for a in range(0, len(X), B):
            X_0, t = X[a : a + B], T[a : a + B]
            if len(X_0) < B:
                space = self._space(len(X_0), w.dtype)
            space.Z[L] = Z_L[a : a + B]
            X_L = forward(network, parameters, X_0, space)
            backward(network, parameters, t, space, dw)
            if task.optimizer.needs_loss:
                E = float(row_losses(network, space.Z[L], X_L, t).sum()) / network.divisor(len(t))
            memory.t += 1
            rate = alpha * task.schedule(memory.t - 1, epoch, steps_per_epoch, task.epochs)
            step, memory.slots = step_rule(g, memory.slots, w, rate, memory.t, E)
            w -= step
        return float(row_losses(network, Z_L, None, T).sum(dtype=np.float64))

    def gradient(self, w: Array, X: Array, T: Array) -> Array:
        """See `Engine.gradient`."""
        with np.errstate(all="ignore"):
            return gradient(self.task.network, w, X, T)

    def outputs(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        return numpy_outputs(self.task.network, w, X)

    def _space(self, rows: int, dtype: np.dtype[np.generic]) -> Workspace:
        space = self._spaces.get(rows)
        if space is None:
            space = self._spaces[rows] = workspace(self.task.network, rows, dtype)
        return space


def numpy_outputs(network: Network, w: Array, X: Array) -> Outputs:
    """Z_L and X_L of the rows X, a chunk of rows at a time."""
    parameters, L = views(network, w), network.L
    Z_L, X_L = (np.empty((len(X), network.sizes[L]), w.dtype) for _ in range(2))
    chunk = max(1, CHUNK_NUMBERS // max(network.sizes))
    with np.errstate(all="ignore"):
        for a in range(0, len(X), chunk):
            rows = slice(a, min(a + chunk, len(X)))
            space = workspace(network, rows.stop - a, w.dtype)
            space.Z[L] = Z_L[rows]
            X_L[rows] = forward(network, parameters, X[rows], space)
    return Outputs(Z_L, X_L)


def rate_of_each_weight(task: Task, dtype: np.dtype[np.generic]) -> float | Array:
    """α before the schedule: one number, or one for each entry of the flat vector."""
    if not isinstance(task.rate, tuple):
        return task.rate
    alpha: Array = np.empty(task.network.size, dtype)
    for block in task.network.blocks:
        alpha[block.start : block.stop] = task.rate[block.layer - 1]
    return alpha
