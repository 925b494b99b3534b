"""Dropout: which units are left out, a pure function of the seed, the epoch and the row's place in it."""

import numpy as np

from bptrain.core.network import Network
from bptrain.mapped_rows import IN_MEMORY, PIECE_NUMBERS, Room
from bptrain.parts.random import raw_bits
from bptrain.parts.types import Array

A_BLOCK = 8  # numbers of 32 bits that the generator makes at once


def masks(
    network: Network,
    seed: int,
    epoch: int,
    rows: slice,
    dtype: type | np.dtype[np.generic],
    room: Room = IN_MEMORY,
) -> dict[int, Array]:
    """M_i of each layer of which units are dropped, N × n_i: 0 with probability p_i, else 1/(1 − p_i).

    `rows` are places in the order of an epoch, so it does not matter in which pieces an epoch's masks are drawn. With
    this factor the next layer's pre-activations keep their mean, and nothing is to be done in evaluation (inverted
    dropout). Hinton et al. 2012; Srivastava et al. 2014.
    """
    found = {}
    for i in network.masked:
        n, share = network.sizes[i], network.dropout[i]
        step = rows.stop - rows.start if room is IN_MEMORY else max(1, PIECE_NUMBERS // n)
        found[i] = room.empty((rows.stop - rows.start, n), dtype)
        for a in range(rows.start, rows.stop, max(step, 1)):
            part = slice(a, min(a + step, rows.stop))
            into = found[i][a - rows.start : part.stop - rows.start]
            np.greater_equal(_numbers(n, i, seed, epoch, part), round(share * 2**32), out=into)
            into *= 1.0 / (1.0 - share)
    return found


def _numbers(n: int, layer: int, seed: int, epoch: int, rows: slice) -> Array:
    """A random number of 32 bits for each of the n units in each row."""
    blocks, count = -(-n // A_BLOCK), rows.stop - rows.start
    drawn = raw_bits(seed, "dropout", epoch, layer, rows.start * blocks, count * blocks * A_BLOCK // 2)
    return drawn.view(np.uint32).reshape(count, -1)[:, :n]
