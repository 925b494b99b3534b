"""Which engine runs a plan: from its name in the config and from counts, never from timings.

Compiling takes seconds, so `auto` takes an engine that compiles where it saves more time than that. No more can be
saved than the time that the run may take; and early stopping is expected to end it before its last epoch.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from numpy.typing import DTypeLike

from bptrain.core.network import Network
from bptrain.engine_names import NUMPY, engine_names
from bptrain.engines.base import Engine, Outputs, TrainingPlan
from bptrain.engines.blas import BLAS, blas_libraries
from bptrain.engines.registry import CannotRun, EngineEntry, Forward, engine_entry
from bptrain.engines.threads import threads_at_hand
from bptrain.errors import Problem, UsageError
from bptrain.parts.types import Array

# A run with early stopping is expected to take this many times its patience. Of twelve configs that ship, with a
# patience of 10, half ended within 42 epochs and eight within 100.
EPOCHS_OF_PATIENCE = 10


BLAS_ALONE = 2**18  # multiply-adds; OpenBLAS takes more threads for larger products only


class EngineChoice(NamedTuple):
    """An engine by name, and why it is taken."""

    name: str
    reason: str


def choose_engine(
    name: str, plan: TrainingPlan, dtype: DTypeLike, begun_with: str | None = None
) -> EngineChoice:
    """The engine for the config's name; a resumed run keeps, with `auto`, the engine that it was started with.

    Raises UsageError where one is asked for by name and cannot be had, or cannot run the plan.
    """
    if name != "auto":
        entry = engine_entry(name)
        absent = entry.missing()
        if absent is not None:
            install = f": {entry.extra.install}" if entry.extra else ""
            raise UsageError(Problem("missing_extra", f"{absent}{install}", path="training.engine"))
        reason = entry.uncovered(plan, dtype)
        if reason is not None:
            raise cannot_run(reason)
        return EngineChoice(name, "as the config says")
    count = updates(plan)
    if begun_with == NUMPY:
        return EngineChoice(NUMPY, "auto: the engine that the run was started with")
    if begun_with is not None and begun_with not in engine_names():
        return EngineChoice(
            NUMPY, f"auto: the run was started with {begun_with}, which is not an engine here"
        )
    candidates = worthwhile(plan) if begun_with is None else [begun_with]
    reasons = []
    for one in candidates:
        entry = engine_entry(one)
        absent = entry.missing()
        reason = would_save(absent, entry, plan) if absent is not None else entry.uncovered(plan, dtype)
        if reason is None:
            why = (
                "the engine that the run was started with"
                if begun_with
                else f"compiling pays off for {count}"
            )
            return EngineChoice(one, f"auto: {why}")
        reasons.append(reason)
    return EngineChoice(
        NUMPY, f"auto: {reasons[0] if reasons else f'compiling would not pay off for {count}'}"
    )


def worthwhile(plan: TrainingPlan) -> list[str]:
    """The engines that save more time over NumPy than it takes to compile them, the best first."""
    gains = {}
    for name in engine_names():
        entry = engine_entry(name)
        if entry.seconds_saved is not None:
            gains[name] = saved(entry.seconds_saved, plan) - entry.compile_seconds(plan)
    return sorted((name for name, gain in gains.items() if gain >= 0), key=lambda name: -gains[name])


def would_save(absent: str, entry: EngineEntry, plan: TrainingPlan) -> str:
    """That an engine is missing, and what installing it would save."""
    if entry.extra is None or entry.seconds_saved is None:
        return absent
    seconds = saved(entry.seconds_saved, plan)
    return f"{absent}; {entry.extra.install} would save about {seconds:.0f} s over {updates(plan)}"


def saved(seconds_saved: Callable[[TrainingPlan], float], plan: TrainingPlan) -> float:
    """The seconds that an engine saves over NumPy in the epochs that are expected, and within the time limit."""
    expected = plan._replace(epochs=expected_epochs(plan))
    return min(seconds_saved(expected), math.inf if plan.max_time is None else plan.max_time)


def expected_epochs(plan: TrainingPlan) -> int:
    """The epochs of a run, or those that early stopping is expected to leave of them."""
    return plan.epochs if plan.patience is None else min(plan.epochs, EPOCHS_OF_PATIENCE * plan.patience)


def cannot_run(reason: str) -> UsageError:
    """The refusal of an engine that was asked for by name."""
    message = f"{reason}; choose {NUMPY}, or auto, which takes NumPy by itself"
    return UsageError(Problem("not_compiled", message, path="training.engine"))


def make_engine(
    choice: EngineChoice,
    asked: str,
    plan: TrainingPlan,
    dtype: DTypeLike,
    threads: int = 1,
    evaluates: bool = True,
) -> tuple[Engine, EngineChoice]:
    """The engine, and the choice as it stands after compiling: NumPy where `auto` found that it cannot be done.

    All is compiled here that the engine will need; a forward pass by itself only where it `evaluates`.
    Raises UsageError where the config `asked` for the engine by name.
    """
    try:
        return engine_entry(choice.name).make(plan, dtype, threads, evaluates), choice
    except CannotRun as error:
        if asked != "auto":
            raise cannot_run(str(error)) from error
        instead = EngineChoice(NUMPY, f"auto: {error}")
    return engine_entry(NUMPY).make(plan, dtype, threads, evaluates), instead


def forward_pass(name: str, network: Network, dtype: DTypeLike, threads: int | None = None) -> Forward:
    """Z_L and X_L of (w, X), by the engine of that name; by NumPy where that one cannot be had here.

    Many rows are shared out among threads; None: among all at hand.
    """
    threads = threads or threads_at_hand()
    if name in engine_names() and engine_entry(name).missing() is None:
        try:
            return with_one_thread_of_blas(network, engine_entry(name).forward(network, dtype, threads))
        except CannotRun:  # a part has changed since, or the disk is full: NumPy runs all
            pass
    return with_one_thread_of_blas(network, engine_entry(NUMPY).forward(network, dtype, threads))


def with_one_thread_of_blas(network: Network, forward: Forward) -> Forward:
    """A forward pass whose products are as in training (`threads.py`); of few rows BLAS takes one thread by itself."""
    libraries = blas_libraries()

    def limited(w: Array, X: Array) -> Outputs:
        if len(X) * network.size < BLAS_ALONE:
            return forward(w, X)
        with BLAS.limited(1, libraries):
            return forward(w, X)

    return limited


def updates(plan: TrainingPlan) -> str:
    """The count of updates in words, and what is expected to end the run before them."""
    epochs = expected_epochs(plan)
    n = plan.steps_per_epoch * epochs
    count = f"{n:,} update{'' if n == 1 else 's'}"
    if epochs < plan.epochs:
        count += f", {EPOCHS_OF_PATIENCE} times the patience of training.early_stopping"
    if plan.max_time is not None:
        count += f", at most {plan.max_time:g} s (training.max_time)"
    return count
