"""An optimizer's rule written out for a compiled loop, and how far it folds into a matrix product.

A rule that is linear in the gradient needs no gradient in memory: BLAS adds α DᵀX to a matrix as it forms the product.

    step = a g + c w                 W ← (1 − c) W − a DᵀX                      gradient descent, with decay
    v' = p v + q g, step = k v'      V ← p V + q DᵀX, then W ← W − k V          momentum
"""

from typing import NamedTuple

from bptrain.parts.optimizers import Optimizer
from bptrain.translate.expressions import Expression, Numbers, Untranslatable, constant, each, number
from bptrain.translate.formulas import Formula, translate
from bptrain.translate.target import Target


class Fold(NamedTuple):
    """The product that takes the place of a gradient: C ← beta C + alpha DᵀX, each as a typed number's code."""

    slot: str | None  # C: a slot, or the weights themselves
    alpha: str
    beta: str
    step: str | None  # with a slot: k, the multiple of it that is taken from the weights


class Rule(NamedTuple):
    """One optimizer: `step, slots… = rule(g, slots…, w, numbers…)` for one weight."""

    formula: Formula
    slots: tuple[str, ...]  # the names of the slots in the loop
    scalars: tuple[str, ...]  # those that are one number for all weights
    numbers: Numbers  # name -> float64 expression of t, rate and E
    fold: Fold | None


def write_rule(optimizer: Optimizer, target: Target) -> Rule:
    """The rule of an optimizer, written for a target. Raises Untranslatable."""
    try:
        return _rule(optimizer, target)
    except Untranslatable as error:
        raise Untranslatable(f"the optimizer: {error}") from error


def _rule(optimizer: Optimizer, target: Target) -> Rule:
    names = {
        f"slot_{name}" if name.isidentifier() else f"slot{k}": kind
        for k, (name, kind) in enumerate(optimizer.slots.items())
    }
    slots = tuple(
        each(name) if kind == "per_weight" else Expression("row", name) for name, kind in names.items()
    )
    formula = translate(
        optimizer.step,
        1,
        target,
        g=each("g"),
        slots=Expression("tuple", "", items=slots),
        w=each("w"),
        rate=number("rate"),
        t=number("t"),
        E=number("E"),
    )
    if formula.by_row or formula.result.kind != "tuple" or len(formula.result.items) != 2:
        raise Untranslatable("the rule takes sums over the weights, or does not return (step, slots)")
    step, after = formula.result.items
    if len(after.items) != len(slots):
        raise Untranslatable(f"the rule returns {len(after.items)} slots and not {len(slots)}")
    for before, new in zip(slots, after.items, strict=True):
        if before.kind == "row" and new.kind == "each":
            raise Untranslatable(
                f"{before.code} is one number, but the rule makes it differ from weight to weight"
            )
    scalars = tuple(name for name, kind in names.items() if kind == "scalar")
    numbers = Numbers(target, formula.numbers)
    fold = None if scalars else _fold(step, slots, after.items, numbers)
    return Rule(formula, tuple(names), scalars, numbers, fold)


def _fold(
    step: Expression, before: tuple[Expression, ...], after: tuple[Expression, ...], numbers: Numbers
) -> Fold | None:
    """How a rule folds, if it does; the numbers that it needs are added to `numbers`."""
    if not before and step.linear and step.linear.keys() <= {"g", "w"} and "g" in step.linear:
        decay = step.linear.get("w")
        one = numbers.typed(constant(1.0))
        beta = one if decay is None else numbers.target.operation("-", one, numbers.typed(decay))
        return Fold(None, numbers.target.negative(numbers.typed(step.linear["g"])), beta, None)
    if len(before) == 1 and after[0].linear and step.multiple is not None:
        (slot,), new = before, after[0].linear
        k, variable = step.multiple
        if variable == after[0].code and new.keys() == {slot.code, "g"}:
            return Fold(slot.code, numbers.typed(new["g"]), numbers.typed(new[slot.code]), numbers.typed(k))
    return None
