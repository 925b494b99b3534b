"""The lines of a compiled loop for the steps before W_1: straight loops over rows, groups and entries.

Step s takes u_{s−1} (u_0 is the inputs) and gives u_s; the last u is x_0. Its z is q_s, its δ is e_s, ∂E/∂u_s is h_s.
Its parameters are S_s (groups × outputs × columns of a group) and B_s, their gradients dS_s and dB_s.
"""

from collections.abc import Iterator

from bptrain.engines.compiled.functions import Function, KernelFunctions, Lines, indented
from bptrain.engines.compiled.kernel_plan import KernelPlan
from bptrain.engines.compiled.updating import Updating
from bptrain.parts.input_steps import InputStep
from bptrain.translate.expressions import Untranslatable


class StepLines:
    """The lines of the steps of one kernel; of a single instance, or for each row of a chunk."""

    def __init__(self, plan: KernelPlan, functions: KernelFunctions) -> None:
        self.plan, self.functions, self.steps = plan, functions, plan.network.input_steps
        self.at = "" if plan.single else "r, "  # the index of a row, before that of a column

    def __bool__(self) -> bool:
        return bool(self.steps)

    def tables(self) -> Lines:
        """The columns that each step takes and keeps, as constants of the module."""
        for s, step in enumerate(self.steps, 1):
            if _in_a_row(step) is None:
                yield f"taken{s} = np.array({[list(group) for group in step.columns]})"
            if step.kept and step.kept != tuple(range(len(step.kept))):
                yield f"kept{s} = np.array({list(step.kept)})"

    def views(self, flat: str, prefix: str = "") -> Lines:
        """The parameters of each step, or their gradients, as views of a flat vector that begins with them."""
        places = iter(self.plan.network.blocks)
        for s, step in enumerate(self.steps, 1):
            block = next(places)
            yield f"{prefix}S{s} = {flat}[{block.start}:{block.stop}].reshape({step.W_shape})"
            if step.bias is not None:
                block = next(places)
                yield f"{prefix}B{s} = {flat}[{block.start}:{block.stop}].reshape({block.shape})"

    def matrices(self, back: bool) -> Iterator[tuple[str, int]]:
        """The matrices of a batch that the steps need, with their columns."""
        last = len(self.steps)
        for s, step in enumerate(self.steps, 1):
            yield f"q{s}", step.units
            yield f"u{s}", step.n_out
            if back:
                yield f"e{s}", step.units
                yield f"h{s}", step.n_out
        if back and last:
            yield "h0", self.steps[0].n_in

    def forward(self, rows: str) -> Lines:
        """x_0 of some rows of X."""
        if not self.steps:
            yield f"x0 = X[{rows}]"
            return
        yield f"u0 = X[{rows}]"
        yield from self._forward()
        last = len(self.steps)
        yield f"x0 = u{last}" if self.plan.single else f"x0, X0 = u{last}, U{last}"

    def _forward(self) -> Lines:
        for s, step in enumerate(self.steps, 1):
            at, kept, taken = self.at, len(step.kept), _taken(s, step)
            f = self._of_entries("f", ("z",), step.f.f)
            groups, outputs, size = step.W_shape
            yield f"# step {s} before W_1: z_g = W_g x_g{' + b_g' if step.bias else ''} of {groups} groups, x' = f(z)"
            lines = []
            if kept:
                lines += [f"for k in range({kept}):", f"    u{s}[{at}k] = u{s - 1}[{at}{_kept(s, step)}]"]
            lines += [
                f"for m in range({groups}):",
                f"    for o in range({outputs}):",
                f"        s = B{s}[m, o]" if step.bias else "        s = F(0.0)",
                f"        for k in range({size}):",
                f"            s += S{s}[m, o, k] * u{s - 1}[{at}{taken}]",
                f"        q{s}[{at}m * {outputs} + o] = s",
                f"for k in range({step.units}):",
                f"    u{s}[{at}{kept} + k] = {f.name}(q{s}[{at}k])",
            ]
            yield from self._rows(lines)

    def updates(self, g: str, updating: Updating) -> Lines:
        """The update of each parameter by the rule, at its own rate, by a gradient that begins with theirs."""
        for block, factor in self.plan.network.rate_factors.items():
            yield from updating.numbers_of_step(factor)
            yield f"for k in range({block.start}, {block.stop}):"
            yield from indented(updating.update(f"{g}[k]", "w", "[k]", updating.rule.slots, block.kind))

    def backward(self, begin: str) -> Lines:
        """The gradients, on top of what is there, from h of the last step; `begin` says when they are 0 before."""
        if begin:
            clear = [
                f"d{letter}{s}[:] = F(0.0)"
                for s, step in enumerate(self.steps, 1)
                for letter in ("SB" if step.bias else "S")
            ]
            if begin == "always":
                yield from clear
            else:
                yield f"if {begin}:"
                yield from indented(clear)
        for s in range(len(self.steps), 0, -1):
            yield from self._back(s, self.steps[s - 1])

    def _back(self, s: int, step: InputStep) -> Lines:
        at, kept, taken = self.at, len(step.kept), _taken(s, step)
        assert step.f.df is not None
        df = self._of_entries("df", ("z", "x"), step.f.df)
        groups, outputs, size = step.W_shape
        bias = ", ∂E/∂b_g = δ_g" if step.bias else ""
        yield f"# step {s} before W_1: δ_g = ∂E/∂x'_g ∘ f'(z_g), ∂E/∂W_g = δ_g x_gᵀ{bias}"
        lines = [
            f"for k in range({step.units}):",
            f"    e{s}[{at}k] = h{s}[{at}{kept} + k] * {df.name}(q{s}[{at}k], u{s}[{at}{kept} + k])",
        ]
        if s > 1:
            lines += [f"for k in range({step.n_in}):", f"    h{s - 1}[{at}k] = F(0.0)"]
            if kept:
                lines += [f"for k in range({kept}):", f"    h{s - 1}[{at}{_kept(s, step)}] = h{s}[{at}k]"]
        lines += [
            f"for m in range({groups}):",
            f"    for o in range({outputs}):",
            f"        d = e{s}[{at}m * {outputs} + o]",
            *([f"        dB{s}[m, o] += d"] if step.bias else []),
            f"        for k in range({size}):",
            f"            dS{s}[m, o, k] += d * u{s - 1}[{at}{taken}]",
            *([f"            h{s - 1}[{at}{taken}] += d * S{s}[m, o, k]"] if s > 1 else []),
        ]
        yield from self._rows(lines)

    def _rows(self, lines: list[str]) -> Lines:
        if self.plan.single:
            yield from lines
        else:
            yield "for r in range(n):"
            yield from indented(lines)

    def _of_entries(self, kind: str, arguments: tuple[str, ...], part: object) -> Function:
        function = self.functions.formula(kind, 1, arguments, part)  # type: ignore[arg-type]
        if function.formula.by_row:
            raise Untranslatable("a step before W_1 that takes sums over a row")
        return function


def _in_a_row(step: InputStep) -> int | None:
    """The first column of groups that follow one another without a gap; None of others."""
    columns = [k for group in step.columns for k in group]
    return columns[0] if columns == list(range(columns[0], columns[0] + len(columns))) else None


def _taken(s: int, step: InputStep) -> str:
    """The k-th column that group m takes, as code: without a table the loop is one of vectors."""
    first = _in_a_row(step)
    return f"taken{s}[m, k]" if first is None else f"{first} + m * {len(step.columns[0])} + k"


def _kept(s: int, step: InputStep) -> str:
    """The k-th column that is kept, as code."""
    return "k" if step.kept == tuple(range(len(step.kept))) else f"kept{s}[k]"
