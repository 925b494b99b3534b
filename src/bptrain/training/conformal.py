"""Prediction intervals of numbers by split conformal prediction (Papadopoulos et al. 2002; Lei et al. 2018).

On n validation rows, which the model was not trained on, the absolute errors |t − y| are sorted. Of a new row, drawn as
these were, the target lies within y ± the ⌈(n + 1) level⌉-th smallest of them with at least the probability `level`,
whatever the model and the distribution. The half width is the same for all rows.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.errors import DataError, Problem
from bptrain.mapped_rows import by_rows
from bptrain.parts.types import Array

PARTS = 1000  # from more rows on, the errors that divide them into as many parts are kept
TINY = 1e-9  # of a rank: what the product of n + 1 and a level is off by rounding


class AbsoluteErrors(NamedTuple):
    """The absolute errors of n validation rows for each target, in its own units, each row counted once."""

    rows: int  # n
    errors: Array  # m × n in ascending order; of more than PARTS rows the ⌈k n / PARTS⌉-th smallest, k = 0 … PARTS

    def half_widths(self, level: float) -> Array:
        """The half width of the interval of each target, m. Raises DataError where there are too few rows for it."""
        rank = math.ceil((self.rows + 1) * level - TINY)
        if rank > self.rows:
            needed = math.ceil(level / (1.0 - level) - TINY)
            message = (
                f"intervals of level {level:g} need {needed:,} validation rows, and this model had {self.rows:,}: ask "
                "for a lower level, or train with more validation rows"
            )
            raise DataError(Problem("few_validation_rows", message))
        if self.rows <= PARTS:
            return np.asarray(self.errors[:, rank - 1])
        # the smallest k with ⌈k n / PARTS⌉ ≥ rank, so that the interval is never too narrow
        return np.asarray(self.errors[:, (rank - 1) * PARTS // self.rows + 1])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; floats survive exactly."""
        return {"rows": self.rows, "errors": self.errors.tolist()}

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> "AbsoluteErrors":
        """What `to_json` wrote."""
        return cls(int(json["rows"]), np.array(json["errors"], np.float64))


def absolute_errors(predicted: Array, true: Array) -> AbsoluteErrors | None:
    """The errors to keep of predictions, n × m; None where one is not finite, since nothing can be said then."""
    with np.errstate(all="ignore"):
        errors = by_rows(lambda y, t: np.abs(y - t), predicted, true)
    errors.sort(axis=0)
    errors = errors.T
    n = errors.shape[1]
    if not np.isfinite(errors).all():
        return None
    if n > PARTS:
        ranks = -(-np.arange(PARTS + 1) * n // PARTS)
        errors = errors[:, np.maximum(ranks, 1) - 1]
    return AbsoluteErrors(n, errors)
