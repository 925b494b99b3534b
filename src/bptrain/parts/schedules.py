"""Schedules: the factor on the learning rate, a pure function of the position in training."""

import math
from collections.abc import Callable

from bptrain.parts.types import Unit
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
