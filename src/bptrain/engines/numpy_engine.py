"""The engine `numpy`: NumPy, batch after batch.

Every installation has it.

What the matrix products write is allocated once; element-wise formulas allocate as they please, which costs about
two percent. Of a large network, a rule that takes each weight by itself goes over them a piece at a time, so that what
it allocates stays in the cache; of a larger one, as soon as δ below a layer is known, so that the gradient is never in
memory as a whole. The pre-activations Z_L of a whole slice are kept, so that the losses are computed once per slice.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from bptrain.core.backprop import Workspace, backward, deltas, forward, gradient, workspace
from bptrain.core.network import PLAIN, BatchContext, Network, Views, views
from bptrain.core.objective import add_penalties, add_penalty, batch_divisor, loss_sum, penalty_at, row_losses
from bptrain.engines.base import OptimizerState, Outputs, TrainingPlan, aligned
from bptrain.engines.gradient_transform import project_max_norm, transform_gradient
from bptrain.engines.registry import Costs, EngineEntry
from bptrain.parts.optimizers import Slots
from bptrain.parts.types import Array

CHUNK_NUMBERS = 2_000_000  # matrix entries of one layer in memory at a time, in a forward pass alone
PIECE_NUMBERS = 2**17  # weights that are updated at a time
PRODUCT_NUMBERS = 2**20  # of one dW_i in memory at a time; products that give less are less efficient


class NumpyEngine:
    """Runs `core/backprop.py` and the optimizer's rule, update by update."""

    name = "numpy"
    step_work = 2e4
    compile_seconds = 0.0

    def __init__(self, plan: TrainingPlan) -> None:
        self.plan = plan
        self._spaces: dict[int, Workspace] = {}  # by rows: the batch, and a shorter last one
        self._in_pieces = plan.network.size > PIECE_NUMBERS and is_elementwise(plan)
        whole = plan.transform.whole or plan.accumulate > 1 or plan.network.size <= PRODUCT_NUMBERS
        self._by_layers = self._in_pieces and not whole
        self._kept: Array | None = None  # see `_room`

    def run_slice(
        self,
        state: OptimizerState,
        X: Array,
        T: Array,
        context: BatchContext = PLAIN,
        noise: Array | None = None,
    ) -> float:
        """See `Engine.run_slice`."""
        with np.errstate(all="ignore"):  # the trainer looks for what is not finite, once per slice
            return self._updates(state, X, T, context, noise)

    def _updates(
        self, state: OptimizerState, X: Array, T: Array, context: BatchContext, noise: Array | None
    ) -> float:
        plan, network, L = self.plan, self.plan.network, self.plan.network.L
        B = plan.batch_size
        steps_per_epoch, epoch = plan.steps_per_epoch, plan.epoch_of(state.t + 1)
        w = state.w
        parameters = views(network, w)
        if not self._by_layers:
            g, alpha = aligned(w.shape, w.dtype), rate_of_each_weight(plan, w.dtype) * state.rate_factor
            dw = views(network, g)
        Z_L = np.empty((len(X), network.sizes[L]), w.dtype)
        E = np.nan
        for update, a in enumerate(range(0, len(X), B)):
            rows = slice(a, min(a + B, len(X)))
            of_rows = context.part(rows)
            divisor = batch_divisor(network, rows.stop - a, of_rows.sample_weight)
            if self._by_layers:
                space = self._forward(parameters, X[rows], of_rows, Z_L[rows])
            else:
                self._gradient(parameters, dw, X[rows], T[rows], of_rows, divisor, Z_L[rows])
                transform_gradient(plan.transform, g, None if noise is None else noise[update])
            if plan.optimizer.needs_loss:
                E = (
                    float(loss_sum(row_losses(network, Z_L[rows], None, T[rows]), of_rows.sample_weight))
                    / divisor
                )
                E += penalty_at(network, w)
            state.t += 1
            factor = plan.schedule(state.t - 1, epoch, steps_per_epoch, plan.epochs)
            if self._by_layers:
                back = deltas(network, parameters, T[rows], space, of_rows, divisor)
                self._step_by_layers(state, back, space, factor, E)
            else:
                self._step(state, g, alpha * factor, E)
            project_max_norm(plan.transform, parameters)
        losses = row_losses(network, Z_L, None, T)
        return float(loss_sum(losses.astype(np.float64), context.sample_weight))

    def _step(self, state: OptimizerState, g: Array, rate: float | Array, E: float) -> None:
        """An update by the rule."""
        w, rule = state.w, self.plan.optimizer
        if not self._in_pieces:
            step, after = rule.step(g, state.slots, w, rate, state.t, E)
            # a rule may keep the gradient or the weights, but here both are arrays that will change
            state.slots = tuple(slot.copy() if slot is g or slot is w else slot for slot in after)
            w -= step
            return
        after = before = state.slots
        for a in range(0, w.size, PIECE_NUMBERS):
            part = slice(a, a + PIECE_NUMBERS)
            of_part = rate if isinstance(rate, float) else rate[part]
            after = self._step_of(part, state, before, g[part], of_part, E)
        state.slots = after

    def _step_by_layers(
        self, state: OptimizerState, back: Iterator[int], space: Workspace, factor: float, E: float
    ) -> None:
        """An update by the rule, layer by layer as `deltas` comes back, without the gradient as a whole."""
        after = before = state.slots
        for i in back:
            rate = self.plan.rates[min(i, len(self.plan.rates)) - 1] * state.rate_factor * factor
            for start, g in self._pieces_of_gradient(i, state.w, space):
                for a in range(0, g.size, PIECE_NUMBERS):
                    some = g[a : a + PIECE_NUMBERS]
                    part = slice(start + a, start + a + some.size)
                    after = self._step_of(part, state, before, some, rate, E)
        state.slots = after

    def _pieces_of_gradient(self, i: int, w: Array, space: Workspace) -> Iterator[tuple[int, Array]]:
        """Some rows of dW_i at a time, then db_i: where they begin in the flat vector, and what they are."""
        network, Y, D = self.plan.network, space.Y, space.D
        for block in network.blocks:
            if block.layer != i:
                continue
            if block.kind == "bias":
                g = np.dot(space.ones, D[i])
                transform_gradient(self.plan.transform, g, None)
                yield block.start, g
                continue
            n_out, n_in = block.shape
            most = max(1, PRODUCT_NUMBERS // n_in)
            for j in range(0, n_out, most):
                # of these units; in a matrix of its own, as by a view of D_i the product takes a fifth longer
                of_units = np.ascontiguousarray(D[i][:, j : j + most])
                g, start = self._room(of_units.shape[1] * n_in, w.dtype), block.start + j * n_in
                np.dot(of_units.T, Y[i - 1], out=g.reshape(-1, n_in))
                add_penalty(network, w[start : start + g.size], g)
                transform_gradient(self.plan.transform, g, None)
                yield start, g

    def _room(self, numbers: int, dtype: np.dtype[np.generic]) -> Array:
        """Room for a piece of the gradient, kept for the next one."""
        if self._kept is None or self._kept.size < numbers or self._kept.dtype != dtype:
            self._kept = aligned((numbers,), dtype)
        return self._kept[:numbers]

    def _step_of(
        self, part: slice, state: OptimizerState, before: Slots, g: Array, rate: float | Array, E: float
    ) -> Slots:
        """An update of some weights by the rule, which takes each by itself; `before` are the slots of all."""
        w, rule = state.w, self.plan.optimizer
        scalar = [kind == "scalar" for kind in rule.slots.values()]
        given = tuple(slot if one else slot[part] for slot, one in zip(before, scalar, strict=True))
        step, after = rule.step(g, given, w[part], rate, state.t, E)
        for slot, new, one in zip(before, after, scalar, strict=True):
            if not one:
                slot[part] = new
        w[part] -= step
        return tuple(new if one else slot for slot, new, one in zip(before, after, scalar, strict=True))

    def _forward(self, parameters: Views, X: Array, context: BatchContext, Z_L: Array) -> Workspace:
        """The forward pass of a batch, with its Z_L where it is to be kept."""
        space = self._space(len(X), parameters.flat.dtype)
        space.Z[self.plan.network.L] = Z_L
        forward(self.plan.network, parameters, X, space, context)
        return space

    def _gradient(
        self,
        parameters: Views,
        dw: Views,
        X: Array,
        T: Array,
        context: BatchContext,
        divisor: float,
        Z_L: Array,
    ) -> None:
        """The gradient of a batch into dw, in as many parts as are asked for, and its Z_L."""
        network = self.plan.network
        most = -(-self.plan.batch_size // self.plan.accumulate)
        for a in range(0, len(X), most):
            part = slice(a, min(a + most, len(X)))
            of_part = context.part(part)
            space = self._forward(parameters, X[part], of_part, Z_L[part])
            into = dw if a == 0 else views(network, np.empty_like(dw.flat))
            backward(network, parameters, T[part], space, into, of_part, divisor)
            if a > 0:
                dw.flat[...] += into.flat
        add_penalties(network, parameters, dw)

    def gradient(self, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
        """See `Engine.gradient`."""
        with np.errstate(all="ignore"):
            return gradient(self.plan.network, w, X, T, context)

    def outputs(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        return numpy_outputs(self.plan.network, w, X)

    def _space(self, rows: int, dtype: np.dtype[np.generic]) -> Workspace:
        space = self._spaces.get(rows)
        if space is None:
            space = self._spaces[rows] = workspace(self.plan.network, rows, dtype)
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


def is_elementwise(plan: TrainingPlan) -> bool:
    """Whether the rule is known to take no sums over the weights: it can be written out for a single one."""
    # here, as a network small enough to be updated whole needs no translator
    from bptrain.engines.compiled.target import NUMBA
    from bptrain.translate.expressions import Untranslatable
    from bptrain.translate.update_rules import write_rule

    if plan.solver is not None:
        return False
    try:
        write_rule(plan.optimizer, NUMBA)  # in whichever language
    except Untranslatable:
        return False
    return True


def rate_of_each_weight(plan: TrainingPlan, dtype: np.dtype[np.generic]) -> float | Array:
    """α before the schedule: one number, or one for each entry of the flat vector."""
    if not isinstance(plan.rate, tuple):
        return plan.rate
    alpha: Array = np.empty(plan.network.size, dtype)
    for block in plan.network.blocks:
        alpha[block.start : block.stop] = plan.rate[block.layer - 1]
    return alpha


ENTRY = EngineEntry(
    make=lambda plan, dtype, threads, evaluates: NumpyEngine(plan),
    forward=lambda network, dtype, threads: partial(numpy_outputs, network),
    costs=Costs(4e-5, 2e-8, 3e-9, 2e-9),  # rounded from runs on one machine; others differ by a small factor
)
