"""What is known of an engine before it is built: whether it can be had here, whether it runs a plan, what it costs.

Each engine is a file `<name>_engine.py` of this folder (`bptrain.engine_names` finds it), which says all of this in its
`ENTRY`; nothing else in bptrain knows the engines by name, but for NumPy's, which every installation has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from numpy.typing import DTypeLike

from bptrain.core.network import Network
from bptrain.engine_names import engine_names
from bptrain.engines.base import Engine, Outputs, TrainingPlan
from bptrain.errors import Problem, UsageError
from bptrain.extras import Extra
from bptrain.parts.types import Array

Forward = Callable[[Array, Array], Outputs]  # Z_L and X_L of (w, X)


class CannotRun(Exception):
    """Why an engine cannot run a plan after all, in words; found when it is built."""


class Costs(NamedTuple):
    """Seconds per layer's calls, per entry of a layer's output, per weight, and per slot of a weight."""

    call: float
    entry: float
    weight: float
    slot: float


def nothing(*_: Any) -> None:
    """No reason: it can be had, and runs every plan."""


@dataclass(frozen=True)
class EngineEntry:
    """One engine. `make` and `forward` raise CannotRun; the other functions look at counts and texts, never at times.

    make(plan, dtype, threads, evaluates)   the engine, compiled; a forward pass by itself only where it `evaluates`
    forward(network, dtype, threads)        the forward pass of a network by itself
    """

    make: Callable[[TrainingPlan, DTypeLike, int, bool], Engine]
    forward: Callable[[Network, DTypeLike, int], Forward]
    costs: Costs  # for `validate`'s estimate
    extra: Extra | None = None  # what must be installed for it
    needs: tuple[str, ...] = ()  # modules without which it is not there
    broken: Callable[[], str | None] = nothing  # why those that are there cannot be used
    uncovered: Callable[[TrainingPlan, DTypeLike], str | None] = nothing  # why it cannot run a plan
    is_ready: Callable[[TrainingPlan, DTypeLike, int], bool] = lambda plan, dtype, threads: (
        True
    )  # made without compiling
    seconds_saved: Callable[[TrainingPlan], float] | None = None  # over NumPy; None: `auto` never takes it
    compile_seconds: Callable[[TrainingPlan], float] = lambda plan: 0.0
    numerics: Callable[[], dict[str, Any]] = dict  # versions that decide its last bits, for checkpoints
    uses_scipy_blas: bool = False  # in addition to NumPy's

    @property
    def is_installed(self) -> bool:
        """Whether all that it needs is there; nothing is imported for it."""
        return not self._absent()

    def _absent(self) -> list[str]:
        return [name for name in self.needs if find_spec(name) is None]

    def missing(self) -> str | None:
        """Why it cannot be had here, in words; None where it can."""
        absent = self._absent()
        if absent:
            return f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
        return self.broken()

    def unable(self, plan: TrainingPlan, dtype: DTypeLike) -> str | None:
        """Why it cannot be had here, or cannot run a plan; None where it can do both."""
        return self.missing() or self.uncovered(plan, dtype)


def engine_entry(name: str) -> EngineEntry:
    """What is known of an engine. Raises UsageError for a name that is none."""
    if name not in engine_names():
        message = f"{name} is not an engine: {', '.join(engine_names())}"
        raise UsageError(Problem("wrong_choice", message, path="training.engine"))
    entry: EngineEntry = import_module(f"bptrain.engines.{name}_engine").ENTRY
    return entry
