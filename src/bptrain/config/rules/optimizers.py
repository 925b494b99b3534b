"""Rules about the optimizer, a rule or a solver, and the schedule: what they need, and what they would ignore."""

from typing import Any, NamedTuple

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found, KeyPath
from bptrain.config.schema import NetworkConfig, TrainingConfig
from bptrain.parts.methods import methods
from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.solvers import Solver


def optimizer_fits_mode(optimizer: PartConfig, training: TrainingConfig) -> Found:
    """A rule that compares successive gradients needs all of them to be of the same rows."""
    rule = _rule(optimizer)
    if rule is not None and rule.batch_only and training.mode != "batch":
        message = (
            f"{optimizer.name} compares the gradients of successive updates, which must be of the same rows: "
            f"set training.mode: batch (it is {training.mode})"
        )
        yield BrokenRule(("optimizer", "name"), message)


def schedule_has_a_rate_to_change(optimizer: PartConfig, schedule: PartConfig) -> Found:
    """A schedule has no effect on a rule that uses the learning rate in its first update only."""
    rule = _rule(optimizer)
    if rule is not None and rule.rate_is_first_step and (schedule.name != "constant" or schedule.warmup > 0):
        message = (
            f"{optimizer.name} adapts its step sizes itself and uses the learning rate for the first step only: "
            "leave the schedule out"
        )
        yield BrokenRule(("schedule",), message)


def _rule(chosen: PartConfig) -> Optimizer | None:
    return optimizers.get(chosen.name)(**chosen.options) if chosen.name in optimizers else None


OPTIMIZERS = (optimizer_fits_mode, schedule_has_a_rate_to_change)


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
    embed = None if network.input is None else network.input.embed
    if embed is not None and embed.options.get("rate", 1.0) != 1.0:
        message = f"{optimizer.name} {OWN_STEPS}, so a rate has no effect: leave it out"
        yield BrokenRule(("network", "input", "embed", "rate"), message)
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
