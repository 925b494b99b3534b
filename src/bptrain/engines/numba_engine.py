"""The compiled engine: a loop written for the task's network by `compiled/`, run through Numba and BLAS."""

import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

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

Result = TypeVar("Result")

NEEDS = ("numba", "scipy", "platformdirs")  # the extra `fast`


def plan_of(task: Task, dtype: DTypeLike) -> Plan:
    """What the loop of a task is written for."""
    if task.solver is not None:  # which moves the weights itself
        return Plan(task.network, np.dtype(dtype).name, single=False)
    updates = Updates(task.optimizer, task.schedule, rate_per_layer=len(task.rates) > 1)
    return Plan(task.network, np.dtype(dtype).name, task.batch_size == 1, updates)


def sources(task: Task, dtype: DTypeLike) -> list[str]:
    """The texts of what trains a task. Raises Untranslatable."""
    plan = plan_of(task, dtype)
    return [kernel_source(plan, name) for name in kernels(task)]


def kernels(task: Task) -> tuple[Name, ...]:
    """What trains a task: one loop for all of it, or, where a batch is more than a chunk, gradient and update apart."""
    if task.solver is not None:
        return ("gradient",)
    return ("gradient", "apply") if task.batch_size > chunk_rows(task.network) else ("run_slice",)


def uncovered(task: Task, dtype: DTypeLike) -> str | None:
    """Why the loop of a task cannot be written, in words; None where it can."""
    try:
        sources(task, dtype)
    except Untranslatable as error:
        return f"not compiled, {error}"
    return None


def is_compiled(task: Task, dtype: DTypeLike) -> bool:
    """Whether the loop of a task was compiled at an earlier time, so that the engine is made at once."""
    return all(cache.is_compiled(source) for source in sources(task, dtype))


def missing() -> str | None:
    """Why compiled loops cannot be had here, in words; None where they can."""
    absent = [name for name in NEEDS if find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
    try:
        import numba

        import_module("scipy.linalg.cython_blas")
    except ImportError as error:  # such as a NumPy that is too new for it
        return f"numba or scipy cannot be imported: {error}"
    return "NUMBA_DISABLE_JIT is set" if numba.config.DISABLE_JIT else None


class NumbaEngine:
    """Runs the compiled loop. Raises Untranslatable or a NumbaError where a part cannot be compiled."""

    name = "numba"
    step_work = 2e3

    def __init__(self, task: Task, dtype: DTypeLike, threads: int | None = None) -> None:
        clock = time.perf_counter()
        self.task, self.plan = task, plan_of(task, dtype)
        self._rates = np.array(task.rates, np.float64)
        self._forward = Forward(task.network, dtype, threads)
        self._compiled = {name: compiled(self.plan, name) for name in kernels(task)}
        self._parts = Parts(threads)
        self.compile_seconds = time.perf_counter() - clock

    def run_slice(self, memory: Memory, X: Array, T: Array) -> float:
        """See `Engine.run_slice`."""
        task = self.task
        X, T = contiguous(X, memory.w), contiguous(T, memory.w)
        scalar = [kind == "scalar" for kind in task.optimizer.slots.values()]
        slots = [np.reshape(slot, -1) for slot in memory.slots]  # a scalar slot as a vector of one
        rates = self._rates * memory.rate_factor
        batch, place = task.batch_size, (task.epoch_of(memory.t + 1), task.steps_per_epoch, task.epochs)
        if "run_slice" in self._compiled:
            run = self._compiled["run_slice"]
            loss_sum = float(run(memory.w, *slots, X, T, batch, memory.t, rates, *place))
            memory.t += -(-len(X) // batch)
        else:
            loss_sum = 0.0
            for a in range(0, len(X), batch):
                x, t = X[a : a + batch], T[a : a + batch]
                g, loss = self._gradient_and_loss(memory.w, x, t)
                self._compiled["apply"](memory.w, *slots, g, loss, len(x), memory.t, rates, *place)
                loss_sum += loss
                memory.t += 1
        memory.slots = tuple(
            slot.reshape(()) if one else slot for slot, one in zip(slots, scalar, strict=True)
        )
        return loss_sum

    def gradient(self, w: Array, X: Array, T: Array) -> Array:
        """See `Engine.gradient`."""
        return self._gradient_and_loss(w, contiguous(X, w), contiguous(T, w))[0]

    def _gradient_and_loss(self, w: Array, X: Array, T: Array) -> tuple[Array, float]:
        if "gradient" not in self._compiled:
            self._compiled["gradient"] = compiled(self.plan, "gradient")
        gradient = self._compiled["gradient"]

        def of(rows: slice) -> tuple[Array, float]:
            g = aligned(w.shape, w.dtype)
            loss: float = gradient(w, X[rows], T[rows], len(X), g)
            return g, loss

        (g, loss), *others = self._parts.run(of, len(X), chunk_rows(self.task.network))
        for more, more_loss in others:
            g += more
            loss += more_loss
        return g, loss

    def outputs(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        return self._forward(w, X)


class Forward:
    """The compiled forward pass of a network, by itself."""

    def __init__(self, network: Network, dtype: DTypeLike, threads: int | None = None) -> None:
        self.network = network
        self._outputs = compiled(Plan(network, np.dtype(dtype).name, single=False), "outputs")
        self._parts = Parts(threads)

    def __call__(self, w: Array, X: Array) -> Outputs:
        """See `Engine.outputs`."""
        X = contiguous(X, w)
        Z_L, X_L = (np.empty((len(X), self.network.sizes[-1]), w.dtype) for _ in range(2))
        self._parts.run(
            lambda rows: self._outputs(w, X[rows], Z_L[rows], X_L[rows]), len(X), chunk_rows(self.network)
        )
        return Outputs(Z_L, X_L)


class Parts:
    """Rows in equal parts, one a thread, with BLAS held to one thread in each.

    Element-wise loops run on one core. In threads of their own, parts of a large batch keep all cores busy with them,
    which BLAS, with threads in its products alone, does not.
    """

    def __init__(self, threads: int | None) -> None:
        from threadpoolctl import ThreadpoolController

        self._blas = ThreadpoolController().select(user_api="blas")
        at_hand = max((library["num_threads"] for library in self._blas.info()), default=1)
        self.threads = min(threads or at_hand, os.cpu_count() or 1)

    def run(self, work: Callable[[slice], Result], rows: int, least: int) -> list[Result]:
        """What `work` makes of each part, in order; a part has `least` rows or more."""
        parts = max(1, min(self.threads, rows // least))
        if parts == 1:
            return [work(slice(0, rows))]
        cuts = [rows * k // parts for k in range(parts + 1)]
        with self._blas.limit(limits=1), ThreadPoolExecutor(parts) as pool:
            return [*pool.map(work, (slice(a, b) for a, b in itertools.pairwise(cuts)))]


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
        signature = (flat, matrix, matrix, count, flat)
    elif name == "outputs":
        signature = (flat, matrix, matrix, matrix)
    else:
        assert plan.updates is not None
        memory = [flat] * (1 + len(plan.updates.optimizer.slots))
        given = (matrix, matrix, count) if name == "run_slice" else (flat, types.float64, count)
        signature = (*memory, *given, count, types.float64[::1], count, count, count)
    return cache.compiled(kernel_source(plan, name), name, signature)
