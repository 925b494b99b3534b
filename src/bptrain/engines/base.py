"""The protocol of an engine.

The trainer cuts an epoch into slices of whole updates and hands each to an engine, with the rows already in the
order of their updates. Between slices, and only there, the run can be saved, stopped, shown or evaluated. For
example:

* sgd on 150 rows: slices of 150 rows, 150 updates each;
* mini-batches of 10 on 50,000 rows: slices of some thousand rows, a few hundred updates each;
* batch mode: one slice of all rows, one update.

Slices are cut from counts, never from timings, so a resumed run cuts where the uninterrupted one did.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from bptrain.core.network import PLAIN, BatchContext, Block, Network
from bptrain.engines.snapshots import in_a_file, pieces
from bptrain.parts.averaging import AVERAGE
from bptrain.parts.methods import UpdateRule
from bptrain.parts.optimizers import Optimizer, Slots
from bptrain.parts.schedules import Schedule
from bptrain.parts.solvers import Solver, fresh_slots
from bptrain.parts.types import Array

SLICE_WORK = 5e7  # multiply-adds in a slice: milliseconds, or some tens of them
LEAST_ROWS = (
    2048  # in a slice; with fewer, copying a large network's memory would take longer than a share of 3 %
)
NOISE_NUMBERS = 4_000_000  # drawn for a slice at most
CACHE_LINE = 64  # bytes
LARGE = 8 * 2**20  # bytes of weights and slots, from which on a copy of them is kept in a file


class GradientTransform(NamedTuple):
    """What is done to a batch's gradient before the rule, in this order, and to the weights after it; None: nothing."""

    clip_norm: float | None = None  # g ← g c / ‖g‖ where ‖g‖ > c. Pascanu, Mikolov and Bengio 2013
    clip_value: float | None = None  # each entry is clipped to [−c, c]
    noise: tuple[float, float] | None = None  # (std, decay) of what `gradient_noise` draws, which is added
    max_norm: float | None = None  # each row of W_i is shortened to ‖row‖ ≤ c. Srivastava et al. 2014

    @property
    def whole(self) -> bool:
        """Whether the whole gradient must be there before a weight is updated."""
        return self.clip_norm is not None or self.noise is not None


class TrainingPlan(NamedTuple):
    """What an engine is built for: everything about the updates that stays the same for a whole run."""

    network: Network
    method: UpdateRule  # an element-wise rule, or a solver
    schedule: Schedule
    rate: float | tuple[float, ...]  # α before the schedule: one number, or one for each layer; of a solver 1
    rows: int  # training rows in an epoch
    batch_size: int  # rows in an update; the last of an epoch may have fewer
    epochs: int
    transform: GradientTransform = GradientTransform()
    weighted: bool = False  # whether rows weigh differently
    accumulate: int = 1  # an update's rows go through the network in this many parts, one after the other
    max_time: float | None = None  # seconds after which the run ends
    patience: int | None = None  # of early stopping, in epochs

    @property
    def optimizer(self) -> Optimizer:
        """The element-wise rule of a plan that has one."""
        assert isinstance(self.method, Optimizer)
        return self.method

    @property
    def solver(self) -> Solver | None:
        """The solver that trains in place of a rule and its rates, on all rows at once."""
        return self.method if isinstance(self.method, Solver) else None

    def rate_of(self, block: Block) -> float:
        """α of a block before the schedule; that of a step before W_1 is α of layer 1, times the factor of its own."""
        rate = self.rates[min(max(block.layer, 1), len(self.rates)) - 1]
        return rate * self.network.rate_factors.get(block, 1.0)

    @property
    def one_rate(self) -> bool:
        """Whether α is the same for all weights."""
        return len(self.rates) == 1 and all(factor == 1 for factor in self.network.rate_factors.values())

    @property
    def steps_per_epoch(self) -> int:
        """Updates in an epoch."""
        return -(-self.rows // self.batch_size)

    @property
    def rates(self) -> tuple[float, ...]:
        """α as a tuple: of one number, or of one for each layer."""
        return self.rate if isinstance(self.rate, tuple) else (self.rate,)

    def slice_steps(self, step_work: float) -> int:
        """Updates in a slice, for an engine whose fixed cost per update is `step_work` multiply-adds."""
        work = 3 * self.network.size * self.batch_size + step_work
        steps = max(int(SLICE_WORK / work), LEAST_ROWS // self.batch_size, 1)
        if self.transform.noise is not None:
            steps = max(1, min(steps, NOISE_NUMBERS // self.network.size))
        return min(steps, self.steps_per_epoch)

    def epoch_of(self, t: int) -> int:
        """The epoch, from 1, that update t, from 1, belongs to."""
        return (t - 1) // self.steps_per_epoch + 1

    def factor(self, t: int) -> float:
        """The schedule's factor for update t, counted from 1."""
        return self.schedule(t - 1, self.epoch_of(t), self.steps_per_epoch, self.epochs)

    def for_use(self, state: "OptimizerState") -> Array:
        """The weights that are evaluated and kept: their moving average, where there is one and it has begun."""
        averages = dict(zip(self.method.slots, state.slots, strict=True))
        return averages.get(AVERAGE, state.w) if state.t > 0 else state.w


def aligned(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """An array, not yet filled, that begins at a cache line: vector code is up to a fifth faster on it."""
    size = np.dtype(dtype).itemsize * math.prod(shape)
    room = np.empty(size + CACHE_LINE, np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    return room[start : start + size].view(dtype).reshape(shape)


def aligned_copy(array: Array) -> Array:
    """A copy that begins at a cache line."""
    copy, start = aligned(array.shape, array.dtype), 0
    for piece in pieces(array):
        copy.reshape(-1)[start : start + piece.size] = piece
        start += piece.size
    return copy


@dataclass
class OptimizerState:
    """What the updates change: the flat weights, the optimizer's slots, and the count of updates done.

    The rates of the updates are multiplied by `rate_factor`, which only changes between epochs.
    """

    w: Array
    slots: Slots
    t: int = 0
    rate_factor: float = 1.0

    def copy(self) -> "OptimizerState":
        """A copy that shares no array."""
        slots = tuple(aligned_copy(np.asarray(slot)) for slot in self.slots)
        return replace(self, w=aligned_copy(self.w), slots=slots)

    def kept(self, directory: Path | None) -> "OptimizerState":
        """A copy that shares no array, and is not to be written to: a large one lies in a file in `directory`."""
        arrays = [self.w, *map(np.asarray, self.slots)]
        if directory is None or sum(array.nbytes for array in arrays) < LARGE:
            return self.copy()
        try:
            w, *slots = in_a_file(arrays, directory)
        except OSError:  # a full disk: the run may go on without it
            return self.copy()
        return replace(self, w=w, slots=tuple(slots))


def initial_optimizer_state(w: Array, method: UpdateRule) -> OptimizerState:
    """The state before the first update: every slot is zero."""
    if isinstance(method, Solver):
        return OptimizerState(w, fresh_slots(method, len(w)))
    slots = tuple(
        np.zeros_like(w) if kind == "per_weight" else np.zeros((), w.dtype) for kind in method.slots.values()
    )
    return OptimizerState(w, slots)


class Outputs(NamedTuple):
    """What the network makes of some rows, each N × n_L."""

    Z_L: Array
    X_L: Array


class Engine(Protocol):
    """One way of running updates. The functions it runs are the registered parts."""

    name: str
    step_work: float  # the fixed cost of one update, in multiply-adds: it decides how long a slice is
    compile_seconds: float  # what it took to make the engine ready

    def run_slice(
        self,
        state: OptimizerState,
        X: Array,
        T: Array,
        context: BatchContext = PLAIN,
        noise: Array | None = None,
    ) -> float:
        """Update `state` in place, batch after batch of the rows of X (N × n_0) and T (N × n_L) of one epoch.

        `context` is the rows' weights and masks, `noise` what is added to each update's gradient, updates × weights.
        Returns Σ v_n E_n over the rows, of the loss that each had before its batch's update. Numbers that are not
        finite are carried on, not raised: the trainer looks for them after each slice.
        """
        ...

    def gradient(self, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
        """The flat gradient of the objective at w over all rows, penalties included, as this engine computes it."""
        ...

    def outputs(self, w: Array, X: Array) -> Outputs:
        """Z_L and X_L of the rows X at the flat weights w, as this engine computes them."""
        ...
