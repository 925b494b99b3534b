"""What both forms of a compiled loop are made of: the lines around the formulas and the products.

Z1 is z1 as one flat row: element-wise work runs over all rows of a chunk at once. A single instance is one row.
Where f_i' can do without z_i, x_i takes its place as it is worked out: a matrix less to write and to keep.
"""

from collections.abc import Iterable

from bptrain.engines.compiled.equations import Equations
from bptrain.engines.compiled.functions import Function, KernelFunctions, Lines, indented
from bptrain.engines.compiled.input_steps import StepLines
from bptrain.engines.compiled.kernel_plan import KernelPlan
from bptrain.engines.compiled.updating import Updating, mentions
from bptrain.translate.expressions import Untranslatable

POSITION = "t, rates, epoch, steps_per_epoch, epochs"


class Pieces:
    """The lines of one kernel; `functions` are the formulas that they call, each written when it is first called."""

    def __init__(self, plan: KernelPlan, back: bool = True) -> None:
        self.plan, self.network, self.L = plan, plan.network, plan.network.L
        self.back = back  # whether the kernel goes back, too
        self.equations = Equations(plan.network, plan.masked)
        self.functions = KernelFunctions()
        self._derivatives: dict[int, Function | None] = {}  # by layer, each read once
        self.updating = Updating(plan, self.functions)
        self.steps = StepLines(plan, self.functions)
        self._scratch: dict[
            str, int
        ] = {}  # rows of scratch space that the loop under way uses, with their length
        f, sizes = self.network.activations, self.network.sizes
        layers = range(1, self.L + 1)
        self.f = {i: self.functions.formula("f", sizes[i], ("z",), f[i].f) for i in layers}

    @property
    def context(self) -> list[str]:
        """The arguments that go with the rows: what they weigh, and a mask for each layer that has one."""
        return [*(["V"] if self.plan.weighted else []), *(f"mask{i}" for i in self.plan.masked)]

    def views(self, flat: str, weight: str, bias: str) -> Lines:
        """W_i and b_i as views of a flat vector; of the weights and the gradient, what is of steps before W_1 too."""
        if weight in ("W", "dW"):
            yield from self.steps.views(flat, weight[:-1])
        for block in self.network.blocks:
            if block.layer == 0:
                continue
            part = f"{flat}[{block.start}:{block.stop}]"
            if block.kind == "weight":
                yield f"{weight}{block.layer} = {part}.reshape({block.shape})"
            else:
                yield f"{bias}{block.layer} = {part}"

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
        self._scratch |= dict.fromkeys(function.scratch, function.n)
        return ", ".join([*(name + one for name in arrays), *function.scratch])

    def x(self, i: int) -> str:
        """The name of x_i: that of z_i where f_i is the identity."""
        return f"z{i}" if i > 0 and self.f[i].formula.lines == ("return z",) else f"x{i}"

    def z(self, i: int) -> str:
        """The name of z_i: that of x_i where nothing reads z_i once x_i is there."""
        f = self.f[i].formula
        if self.x(i) == f"z{i}" or i == self.L or f.by_row or (self.back and self._slope_reads_z(i)):
            return f"z{i}"
        return self.x(i)

    def _slope_reads_z(self, i: int) -> bool:
        df = self.derivative(i)
        return df is not None and any(mentions(line, "z") for line in df.formula.lines)

    def y(self, i: int) -> str:
        """The name of what the next layer is given: x_i, or y_i = x_i ∘ m_i."""
        return f"y{i}" if i in self.plan.masked else self.x(i)

    def activate(self, i: int) -> Lines:
        """x_i = f_i(z_i), and y_i = x_i ∘ m_i."""
        if self.x(i) != f"z{i}":
            yield from self.entries(i, self.f[i], [self.z(i)], self.x(i))
        yield from self.mask(i)

    def mask(self, i: int) -> Lines:
        """y_i = x_i ∘ m_i."""
        if i in self.plan.masked:
            if i == 0:
                yield "# y_0 = x_0 ∘ m_0"
            yield f"m{i} = mask{i}[a]" if self.plan.single else f"m{i} = mask{i}[a : a + n].reshape(-1)"
            yield self.over(i)
            yield f"    {self.flat(f'y{i}')}[k] = {self.flat(self.x(i))}[k] * m{i}[k]"

    def matrices(self, i: int) -> dict[str, int]:
        """The matrices of layer i, by name, with their columns; of layer 0 those of the steps before W_1."""
        n = self.network.sizes[i]
        if i > 0:
            names = [self.z(i), self.x(i), self.y(i), *([f"d{i}"] if self.back else [])]
            return dict.fromkeys(names, n)
        masked = {"y0": n} if 0 in self.plan.masked else {}
        return {**dict(self.steps.matrices(self.back)), **masked}

    def step_deltas(self, begin: str) -> Lines:
        """The gradients of the steps before W_1, once d0 is there; see `StepLines.backward`."""
        if self.steps:
            yield from self.through_mask(0)
            yield from self.steps.backward(begin)

    def through_activation(self, i: int) -> Lines:
        """δ_i ← δ_i ∘ m_i ∘ f_i'(z_i), or J_iᵀ δ_i."""
        n, activation = self.network.sizes[i], self.network.activations[i]
        yield from self.through_mask(i)
        if activation.df is not None:
            df = self.derivative(i)
            if df is not None:
                yield from self.entries(i, df, [self.z(i), self.x(i)], f"d{i}", "*=")
        elif activation.product is not None:
            product = self.functions.formula("product", n, ("x", "g"), activation.product)
            yield from self.entries(i, product, [self.x(i), f"d{i}"], f"d{i}")

    def through_mask(self, i: int) -> Lines:
        """δ_i ← δ_i ∘ m_i."""
        if i in self.plan.masked:
            yield self.over(i)
            yield f"    {self.flat(f'd{i}')}[k] *= m{i}[k]"

    def derivative(self, i: int) -> Function | None:
        """f_i' where it has one that is not 1 everywhere."""
        if i not in self._derivatives:
            self._derivatives[i] = self._derivative(i)
        return self._derivatives[i]

    def _derivative(self, i: int) -> Function | None:
        df = self.network.activations[i].df
        if df is None:
            return None
        function = self.functions.formula("df", self.network.sizes[i], ("z", "x"), df)
        return None if function.formula.result.constant == 1.0 else function

    def loss_and_delta(self, of_batch: bool = True) -> Lines:
        """The loss of each row, and δ_L; a mean divides it by what the rows of its batch weigh.

        A single instance is a batch of its own (`of_batch`), or one of many rows that are divided in the end.
        """
        L, loss, n_L = self.L, self.network.loss, self.network.sizes[self.L]
        x = self.x(L)
        if self.network.canonical and loss.E_of_z is not None:
            of, E = f"z{L}", self.functions.formula("loss", n_L, ("z", "t"), loss.E_of_z)
        else:
            of, E = x, self.functions.formula("loss", n_L, ("x", "t"), loss.E)
        if E.formula.result.kind != "row":
            raise Untranslatable("the loss does not sum over the outputs of a row")
        yield self.equations.output()
        v = "" if not self.plan.weighted else "V[a] * " if self.plan.single else "V[a + r] * "
        yield from self.rows([f"batch_loss += {v}{E.name}({self.given(E, [of, 'target'])})"])
        mean = self.network.reduction == "mean" and not self.plan.single
        if self.network.canonical:
            yield self.over(L)
            difference = f"{self.flat(x)}[k] - {self.flat('target')}[k]"
            yield f"    {self.flat(f'd{L}')}[k] = " + (f"({difference}) * scale" if mean else difference)
            yield from self._weigh(of_batch)
            return
        dE = self.functions.formula("dloss", n_L, ("x", "t"), loss.dE)
        yield from self.entries(L, dE, [x, "target"], f"d{L}")
        yield from self.through_activation(L)
        if mean:
            yield self.over(L)
            yield f"    {self.flat(f'd{L}')}[k] *= scale"
        yield from self._weigh(of_batch)

    def _weigh(self, of_batch: bool) -> Lines:
        """δ_L of each row times what it weighs; that cancels in a mean over a batch of one."""
        if not self.plan.weighted:
            return
        L = self.L
        if self.plan.single:
            cancels = of_batch and self.network.reduction == "mean"
            yield "v = " + ("(F(0.0) if V[a] == F(0.0) else F(1.0))" if cancels else "V[a]")
            yield self.over(L)
            yield f"    d{L}[k] *= v"
        else:
            yield "for r in range(n):"
            yield f"    for j in range({self.network.sizes[L]}):"
            yield f"        d{L}[r, j] *= V[a + r]"

    def run_slice(self, lines: Iterable[str]) -> Lines:
        """run_slice as a function of the module, with the rule and the schedule."""
        given = ", ".join([self.state(), "X", "T", *self.context, *self._noise, "scratch", "batch", POSITION])
        yield from self.loop(f"run_slice({given})", self.with_update(lines))

    def apply(self, lines: Iterable[str]) -> Lines:
        """apply as a function of the module, with the rule and the schedule."""
        given = ", ".join([self.state(), "g", *self._noise, "batch_loss", "total", POSITION])
        yield from self.loop(f"apply({given})", self.with_update(lines))

    @property
    def _noise(self) -> list[str]:
        return ["noise"] if self.updating.updates.transform.noise is not None else []

    def state(self) -> str:
        """The weights and the slots, as arguments."""
        return ", ".join(["w", *self.updating.rule.slots])

    def with_update(self, lines: Iterable[str]) -> Lines:
        """Lines that call the rule and the schedule."""
        self.functions.rule(self.updating.rule)
        self.functions.schedule(self.updating.updates.schedule)
        yield from lines

    def loop(self, signature: str, lines: Iterable[str]) -> Lines:
        """A loop as a function of the module, with the scratch rows of the formulas that it calls."""
        self._scratch.clear()
        body = [*lines]
        yield from ("", "", "@loop", f"def {signature}:")
        yield from (f"    {name} = np.empty({n}, F)" for name, n in self._scratch.items())
        yield from indented(body)
