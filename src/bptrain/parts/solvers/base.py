"""What a solver is: it works on all rows at once, through the objective, and finds the length of its steps itself.

    w, slots, value, converged = solver.step(objective, w, slots, t)

An element-wise rule is handed a gradient; a solver asks for what it needs, at the points that it needs. w is the flat
vector, t counts the iterations from 1. The slots are what a solver remembers from one iteration to the next, all zero
at the start: with them, an iteration depends on nothing else. Solvers calculate in float64 whatever the network's
dtype is. A trial point is rounded to that dtype before it is evaluated, so that loss and gradient are its own.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from bptrain.parts.optimizers import Slots
from bptrain.parts.types import Array
from bptrain.registry import Registry


def _as_it_is(w: Array) -> Array:
    return w


class Objective(NamedTuple):
    """A function of a flat vector that is to be made small."""

    value: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    curvature: Callable[[Array], Array] | None = None  # JᵀJ, P × P, where the value is ½ ‖r‖² and J = ∂r/∂w
    rounded: Callable[[Array], Array] = _as_it_is  # w as it can be evaluated, in float64

    def at(self, w: Array) -> "EvaluatedPoint":
        """The objective at w."""
        w = self.rounded(w)
        return EvaluatedPoint(self, w, self.value(w))

    def known(self, w: Array, value: float, gradient: Array) -> "EvaluatedPoint":
        """The objective at w, where it was worked out before."""
        point = EvaluatedPoint(self, w, value)
        point.g = gradient
        return point


class EvaluatedPoint:
    """A point at which the objective was evaluated; the gradient there is worked out when it is asked for."""

    def __init__(self, objective: Objective, w: Array, value: float) -> None:
        self.objective, self.w, self.value = objective, w, value

    @cached_property
    def g(self) -> Array:
        """The gradient."""
        return self.objective.gradient(self.w)


class Iteration(NamedTuple):
    """What an iteration comes to."""

    w: Array
    slots: Slots
    value: float  # of the objective at w
    converged: bool  # the gradient is as small as asked for, or no step is left that improves


Kinds = dict[str, Literal["per_weight", "scalar"] | int]  # a number: how many vectors of the shape of w


class Solver(NamedTuple):
    """One solver, with its options."""

    step: Callable[[Objective, Array, Slots, int], Iteration]
    slots: Kinds
    loss: str | None = None  # the only loss that it can work with
    too_large: Callable[[int], str | None] = lambda P: None  # why this many parameters are too many


solvers: Registry[Solver] = Registry("optimizer")


def fresh_slots(solver: Solver, P: int) -> Slots:
    """The slots of a solver of P parameters before its first iteration."""
    return tuple(np.zeros(slot_shape(kind, P)) for kind in solver.slots.values())


def slot_shape(kind: str | int, P: int) -> tuple[int, ...]:
    """The shape of a slot."""
    if isinstance(kind, int):
        return (kind, P)
    return (P,) if kind == "per_weight" else ()


def is_small(g: Array, tolerance: float) -> bool:
    """Whether no entry of a gradient is larger than the tolerance."""
    return bool(np.abs(g).max() <= tolerance)
