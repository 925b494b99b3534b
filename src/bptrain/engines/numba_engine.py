"""The compiled engine: a loop written for the task's network by `compiled/`, run through Numba and BLAS."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bptrain.core.network import Network
from bptrain.engines.base import Memory, Outputs, Task, aligned
from bptrain.engines.compiled import cache
from bptrain.engines.compiled.batches import chunk_rows
from bptrain.engines.compiled.kernel import Name, kernel_source
from bptrain.engines.compiled.pieces import Plan, Updates
from bptrain.engines.compiled.values import Untranslatable
from bptrain.parts.types import Array

NEEDS = ("numba", "scipy", "platformdirs")  # the extra `fast`


def plan_of(task: Task, dtype: DTypeLike) -> Plan:
    """What the loop of a task is written for."""
    chunked = task.batch_size > chunk_rows(task.network)
    updates = Updates(task.optimizer, task.schedule, chunked, rate_per_layer=len(task.rates) > 1)
    return Plan(task.network, np.dtype(dtype).name, task.batch_size == 1, updates)


def uncovered(task: Task, dtype: DTypeLike) -> str | None:
    """Why the loop of a task cannot be written, in words; None where it can."""
    try:
        kernel_source(plan_of(task, dtype), "run_slice")
    except Untranslatable as error:
        return f"not compiled, {error}"
    return None


def is_compiled(task: Task, dtype: DTypeLike) -> bool:
    """Whether the loop of a task was compiled at an earlier time, so that the engine is made at once."""
    return cache.is_compiled(kernel_source(plan_of(task, dtype), "run_slice"))


def missing() -> str | None:
    """Why compiled loops cannot be had here, in words; None where they can."""
    absent = [name for name in NEEDS if find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
    try:
        import numba
    except ImportError as error:  # such as a NumPy that is too new for it
        return f"numba cannot be imported: {error}"
    return "NUMBA_DISABLE_JIT is set" if numba.config.DISABLE_JIT else None


class NumbaEngine:
    """Runs the compiled loop. Raises Untranslatable or a NumbaError where a part cannot be compiled."""

    name = "numba"
    step_work = 2e3

    def __init__(self, task: Task, dtype: DTypeLike) -> None:
        clock = time.perf_counter()
        self.task, self.plan = task, plan_of(task, dtype)
        self._rates = np.array(task.rates, np.float64)
        self._run_slice = compiled(self.plan, "run_slice")
        self._forward = Forward(task.network, dtype)
        self._gradient: Callable[..., Any] | None = None
        self.compile_seconds = time.perf_counter() - clock

    def run_slice(self, memory: Memory, X: Array, T: Array) -> float:
        """See `Engine.run_slice`."""
        task = self.task
        scalar = [kind == "scalar" for kind in task.optimizer.slots.values()]
        slots = [np.reshape(slot, -1) for slot in memory.slots]  # a scalar slot as a vector of one
        loss_sum = self._run_slice(
            memory.w, *slots, contiguous(X, memory.w), contiguous(T, memory.w), task.batch_size, memory.t,
            self._rates, task.epoch_of(memory.t + 1), task.steps_per_epoch, task.epochs,
        )  # fmt: skip
        memory.t += -(-len(X) // task.batch_size)
        memory.slots = tuple(
            slot.reshape(()) if one else slot for slot, one in zip(slots, scalar, strict=True)
        )
        return float(loss_sum)

    def gradient(self, w: Array, X: Array, T: Array) -> Array:
        """See `Engine.gradient`."""
        if self._gradient is None:
            self._gradient = compiled(self.plan, "gradient")
        g = aligned(w.shape, w.dtype)
        self._gradient(w, contiguous(X, w), contiguous(T, w), g)
        return g

    def outputs(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        return self._forward(w, X)


class Forward:
    """The compiled forward pass of a network, by itself."""

    def __init__(self, network: Network, dtype: DTypeLike) -> None:
        self.n_L = network.sizes[-1]
        self._outputs = compiled(Plan(network, np.dtype(dtype).name, single=False), "outputs")

    def __call__(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        Z, out = (np.empty((len(X), self.n_L), w.dtype) for _ in range(2))
        self._outputs(w, contiguous(X, w), Z, out)
        return Outputs(Z, out)


def contiguous(array: Array, w: Array) -> Array:
    """An array as the compiled loops take it: of the dtype of w, row by row, and theirs to write to."""
    return np.require(array, w.dtype, ["C_CONTIGUOUS", "WRITEABLE"])


def compiled(plan: Plan, name: Name) -> Callable[..., Any]:
    """A function of the kernel for a plan."""
    from numba import types

    real = types.float32 if plan.dtype == "float32" else types.float64
    flat, matrix, count = real[::1], real[:, ::1], types.int64
    signature: tuple[Any, ...]
    if name == "gradient":
        signature = (flat, matrix, matrix, flat)
    elif name == "outputs":
        signature = (flat, matrix, matrix, matrix)
    else:
        assert plan.updates is not None
        slots = [flat] * len(plan.updates.optimizer.slots)
        signature = (flat, *slots, matrix, matrix, count, count, types.float64[::1], count, count, count)
    return cache.compiled(kernel_source(plan, name), name, signature)
