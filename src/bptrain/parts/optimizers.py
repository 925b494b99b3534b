"""Optimizers: pure rules on the flat parameter vector. The engine does w −= step.

    step, slots = rule.step(g, slots, w, rate, t, E)

g is the gradient, w the weights, t counts the updates from 1, E is the loss of the batch (NaN unless the rule
sets `needs_loss`), and `rate` is α: learning rate × schedule, one number or one for each weight. The slots are
what the rule remembers: arrays of the shape of w, or scalars, all zero at the start. A rule ignores what it
does not use.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from bptrain.parts.types import Array, BelowOne, LearningRate, Positive
from bptrain.registry import Registry

Slots = tuple[Any, ...]
Step = Callable[[Array, Slots, Array, Any, int, float], tuple[Array, Slots]]


class Optimizer(NamedTuple):
    """One rule, with the learning rate that it was given."""

    learning_rate: LearningRate
    step: Step
    slots: dict[str, Literal["per_weight", "scalar"]] = {}  # noqa: RUF012  (a NamedTuple's default, never written)
    needs_loss: bool = False


optimizers: Registry[Optimizer] = Registry("optimizer")


@optimizers.add("gradient_descent")
def gradient_descent(learning_rate: LearningRate = 0.1) -> Optimizer:
    """w ← w − α ∘ g. The derivation's own update. Cauchy 1847; one instance at a time, Robbins and Monro 1951."""

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        return rate * g, slots

    return Optimizer(learning_rate, step)


@optimizers.add("momentum")
def momentum(learning_rate: LearningRate = 0.1, mu: BelowOne = 0.9) -> Optimizer:
    """v ← μ v + g; w ← w − α ∘ v. Polyak 1964, with the rate outside the average (as in PyTorch)."""

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        (v,) = slots
        v = mu * v + g
        return rate * v, (v,)

    return Optimizer(learning_rate, step, slots={"velocity": "per_weight"})


@optimizers.add("adam")
def adam(
    learning_rate: LearningRate = 0.001,
    beta1: BelowOne = 0.9,
    beta2: BelowOne = 0.999,
    epsilon: Positive = 1e-8,
) -> Optimizer:
    """m ← β₁ m + (1−β₁) g; v ← β₂ v + (1−β₂) g²; w ← w − α ∘ m̂ / (√v̂ + ε). Kingma and Ba 2015.

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) undo the bias of the zero start. ε stands outside the root, as in
    the paper's Algorithm 1.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        m, v = slots
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g * g)
        m_hat = m / (1.0 - beta1**t)
        v_hat = v / (1.0 - beta2**t)
        return rate * (m_hat / (np.sqrt(v_hat) + epsilon)), (m, v)

    return Optimizer(learning_rate, step, slots={"mean": "per_weight", "square": "per_weight"})
