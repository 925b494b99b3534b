"""Rules about solvers: what they need, and what they would ignore."""

from typing import Any, NamedTuple

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found, KeyPath
from bptrain.config.schema import NetworkConfig, TrainingConfig
from bptrain.parts.methods import methods
from bptrain.parts.solvers import Solver


class Ignored(NamedTuple):
    """A key that has no effect on a solver, so it may only have its neutral value."""

    path: KeyPath
    neutral: Any
    reason: str  # after "lbfgs"


OWN_STEPS = "chooses its step lengths itself"
IGNORED = (
    Ignored(("schedule", "name"), "constant", f"{OWN_STEPS}, so a schedule has no effect: leave it out"),
    Ignored(("schedule", "warmup"), 0.0, f"{OWN_STEPS}, so warmup has no effect: leave it out"),
    *(
        Ignored(("training", key), None, f"{OWN_STEPS}, so {key} has no effect: leave it out")
        for key in ("clip_norm", "clip_value", "noise", "max_norm")
    ),
    Ignored(
        ("training", "average"),
        None,
        "lowers the loss in every iteration, and an average would lag behind: leave it out",
    ),
)


def solver_has_all_rows(optimizer: PartConfig, training: TrainingConfig) -> Found:
    """A solver compares losses and gradients at several weights, so the rows must be the same."""
    if _solver(optimizer) is not None and training.mode != "batch":
        message = f"{optimizer.name} works on all rows at once: set mode: batch (it is {training.mode})"
        yield BrokenRule(("training", "mode"), message, suggestion="batch")


def solver_has_its_loss(optimizer: PartConfig, loss: PartConfig) -> Found:
    """Gauss–Newton is for sums of squares."""
    solver = _solver(optimizer)
    if solver is not None and solver.loss not in (None, loss.name):
        message = (
            f"{optimizer.name} minimizes sums of squares: it needs {solver.loss}, but the loss is {loss.name}"
        )
        yield BrokenRule(("loss",), message, suggestion=solver.loss)


def solver_ignores_nothing(
    optimizer: PartConfig, schedule: PartConfig, training: TrainingConfig, network: NetworkConfig
) -> Found:
    """What would have no effect, or would change the objective with each evaluation, is refused."""
    if _solver(optimizer) is None:
        return
    if any(network.dropout):
        message = (
            f"{optimizer.name} compares the loss at several weights, and dropout changes it: leave it out"
        )
        yield BrokenRule(("network", "dropout"), message)
    if training.penalty.l1:
        message = f"{optimizer.name} needs a smooth objective, and l1 has a kink at 0: use l2"
        yield BrokenRule(("training", "penalty", "l1"), message)
    sections = {"optimizer": optimizer, "schedule": schedule, "training": training}
    for key in IGNORED:
        value: Any = sections[str(key.path[0])]
        for step in key.path[1:]:
            value = getattr(value, str(step))
        if value != key.neutral:
            yield BrokenRule(key.path, f"{optimizer.name} {key.reason}")


def _solver(chosen: PartConfig) -> Solver | None:
    made = methods.get(chosen.name)(**chosen.options)
    return made if isinstance(made, Solver) else None


SOLVERS = (solver_has_all_rows, solver_has_its_loss, solver_ignores_nothing)
