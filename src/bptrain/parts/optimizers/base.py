"""What an optimizer is: a pure rule on the flat parameter vector. The engine does w −= step.

    step, slots = rule.step(g, slots, w, rate, t, E)

g is the gradient, w the weights, t counts the updates from 1, E is the objective of the batch (NaN unless the rule
sets `needs_loss`), and `rate` is α: learning rate × schedule, one number or one for each weight. The slots are
what the rule remembers: arrays of the shape of w, or scalars, all zero at the start. A rule ignores what it
does not use. Options that are numbers of the update alone (1 − β₁ᵗ) are plain Python, so that float32 stays float32.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from bptrain.parts.types import Array, LearningRate
from bptrain.registry import Registry

Slots = tuple[Any, ...]
SlotKinds = Mapping[str, Literal["per_weight", "scalar"]]
Step = Callable[[Array, Slots, Array, Any, int, float], tuple[Array, Slots]]


class Optimizer(NamedTuple):
    """One rule, with the learning rate that it was given."""

    learning_rate: LearningRate
    step: Step
    slots: SlotKinds = MappingProxyType({})  # by name
    needs_loss: bool = False
    batch_only: bool = False  # compares gradients of different updates, which must be of the same rows
    rate_is_first_step: bool = False  # the learning rate counts in update 1 alone
    weight_decay: float = 0.0  # λ where the config gives none


optimizers: Registry[Optimizer] = Registry("optimizer")


def with_weight_decay(rule: Optimizer, decay: float) -> Optimizer:
    """w ← w − α λ w − step: decoupled weight decay, of weights and biases. Loshchilov and Hutter 2019.

    As PyTorch's AdamW does; the `weight_decay` of its other optimizers adds λ w to the gradient instead, which
    is an l2 penalty (and the same thing for plain gradient descent alone).
    """
    own = rule.step

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        by_rule, after = own(g, slots, w, rate, t, E)
        return by_rule + (rate * decay) * w, after

    return rule._replace(step=step) if decay else rule
