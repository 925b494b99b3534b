"""Rules about the optimizer and the schedule."""

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found
from bptrain.config.schema import TrainingConfig
from bptrain.parts.optimizers import Optimizer, optimizers


def optimizer_fits_mode(optimizer: PartConfig, training: TrainingConfig) -> Found:
    """Gradients of different batches cannot be held against each other."""
    rule = _rule(optimizer)
    if rule is not None and rule.batch_only and training.mode != "batch":
        message = (
            f"{optimizer.name} compares the gradient with that of the update before, which must be of the same "
            f"rows: set training.mode: batch (it is {training.mode})"
        )
        yield BrokenRule(("optimizer", "name"), message)


def schedule_has_a_rate_to_change(optimizer: PartConfig, schedule: PartConfig) -> Found:
    """A learning rate that counts in the first update alone has no course."""
    rule = _rule(optimizer)
    if rule is not None and rule.rate_is_first_step and (schedule.name != "constant" or schedule.warmup > 0):
        message = (
            f"{optimizer.name} finds the size of its steps by itself and takes the learning rate for the first one "
            "alone: leave the schedule out"
        )
        yield BrokenRule(("schedule",), message)


def _rule(chosen: PartConfig) -> Optimizer | None:
    return optimizers.get(chosen.name)(**chosen.options) if chosen.name in optimizers else None


OPTIMIZERS = (optimizer_fits_mode, schedule_has_a_rate_to_change)
