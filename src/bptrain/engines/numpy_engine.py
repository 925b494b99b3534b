"""The engine `numpy`: NumPy, batch after batch.

Every installation has it. What the matrix products write is allocated once; element-wise formulas allocate as they
please, which costs about two percent. Of a large network, a rule that takes each weight by itself goes over them a
piece at a time, so that what it allocates stays in the cache; of a larger one, as soon as δ below a layer is known, so
that the gradient is never in memory as a whole. The pre-activations Z_L of a whole slice are kept, so that the losses
are computed once per slice. The rows of a large batch are shared out among threads, each with a workspace and a
gradient, or a piece of it, of its own.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bptrain.core.backprop import Workspace, backward, deltas, forward, step_gradients, workspace
from bptrain.core.network import PLAIN, BatchContext, Block, Network, Views, views, views_of_steps
from bptrain.core.objective import add_penalties, add_penalty, batch_divisor, loss_sum, penalty_at, row_losses
from bptrain.engines.base import OptimizerState, Outputs, TrainingPlan, aligned
from bptrain.engines.elementwise import is_elementwise
from bptrain.engines.forward_rows import for_rows_in, numpy_outputs
from bptrain.engines.gradient_transform import project_max_norm, transform_gradient
from bptrain.engines.registry import Costs, EngineEntry, Forward
from bptrain.engines.row_threads import Parts, total
from bptrain.engines.threads import gains_from_threads
from bptrain.mapped_rows import IN_MEMORY, Room, by_rows, in_float64, room_of
from bptrain.parts.optimizers import Slots
from bptrain.parts.types import Array

PIECE_NUMBERS = 2**17  # weights that are updated at a time
PRODUCT_NUMBERS = 2**20  # of one dW_i in memory at a time; products that give less are less efficient
EXTRA_NUMBERS = 2**23  # of other threads' gradients in memory: 32 MB in float32
LEAST_SHARE = (
    128  # rows of a batch for a thread of their own: with half of them, 784-512-512-10 is done hardly sooner
)


class Share(NamedTuple):
    """Some rows of a batch, which one thread works on."""

    number: int  # among the shares of the batch
    rows: slice
    space: Workspace


class NumpyEngine:
    """Runs `core/backprop.py` and the optimizer's rule, update by update."""

    name = "numpy"
    step_work = 2e4
    compile_seconds = 0.0

    def __init__(self, plan: TrainingPlan, threads: int = 1) -> None:
        self.plan = plan
        self._kept_shares: dict[int, list[Share]] = {}  # by rows: the batch, and a shorter last one
        self._in_pieces = plan.network.size > PIECE_NUMBERS and is_elementwise(plan)
        whole = plan.transform.whole or plan.accumulate > 1 or plan.network.size <= PRODUCT_NUMBERS
        self._by_layers = self._in_pieces and not whole
        held = PRODUCT_NUMBERS if self._by_layers else plan.network.size  # of a gradient, by each thread
        self._parts = Parts(min(threads, 1 + EXTRA_NUMBERS // held) if gains_from_threads(plan) else 1)
        self._kept: dict[int, Array] = {}  # by the number of a share, see `_room`
        self._lie_by(IN_MEMORY)

    def run_slice(
        self,
        state: OptimizerState,
        X: Array,
        T: Array,
        context: BatchContext = PLAIN,
        noise: Array | None = None,
    ) -> float:
        """See `Engine.run_slice`."""
        self._lie_by(room_of(X))
        with np.errstate(all="ignore"):  # the trainer looks for what is not finite, once per slice
            return self._updates(state, X, T, context, noise)

    def _updates(
        self, state: OptimizerState, X: Array, T: Array, context: BatchContext, noise: Array | None
    ) -> float:
        plan, network, L = self.plan, self._network, self._network.L
        B = plan.batch_size
        steps_per_epoch, epoch = plan.steps_per_epoch, plan.epoch_of(state.t + 1)
        w = state.w
        parameters = views(network, w)
        if not self._by_layers:
            g, alpha = aligned(w.shape, w.dtype), rate_of_each_weight(plan, w.dtype) * state.rate_factor
            dw = views(network, g)
        Z_L = self._room_of_rows.empty((len(X), network.sizes[L]), w.dtype)
        E = np.nan
        for update, a in enumerate(range(0, len(X), B)):
            rows = slice(a, min(a + B, len(X)))
            of_rows = context.part(rows)
            divisor = batch_divisor(network, rows.stop - a, of_rows.sample_weight)
            if self._by_layers:
                shares = self._shares(rows.stop - a, w.dtype)
                self._parts.each(partial(self._forward, parameters, X[rows], of_rows, Z_L[rows]), shares)
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
                self._step_by_layers(state, parameters, T[rows], of_rows, shares, divisor, factor, E)
            else:
                self._step(state, g, alpha * factor, E)
            project_max_norm(plan.transform, parameters)
        losses = row_losses(network, Z_L, None, T)
        return float(loss_sum(in_float64(losses), context.sample_weight))

    def _lie_by(self, room: Room) -> None:
        """From here on the matrices of a batch lie where its rows do."""
        self._room_of_rows, self._network = room, for_rows_in(room, self.plan.network)

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
        self,
        state: OptimizerState,
        parameters: Views,
        T: Array,
        context: BatchContext,
        shares: list[Share],
        divisor: float,
        factor: float,
        E: float,
    ) -> None:
        """An update by the rule, layer by layer as `deltas` comes back, without the gradient as a whole."""
        network = self._network
        all_back = [
            deltas(network, parameters, T[rows], space, context.part(rows), divisor)
            for _, rows, space in shares
        ]
        after = before = state.slots
        for _ in range(network.L + bool(network.input_steps)):
            i = self._parts.each(next, all_back)[0]  # one layer further, in every share
            for block, start, g in self._pieces_of_gradient(i, parameters, shares):
                rate = self.plan.rate_of(block) * state.rate_factor * factor
                for a in range(0, g.size, PIECE_NUMBERS):
                    some = g[a : a + PIECE_NUMBERS]
                    part = slice(start + a, start + a + some.size)
                    after = self._step_of(part, state, before, some, rate, E)
        state.slots = after

    def _pieces_of_gradient(
        self, i: int, parameters: Views, shares: list[Share]
    ) -> Iterator[tuple[Block, int, Array]]:
        """Some rows of dW_i at a time, then db_i: where they begin in the flat vector, and what they are.

        Layer 0 is that of the steps before W_1.
        """
        network, w = self.plan.network, parameters.flat
        of_steps = self._gradient_of_steps(parameters, shares) if i == 0 else None
        for block in network.blocks:
            if block.layer != i:
                continue
            if of_steps is not None:
                yield block, block.start, of_steps[block.start : block.stop]
                continue
            if block.kind == "bias":
                g = total([np.dot(share.space.ones, share.space.D[i]) for share in shares])
                transform_gradient(self.plan.transform, g, None)
                yield block, block.start, g
                continue
            n_out, n_in = block.shape
            most = max(1, PRODUCT_NUMBERS // n_in)
            for j in range(0, n_out, most):
                g, start = total(self._some_rows_of_dW(i, slice(j, j + most), shares)), block.start + j * n_in
                add_penalty(network, w[start : start + g.size], g)
                transform_gradient(self.plan.transform, g, None)
                yield block, start, g

    def _gradient_of_steps(self, parameters: Views, shares: list[Share]) -> Array:
        """The gradients of the steps before W_1, once D_0 is there, as the beginning of the flat vector."""
        network = self._network

        def gradients(share: Share) -> Array:
            g = self._room(share, network.of_steps, parameters.flat.dtype)
            step_gradients(network, parameters, share.space, views_of_steps(network, g))
            return g

        g = total(self._parts.each(gradients, shares))
        transform_gradient(self.plan.transform, g, None)
        return g

    def _some_rows_of_dW(self, i: int, units: slice, shares: list[Share]) -> list[Array]:
        """D_iᵀ Y_{i−1} of these units of layer i, as a flat array, from each share."""

        def product(share: Share) -> Array:
            # in a matrix of its own, as by a view of D_i the product takes a fifth longer
            D, Y = by_rows(np.ascontiguousarray, share.space.D[i][:, units]), share.space.Y[i - 1]
            g = self._room(share, D.shape[1] * Y.shape[1], D.dtype)
            np.dot(D.T, Y, out=g.reshape(D.shape[1], -1))
            return g

        return self._parts.each(product, shares)

    def _room(self, share: Share, numbers: int, dtype: np.dtype[np.generic]) -> Array:
        """Room for the gradient of a share, or a piece of it, kept, as fresh memory takes a tenth of an update."""
        kept = self._kept.get(share.number)
        if kept is None or kept.size < numbers or kept.dtype != dtype:
            kept = self._kept[share.number] = aligned((numbers,), dtype)
        return kept[:numbers]

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

    def _shares(self, rows: int, dtype: np.dtype[np.generic]) -> list[Share]:
        """So many rows as they are shared out among threads."""
        shares = self._kept_shares.get(rows)
        if shares is None:
            shares = self._kept_shares[rows] = [
                Share(
                    number, part, workspace(self._network, part.stop - part.start, dtype, self._room_of_rows)
                )
                for number, part in enumerate(self._parts.of(rows, LEAST_SHARE))
            ]
        return shares

    def _forward(self, parameters: Views, X: Array, context: BatchContext, Z_L: Array, share: Share) -> None:
        """The forward pass of a share of the rows X, with its Z_L where it is to be kept."""
        share.space.Z[self.plan.network.L] = Z_L[share.rows]
        forward(self._network, parameters, X[share.rows], share.space, context.part(share.rows))

    def _gradient_of(
        self,
        parameters: Views,
        X: Array,
        T: Array,
        context: BatchContext,
        divisor: float,
        Z_L: Array,
        given: tuple[Share, Views],
    ) -> None:
        """The gradient of a share of the rows X, and its Z_L; `given` are the share and where its gradient goes."""
        (share, into), network = given, self._network
        self._forward(parameters, X, context, Z_L, share)
        of_share = context.part(share.rows)
        backward(network, parameters, T[share.rows], share.space, into, of_share, divisor)

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
            shares = self._shares(part.stop - a, dw.flat.dtype)
            others = shares if a else shares[1:]  # than the one whose gradient goes straight into dw
            rooms = [self._room(share, dw.flat.size, dw.flat.dtype) for share in others]
            into = [*([] if a else [dw]), *(views(network, g) for g in rooms)]
            of_share = partial(
                self._gradient_of, parameters, X[part], T[part], context.part(part), divisor, Z_L[part]
            )
            self._parts.each(of_share, zip(shares, into, strict=True))
            for g in rooms:
                dw.flat[...] += g
        add_penalties(network, parameters, dw)

    def gradient(self, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
        """See `Engine.gradient`."""
        self._lie_by(room_of(X))
        network, parameters = self._network, views(self._network, w)
        divisor = batch_divisor(network, len(X), context.sample_weight)

        def of(rows: slice) -> Array:
            g, of_rows = np.empty_like(w), context.part(rows)
            space = workspace(network, rows.stop - rows.start, w.dtype, self._room_of_rows)
            forward(network, parameters, X[rows], space, of_rows)
            backward(network, parameters, T[rows], space, views(network, g), of_rows, divisor)
            return g

        with np.errstate(all="ignore"):
            g = total(self._parts.run(of, len(X), LEAST_SHARE))
            add_penalties(network, parameters, views(network, g))
        return g

    def outputs(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        return numpy_outputs(self.plan.network, w, X, self._parts)


def rate_of_each_weight(plan: TrainingPlan, dtype: np.dtype[np.generic]) -> float | Array:
    """α before the schedule: one number, or one for each entry of the flat vector."""
    if plan.one_rate:
        return plan.rates[0]
    alpha: Array = np.empty(plan.network.size, dtype)
    for block in plan.network.blocks:
        alpha[block.start : block.stop] = plan.rate_of(block)
    return alpha


def forward_pass(network: Network, dtype: DTypeLike, threads: int) -> Forward:
    """The forward pass of a network by itself."""
    parts = Parts(threads)
    return lambda w, X: numpy_outputs(network, w, X, parts)


ENTRY = EngineEntry(
    make=lambda plan, dtype, threads, evaluates: NumpyEngine(plan, threads),
    forward=forward_pass,
    costs=Costs(4e-5, 2e-8, 3e-9, 2e-9),  # rounded from runs on one machine; others differ by a small factor
)
