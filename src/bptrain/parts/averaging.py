"""The moving average of the weights, as a wrapper of an optimizer's rule."""

from typing import Any

from bptrain.parts.optimizers import Optimizer, Slots
from bptrain.parts.types import Array, BelowOne

AVERAGE = "average"  # the name of the slot


def with_average(rule: Optimizer, decay: BelowOne) -> Optimizer:
    """w̄ ← β w̄ + (1 − β) w after every update, β = min(decay, (t−1)/(t+8)). Polyak and Juditsky 1992; exponential.

    β grows to `decay`, so that the weights of the beginning are soon forgotten: about the last ninth of the updates
    counts until the average is as long as 1/(1 − decay) updates. It is the β of TensorFlow's ExponentialMovingAverage,
    min(decay, (1+n)/(10+n)), with n = t − 2: the first average is then the first weights, and needs no initial value.
    PyTorch's AveragedModel has a fixed decay and starts from the weights that it is first given.
    """
    inner = rule.step

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        step, after = inner(g, slots[:-1], w, rate, t, E)
        beta = min(decay, (t - 1.0) / (t + 8.0))
        return step, (*after, beta * slots[-1] + (1.0 - beta) * (w - step))

    return rule._replace(step=step, slots={**rule.slots, AVERAGE: "per_weight"})
