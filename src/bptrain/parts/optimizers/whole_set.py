"""Rules for the gradient of the whole set (training.mode: batch): each compares it with that of the previous update."""

from typing import Any, Literal

import numpy as np

from bptrain.parts.optimizers.base import Optimizer, SlotKinds, Slots, optimizers
from bptrain.parts.types import AboveOne, Array, Inside, LearningRate, Positive


@optimizers.add(
    "rprop",
    "{q} = α before the first update",
    "{p} = g of the update before, 0 where its sign had changed",
    "{q} ← min({eta_plus} {q}, {step_max}) for g {p} > 0",
    "{q} ← max({eta_minus} {q}, {step_min}) for g {p} < 0, and then g ← 0",
    "step(g) = {q} sign(g)",
    "[variant=plus] where the sign of g has changed: step(g) takes back the step before if E has grown, else it is 0",
)
def rprop(
    learning_rate: LearningRate = 0.01,
    variant: Literal["minus", "plus"] = "minus",
    eta_plus: AboveOne = 1.2,
    eta_minus: Inside = 0.5,
    step_min: Positive = 1e-6,
    step_max: Positive = 50.0,
) -> Optimizer:
    """d ← η⁺ d where g keeps its sign, η⁻ d where not, within bounds; w ← w − sign(g) d. Riedmiller and Braun 1993.

    d starts at the learning rate, which has no effect after that (nor would a schedule; only weight_decay is multiplied
    by it in every update). Where the sign changes, it follows iRprop (Igel and Hüsken 2000, 2003):

        minus   iRPROP⁻: g counts as 0: the weight stays, and its next step is not shortened again. PyTorch, FANN.
        plus    iRPROP⁺: also, where E has grown, the weight goes back to where it was before its last step.

    (RPROP⁺, the original of 1993, goes back whether or not E has grown; RPROP⁻ continues with the shorter d.)
    """
    if step_min > step_max:
        raise ValueError(f"step_min {step_min:g} is above step_max {step_max:g}")

    def minus(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        d, previous = slots
        d = np.where(t == 1, rate, d)
        trend = np.sign(g) * np.sign(previous)
        longer, shorter = np.minimum(eta_plus * d, step_max), np.maximum(eta_minus * d, step_min)
        d = np.where(trend > 0, longer, np.where(trend < 0, shorter, d))
        g = np.where(trend < 0, 0.0, g)
        return np.sign(g) * d, (d, g)

    def plus(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        d, previous, step, loss = slots
        turned = np.sign(g) * np.sign(previous) < 0
        back = np.where(loss < E, -step, 0.0)
        by_sign, own = minus(g, (d, previous), w, rate, t, E)
        d, g = own
        step = np.where(turned, back, by_sign)
        return step, (d, g, step, np.full_like(loss, E))

    kept: SlotKinds = {"step_size": "per_weight", "gradient": "per_weight"}
    if variant == "minus":
        return Optimizer(learning_rate, minus, kept, batch_only=True, rate_is_first_step=True)
    kept = {**kept, "step": "per_weight", "loss": "scalar"}
    return Optimizer(learning_rate, plus, kept, needs_loss=True, batch_only=True, rate_is_first_step=True)


@optimizers.add(
    "quickprop",
    "{p} = g and {q} = step(g) of the update before, 0 before the first",
    "{r} = α g for {q} = 0 or g {q} > 0, else 0",
    "step(g) = {r} + {mu} {q} for g sign({q}) > {mu} / (1 + {mu}) {p} sign({q}) or g = {p}",
    "step(g) = {r} + {q} g / ({p} − g) for all others",
)
def quickprop(learning_rate: LearningRate = 0.1, mu: Positive = 1.75) -> Optimizer:
    """w ← w + Δw, Δw = Δw' g / (g' − g) [− α g], to the minimum of a parabola through two slopes. Fahlman 1988.

    g' and Δw' are the gradient and the change of the previous update. With Fahlman's rules, as in his program and in
    FANN:

        Δw' = 0                                  Δw = − α g
        g downhill still along Δw'               − α g is added to what follows
        that slope above μ/(1+μ) of the last     Δw = μ Δw', the largest growth, instead of the parabola

    So with falling slopes g' − g is never 0; if rounding makes it 0, the slope has not fallen, and Δw = μ Δw'. Not done
    here: dividing α by the number of inputs of a unit, and adding 0.1 to f' (Fahlman); treating changes below 0.001 as
    0, and limiting weights to ±1500 (FANN). Both programs decay the weights a little; here weight_decay is 0 by
    default.
    """
    shrink = mu / (1.0 + mu)

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        previous, last = slots  # w −= step: last is −Δw'
        slope, slope_before = np.sign(last) * g, np.sign(last) * previous
        linear = np.where((last == 0) | (slope > 0), rate * g, 0.0)
        gap = previous - g
        grows = (slope > shrink * slope_before) | (gap == 0)
        parabola = g / np.where(grows, 1.0, gap)
        step = linear + np.where(grows, mu, parabola) * last
        return step, (g, step)

    kept: SlotKinds = {"gradient": "per_weight", "step": "per_weight"}
    return Optimizer(learning_rate, step, kept, batch_only=True)
