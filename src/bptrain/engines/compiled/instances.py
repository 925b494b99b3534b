"""The compiled loop for single instances: straight loops over the weights, no product and nothing allocated per step.

Going back, one pass over W_i takes δ below it (from W_i before its update), forms each entry of the gradient,
and updates the weight with it.
"""

from collections.abc import Callable

from bptrain.engines.compiled.functions import Lines, indented
from bptrain.engines.compiled.gradient_transform import project_max_norm, transform_whole, update_all
from bptrain.engines.compiled.pieces import Pieces
from bptrain.engines.compiled.unroll import unrolled

UNROLLED = 64  # weights; up to here loops are written out

AtWeight = Callable[[str, str, str, str, int], Lines]  # (gradient, weight, index, kind, layer) -> lines


def gradient(pieces: Pieces) -> Lines:
    """The gradient over all rows, without penalties."""
    given = ", ".join(["w", "X", "T", *pieces.context, "total", "g", "scratch"])
    yield from pieces.loop(f"gradient({given})", _gradient(pieces))


def run_slice(pieces: Pieces) -> Lines:
    """The updates of a slice."""
    yield from pieces.run_slice(_run_slice(pieces))


def _gradient(pieces: Pieces) -> Lines:
    yield from pieces.views("w", "W", "b")
    yield from pieces.views("g", "dW", "db")
    yield from _vectors(pieces)
    yield "g[:] = F(0.0)"
    yield "batch_loss = 0.0"
    yield "for a in range(len(X)):"
    yield from indented(_forward(pieces, of_batch=False))
    yield from indented(_backward(pieces, _gathered, updates=False))
    yield from indented(pieces.step_deltas(""))
    if pieces.network.reduction == "mean":
        yield "scale = F(1.0 / total)"
        yield "for k in range(len(g)):"
        yield "    g[k] *= scale"
    yield "return batch_loss"


def _run_slice(pieces: Pieces) -> Lines:
    yield from pieces.views("w", "W", "b")
    for slot in pieces.updating.rule.slots:
        if slot not in pieces.updating.rule.scalars:
            yield from pieces.views(slot, f"{slot}_W", f"{slot}_b")
    yield from _vectors(pieces)

    whole = pieces.updating.updates.transform.whole
    if whole:
        yield "g = np.empty_like(w)"
        yield from pieces.views("g", "dW", "db")
    elif pieces.steps:
        yield f"g0 = np.empty({pieces.network.of_steps}, F)"
        yield from pieces.steps.views("g0", "d")

    def at_weight(g: str, W: str, at: str, kind: str, i: int) -> Lines:
        if whole:
            return iter([f"d{W}{at} = {g}"])
        slots = [f"{slot}_{kind}{i}" for slot in pieces.updating.rule.slots]
        return pieces.updating.update(g, W, at, slots, {"W": "weight", "b": "bias"}[kind])

    yield "word = subnormals_to_zero()"
    yield "loss_sum = 0.0"
    yield "for a in range(len(X)):"
    lines = [
        *pieces.updating.rates(),
        "batch_loss = 0.0",
        *_forward(pieces),
        "loss_sum += batch_loss",
        *pieces.updating.begin_update(),
        *_backward(pieces, at_weight),
        *pieces.step_deltas("always"),
        *(transform_whole(pieces, "noise[a]") if whole else pieces.steps.updates("g0", pieces.updating)),
        *(update_all(pieces) if whole else ()),
        *project_max_norm(pieces),
        *pieces.updating.end_update(),
    ]
    if pieces.network.size <= UNROLLED:
        lines = [*unrolled(lines, {f"{letter}{i}" for letter in "zxdy" for i in range(1, pieces.L + 1)})]
    yield from indented(lines)
    yield "as_before(word)"
    yield "return loss_sum"


def _vectors(pieces: Pieces) -> Lines:
    for i in range(pieces.L + 1):
        for name, n in pieces.matrices(i).items():
            yield f"{name} = np.empty({n}, F)"
    if pieces.steps:
        yield f"d0 = h{len(pieces.steps.steps)}"


def _forward(pieces: Pieces, of_batch: bool = True) -> Lines:
    """z_i = W_i x_{i−1} + b_i and x_i = f_i(z_i), the loss and δ_L."""
    sizes = pieces.network.sizes
    yield from pieces.steps.forward("a")
    yield from pieces.mask(0)
    yield "target = T[a]"
    for i in range(1, pieces.L + 1):
        yield pieces.equations.layer(i)
        yield f"for j in range({sizes[i]}):"
        yield f"    s = b{i}[j]" if pieces.network.bias[i] else "    s = F(0.0)"
        yield f"    for k in range({sizes[i - 1]}):"
        yield f"        s += W{i}[j, k] * {pieces.y(i - 1)}[k]"
        yield f"    {pieces.z(i)}[j] = s"
        yield from pieces.activate(i)
    yield from pieces.loss_and_delta(of_batch)
    if pieces.plan.weighted and of_batch:
        yield "total = V[a] if V[a] != F(0.0) else F(1.0)"


def _gathered(g: str, W: str, at: str, kind: str, i: int) -> Lines:
    """An entry of the gradient on top of that of the rows before."""
    yield f"d{W}{at} += {g}"


def _backward(pieces: Pieces, at_weight: AtWeight, updates: bool = True) -> Lines:
    """δ_i from the last layer to the first, with each weight's own lines in the same pass; they may be its update."""
    sizes = pieces.network.sizes
    updates = updates and not pieces.updating.updates.transform.whole
    for i in range(pieces.L, 0, -1):
        if updates:
            yield from pieces.updating.numbers(i)
        yield pieces.equations.gradient(i)
        if updates:
            yield pieces.equations.update(i)
        below = i > 1 or bool(pieces.steps)
        if below:
            yield pieces.equations.delta(i - 1)
            yield f"for k in range({sizes[i - 1]}):"
            yield f"    d{i - 1}[k] = F(0.0)"
        yield f"for j in range({sizes[i]}):"
        yield f"    d = d{i}[j]"
        yield f"    for k in range({sizes[i - 1]}):"
        if below:
            yield f"        d{i - 1}[k] += d * W{i}[j, k]"
        yield from indented(at_weight(f"d * {pieces.y(i - 1)}[k]", f"W{i}", "[j, k]", "W", i), 2)
        if pieces.network.bias[i]:
            yield from indented(at_weight("d", f"b{i}", "[j]", "b", i))
        if i > 1:
            yield from pieces.through_activation(i - 1)
