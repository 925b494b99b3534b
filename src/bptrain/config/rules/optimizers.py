"""Rules about the optimizer and the schedule."""

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found
from bptrain.config.schema import TrainingConfig
from bptrain.parts.optimizers import Optimizer, optimizers


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
