"""What a fit will take, estimated from operation counts, not from timings: the same config gives the same figures."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.prepared import Prepared
from bptrain.engines.base import TrainingPlan
from bptrain.engines.registry import engine_entry

PRODUCTS = (
    1.5e10  # floating-point operations per second in matrix products of float32; half of that for float64
)
EPOCH = 5e-4  # seconds per epoch that do not depend on the rows: metrics, printing and saving
CHUNK_ROWS = 10_000  # rows whose matrices are in memory together, if an update has more rows than that


class Estimate(NamedTuple):
    """What a fit will take, to within a small factor."""

    seconds_per_epoch: float
    memory: int  # bytes, of rows, weights and batches

    def record(self) -> dict[str, Any]:
        """The estimate in JSON."""
        return {"seconds_per_epoch": self.seconds_per_epoch, "memory_bytes": self.memory}


def estimate(
    plan: TrainingPlan, prepared: Prepared, engine: str, dtype: DTypeLike, bound: int | None = None
) -> Estimate:
    """The time of an epoch, and the memory of a run without Python's own; `bound` is data.memory in bytes."""
    return Estimate(seconds_per_epoch(plan, prepared, engine, dtype), memory(plan, prepared, dtype, bound))


def seconds_per_epoch(plan: TrainingPlan, prepared: Prepared, engine: str, dtype: DTypeLike) -> float:
    """Updates, and the evaluation of the validation rows. Of a solver, an iteration with two evaluations."""
    network, costs = plan.network, engine_entry(engine).costs
    slow = np.dtype(dtype).itemsize / 4
    of_a_row = sum(network.sizes[1:]) + sum(step.units + step.n_out for step in network.input_steps)
    steps = plan.steps_per_epoch
    update = costs.call * network.L
    if plan.solver is None:
        slots = sum(kind == "per_weight" for kind in plan.optimizer.slots.values())
        update += network.size * (costs.weight + costs.slot * slots) * slow
    row = 6 * network.size / PRODUCTS * slow + costs.entry * of_a_row
    evaluations = 1 if plan.solver is None else 2
    validation = len(prepared.splits["validation"].X) if "validation" in prepared.splits else 0
    return EPOCH + (steps * update + plan.rows * row) * evaluations + validation * row / 3


def memory(plan: TrainingPlan, prepared: Prepared, dtype: DTypeLike, bound: int | None = None) -> int:
    """Bytes of the rows, as read and encoded, of weights and slots (twice), best weights, a gradient, and a batch.

    The rows take `bound` at most.
    """
    network, size = plan.network, np.dtype(dtype).itemsize
    rows = sum(data.X.nbytes + data.T.nbytes + data.y_true.nbytes for data in prepared.splits.values())
    raw = 8 * sum(len(data.X) for data in prepared.splits.values()) * len(prepared.schema.features)
    slots = 0
    if plan.solver is None:
        slots = sum(kind == "per_weight" for kind in plan.optimizer.slots.values())
    weights = network.size * size * (2 * (1 + slots) + 2)
    columns = sum(network.sizes) + sum(step.units + step.n_out for step in network.input_steps)
    batch = min(plan.batch_size, CHUNK_ROWS) * size * 3 * columns
    of_rows = rows + raw if bound is None else min(rows + raw, bound)
    return of_rows + weights + batch


def in_words(seconds: float) -> str:
    """A time to the accuracy that an estimate has."""
    if seconds >= 90:
        return f"{rounded(seconds / 60)} min"
    return f"{rounded(seconds)} s" if seconds >= 0.1 else f"{rounded(seconds * 1000)} ms"


def size_in_words(size: int) -> str:
    """A size in memory to the accuracy that an estimate has."""
    return f"{rounded(size / 1e9)} GB" if size >= 1e9 else f"{rounded(max(size / 1e6, 0.1))} MB"


def rounded(value: float) -> str:
    """A positive number to one digit, to two where the first is a 1."""
    if value <= 0:
        return "0"
    digits = -math.floor(math.log10(value))
    digits += 1 if value * 10**digits < 2 else 0
    shown = round(value, digits)
    return f"{shown:,.0f}" if digits <= 0 else f"{shown:.{digits}f}"
