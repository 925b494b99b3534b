"""Random numbers as a pure function of the seed, the purpose and the position.

A counter-based generator (Philox; Salmon et al. 2011) needs no state to be saved: a resumed run draws what the
uninterrupted one would have drawn, and no purpose disturbs another.
"""

import numpy as np

from bptrain.parts.types import Array, Generator

# Each purpose has a stream of its own. A number, once given, is never given to another purpose.
PURPOSES = {
    "weights": 1,
    "split": 2,
    "shuffle": 3,
    "check": 4,
    "dropout": 5,
    "noise": 6,
    "folds": 7,
    "bootstrap": 8,
    "units": 9,
}


def raw_bits(seed: int, purpose: str, epoch: int, step: int, start: int, count: int) -> Array:
    """Numbers of 64 bits of a stream, from the place `start` on, which counts fours of them."""
    philox = _philox(seed, purpose, epoch, step)
    philox.advance(start)
    drawn: Array = philox.random_raw(count)
    return drawn


def stream(seed: int, purpose: str, epoch: int = 0, step: int = 0) -> Generator:
    """The generator for one purpose at one position: key = (seed, purpose), counter = (epoch, step).

    The two low words of the counter are left to the draws themselves, so that streams never overlap.
    """
    return np.random.Generator(_philox(seed, purpose, epoch, step))


def _philox(seed: int, purpose: str, epoch: int, step: int) -> np.random.Philox:
    return np.random.Philox(key=[seed, PURPOSES[purpose]], counter=[0, 0, step, epoch])
