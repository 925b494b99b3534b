"""Adam and its relatives: averages of the gradient and of its size.

In each, m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) correct the bias of starting at zero.
"""

import math
from typing import Any

import numpy as np

from bptrain.parts.optimizers.base import Optimizer, SlotKinds, Slots, optimizers
from bptrain.parts.types import Array, BelowOne, LearningRate, NonNegative, Positive

# The lines of `explain` that several of them share; s updates are done before this one.
MEAN, SQUARE = "m ← {beta1} m + (1 − {beta1}) g", "v ← {beta2} v + (1 − {beta2}) g²"
M_HAT, V_HAT = "m̂ = m / (1 − {beta1}^(s + 1))", "v̂ = v / (1 − {beta2}^(s + 1))"
ADAM = (MEAN, SQUARE, M_HAT, V_HAT, "step(g) = α m̂ / (√v̂ + {epsilon})")


@optimizers.add("adam", *ADAM)
def adam(
    learning_rate: LearningRate = 0.001,
    beta1: BelowOne = 0.9,
    beta2: BelowOne = 0.999,
    epsilon: Positive = 1e-8,
) -> Optimizer:
    """m ← β₁ m + (1−β₁) g; v ← β₂ v + (1−β₂) g²; w ← w − α ∘ m̂ / (√v̂ + ε). Kingma and Ba 2015.

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ). ε is outside the root, as in the paper's Algorithm 1, in the overview
    (Ruder 2016) and in PyTorch. TensorFlow and Keras add ε to √v before the bias correction (the "ε̂" of the paper's
    section 2).
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        m, v = slots
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g * g)
        m_hat = m / (1.0 - beta1**t)
        v_hat = v / (1.0 - beta2**t)
        return rate * (m_hat / (np.sqrt(v_hat) + epsilon)), (m, v)

    return Optimizer(learning_rate, step, slots={"mean": "per_weight", "square": "per_weight"})


@optimizers.add("adamw", *ADAM)
def adamw(
    learning_rate: LearningRate = 0.001,
    beta1: BelowOne = 0.9,
    beta2: BelowOne = 0.999,
    epsilon: Positive = 1e-8,
) -> Optimizer:
    """Adam, with weight_decay λ = 0.01 by default: w ← w − α λ w before its step. Loshchilov, Hutter 2019.

    As in PyTorch the decay is α λ w. The paper has η λ w, with a separate schedule η and no α; so the paper's λ is λ/α
    here.
    """
    return adam(learning_rate, beta1, beta2, epsilon)._replace(weight_decay=0.01)


@optimizers.add(
    "amsgrad",
    MEAN,
    SQUARE,
    "u ← max(u, v)",
    M_HAT,
    "û = u / (1 − {beta2}^(s + 1))",
    "step(g) = α m̂ / (√û + {epsilon})",
)
def amsgrad(
    learning_rate: LearningRate = 0.001,
    beta1: BelowOne = 0.9,
    beta2: BelowOne = 0.999,
    epsilon: Positive = 1e-8,
) -> Optimizer:
    """Adam with u ← max(u, v) in place of v: w ← w − α ∘ m̂ / (√(u / (1−β₂ᵗ)) + ε). Reddi, Kale and Kumar 2018.

    As in PyTorch: the maximum is taken over v, and then both biases are corrected. The paper and the overview (Ruder
    2016) correct neither: w ← w − α ∘ m / (√u + ε). Keras takes the maximum over v too; some other libraries take it
    over v̂.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        m, v, u = slots
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g * g)
        u = np.maximum(u, v)
        m_hat = m / (1.0 - beta1**t)
        u_hat = u / (1.0 - beta2**t)
        return rate * (m_hat / (np.sqrt(u_hat) + epsilon)), (m, v, u)

    slots: SlotKinds = {"mean": "per_weight", "square": "per_weight", "largest_square": "per_weight"}
    return Optimizer(learning_rate, step, slots=slots)


@optimizers.add("adamax", MEAN, "u ← max({beta2} u, |g| + {epsilon})", M_HAT, "step(g) = α m̂ / u")
def adamax(
    learning_rate: LearningRate = 0.002,
    beta1: BelowOne = 0.9,
    beta2: BelowOne = 0.999,
    epsilon: Positive = 1e-8,
) -> Optimizer:
    """m ← β₁ m + (1−β₁) g; u ← max(β₂ u, |g| + ε); w ← w − α ∘ m̂ / u. Kingma and Ba 2015, Algorithm 2.

    The paper and the overview (Ruder 2016) have no ε, so a weight whose gradient was always 0 gets 0/0. ε is added to
    |g|, as in PyTorch; Keras divides by u + ε.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        m, u = slots
        m = beta1 * m + (1.0 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g) + epsilon)
        m_hat = m / (1.0 - beta1**t)
        return rate * (m_hat / u), (m, u)

    return Optimizer(learning_rate, step, slots={"mean": "per_weight", "largest": "per_weight"})


@optimizers.add(
    "nadam",
    "{p} = {beta1} (1 − ½ 0.96^({momentum_decay} (s + 1)))",
    "{q} = {beta1} (1 − ½ 0.96^({momentum_decay} (s + 2)))",
    "{r} ← {p} {r}, with {r} = 1 before the first update",
    MEAN,
    SQUARE,
    "m̂ = {q} m / (1 − {q} {r}) + (1 − {p}) g / (1 − {r})",
    V_HAT,
    "step(g) = α m̂ / (√v̂ + {epsilon})",
)
def nadam(
    learning_rate: LearningRate = 0.001,
    beta1: BelowOne = 0.9,
    beta2: BelowOne = 0.999,
    epsilon: Positive = 1e-8,
    momentum_decay: NonNegative = 0.004,
) -> Optimizer:
    """Adam that looks ahead: m̂ = μₜ₊₁ m / (1 − Πₜ₊₁) + (1−μₜ) g / (1 − Πₜ), Πₜ = μ₁ … μₜ. Dozat 2016.

    μₜ = β₁ (1 − ½ 0.96^(ψ t)) with ψ = momentum_decay warms the momentum up; m, v and the step are Adam's. As in
    PyTorch. The overview (Ruder 2016) keeps μ constant: m̂ = β₁ m / (1 − β₁ᵗ) + (1−β₁) g / (1 − β₁ᵗ), with m after
    its update. Dozat's Algorithm 2 has v̂ = β₂ v / (1 − β₂ᵗ), with a factor β₂ that neither PyTorch nor Keras has.
    """

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        m, v, product = slots
        mu = beta1 * (1.0 - 0.5 * 0.96 ** (momentum_decay * t))
        mu_next = beta1 * (1.0 - 0.5 * 0.96 ** (momentum_decay * (t + 1)))
        product = mu * np.where(t == 1, 1.0, product)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g * g)
        m_hat = mu_next / (1.0 - product * mu_next) * m + (1.0 - mu) / (1.0 - product) * g
        v_hat = v / (1.0 - beta2**t)
        return rate * (m_hat / (np.sqrt(v_hat) + epsilon)), (m, v, product)

    slots: SlotKinds = {"mean": "per_weight", "square": "per_weight", "momentum_product": "scalar"}
    return Optimizer(learning_rate, step, slots=slots)


@optimizers.add(
    "radam",
    "{q} = 2 / (1 − {beta2}) − 1",
    "{p} = {q} − 2 (s + 1) {beta2}^(s + 1) / (1 − {beta2}^(s + 1))",
    "{r} = √(({p} − 4) ({p} − 2) {q} / (({q} − 4) ({q} − 2) {p}))",
    MEAN,
    SQUARE,
    M_HAT,
    "step(g) = α {r} m̂ √(1 − {beta2}^(s + 1)) / (√v + {epsilon}) for {p} > 5, else α m̂",
)
def radam(
    learning_rate: LearningRate = 0.001,
    beta1: BelowOne = 0.9,
    beta2: BelowOne = 0.999,
    epsilon: Positive = 1e-8,
) -> Optimizer:
    """Adam times r = √((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ)) where ρ > 5, else w ← w − α ∘ m̂. Liu et al. 2020.

    ρ∞ = 2/(1−β₂) − 1 and ρ = ρ∞ − 2 t β₂ᵗ/(1−β₂ᵗ) is the effective length of the average v, at first too short to
    divide by. As in PyTorch the step is m̂ r √(1−β₂ᵗ) / (√v + ε) and the bound 5; the paper has no ε, and the bound 4.
    """
    longest = 2.0 / (1.0 - beta2) - 1.0

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        m, v = slots
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g * g)
        m_hat = m / (1.0 - beta1**t)
        rho = longest - 2.0 * t * beta2**t / (1.0 - beta2**t)
        among = (rho - 4.0) * (rho - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * rho)
        r = math.sqrt(among * (1.0 - beta2**t)) if rho > 5.0 else 0.0
        return rate * (r * m_hat / (np.sqrt(v) + epsilon) if rho > 5.0 else m_hat), (m, v)

    return Optimizer(learning_rate, step, slots={"mean": "per_weight", "square": "per_weight"})
