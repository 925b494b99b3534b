"""What is done to a batch's gradient before the optimizer's rule, and to the weights after it; by NumPy.

The compiled loop sums and scales in loops of its own, in `compiled/gradient_transform.py`.
"""

import math
from collections.abc import Callable

import numpy as np

from bptrain.core.network import Network, Views
from bptrain.engines.base import GradientTransform
from bptrain.parts.random import stream
from bptrain.parts.types import Array


def transform_gradient(transform: GradientTransform, g: Array, noise: Array | None) -> None:
    """Clips the flat gradient g by its norm, then by value, and adds noise, in place."""
    if transform.clip_norm is not None:
        norm = math.sqrt(np.square(g, dtype=np.float64).sum())
        if norm > transform.clip_norm:
            g *= transform.clip_norm / norm
    if transform.clip_value is not None:
        g[...] = clip_by_value(transform.clip_value)(g)
    if noise is not None:
        g += noise


def clip_by_value(c: float) -> Callable[[Array], Array]:
    """g, each entry clipped to [−c, c]; NaN stays NaN."""

    def clipped(g: Array) -> Array:
        return np.where(g > c, c, np.where(g < -c, -c, g))

    return clipped


def project_max_norm(transform: GradientTransform, parameters: Views) -> None:
    """Shortens each row of each W_i, the weights into one unit, to ‖row‖ ≤ max_norm."""
    c = transform.max_norm
    if c is None:
        return
    for W_i in parameters.W[1:]:
        norms = np.sqrt(np.square(W_i, dtype=np.float64).sum(axis=1))
        for j in np.flatnonzero(norms > c):
            W_i[j] *= c / norms[j]


def gradient_noise(
    transform: GradientTransform, network: Network, seed: int, updates: range, dtype: np.dtype[np.generic]
) -> Array:
    """N(0, σ_t²) for each weight of the updates t (from 1), σ_t² = std² / t^decay. Neelakantan et al. 2015.

    The paper counts from 0 and writes (1 + t). Each update has a stream of its own.
    """
    assert transform.noise is not None
    std, decay = transform.noise
    drawn: Array = np.empty((len(updates), network.size), dtype)
    for row, t in zip(drawn, updates, strict=True):
        row[...] = stream(seed, "noise", step=t).standard_normal(network.size) * (std * t ** (-0.5 * decay))
    return drawn
