"""Losses: E(x, t) of each row, and right below it ∂E/∂x, by family.

A row's loss sums over the outputs; mean_squared_error alone averages over them. Where a loss and the output
activation form a canonical pair, the two derivatives cancel to δ_L = x_L − t, and the loss is computed from z_L,
which stays exact where x_L has rounded to 0 or 1.
"""

from bptrain.parts.losses import distances, likelihoods, margins
from bptrain.parts.losses.base import Loss, Outputs, difference_terms, fits, losses

__all__ = ["Loss", "Outputs", "difference_terms", "distances", "fits", "likelihoods", "losses", "margins"]
