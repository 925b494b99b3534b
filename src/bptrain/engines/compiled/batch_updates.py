"""How a batch's gradient meets the weights, layer by layer, where it need not be there as a whole."""

from bptrain.core.network import Network
from bptrain.engines.compiled.functions import Lines, indented
from bptrain.engines.compiled.pieces import Pieces
from bptrain.translate.update_rules import Fold

PIECE_NUMBERS = 2**20  # of one dW_i in memory at a time


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
