"""The forward pass of NumPy by itself, and the formulas of a network over rows that lie in mapped files."""

from dataclasses import replace
from functools import partial

import numpy as np

from bptrain.core.backprop import forward, workspace
from bptrain.core.network import Network, views
from bptrain.engines.base import Outputs
from bptrain.engines.row_threads import LEAST_PART, Parts
from bptrain.mapped_rows import IN_MEMORY, Room, by_rows, room_of
from bptrain.parts.activations import Activation
from bptrain.parts.types import Array

CHUNK_NUMBERS = 2_000_000  # matrix entries of one layer in memory at a time
PART_NUMBERS = 2**17  # entries of the widest layer for a thread of their own


def numpy_outputs(network: Network, w: Array, X: Array, parts: Parts | None = None) -> Outputs:
    """Z_L and X_L of the rows X, a chunk of rows at a time, in as many `parts` as there are threads."""
    parameters, L, room = views(network, w), network.L, room_of(X)
    Z_L, X_L = (room.empty((len(X), network.sizes[L]), w.dtype) for _ in range(2))
    chunk = max(1, CHUNK_NUMBERS // network.widest)
    network = for_rows_in(room, network)

    def of(part: slice) -> None:
        with np.errstate(all="ignore"):
            space, held = None, 0
            for a in range(part.start, part.stop, chunk):
                rows = slice(a, min(a + chunk, part.stop))
                if space is None or held != rows.stop - a:
                    held = rows.stop - a
                    space = workspace(network, held, w.dtype, room)
                space.Z[L] = Z_L[rows]
                X_L[rows] = forward(network, parameters, X[rows], space)

    (parts or Parts(1)).run(of, len(X), max(LEAST_PART, PART_NUMBERS // network.widest))
    return Outputs(Z_L, X_L)


def for_rows_in(room: Room, network: Network) -> Network:
    """The same network; of mapped rows its activations and loss, which allocate as they please, take some at a time."""
    if room is IN_MEMORY:
        return network
    activations = map(_by_rows, network.activations)
    steps = tuple(step._replace(f=_by_rows(step.f)) for step in network.input_steps)
    loss = network.loss
    loss = loss._replace(
        E=partial(by_rows, loss.E),
        dE=partial(by_rows, loss.dE),
        E_of_z=None if loss.E_of_z is None else partial(by_rows, loss.E_of_z),
    )
    return replace(network, activations=tuple(activations), loss=loss, input_steps=steps)


def _by_rows(part: Activation) -> Activation:
    return part._replace(
        f=partial(by_rows, part.f),
        df=None if part.df is None else partial(by_rows, part.df),
        product=None if part.product is None else partial(by_rows, part.product),
    )
