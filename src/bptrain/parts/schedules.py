"""Schedules: the factor on the learning rate, a pure function of the position in training.

In the formulas, s is the number of updates done (0 in the first update), S the total number, and n the number per
epoch; e = s/n is the number of epochs done, with its fraction. Options that are lengths are in epochs.
"""

import math
from collections.abc import Callable
from typing import Annotated

from annotated_types import Interval

from bptrain.parts.types import Count, Inside, NonNegative, NonNegativeCount, Positive, Unit
from bptrain.registry import Registry

# (updates done so far, epoch from 1, updates per epoch, epochs in total) -> factor
Schedule = Callable[[int, int, int, int], float]
Epochs = Annotated[int, Interval(ge=1, le=10**9)]

schedules: Registry[Schedule] = Registry("schedule")


def with_warmup(schedule: Schedule, warmup: float) -> Schedule:
    """min(1, (s + 1) / (warmup n)) times the schedule: a straight rise over `warmup` epochs. Goyal et al. 2017.

    The first update has a fraction of the rate already, and the last one of the rise the full rate. The schedule itself
    runs from the first update on.
    """

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        rise = (step + 1) / (warmup * steps_per_epoch)
        return min(1.0, rise) * schedule(step, epoch, steps_per_epoch, epochs)

    return factor if warmup else schedule


def spans_all_epochs(schedule: Schedule, some: int, others: int) -> bool:
    """Whether a schedule differs between the one total number of epochs and the other.

    It is asked about the last epoch that both have: one that spans all of training ends there in one of the two.
    """
    last, n = min(some, others), 8  # updates in an epoch: as many as tell
    return any(
        schedule(s, last, n, some) != schedule(s, last, n, others) for s in range((last - 1) * n, last * n)
    )


@schedules.add("constant")
def constant() -> Schedule:
    """1."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return 1.0

    return factor


@schedules.add("step", "{gamma}^⌊e / {every}⌋")
def step(every: Epochs = 30, gamma: Unit = 0.1) -> Schedule:
    """gamma^⌊e / every⌋: multiplied by gamma once per `every` epochs. As PyTorch's StepLR."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return gamma ** ((epoch - 1) // every)

    return factor


@schedules.add("exponential", "{gamma}^e")
def exponential(gamma: Unit = 0.95) -> Schedule:
    """gamma^e: multiplied by gamma per epoch, smoothly. PyTorch's ExponentialLR at the start of an epoch."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return gamma ** (step / steps_per_epoch)

    return factor


@schedules.add("inverse_time", "1 / (1 + {decay} e)")
def inverse_time(decay: NonNegative = 0.1) -> Schedule:
    """1 / (1 + decay e). Robbins and Monro 1951: the rates sum to infinity, and their squares do not."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return 1.0 / (1.0 + decay * step / steps_per_epoch)

    return factor


@schedules.add("polynomial", "{floor} + (1 − {floor}) (1 − s/S)^{power}")
def polynomial(power: Positive = 1.0, floor: Unit = 0.0) -> Schedule:
    """floor + (1 − floor) (1 − s/S)^power. A straight line with power 1. PyTorch's PolynomialLR with floor 0."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        left = 1.0 - step / (steps_per_epoch * epochs)
        return floor + (1.0 - floor) * left**power

    return factor


@schedules.add("cosine", "{floor} + (1 − {floor}) ½ (1 + cos(π s/S))")
def cosine(floor: Unit = 0.0) -> Schedule:
    """floor + (1 − floor) ½ (1 + cos(π s/S)), with s of S updates done. Loshchilov and Hutter 2017."""

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        done = step / (steps_per_epoch * epochs)
        return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done))

    return factor


@schedules.add(
    "cosine_restarts",
    "{floor} + (1 − {floor}) ½ (1 + cos(π {h}/{H}))",
    "{h} = the updates done of the {H} of this cycle, {H} = those of {period} epochs in the first cycle",
    "{H} ← {t_mult} {H} after each cycle",
)
def cosine_restarts(period: Epochs = 10, t_mult: Epochs = 1, floor: Unit = 0.0) -> Schedule:
    """floor + (1 − floor) ½ (1 + cos(π c/C)), c of C epochs of a cycle done (SGDR). Loshchilov and Hutter 2017.

    The first cycle has `period` epochs, each later one t_mult times as many as the one before. Every cycle begins at 1.
    As PyTorch's CosineAnnealingWarmRestarts, whose T_0 is the period.
    """

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        length = period * steps_per_epoch
        done = step % length if t_mult == 1 else step
        while done >= length:
            done -= length
            length *= t_mult
        return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done / length))

    return factor


@schedules.add(
    "one_cycle",
    "1 + ({start} − 1) ½ (1 + cos(π s/{H})) for s < {H}, else {floor} + (1 − {floor}) ½ (1 + cos {h})",
    "{H} = {peak} S − 1",
    "{h} = π (s − {H}) / ((1 − {peak}) S)",
)
def one_cycle(peak: Inside = 0.3, start: Unit = 0.04, floor: Unit = 4e-6) -> Schedule:
    """From start up to 1 at s = peak S − 1, then down to floor at s = S − 1, each half a cosine. Smith 2018.

    As PyTorch's OneCycleLR with its default cosines (Smith uses straight lines): the learning rate is the maximum,
    start is 1 / div_factor, floor is start / final_div_factor. The momentum stays constant; PyTorch changes it too, in
    the opposite direction.
    """

    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        updates = steps_per_epoch * epochs
        top = peak * updates - 1.0
        if step < top:
            return 1.0 + (start - 1.0) * 0.5 * (1.0 + math.cos(math.pi * step / top))
        return floor + (1.0 - floor) * 0.5 * (
            1.0 + math.cos(math.pi * (step - top) / ((1.0 - peak) * updates))
        )

    return factor


@schedules.add(
    "reduce_on_plateau",
    "max({factor}^{h}, {floor})",
    "{h} = the number of plateaus so far",
    "a plateau: {patience} epochs in which {monitor} did not improve by more than {min_delta}",
    "after a plateau, {cooldown} epochs are not counted",
)
def reduce_on_plateau(
    monitor: str = "loss",
    factor: Inside = 0.1,
    patience: Count = 10,
    min_delta: NonNegative = 0.0,
    cooldown: NonNegativeCount = 0,
    floor: Unit = 0.0,
) -> Schedule:
    """factorᵏ, but not below floor, after k plateaus: `patience` epochs in which `monitor` did not improve.

    `monitor` is `loss` (validation loss, or training loss if there is no validation set) or a metric. An epoch improves
    on the best so far only if it is better by more than `min_delta`. After a reduction, `cooldown` epochs are not
    counted.

    The number of reductions is not a function of the position in training: `parts/controls.py: reduced` counts it in
    the training state, and the schedule itself is 1. PyTorch waits one epoch more for the same patience, and its
    threshold is relative to the best value; Keras counts the last epoch of a cooldown.
    """

    def of(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return 1.0

    return of
