"""Consistency of an engine with itself: the same gradient from other orders and other pieces of the rows.

the batch        the gradient of a batch is the sum of its instances', however they are weighed and divided
the order        it does not depend on the order of the rows
the bits         the same call gives the same bits again; so do the same updates from the same weights
the update       one update of gradient descent subtracts learning rate × gradient from the weights
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.network import views
from bptrain.core.objective import add_penalties, batch_divisor
from bptrain.engines.base import Engine, GradientTransform, TrainingPlan, initial_optimizer_state
from bptrain.engines.numpy_engine import rate_of_each_weight
from bptrain.gradient_check.kinks import FoundKinks, find_kinks
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.base import LikelySlip
from bptrain.gradient_check.slips.diagnose import diagnose
from bptrain.gradient_check.verdicts import TOLERANCE, excess_error, scale_at
from bptrain.parts.optimizers import optimizers
from bptrain.parts.random import stream
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array

RATE = 1.0  # of the update that is looked at


class Consistency(NamedTuple):
    """One thing that must agree, of one engine."""

    engine: str
    name: str  # batch | order | bits | update
    words: str
    error: float  # relative, as a gradient's; of the bits 0 or infinity
    passed: bool
    likely: LikelySlip | None = None  # the slip of a training step that it looks like

    def record(self) -> dict[str, Any]:
        """The fields of the JSON."""
        return {**self._asdict(), "likely": None if self.likely is None else self.likely._asdict()}


def plain_descent(plan: TrainingPlan) -> TrainingPlan:
    """The plan with plain gradient descent at one rate, whose update shows the gradient."""
    rule, constant = optimizers.get("gradient_descent")(), schedules.get("constant")()
    return plan._replace(method=rule, schedule=constant, rate=RATE, transform=GradientTransform())


def consistency(engine: Engine, plan: TrainingPlan, point: GradientPoint) -> Iterator[Consistency]:
    """The checks of an engine that was built for `plain_descent(plan)`, at a point."""
    w, X, T, context = point.w, point.X_0, point.T, point.context
    s, found = scale_at(point).w, find_kinks(point)
    a = engine.gradient(w, X, T, context)

    def compared(name: str, words: str, b: Array) -> Consistency:
        error = relative_error(a, b, s, found)
        return Consistency(engine.name, name, words, error, error <= TOLERANCE)

    yield compared(
        "batch",
        "the gradient of a batch is the sum of its instances' gradients",
        sum_of_instances(engine, point),
    )
    other = point.some_rows(stream(0, "check").permutation(len(X)))
    b = engine.gradient(w, other.X_0, other.T, other.context)
    yield compared("order", "the gradient does not depend on the order of the rows", b)
    again = engine.gradient(w, X, T, context)
    w_1, w_2 = trained(engine, plan, point), trained(engine, plan, point)
    same = np.array_equal(a, again, equal_nan=True) and np.array_equal(w_1, w_2, equal_nan=True)
    words = "repeating a call or an update gives the same bits"
    yield Consistency(engine.name, "bits", words, 0.0 if same else np.inf, same)
    yield update(engine, plan, point)


def relative_error(a: Array, b: Array, s: Array, found: FoundKinks | None) -> float:
    """The distance of two gradients, relative; less where one may take another side of a kink."""
    allowed = (a, np.zeros(1)) if found is None else (found.center, 2 * found.radius)
    distance = excess_error(a, b, *allowed)
    scale = np.max([np.linalg.norm(part) for part in (a, b, s)])
    return 0.0 if scale == 0 else float(np.linalg.norm(distance) / scale)


def sum_of_instances(engine: Engine, point: GradientPoint) -> Array:
    """The gradient of a batch from those of its rows, each taken by itself."""
    network, V = point.network, point.context.sample_weight
    of_penalty = np.zeros_like(point.w)
    add_penalties(network, point.parameters, views(network, of_penalty))
    total = np.zeros_like(point.w)
    for n in range(len(point.X_0)):
        one = point.some_rows(np.array([n]))
        g = engine.gradient(one.w, one.X_0, one.T, one.context) - of_penalty
        total += g * batch_divisor(network, 1, None if V is None else V[n : n + 1])
    return total / point.divisor + of_penalty


def trained(engine: Engine, plan: TrainingPlan, point: GradientPoint) -> Array:
    """The weights after an epoch of updates on the rows of a point."""
    state = initial_optimizer_state(point.w.copy(), plain_descent(plan).method)
    engine.run_slice(state, point.X_0, point.T, point.context)
    return state.w


def update(engine: Engine, plan: TrainingPlan, point: GradientPoint) -> Consistency:
    """Whether an update subtracts the engine's gradient, computed before any weight has changed."""
    first = point.some_rows(np.arange(min(plan.batch_size, len(point.X_0))))
    w, X, T, context = first.w, first.X_0, first.T, first.context
    state = initial_optimizer_state(w.copy(), plain_descent(plan).method)
    engine.run_slice(state, X, T, context)
    alpha = rate_of_each_weight(plain_descent(plan), w.dtype)
    taken = (w - state.w) / alpha
    rounding = np.finfo(np.float64).eps * np.abs(w) / alpha  # of w − step
    s = scale_at(first).w + rounding / TOLERANCE
    error = relative_error(taken, engine.gradient(w, X, T, context), s, find_kinks(first))
    words = "an update subtracts learning rate × gradient from the weights"
    likely = (
        None if error <= TOLERANCE or first.derivatives_from == "parts" else diagnose(first, taken, rate=RATE)
    )
    return Consistency(engine.name, "update", words, error, error <= TOLERANCE, likely)
