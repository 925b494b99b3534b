"""What both forms of a compiled loop are made of: the lines around the formulas and the products.

Z1 is z1 as one flat row: element-wise work runs over all rows of a chunk at once. A single instance is one row.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bptrain.core.network import Network
from bptrain.engines.compiled.functions import Function, Functions, Lines, indented
from bptrain.engines.compiled.rules import write_rule
from bptrain.engines.compiled.values import Untranslatable
from bptrain.parts.optimizers import Optimizer
from bptrain.parts.schedules import Schedule


class Plan(NamedTuple):
    """What a kernel is written for."""

    network: Network
    optimizer: Optimizer
    schedule: Schedule
    dtype: str  # float32 | float64
    single: bool  # one instance an update
    chunked: bool  # a batch has more rows than a chunk
    rate_per_layer: bool


def mentions(code: str, name: str) -> bool:
    """Whether a number is worked out from `name`: t, rate or E."""
    return re.search(rf"\b{name}\b", code) is not None


class Pieces:
    """The lines of one kernel; `functions` are the formulas that they call."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.network, self.L = plan, plan.network, plan.network.L
        self.functions = Functions()
        self.rule = write_rule(plan.optimizer)
        self.f: dict[int, Function] = {}
        self.df: dict[int, Function] = {}
        self.product: dict[int, Function] = {}
        for i in range(1, self.L + 1):
            n, activation = self.network.sizes[i], self.network.activations[i]
            self.f[i] = self.functions.formula("f", n, ("z",), activation.f)
            if i == self.L and self.network.canonical:
                continue
            if activation.df is not None:
                self.df[i] = self.functions.formula("df", n, ("z", "x"), activation.df)
            elif activation.product is not None:
                self.product[i] = self.functions.formula("product", n, ("x", "g"), activation.product)
        n_L, loss = self.network.sizes[self.L], self.network.loss
        if self.network.canonical and loss.E_of_z is not None:
            self.E_of = f"z{self.L}"
            self.E = self.functions.formula("loss", n_L, ("z", "t"), loss.E_of_z)
        else:
            self.E_of = self.x(self.L)
            self.E = self.functions.formula("loss", n_L, ("x", "t"), loss.E)
        if self.E.formula.result.kind != "row":
            raise Untranslatable("the loss does not sum over the outputs of a row")
        if not self.network.canonical:
            self.dE = self.functions.formula("dloss", n_L, ("x", "t"), loss.dE)

    def views(self, flat: str, weight: str, bias: str) -> Lines:
        """W_i and b_i as views of a flat vector."""
        for block in self.network.blocks:
            part = f"{flat}[{block.start}:{block.stop}]"
            if block.kind == "weight":
                yield f"{weight}{block.layer} = {part}.reshape({block.shape})"
            else:
                yield f"{bias}{block.layer} = {part}"

    def scratch(self) -> Lines:
        """Rows of scratch space, by number and length."""
        for k, n in sorted(self.functions.scratch):
            yield f"s{k}_{n} = np.empty({n}, F)"

    def flat(self, matrix: str) -> str:
        """The name of a matrix as one flat row."""
        return matrix if self.plan.single else matrix.upper()

    def over(self, i: int) -> str:
        """A loop over every entry of a layer's matrix."""
        n = self.network.sizes[i]
        return f"for k in range({n}):" if self.plan.single else f"for k in range(n * {n}):"

    def entries(self, i: int, function: Function, arguments: list[str], out: str, sign: str = "=") -> Lines:
        """out = function(arguments), entry by entry or row by row; with a sign such as *=, entry by entry."""
        if not function.formula.by_row:
            given = ", ".join(f"{self.flat(name)}[k]" for name in arguments)
            yield self.over(i)
            yield f"    {self.flat(out)}[k] {sign} {function.name}({given})"
            return
        if sign != "=":
            raise Untranslatable("a derivative f' that takes sums over a row")
        yield from self.rows([f"{function.name}({self.given(function, [*arguments, out])})"])

    def rows(self, lines: Iterable[str]) -> Lines:
        """Lines for each row of a chunk; a single instance is one row."""
        if self.plan.single:
            yield from lines
        else:
            yield "for r in range(n):"
            yield from indented(lines)

    def given(self, function: Function, arrays: list[str]) -> str:
        """The arguments of a function of rows."""
        one = "" if self.plan.single else "[r]"
        return ", ".join([*(name + one for name in arrays), *function.scratch])

    def x(self, i: int) -> str:
        """The name of x_i: that of z_i where f_i is the identity."""
        return f"z{i}" if i > 0 and self.f[i].formula.lines == ("return z",) else f"x{i}"

    def activate(self, i: int) -> Lines:
        """x_i = f_i(z_i)."""
        if self.x(i) != f"z{i}":
            yield from self.entries(i, self.f[i], [f"z{i}"], f"x{i}")

    def through_activation(self, i: int) -> Lines:
        """δ_i ← δ_i ∘ f_i'(z_i), or J_iᵀ δ_i."""
        if i in self.product:
            yield from self.entries(i, self.product[i], [self.x(i), f"d{i}"], f"d{i}")
        elif self.df[i].formula.result.constant != 1.0:
            yield from self.entries(i, self.df[i], [f"z{i}", self.x(i)], f"d{i}", "*=")

    def loss_and_delta(self) -> Lines:
        """The loss of each row, and δ_L; a mean divides it by the rows of its batch."""
        L = self.L
        x = self.x(L)
        yield from self.rows([f"batch_loss += {self.E.name}({self.given(self.E, [self.E_of, 'target'])})"])
        mean = self.network.reduction == "mean" and not self.plan.single
        if self.network.canonical:
            yield self.over(L)
            difference = f"{self.flat(x)}[k] - {self.flat('target')}[k]"
            yield f"    {self.flat(f'd{L}')}[k] = " + (f"({difference}) * scale" if mean else difference)
            return
        yield from self.entries(L, self.dE, [x, "target"], f"d{L}")
        yield from self.through_activation(L)
        if mean:
            yield self.over(L)
            yield f"    {self.flat(f'd{L}')}[k] *= scale"

    def numbers(self, layer: int | None) -> Lines:
        """The numbers of the rule: those of every update, or those that depend on a layer's own rate."""
        for name, code in self.rule.numbers.items():
            own = self.plan.rate_per_layer and mentions(code, "rate")
            if own == (layer is not None):
                yield f"{name} = F({re.sub('rate', f'rate{layer}', code) if own else code})"

    def rates(self) -> Lines:
        """α of this update: learning rate × schedule."""
        yield "factor = factor_of(t, epoch, steps_per_epoch, epochs)"
        yield "t += 1"
        if self.plan.rate_per_layer:
            yield from (f"rate{i} = rates[{i - 1}] * factor" for i in range(1, self.L + 1))
        else:
            yield "rate = rates[0] * factor"

    def update(self, g: str, weight: str, at: str, slots: Iterable[str]) -> Lines:
        """One weight's update by the rule."""
        scalars, pairs = self.rule.scalars, [*zip(self.rule.slots, slots, strict=True)]
        before = [f"old_{name}" if name in scalars else f"{slot}{at}" for name, slot in pairs]
        after = [f"new_{name}" if name in scalars else f"{slot}{at}" for name, slot in pairs]
        given = ", ".join([g, *before, f"{weight}{at}", *self.rule.formula.numbers])
        yield f"{', '.join(['step', *after])} = update({given})"
        yield f"{weight}{at} -= step"

    def begin_update(self) -> Lines:
        """The loss of the batch where the rule reads it, the rule's numbers, and its scalar slots."""
        if any(mentions(code, "E") for code in self.rule.numbers.values()):
            mean = self.network.reduction == "mean" and not self.plan.single
            yield (
                ("E = batch_loss / n" if mean else "E = batch_loss")
                if self.plan.optimizer.needs_loss
                else "E = np.nan"
            )
        yield from self.numbers(None)
        yield from (f"old_{slot} = {slot}[0]" for slot in self.rule.scalars)

    def end_update(self) -> Lines:
        """The scalar slots after an update."""
        yield from (f"{slot}[0] = new_{slot}" for slot in self.rule.scalars)

    def run_slice(self, lines: Iterable[str]) -> Lines:
        """run_slice as a function of the module, with the rule and the schedule."""
        self.functions.rule(self.rule)
        self.functions.schedule(self.plan.schedule)
        slots = "".join(f"{slot}, " for slot in self.rule.slots)
        yield from self.loop(
            f"run_slice(w, {slots}X, T, batch, t, rates, epoch, steps_per_epoch, epochs)", lines
        )

    def loop(self, signature: str, lines: Iterable[str]) -> Lines:
        """A loop as a function of the module."""
        yield from ("", "", "@loop", f"def {signature}:")
        yield from indented(lines)
