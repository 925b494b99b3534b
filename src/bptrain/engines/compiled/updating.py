"""The lines of a compiled loop that update the weights: rates, the rule, and what is done to the gradient before it."""

import re
from collections.abc import Iterable
from functools import cached_property

from bptrain.engines.compiled.functions import Functions, Lines
from bptrain.engines.compiled.plan import Plan, Updates
from bptrain.engines.compiled.rules import Fold, Rule, write_rule


def mentions(code: str, name: str) -> bool:
    """Whether a number is worked out from `name`: t, rate or E."""
    return re.search(rf"\b{name}\b", code) is not None


class Updating:
    """The lines around the optimizer's rule; penalties and bounds become functions of the module."""

    def __init__(self, plan: Plan, functions: Functions) -> None:
        self.plan, self.network, self.functions = plan, plan.network, functions

    @property
    def updates(self) -> Updates:
        """How the weights are updated, in a kernel that updates them."""
        assert self.plan.updates is not None
        return self.plan.updates

    @cached_property
    def rule(self) -> Rule:
        """The optimizer's rule."""
        return write_rule(self.updates.optimizer)

    def numbers(self, layer: int | None) -> Lines:
        """The numbers of the rule: those of every update, or those that depend on a layer's own rate."""
        numbers = self.rule.numbers if self.plan.updates is not None else {}
        for name, code in numbers.items():
            own = self.updates.rate_per_layer and mentions(code, "rate")
            if own == (layer is not None):
                yield f"{name} = F({re.sub('rate', f'rate{layer}', code) if own else code})"

    def rates(self) -> Lines:
        """α of this update: learning rate × schedule."""
        yield "factor = factor_of(t, epoch, steps_per_epoch, epochs)"
        yield "t += 1"
        if self.updates.rate_per_layer:
            yield from (f"rate{i} = rates[{i - 1}] * factor" for i in range(1, self.network.L + 1))
        else:
            yield "rate = rates[0] * factor"

    def update(self, g: str, weight: str, at: str, slots: Iterable[str], kind: str) -> Lines:
        """One weight's update by the rule; `kind` is weight or bias."""
        g = g if self.updates.whole else self.shaped(g, f"{weight}{at}", kind)
        scalars, pairs = self.rule.scalars, [*zip(self.rule.slots, slots, strict=True)]
        before = [f"old_{name}" if name in scalars else f"{slot}{at}" for name, slot in pairs]
        after = [f"new_{name}" if name in scalars else f"{slot}{at}" for name, slot in pairs]
        given = ", ".join([g, *before, f"{weight}{at}", *self.rule.formula.numbers])
        yield f"{', '.join(['step', *after])} = update({given})"
        yield f"{weight}{at} -= step"

    def shaped(self, g: str, w: str, kind: str) -> str:
        """An entry of the gradient with the penalty on its weight, held to the bound of clip_value."""
        return self.held(self.penalized(g, w) if kind == "weight" else g)

    def penalized(self, g: str, w: str) -> str:
        """g + l2 w + l1 sign(w)."""
        l1, l2 = self.network.l1, self.network.l2
        if not (l1 or l2):
            return g
        terms = ["g", *([f"F({l2!r}) * w"] if l2 else []), *([f"F({l1!r}) * np.sign(w)"] if l1 else [])]
        return self.functions.of_numbers("penalized", ("g", "w"), [f"return {' + '.join(terms)}"], (g, w))

    def held(self, g: str) -> str:
        """g, held to [−c, c]; NaN stays NaN."""
        c = self.updates.shaping.clip_value
        if c is None:
            return g
        body = [f"return F({c!r}) if g > F({c!r}) else F({-c!r}) if g < F({-c!r}) else g"]
        return self.functions.of_numbers("held", ("g",), body, (g,))

    @cached_property
    def fold(self) -> Fold | None:
        """How the rule folds into a product, if nothing but a penalty l2 stands in between."""
        fold, l2 = self.rule.fold, self.network.l2
        plain = not self.network.l1 and not self.updates.whole and self.updates.shaping.clip_value is None
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
        yield from self.numbers(None)
        yield from (f"old_{slot} = {slot}[0]" for slot in self.rule.scalars)

    def _penalty(self) -> Lines:
        """E ← E + l1 Σ|w| + ½ l2 Σ w², over the W_i."""
        l1, l2 = self.network.l1, self.network.l2
        for block in self.network.blocks if l1 or l2 else ():
            if block.kind == "weight":
                yield f"for k in range({block.start}, {block.stop}):"
                yield f"    E += {l1!r} * abs(w[k]) + {0.5 * l2!r} * w[k] * w[k]"

    def end_update(self) -> Lines:
        """The scalar slots after an update."""
        yield from (f"{slot}[0] = new_{slot}" for slot in self.rule.scalars)
