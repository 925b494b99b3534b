"""A rate for each weight, from the squares of its gradients so far."""

from typing import Any

import numpy as np

from bptrain.parts.optimizers.base import Optimizer, Slots, optimizers
from bptrain.parts.types import Array, BelowOne, LearningRate, Positive


@optimizers.add("adagrad", "v ← v + g²", "step(g) = α g / (√v + {epsilon})")
def adagrad(learning_rate: LearningRate = 0.01, epsilon: Positive = 1e-10) -> Optimizer:
    """s ← s + g²; w ← w − α ∘ g / (√s + ε). Duchi, Hazan and Singer 2011.

    ε is outside the root, as in PyTorch. The overview (Ruder 2016) and TensorFlow have √(s + ε), with 1e-8 and
    1e-7. The sum starts at 0 (TensorFlow: 0.1).
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        (s,) = slots
        s = s + g * g
        return rate * (g / (np.sqrt(s) + epsilon)), (s,)

    return Optimizer(learning_rate, step, slots={"square": "per_weight"})


@optimizers.add(
    "adadelta",
    "v ← {rho} v + (1 − {rho}) g²",
    "{q} = g √(u + {epsilon}) / √(v + {epsilon})",
    "u ← {rho} u + (1 − {rho}) {q}²",
    "step(g) = α {q}",
)
def adadelta(learning_rate: LearningRate = 1.0, rho: BelowOne = 0.9, epsilon: Positive = 1e-6) -> Optimizer:
    """s ← ρ s + (1−ρ) g²; d = g √(u + ε) / √(s + ε); u ← ρ u + (1−ρ) d²; w ← w − α ∘ d. Zeiler 2012.

    ε is inside both roots, as in the paper, in the overview (Ruder 2016: d = g RMS[Δw] / RMS[g]) and in the libraries.
    The paper has no learning rate, which means α = 1, as in PyTorch (Keras: 0.001). The paper's experiments use ρ =
    0.95.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        s, u = slots
        s = rho * s + (1.0 - rho) * (g * g)
        d = g * (np.sqrt(u + epsilon) / np.sqrt(s + epsilon))
        u = rho * u + (1.0 - rho) * (d * d)
        return rate * d, (s, u)

    return Optimizer(learning_rate, step, slots={"square": "per_weight", "moved_square": "per_weight"})


@optimizers.add("rmsprop", "v ← {rho} v + (1 − {rho}) g²", "step(g) = α g / (√v + {epsilon})")
def rmsprop(learning_rate: LearningRate = 0.001, rho: BelowOne = 0.9, epsilon: Positive = 1e-8) -> Optimizer:
    """s ← ρ s + (1−ρ) g²; w ← w − α ∘ g / (√s + ε). Tieleman and Hinton 2012 (lecture 6.5).

    ε is outside the root, as in PyTorch (whose ρ is 0.99 and rate 0.01); the overview (Ruder 2016) and TensorFlow have
    √(s + ε). The average starts at 0 without bias correction, so the first steps are larger by up to 1/√(1−ρ). There is
    no momentum, and the square is not centered.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        (s,) = slots
        s = rho * s + (1.0 - rho) * (g * g)
        return rate * (g / (np.sqrt(s) + epsilon)), (s,)

    return Optimizer(learning_rate, step, slots={"square": "per_weight"})
