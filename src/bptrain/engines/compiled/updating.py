"""The lines of a compiled loop that update the weights: rates, the rule, and what is done to the gradient before it."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from bptrain.engines.compiled.functions import KernelFunctions, Lines
from bptrain.engines.compiled.kernel_plan import KernelPlan, Updates
from bptrain.engines.compiled.target import NUMBA
from bptrain.engines.gradient_transform import clip_by_value
from bptrain.translate.update_rules import Fold, Rule, write_rule


def mentions(code: str, name: str) -> bool:
    """Whether code reads a name: t, rate or E in a rule's numbers, z in a formula."""
    return re.search(rf"\b{name}\b", code) is not None


class Updating:
    """The lines around the optimizer's rule; penalties and bounds become functions of the module."""

    def __init__(self, plan: KernelPlan, functions: KernelFunctions) -> None:
        self.plan, self.network, self.functions = plan, plan.network, functions

    @property
    def updates(self) -> Updates:
        """How the weights are updated, in a kernel that updates them."""
        assert self.plan.updates is not None
        return self.plan.updates

    @cached_property
    def rule(self) -> Rule:
        """The optimizer's rule."""
        return write_rule(self.updates.optimizer, NUMBA)

    def numbers(self, layer: int | None) -> Lines:
        """The numbers of the rule: those of every update, or those that depend on a layer's own rate."""
        numbers = self.rule.numbers if self.plan.updates is not None else {}
        for name, code in numbers.items():
            own = self.updates.rate_per_layer and mentions(code, "rate")
            if own == (layer is not None):
                yield f"{name} = F({re.sub('rate', f'rate{layer}', code) if own else code})"

    def numbers_of_step(self, factor: float) -> Lines:
        """The numbers of the rule that depend on the rate, for a step before W_1: α of layer 1, times a factor."""
        rate = f"({'rate1' if self.updates.rate_per_layer else 'rate'} * {factor!r})"
        for name, code in self.rule.numbers.items():
            if mentions(code, "rate"):
                of_step = re.sub(r"\brate\b", rate, code)
                yield f"{name} = F({of_step})"

    def rates(self) -> Lines:
        """α of this update: learning rate × schedule."""
        yield "# α of this update: the learning rate times the schedule's factor"
        yield "factor = factor_of(t, epoch, steps_per_epoch, epochs)"
        yield "t += 1"
        if self.updates.rate_per_layer:
            yield from (f"rate{i} = rates[{i - 1}] * factor" for i in range(1, self.network.L + 1))
        else:
            yield "rate = rates[0] * factor"

    def update(self, g: str, weight: str, at: str, slots: Iterable[str], kind: str) -> Lines:
        """One weight's update by the rule; `kind` is weight or bias."""
        g = g if self.updates.transform.whole else self.transformed(g, f"{weight}{at}", kind)
        scalars, pairs = self.rule.scalars, [*zip(self.rule.slots, slots, strict=True)]
        before = [f"old_{name}" if name in scalars else f"{slot}{at}" for name, slot in pairs]
        after = [f"new_{name}" if name in scalars else f"{slot}{at}" for name, slot in pairs]
        given = ", ".join([g, *before, f"{weight}{at}", *self.rule.formula.numbers])
        yield f"{', '.join(['step', *after])} = update({given})"
        yield f"{weight}{at} -= step"

    def transformed(self, g: str, w: str, kind: str) -> str:
        """An entry of the gradient with the penalty on its weight, clipped to the bound of clip_value."""
        return self.clipped(self.penalized(g, w) if kind == "weight" else g)

    def penalized(self, g: str, w: str) -> str:
        """g with the slope of the penalty on its weight."""
        penalty = self.network.penalty
        return g if penalty is None else f"({g} + {self._call('slope', 'w', penalty.slope, w)})"

    def clipped(self, g: str) -> str:
        """g, clipped to the bound of clip_value."""
        c = self.updates.transform.clip_value
        return g if c is None else self._call("clipped", "g", clip_by_value(c), g)

    def _call(self, kind: str, parameter: str, part: Callable[..., Any], given: str) -> str:
        """A call of a formula of one number, which becomes a function of the module."""
        return f"{self.functions.formula(kind, 1, (parameter,), part).name}({given})"

    @cached_property
    def fold(self) -> Fold | None:
        """How the rule folds into a product, if nothing but a penalty l2 stands in between."""
        fold, l2, transform = self.rule.fold, self.network.l2, self.updates.transform
        plain = not self.network.l1 and not transform.whole and transform.clip_value is None
        if fold is None or not plain or (fold.slot is not None and l2):
            return None
        return fold._replace(beta=f"({fold.beta} + {fold.alpha} * F({l2!r}))") if l2 else fold

    def begin_update(self) -> Lines:
        """The loss of the batch where the rule reads it, the rule's numbers, and its scalar slots."""
        if any(mentions(code, "E") for code in self.rule.numbers.values()):
            mean = self.network.reduction == "mean" and (self.plan.weighted or not self.plan.single)
            if self.updates.optimizer.needs_loss:
                yield "E = batch_loss / total" if mean else "E = batch_loss"
                yield from self._penalty()
            else:
                yield "E = np.nan"
        yield "# what the rule needs beside g, w and its slots: once per update, with Python's precision"
        yield from self.numbers(None)
        yield from (f"old_{slot} = {slot}[0]" for slot in self.rule.scalars)

    def _penalty(self) -> Lines:
        """E ← E + the penalty on the weights."""
        penalty = self.network.penalty
        for block in self.network.blocks:
            if penalty is not None and block.kind == "weight":
                yield f"for k in range({block.start}, {block.stop}):"
                yield f"    E += {self._call('penalty', 'w', penalty.value, 'w[k]')}"

    def end_update(self) -> Lines:
        """The scalar slots after an update."""
        yield from (f"{slot}[0] = new_{slot}" for slot in self.rule.scalars)
