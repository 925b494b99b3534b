"""Schedules: the factor on the learning rate, a pure function of the position in training."""

import math
from collections.abc import Callable

from bptrain.parts.types import Count, Fraction, NonNegative, NonNegativeCount, Unit
from bptrain.registry import Registry

# (updates done so far, epoch from 1, updates in an epoch, epochs in all) -> factor
Schedule = Callable[[int, int, int, int], float]

schedules: Registry[Schedule] = Registry("schedule")


@schedules.add("constant")
def constant() -> Schedule:
    """1."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return 1.0

    return factor


@schedules.add("cosine")
def cosine(floor: Unit = 0.0) -> Schedule:
    """floor + (1 − floor) ½ (1 + cos(π s/S)), with s of S updates done. Loshchilov and Hutter 2017."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        done = step / (steps_per_epoch * epochs)
        return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done))

    return factor


@schedules.add("reduce_on_plateau")
def reduce_on_plateau(
    monitor: str = "loss",
    factor: Fraction = 0.1,
    patience: Count = 10,
    min_delta: NonNegative = 0.0,
    cooldown: NonNegativeCount = 0,
    floor: Unit = 0.0,
) -> Schedule:
    """factorᵏ, but not below floor, after k plateaus: `patience` epochs in which `monitor` did not improve.

    `monitor` is `loss` (of validation, of training without validation rows) or a metric; only what is better than
    the best so far by more than `min_delta` is an improvement. After a reduction `cooldown` epochs are not counted.

    How often the rate was lowered is no function of the position: `parts/controls.py: reduced` counts it in the
    training state, and the schedule itself is 1. PyTorch waits one epoch more for the same patience, and its threshold
    is a share of the best value; Keras counts the last epoch of a cooldown.
    """

    def of(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return 1.0

    return of
