"""A step length that satisfies the strong Wolfe conditions, by bracketing and cubic interpolation.

    φ(α) = E(w + α d),    φ(α) ≤ φ(0) + c₁ α φ'(0)    and    |φ'(α)| ≤ c₂ |φ'(0)|

Nocedal and Wright, Numerical Optimization (2nd edition, 2006), Algorithms 3.5 and 3.6 and equation 3.59. A point at
which the objective is not finite is one that lies too far out.
"""

import math
from typing import NamedTuple

import numpy as np

from bptrain.parts.solvers.base import EvaluatedPoint, Objective
from bptrain.parts.types import Array

LONGER = 4.0  # a step that goes on falling is taken this much longer
MARGIN = 0.1  # a trial keeps this share of the bracket away from its ends


class TrialStep(NamedTuple):
    """A step length, the point it leads to, and φ' there."""

    alpha: float
    point: EvaluatedPoint
    slope: float


class SearchLine(NamedTuple):
    """The objective along a direction of descent, and what a step along it must satisfy."""

    objective: Objective
    start: TrialStep  # α = 0
    d: Array
    c1: float
    c2: float

    def trial(self, alpha: float) -> TrialStep:
        """The trial at α; φ' is NaN where the decrease alone rules it out, so that no gradient is worked out there."""
        point = self.objective.at(self.start.point.w + alpha * self.d)
        slope = math.nan
        if self.decreases(alpha, point.value):
            slope = float(np.dot(point.g, self.d))
        return TrialStep(alpha, point, slope)

    def decreases(self, alpha: float, value: float) -> bool:
        """Whether the objective has decreased enough at α, and at all: enough may round to nothing."""
        before = self.start.point.value
        return value < before and value <= before + self.c1 * alpha * self.start.slope

    def flat(self, trial: TrialStep) -> bool:
        """Whether the slope has flattened enough."""
        return abs(trial.slope) <= -self.c2 * self.start.slope


def strong_wolfe(
    objective: Objective,
    start: EvaluatedPoint,
    d: Array,
    alpha: float,
    c1: float,
    c2: float,
    evaluations: int,
) -> EvaluatedPoint | None:
    """The point to go to along d, where α is the first length tried.

    If it is not found within `evaluations`, the best point that decreases enough; None if there is none.
    """
    line = SearchLine(objective, TrialStep(0.0, start, float(np.dot(start.g, d))), d, c1, c2)
    low = line.start
    for done in range(1, evaluations + 1):
        trial = line.trial(alpha)
        if not line.decreases(alpha, trial.point.value) or trial.point.value >= low.point.value:
            return _zoom(line, low, trial, evaluations - done)
        if line.flat(trial):
            return trial.point
        if trial.slope >= 0:
            return _zoom(line, trial, low, evaluations - done)
        low, alpha = trial, LONGER * alpha
    return low.point if low.alpha > 0 else None


def _zoom(line: SearchLine, low: TrialStep, high: TrialStep, evaluations: int) -> EvaluatedPoint | None:
    """Narrows the bracket between the best trial so far and one on the other side of a minimum."""
    for _ in range(evaluations):
        trial = line.trial(_between(low, high, line.d))
        if np.array_equal(trial.point.w, low.point.w):  # the bracket is as narrow as numbers can be
            break
        if not line.decreases(trial.alpha, trial.point.value) or trial.point.value >= low.point.value:
            high = trial
            continue
        if line.flat(trial):
            return trial.point
        if trial.slope * (high.alpha - low.alpha) >= 0:
            high = low
        low = trial
    return low.point if low.alpha > 0 else None


def _between(low: TrialStep, high: TrialStep, d: Array) -> float:
    """The minimum of the cubic through values and slopes at both ends, kept off them; else the middle."""
    a, b = low.alpha, high.alpha
    middle = 0.5 * (a + b)
    if not math.isfinite(high.point.value):
        return middle
    slope = float(np.dot(high.point.g, d)) if math.isnan(high.slope) else high.slope
    if not math.isfinite(slope):
        return middle
    d1 = low.slope + slope - 3.0 * (low.point.value - high.point.value) / (a - b)
    square = d1 * d1 - low.slope * slope
    if not square >= 0:
        return middle
    d2 = math.copysign(math.sqrt(square), b - a)
    divisor = slope - low.slope + 2.0 * d2
    alpha = b - (b - a) * (slope + d2 - d1) / divisor if divisor != 0 else middle
    margin = MARGIN * abs(b - a)
    return min(max(alpha, min(a, b) + margin), max(a, b) - margin) if math.isfinite(alpha) else middle
