"""Which engine runs a task: from its name in the config and from counts, never from timings.

Compiling takes seconds, so `auto` takes the compiled engine where it saves more than that. What it saves is reckoned
from counts: NumPy's calls, the temporary arrays of its element-wise formulas, and those of the optimizer's rule.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from numpy.typing import DTypeLike

from bptrain.core.network import Network
from bptrain.engines.base import Engine, Outputs, TrainingPlan
from bptrain.engines.numba_engine import Forward, NumbaEngine, missing, uncovered
from bptrain.engines.numpy_engine import NumpyEngine, numpy_outputs
from bptrain.errors import Problem, UsageError
from bptrain.parts.types import Array
from bptrain.translate.values import Untranslatable

# What compiled code saves, in seconds: of each layer's calls, of each entry of a layer's output, of each weight, and
# of each weight's slot. Measured once, with room; figures in docs/benchmarks.md.
LAYER_CALLS, OUTPUT_ENTRY, WEIGHT, SLOT = 7e-6, 7e-9, 1e-9, 1.2e-9
COMPILING = 5.0  # seconds, of a small network; a layer more takes half a second
INSTALL = "pip install 'bptrain[fast]'"


class Choice(NamedTuple):
    """An engine by name, and why it is taken."""

    name: str  # numpy | numba
    reason: str


def choose_engine(name: str, task: TrainingPlan, dtype: DTypeLike, begun_with: str | None = None) -> Choice:
    """The engine for the config's name; a run that goes on keeps, under `auto`, the engine that it was begun with.

    Raises UsageError where `numba` is asked for and cannot be had.
    """
    if name == "numpy":
        return Choice("numpy", "as the config says")
    if name == "auto" and begun_with == "numpy":
        return Choice("numpy", "auto: as the run was begun")
    saved, count = seconds_saved(task), updates(task)
    if name == "auto" and begun_with is None and saved < compile_seconds(task):
        return Choice("numpy", f"auto: compiling takes longer than it would save on {count}")
    lacking = missing()
    if lacking is not None and name == "numba":
        raise UsageError(Problem("missing_extra", f"{lacking}: {INSTALL}", path="training.engine"))
    if lacking is not None:
        return Choice("numpy", f"auto: {lacking}; {INSTALL} would save some {saved:.0f} s on {count}")
    reason = uncovered(task, dtype)
    if reason is not None:
        return not_compiled(name, reason)
    if name == "numba":
        return Choice("numba", "as the config says")
    why = "as the run was begun" if begun_with else f"on {count} it saves more time than compiling takes"
    return Choice("numba", f"auto: {why}")


def not_compiled(name: str, reason: str) -> Choice:
    """NumPy in place of the compiled engine, by name; where that was asked for outright, it is refused: UsageError."""
    if name == "numba":
        message = f"{reason}; choose numpy, or auto, which takes NumPy by itself"
        raise UsageError(Problem("not_compiled", message, path="training.engine"))
    return Choice("numpy", f"auto: {reason}")


def make_engine(
    choice: Choice,
    asked: str,
    task: TrainingPlan,
    dtype: DTypeLike,
    threads: int | None = None,
    evaluates: bool = True,
) -> tuple[Engine, Choice]:
    """The engine, and the choice as it stands after compiling: NumPy where `auto` found that it cannot be done.

    All is compiled here that the engine will need; a forward pass by itself only where it `evaluates`.
    Raises UsageError where the config `asked` for numba outright.
    """
    if choice.name == "numpy":
        return NumpyEngine(task), choice
    from numba.core.errors import NumbaError

    try:
        engine = NumbaEngine(task, dtype, threads)
        if evaluates:
            engine.prepare_to_evaluate()
        return engine, choice
    except NumbaError as error:  # a part in whose text there is something that Numba does not know
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if "Error: " in line), lines[0])
        return NumpyEngine(task), not_compiled(asked, f"Numba cannot compile a part of it: {said}")


def forward_pass(
    engine: str, network: Network, dtype: DTypeLike, threads: int | None = None
) -> Callable[[Array, Array], Outputs]:
    """Z_L and X_L of (w, X), by the engine of that name; by NumPy where the compiled one cannot be had here."""
    if engine == "numba" and missing() is None:
        from numba.core.errors import NumbaError

        try:
            return Forward(network, dtype, threads)
        except (
            Untranslatable,
            NumbaError,
            OSError,
        ):  # a part has changed since, or the disk is full: NumPy runs all
            pass
    return partial(numpy_outputs, network)


def seconds_saved(task: TrainingPlan) -> float:
    """About how many seconds the compiled engine saves over all updates, without compiling."""
    network = task.network
    outputs = task.batch_size * sum(network.sizes[1:])
    each = LAYER_CALLS * network.L + OUTPUT_ENTRY * outputs
    if (
        task.solver is None
    ):  # whose own arithmetic is NumPy's in any case; it evaluates once an epoch at least
        slots = sum(kind == "per_weight" for kind in task.optimizer.slots.values())
        each += (WEIGHT + SLOT * slots) * network.size
    return each * task.steps_per_epoch * task.epochs


def compile_seconds(task: TrainingPlan) -> float:
    """About how many seconds it takes to compile a task's loop."""
    return COMPILING + 0.5 * task.network.L


def updates(task: TrainingPlan) -> str:
    """The count of updates in words."""
    n = task.steps_per_epoch * task.epochs
    return f"{n:,} update{'' if n == 1 else 's'}"
