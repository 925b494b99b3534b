"""Lines of a compiled loop that change a whole gradient, or the weights after an update."""

from bptrain.engines.compiled.functions import Lines, indented
from bptrain.engines.compiled.pieces import Pieces


def transform_whole(pieces: Pieces, noise: str) -> Lines:
    """The gradient g with penalties, clipped by its norm and by value, and with noise."""
    transform = pieces.updating.updates.transform
    c = transform.clip_norm
    yield "square_sum = 0.0"
    for block in pieces.network.blocks:
        yield f"for k in range({block.start}, {block.stop}):"
        if block.kind == "weight" and pieces.network.penalty is not None:
            yield f"    g[k] = {pieces.updating.penalized('g[k]', 'w[k]')}"
        yield "    square_sum += float(g[k]) * float(g[k])"
    if c is not None:
        yield f"if math.sqrt(square_sum) > {c!r}:"
        yield f"    shrink = F({c!r} / math.sqrt(square_sum))"
        yield "    for k in range(len(g)):"
        yield "        g[k] *= shrink"
    entry = pieces.updating.clipped("g[k]") + (f" + {noise}[k]" if transform.noise is not None else "")
    if entry != "g[k]":
        yield "for k in range(len(g)):"
        yield f"    g[k] = {entry}"


def update_all(pieces: Pieces) -> Lines:
    """Every weight by the rule and the gradient g, layer by layer, and what is of steps before W_1."""
    for i in range(pieces.L, 0, -1):
        yield pieces.equations.update(i)
        yield from pieces.updating.numbers(i)
        for block in pieces.network.blocks:
            if block.layer == i:
                yield f"for k in range({block.start}, {block.stop}):"
                yield from indented(
                    pieces.updating.update("g[k]", "w", "[k]", pieces.updating.rule.slots, block.kind)
                )
    yield from pieces.steps.updates("g", pieces.updating)


def project_max_norm(pieces: Pieces) -> Lines:
    """Each row of each W_i shortened to ‖row‖ ≤ max_norm."""
    c = pieces.updating.updates.transform.max_norm
    if c is None:
        return
    for i in range(1, pieces.L + 1):
        n_out, n_in = pieces.network.sizes[i], pieces.network.sizes[i - 1]
        yield f"for j in range({n_out}):"
        yield "    square_sum = 0.0"
        yield f"    for k in range({n_in}):"
        yield f"        square_sum += float(W{i}[j, k]) * float(W{i}[j, k])"
        yield f"    if math.sqrt(square_sum) > {c!r}:"
        yield f"        shrink = F({c!r} / math.sqrt(square_sum))"
        yield f"        for k in range({n_in}):"
        yield f"            W{i}[j, k] *= shrink"
