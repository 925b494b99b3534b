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


def transform_gradient(shaping: GradientTransform, g: Array, noise: Array | None) -> None:
    """Clips the flat gradient g by its norm, then by value, and adds noise, in place."""
    if shaping.clip_norm is not None:
        norm = math.sqrt(np.square(g, dtype=np.float64).sum())
        if norm > shaping.clip_norm:
            g *= shaping.clip_norm / norm
    if shaping.clip_value is not None:
        g[...] = clip_by_value(shaping.clip_value)(g)
    if noise is not None:
        g += noise


def clip_by_value(c: float) -> Callable[[Array], Array]:
    """g, each entry held to [−c, c]; NaN stays NaN."""

    def held(g: Array) -> Array:
        return np.where(g > c, c, np.where(g < -c, -c, g))

    return held


def project_max_norm(shaping: GradientTransform, parameters: Views) -> None:
    """Shortens each row of each W_i, the weights into one unit, to ‖row‖ ≤ max_norm."""
    c = shaping.max_norm
    if c is None:
        return
    for W_i in parameters.W[1:]:
        norms = np.sqrt(np.square(W_i, dtype=np.float64).sum(axis=1))
        for j in np.flatnonzero(norms > c):
            W_i[j] *= c / norms[j]


def gradient_noise(
    shaping: GradientTransform, network: Network, seed: int, updates: range, dtype: np.dtype[np.generic]
) -> Array:
    """N(0, σ_t²) for each weight of the updates t (from 1), σ_t² = std² / t^decay. Neelakantan et al. 2015.

    The paper counts from 0 and writes (1 + t). Each update has a stream of its own.
    """
    assert shaping.noise is not None
    std, decay = shaping.noise
    drawn: Array = np.empty((len(updates), network.size), dtype)
    for row, t in zip(drawn, updates, strict=True):
        row[...] = stream(seed, "noise", step=t).standard_normal(network.size) * (std * t ** (-0.5 * decay))
    return drawn
