"""Dropout: which units are left out, a pure function of the seed, the epoch and the row's place in it."""

import numpy as np

from bptrain.core.network import Network
from bptrain.parts.random import raw_bits
from bptrain.parts.types import Array

A_BLOCK = 8  # numbers of 32 bits that the generator makes at once


def masks(
    network: Network, seed: int, epoch: int, rows: slice, dtype: type | np.dtype[np.generic]
) -> dict[int, Array]:
    """M_i of each layer of which units are dropped, N × n_i: 0 with probability p_i, else 1/(1 − p_i).

    `rows` are places in the order of an epoch, so it does not matter in which pieces an epoch's masks are drawn. With
    this factor the next layer's pre-activations keep their mean, and nothing is to be done in evaluation (inverted
    dropout). Hinton et al. 2012; Srivastava et al. 2014.
    """
    return {
        i: _mask(network.sizes[i], network.dropout[i], i, seed, epoch, rows, dtype) for i in network.masked
    }


def _mask(
    n: int, share: float, layer: int, seed: int, epoch: int, rows: slice, dtype: type | np.dtype[np.generic]
) -> Array:
    blocks, count = -(-n // A_BLOCK), rows.stop - rows.start
    drawn = raw_bits(seed, "dropout", epoch, layer, rows.start * blocks, count * blocks * A_BLOCK // 2)
    numbers = drawn.view(np.uint32).reshape(count, -1)[:, :n]
    mask: Array = (numbers >= round(share * 2**32)).astype(dtype)
    mask *= 1.0 / (1.0 - share)
    return mask
