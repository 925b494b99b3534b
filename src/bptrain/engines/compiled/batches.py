"""The compiled loop for batches: products by BLAS, everything else in one pass between them.

A batch goes through the network in chunks of rows. Where it is one chunk, each layer is updated as soon as δ below it
is known, and a rule that folds (`translate/update_rules.py`) is part of the product. Where it is more, its gradient is
gathered first, chunk by chunk, by as many threads as there are, and then applied.
"""

from bptrain.core.network import Network
from bptrain.engines.compiled.functions import Function, Lines, indented
from bptrain.engines.compiled.gradient_transform import project_max_norm, transform_whole, update_all
from bptrain.engines.compiled.pieces import Pieces
from bptrain.translate.update_rules import Fold

CHUNK_NUMBERS = 2**17  # entries of the widest layer in a chunk: half a megabyte in float32
PIECE_NUMBERS = 2**20  # of one dW_i in memory at a time
VECTOR = 16  # numbers of float32 that the widest processors take at once
LEAST_CHUNK = 1024  # rows; products of fewer are less efficient


def chunk_rows(network: Network) -> int:
    """The rows that go through the network together."""
    return max(LEAST_CHUNK, CHUNK_NUMBERS // network.widest)


def scratch_numbers(network: Network, rows: int) -> int:
    """How many numbers the loops need room for in addition to weights and data, for batches of this many rows."""
    most = min(rows, chunk_rows(network))
    layers = range(1, network.L + 1)
    columns = [n for i in layers for n in (3 + (i in network.masked)) * [network.sizes[i]]]
    if network.input_steps:
        columns += [n for step in network.input_steps for n in 2 * [step.units, step.n_out]]
        columns += [network.inputs, network.sizes[0]]
    return padded(network.size) + sum(padded(most * n) for n in columns)


def padded(numbers: int) -> int:
    """Up to where the next array begins: at a cache line, in either dtype."""
    return -(-numbers // 16) * 16


def gradient(pieces: Pieces) -> Lines:
    """The gradient of some rows' share in the objective, without penalties."""
    given = ", ".join(["w", "X", "T", *pieces.context, "total", "g", "scratch"])
    yield from pieces.loop(f"gradient({given})", _gradient(pieces))


def run_slice(pieces: Pieces) -> Lines:
    """The updates of a slice, each of a batch that is one chunk."""
    yield from pieces.run_slice(_slice(pieces))


def apply(pieces: Pieces) -> Lines:
    """One update by a gradient that is there."""
    yield from pieces.apply(_apply(pieces))


def outputs(pieces: Pieces) -> Lines:
    """The forward pass alone."""
    yield from pieces.loop("outputs(w, X, Z, out, scratch)", _outputs(pieces))


def _outputs(pieces: Pieces) -> Lines:
    chunk, L = chunk_rows(pieces.network), pieces.L
    yield from pieces.views("w", "W", "b")
    yield f"most = min(len(X), {chunk})"
    yield from _matrices(pieces)
    yield "word = subnormals_to_zero()"
    yield f"for a in range(0, len(X), {chunk}):"
    yield f"    n = min({chunk}, len(X) - a)"
    yield from indented(_forward(pieces))
    yield "    for r in range(n):"
    yield f"        for j in range({pieces.network.sizes[L]}):"
    yield f"            Z[a + r, j], out[a + r, j] = z{L}[r, j], {pieces.x(L)}[r, j]"
    yield "as_before(word)"


def _gradient(pieces: Pieces) -> Lines:
    chunk = chunk_rows(pieces.network)
    yield from pieces.views("w", "W", "b")
    yield from pieces.views("g", "dW", "db")
    yield f"most = min(len(X), {chunk})"
    yield from _matrices(pieces)
    if pieces.network.reduction == "mean":
        yield "scale = F(1.0 / total)"
    yield "batch_loss = 0.0"
    yield f"for a in range(0, len(X), {chunk}):"
    yield f"    n = min({chunk}, len(X) - a)"
    yield "    keep = F(0.0) if a == 0 else F(1.0)"
    yield from indented(_forward(pieces))
    yield from indented(_against_targets(pieces))
    for i in range(pieces.L, 0, -1):
        yield from indented(_layer_gradient(pieces, i, "keep"))
        yield from indented(_delta_below(pieces, i, "keep"))
    yield from indented(pieces.step_deltas("a == 0"))
    yield "return batch_loss"


def _slice(pieces: Pieces) -> Lines:
    """Updates whose batch is one chunk."""
    fold, whole = pieces.updating.fold, pieces.updating.updates.transform.whole
    yield from pieces.views("w", "W", "b")
    if whole:
        yield f"g = scratch[:{pieces.network.size}]"
        yield from pieces.views("g", "dW", "db")
    else:
        yield from room_for_gradient(pieces.network)
        yield from pieces.steps.views("g0", "d")
    if fold and fold.slot:
        yield from pieces.views(fold.slot, f"{fold.slot}_W", f"{fold.slot}_b")
    yield "most = min(len(X), batch)"
    yield from _matrices(pieces)
    yield "word = subnormals_to_zero()"
    yield "loss_sum = 0.0"
    yield "for a in range(0, len(X), batch):"
    yield "    n = min(batch, len(X) - a)"
    if pieces.network.reduction == "mean":
        if pieces.plan.weighted:
            yield "    total = 0.0"
            yield "    for r in range(n):"
            yield "        total += V[a + r]"
            yield "    total = 1.0 if total == 0.0 else total"
        else:
            yield "    total = float(n)"
        yield "    scale = F(1.0 / total)"
    yield from indented(pieces.updating.rates())
    yield "    batch_loss = 0.0"
    yield from indented(_forward(pieces))
    yield from indented(_against_targets(pieces))
    yield "    loss_sum += batch_loss"
    yield from indented(pieces.updating.begin_update())
    for i in range(pieces.L, 0, -1):
        yield from indented(_delta_below(pieces, i, "F(0.0)"))
        yield f"    {pieces.equations.gradient(i)}"
        yield from indented(_bias_gradient(pieces, i, "F(0.0)"))
        if whole:
            yield f"    transposed_times(d{i}, {pieces.y(i - 1)}, n, F(1.0), F(0.0), dW{i})"
            continue
        yield from indented(pieces.updating.numbers(i))
        yield f"    {pieces.equations.folded(i, fold.slot is not None) if fold else pieces.equations.update(i)}"
        yield from indented(folded_update(pieces, i, fold) if fold else update_in_pieces(pieces, i))
        yield from indented(bias_update(pieces, i))
    yield from indented(pieces.step_deltas("always"))
    if not whole:
        yield from indented(pieces.steps.updates("g0", pieces.updating))
    if whole:
        yield from indented(transform_whole(pieces, "noise[a // batch]"))
        yield from indented(update_all(pieces))
    yield from indented(project_max_norm(pieces))
    yield from indented(pieces.updating.end_update())
    yield "as_before(word)"
    yield "return loss_sum"


def _apply(pieces: Pieces) -> Lines:
    yield "word = subnormals_to_zero()"
    yield from pieces.updating.rates()
    yield from pieces.updating.begin_update()
    if pieces.updating.updates.transform.whole:
        yield from transform_whole(pieces, "noise[0]")
    yield from update_all(pieces)
    if pieces.updating.updates.transform.max_norm is not None:
        yield from pieces.views("w", "W", "b")
        yield from project_max_norm(pieces)
    yield from pieces.updating.end_update()
    yield "as_before(word)"


def _matrices(pieces: Pieces) -> Lines:
    """z_i, x_i and δ_i of a chunk, each as one flat row too, in the scratch space behind the gradient."""
    yield "# room for the matrices of a batch, a row per instance; z_i lies in x_i where nothing reads it later"
    yield f"start = {padded(pieces.network.size)}"
    for i in range(pieces.L + 1):
        for name, n in pieces.matrices(i).items():
            yield f"{name.upper()} = scratch[start : start + most * {n}]"
            yield f"{name} = {name.upper()}.reshape((most, {n}))"
            yield f"start += (most * {n} + 15) // 16 * 16"
    if pieces.steps and pieces.back:
        last = len(pieces.steps.steps)
        yield f"d0, D0 = h{last}, H{last}"


def _forward(pieces: Pieces) -> Lines:
    """Z_i = X_{i−1} W_iᵀ + b_i and X_i = f_i(Z_i)."""
    sizes, bias = pieces.network.sizes, pieces.network.bias
    yield from pieces.steps.forward("a : a + n")
    yield from pieces.mask(0)
    for i in range(1, pieces.L + 1):
        f, z, x = pieces.f[i], pieces.z(i), pieces.x(i)
        yield pieces.equations.layer(i)
        one_pass = by_rows(pieces, i, f) and x != f"z{i}"  # for the bias and f
        if bias[i] and not one_pass:
            yield "for r in range(n):"
            yield f"    for j in range({sizes[i]}):"
            yield f"        {z}[r, j] = b{i}[j]"
        beta = int(bias[i] and not one_pass)
        yield f"times_transposed({pieces.y(i - 1)}, W{i}, n, F({beta}), {z})"
        if one_pass:
            yield "for r in range(n):"
            yield f"    for j in range({sizes[i]}):"
            if z != x:
                yield f"        {z}[r, j] += b{i}[j]"
            plus = "" if z != x else f" + b{i}[j]"
            yield f"        {x}[r, j] = {f.name}({z}[r, j]{plus})"
            yield from pieces.mask(i)
        else:
            yield from pieces.activate(i)


def by_rows(pieces: Pieces, i: int, f: Function) -> bool:
    """Whether an entry's function can share a pass with the bias: row by row, which must end with a whole vector."""
    return pieces.network.bias[i] and pieces.network.sizes[i] % VECTOR == 0 and not f.formula.by_row


def _against_targets(pieces: Pieces) -> Lines:
    """The loss and D_L."""
    yield "target = T[a : a + n]"
    yield "TARGET = target.reshape(-1)"
    yield from pieces.loss_and_delta()


def _delta_below(pieces: Pieces, i: int, keep: str) -> Lines:
    """D_{i−1} = (D_i W_i) ∘ f_{i−1}'(Z_{i−1}), and db_{i−1} in the same pass where it can be."""
    if i == 1 and not pieces.steps:
        return
    yield pieces.equations.delta(i - 1)
    yield f"times(d{i}, W{i}, n, d{i - 1})"
    if i == 1:
        return
    if not _in_one_pass(pieces, i - 1):
        yield from pieces.through_activation(i - 1)
        return
    df = pieces.derivative(i - 1)
    assert df is not None
    yield from pieces.through_mask(i - 1)
    slope = f"{df.name}({pieces.z(i - 1)}[r, j], {pieces.x(i - 1)}[r, j])"
    yield from _sum_of_rows(pieces, i - 1, keep, f"d{i - 1}[r, j] *= {slope}")


def _in_one_pass(pieces: Pieces, i: int) -> bool:
    """Whether D_i and its column sums are worked out together."""
    df = pieces.derivative(i)
    return i < pieces.L and df is not None and by_rows(pieces, i, df)


def _layer_gradient(pieces: Pieces, i: int, keep: str) -> Lines:
    """dW_i = D_iᵀ X_{i−1} and db_i, on top of what is kept of them."""
    yield pieces.equations.gradient(i)
    yield f"transposed_times(d{i}, {pieces.y(i - 1)}, n, F(1.0), {keep}, dW{i})"
    yield from _bias_gradient(pieces, i, keep)


def _bias_gradient(pieces: Pieces, i: int, keep: str) -> Lines:
    """db_i, the column sums of D_i, where D_i has come without them."""
    if pieces.network.bias[i] and not _in_one_pass(pieces, i):
        yield from _sum_of_rows(pieces, i, keep)


def _sum_of_rows(pieces: Pieces, i: int, keep: str, *first: str) -> Lines:
    """db_i += each row of D_i, on top of what is kept of it; what is to be done with an entry first."""
    if keep == "F(0.0)":
        yield f"db{i}[:] = F(0.0)"
    else:
        yield "if a == 0:"
        yield f"    db{i}[:] = F(0.0)"
    yield "for r in range(n):"
    yield f"    for j in range({pieces.network.sizes[i]}):"
    yield from indented(first, 2)
    yield f"        db{i}[j] += d{i}[r, j]"


# --- how a batch's gradient meets the weights, layer by layer, where it need not be there as a whole ---


def _most_rows(network: Network, i: int) -> int:
    """How many rows of dW_i there is room for."""
    return min(network.sizes[i], max(1, PIECE_NUMBERS // network.sizes[i - 1]))


def room_for_gradient(network: Network) -> Lines:
    """Room for some rows of one dW_i, and for every db_i; together they take no more than the whole gradient."""
    start = max(_most_rows(network, i) * network.sizes[i - 1] for i in range(1, network.L + 1))
    yield f"piece_of_g = scratch[:{start}]"
    for i in range(1, network.L + 1):
        if network.bias[i]:
            yield f"db{i} = scratch[{start} : {start + network.sizes[i]}]"
            start += network.sizes[i]
    if network.input_steps:
        yield f"g0 = scratch[{start} : {start + network.of_steps}]"


def update_in_pieces(pieces: Pieces, i: int) -> Lines:
    """Some rows of dW_i at a time, and the update of W_i by them."""
    n_out, n_in = pieces.network.sizes[i], pieces.network.sizes[i - 1]
    (start,) = (block.start for block in pieces.network.blocks if (block.layer, block.kind) == (i, "weight"))
    slots = [slot for slot in pieces.updating.rule.slots if slot not in pieces.updating.rule.scalars]
    flats = ["w", *slots]
    yield f"piece = min(rows_at_once(n, W{i}), {_most_rows(pieces.network, i)})"
    yield f"for j in range(0, {n_out}, piece):"
    yield f"    rows = min(piece, {n_out} - j)"
    yield f"    g = piece_of_g[: rows * {n_in}]"
    yield f"    dW = g.reshape((rows, {n_in}))"
    yield f"    transposed_times_rows(d{i}, {pieces.y(i - 1)}, n, F(1.0), F(0.0), dW, j)"
    yield f"    lo = {start} + j * {n_in}"
    yield f"    hi = lo + rows * {n_in}"
    yield f"    {', '.join(f'{flat}_j' for flat in flats)} = {', '.join(f'{flat}[lo:hi]' for flat in flats)}"
    yield "    for k in range(hi - lo):"
    of_rows = [f"{slot}_j" for slot in pieces.updating.rule.slots]
    yield from indented(pieces.updating.update("g[k]", "w_j", "[k]", of_rows, "weight"), 2)


def folded_update(pieces: Pieces, i: int, fold: Fold) -> Lines:
    """W_i by the product that forms its gradient."""
    into = f"{fold.slot}_W{i}" if fold.slot else f"W{i}"
    yield f"transposed_times(d{i}, {pieces.y(i - 1)}, n, {fold.alpha}, {fold.beta}, {into})"
    if fold.slot:
        (weight,) = (b for b in pieces.network.blocks if (b.layer, b.kind) == (i, "weight"))
        yield f"for k in range({weight.start}, {weight.stop}):"
        yield f"    w[k] -= {fold.step} * {fold.slot}[k]"


def bias_update(pieces: Pieces, i: int) -> Lines:
    """b_i by the rule."""
    for block in pieces.network.blocks:
        if (block.layer, block.kind) == (i, "bias"):
            g = f"db{i}[k - {block.start}]"
            yield f"for k in range({block.start}, {block.stop}):"
            yield from indented(pieces.updating.update(g, "w", "[k]", pieces.updating.rule.slots, "bias"))
