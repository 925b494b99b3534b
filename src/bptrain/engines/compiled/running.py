"""The compiled loop at work: what runs a plan, and the forward pass of a network by itself."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bptrain.core.network import PLAIN, BatchContext, Network, views
from bptrain.core.objective import add_penalties, batch_divisor
from bptrain.engines.base import OptimizerState, Outputs, TrainingPlan, aligned
from bptrain.engines.compiled import cache
from bptrain.engines.compiled.batches import chunk_rows, scratch_numbers
from bptrain.engines.compiled.kernel import Name, kernel_source
from bptrain.engines.compiled.kernel_plan import KernelPlan, Updates
from bptrain.engines.compiled.onednn import onednn
from bptrain.engines.row_threads import LEAST_PART, Parts
from bptrain.engines.threads import gains_from_threads
from bptrain.mapped_rows import by_rows, room_of
from bptrain.parts.types import Array


def kernel_plan_of(plan: TrainingPlan, dtype: DTypeLike) -> KernelPlan:
    """What the loop of a plan is written for."""
    masked = plan.network.masked
    if not plan.network.input_steps:  # then x_0 is masked before it comes here
        masked = tuple(i for i in masked if i > 0)
    updates = None  # a solver moves the weights itself
    if plan.solver is None:
        updates = Updates(plan.optimizer, plan.schedule, len(plan.rates) > 1, plan.transform)
    single = plan.batch_size == 1 and updates is not None
    return KernelPlan(plan.network, np.dtype(dtype).name, single, updates, plan.weighted, masked)


def sources(plan: TrainingPlan, dtype: DTypeLike, threads: int = 1) -> list[str]:
    """The texts of what runs a plan. Raises Untranslatable."""
    kernel_plan = kernel_plan_of(plan, dtype)
    return [kernel_source(kernel_plan, name) for name in kernels(plan, dtype, threads)]


def kernels(plan: TrainingPlan, dtype: DTypeLike, threads: int) -> tuple[Name, ...]:
    """What runs a plan: one loop for all of it, or, where a batch's rows are shared out, gradient and update apart."""
    if plan.solver is not None:
        return ("gradient",)
    return ("gradient", "apply") if plan.batch_size > most_at_once(plan, dtype, threads) else ("run_slice",)


def most_at_once(plan: TrainingPlan, dtype: DTypeLike, threads: int) -> int:
    """The rows of a batch from which on they are shared out: a chunk's; fewer where no product has threads itself."""
    products_have_threads = np.dtype(dtype) == np.float32 and onednn() is not None
    if threads == 1 or products_have_threads or not gains_from_threads(plan):
        return chunk_rows(plan.network)
    return LEAST_PART


class NumbaEngine:
    """Runs the compiled loop, slice by slice. Raises Untranslatable or a NumbaError where a part cannot be compiled."""

    name = "numba"
    step_work = 2e3

    def __init__(self, plan: TrainingPlan, dtype: DTypeLike, threads: int = 1) -> None:
        clock = time.perf_counter()
        self.plan, self.kernel_plan = plan, kernel_plan_of(plan, dtype)
        self._rates = np.array(plan.rates, np.float64)
        self._dtype, self._threads = dtype, threads
        self._compiled = {name: compiled(self.kernel_plan, name) for name in kernels(plan, dtype, threads)}
        self._parts, self._scratch = Parts(threads), Scratch(plan.network, dtype)
        self.compile_seconds = time.perf_counter() - clock

    def run_slice(
        self,
        state: OptimizerState,
        X: Array,
        T: Array,
        context: BatchContext = PLAIN,
        noise: Array | None = None,
    ) -> float:
        """See `Engine.run_slice`."""
        plan = self.plan
        X, T = contiguous(dropped_inputs(plan.network, X, context), state.w), contiguous(T, state.w)
        with_rows = self._context_arrays(context, len(X), state.w)
        drawn = [] if noise is None else [contiguous(noise, state.w)]
        scalar = [kind == "scalar" for kind in plan.optimizer.slots.values()]
        slots = [np.reshape(slot, -1) for slot in state.slots]  # a scalar slot as a vector of one
        rates = self._rates * state.rate_factor
        batch, place = plan.batch_size, (plan.epoch_of(state.t + 1), plan.steps_per_epoch, plan.epochs)
        if "run_slice" in self._compiled:
            run = self._compiled["run_slice"]
            scratch = self._scratch.of(min(batch, len(X)))
            given = (X, T, *with_rows, *drawn, scratch, batch)
            loss_sum = float(run(state.w, *slots, *given, state.t, rates, *place))
            state.t += -(-len(X) // batch)
        else:
            loss_sum = 0.0
            for k, a in enumerate(range(0, len(X), batch)):
                rows = slice(a, min(a + batch, len(X)))
                total = batch_divisor(plan.network, rows.stop - a, context.part(rows).sample_weight)
                of_rows = [array[rows] for array in with_rows]
                g, loss = self._gradient_and_loss(state.w, X[rows], T[rows], of_rows, total)
                given = (g, *(array[k : k + 1] for array in drawn), loss, total)
                self._compiled["apply"](state.w, *slots, *given, state.t, rates, *place)
                loss_sum += loss
                state.t += 1
        state.slots = tuple(
            slot.reshape(()) if one else slot for slot, one in zip(slots, scalar, strict=True)
        )
        return loss_sum

    def gradient(self, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
        """See `Engine.gradient`."""
        network, X = self.plan.network, contiguous(dropped_inputs(self.plan.network, X, context), w)
        total = batch_divisor(network, len(X), context.sample_weight)
        g = self._gradient_and_loss(w, X, contiguous(T, w), self._context_arrays(context, len(X), w), total)[
            0
        ]
        add_penalties(network, views(network, w), views(network, g))
        return g

    def _context_arrays(self, context: BatchContext, rows: int, w: Array) -> list[Array]:
        """The arrays that the loops take in addition to inputs and targets, weights of 1 and masks of 1 included."""
        V = (
            []
            if not self.kernel_plan.weighted
            else [np.ones(rows, w.dtype) if context.sample_weight is None else context.sample_weight]
        )
        sizes = self.kernel_plan.network.sizes
        M = [
            context.dropout_masks.get(i, np.ones((rows, sizes[i]), w.dtype)) for i in self.kernel_plan.masked
        ]
        return [contiguous(array, w) for array in (*V, *M)]

    def _gradient_and_loss(
        self, w: Array, X: Array, T: Array, with_rows: Sequence[Array], total: float
    ) -> tuple[Array, float]:
        if "gradient" not in self._compiled:
            self._compiled["gradient"] = compiled(self.kernel_plan, "gradient")
        gradient = self._compiled["gradient"]

        def of(rows: slice) -> tuple[Array, float]:
            g, scratch = aligned(w.shape, w.dtype), self._scratch.of(rows.stop - rows.start)
            of_rows = (array[rows] for array in with_rows)
            loss: float = gradient(w, X[rows], T[rows], *of_rows, total, g, scratch)
            return g, loss

        (g, loss), *others = self._parts.run(of, len(X), most_at_once(self.plan, self._dtype, self._threads))
        for more, more_loss in others:
            g += more
            loss += more_loss
        return g, loss

    def outputs(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        return self._forward(w, X)

    @cached_property
    def _forward(self) -> "CompiledForward":
        """Compiled when it is first asked for: who checks a gradient evaluates nothing."""
        clock = time.perf_counter()
        forward = CompiledForward(self.plan.network, self._dtype, self._threads)
        self.compile_seconds += time.perf_counter() - clock
        return forward

    def prepare_to_evaluate(self) -> None:
        """Compiles the forward pass now."""
        _ = self._forward


class CompiledForward:
    """The compiled forward pass of a network, by itself."""

    def __init__(self, network: Network, dtype: DTypeLike, threads: int = 1) -> None:
        self.network = network
        self._outputs = compiled(KernelPlan(network, np.dtype(dtype).name, single=False), "outputs")
        self._parts, self._scratch = Parts(threads), Scratch(network, dtype)

    def __call__(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        X = contiguous(X, w)
        room = room_of(X)
        Z_L, X_L = (room.empty((len(X), self.network.sizes[-1]), w.dtype) for _ in range(2))

        def of(rows: slice) -> None:
            scratch = self._scratch.of(rows.stop - rows.start)
            self._outputs(w, X[rows], Z_L[rows], X_L[rows], scratch)

        self._parts.run(of, len(X), chunk_rows(self.network))
        return Outputs(Z_L, X_L)


class Scratch:
    """Room for the matrices of a batch, kept by each thread: fresh pages cost a wide network's update 5 %."""

    def __init__(self, network: Network, dtype: DTypeLike) -> None:
        self.network, self.dtype = network, dtype
        self._of_thread = threading.local()

    def of(self, rows: int) -> Array:
        """Room for batches of up to this many rows."""
        numbers = scratch_numbers(self.network, rows)
        room: Array | None = getattr(self._of_thread, "room", None)
        if room is None or len(room) < numbers:
            room = self._of_thread.room = aligned((numbers,), self.dtype)
        return room


def dropped_inputs(network: Network, X: Array, context: BatchContext) -> Array:
    """Y_0 = X_0 ∘ M_0; with steps before W_1, which come before the mask, X as it is."""
    if 0 not in context.dropout_masks or network.input_steps:
        return X
    return by_rows(np.multiply, X, context.dropout_masks[0])


def contiguous(array: Array, w: Array) -> Array:
    """An array as the compiled loops take it: of the dtype of w, row by row, and theirs to write to."""
    return np.require(array, w.dtype, ["C_CONTIGUOUS", "WRITEABLE"])


def compiled(kernel_plan: KernelPlan, name: Name) -> Callable[..., Any]:
    """A function of the kernel for a plan."""
    from numba import types

    real = types.float32 if kernel_plan.dtype == "float32" else types.float64
    flat, matrix, count = real[::1], real[:, ::1], types.int64
    signature: tuple[Any, ...]
    context = [*([flat] if kernel_plan.weighted else []), *(matrix for _ in kernel_plan.masked)]
    if name == "gradient":
        signature = (flat, matrix, matrix, *context, types.float64, flat, flat)
    elif name == "outputs":
        signature = (flat, matrix, matrix, matrix, flat)
    else:
        assert kernel_plan.updates is not None
        state = [flat] * (1 + len(kernel_plan.updates.optimizer.slots))
        noise = [matrix] if kernel_plan.updates.transform.noise is not None else []
        of_rows = (matrix, matrix, *context, *noise, flat, count)
        of_gradient = (flat, *noise, types.float64, types.float64)
        given = of_rows if name == "run_slice" else of_gradient
        signature = (*state, *given, count, types.float64[::1], count, count, count)
    return cache.compiled(kernel_source(kernel_plan, name), name, signature)
