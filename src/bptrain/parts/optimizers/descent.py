"""The gradient itself, and an average of it."""

from typing import Any

from bptrain.parts.optimizers.base import Optimizer, Slots, optimizers
from bptrain.parts.types import Array, BelowOne, LearningRate


@optimizers.add("gradient_descent", "step(g) = α g")
def gradient_descent(learning_rate: LearningRate = 0.1) -> Optimizer:
    """w ← w − α ∘ g. The derivation's own update. Cauchy 1847; one instance at a time, Robbins and Monro 1951."""

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        return rate * g, slots

    return Optimizer(learning_rate, step)


@optimizers.add("momentum", "v ← {mu} v + g", "step(g) = α v")
def momentum(learning_rate: LearningRate = 0.1, mu: BelowOne = 0.9) -> Optimizer:
    """v ← μ v + g; w ← w − α ∘ v. Polyak 1964.

    The learning rate multiplies the average, as in PyTorch. The overview (Ruder 2016) has it inside: v ← μ v + α g; w ←
    w − v. With a constant rate both are the same; when the rate changes, here the whole step changes at once.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        (v,) = slots
        v = mu * v + g
        return rate * v, (v,)

    return Optimizer(learning_rate, step, slots={"velocity": "per_weight"})


@optimizers.add("nesterov", "v ← {mu} v + g", "step(g) = α (g + {mu} v)")
def nesterov(learning_rate: LearningRate = 0.1, mu: BelowOne = 0.9) -> Optimizer:
    """v ← μ v + g; w ← w − α ∘ (g + μ v). Nesterov 1983, in the form of Sutskever et al. 2013 that PyTorch uses.

    The overview (Ruder 2016) takes the gradient at the look-ahead point w − μ v: v ← μ v + α ∇E(w − μ v); w ← w − v.
    With the look-ahead point as the variable instead of w, and a constant rate, that is this rule: the gradient is
    taken at the weights themselves.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        (v,) = slots
        v = mu * v + g
        return rate * (g + mu * v), (v,)

    return Optimizer(learning_rate, step, slots={"velocity": "per_weight"})
