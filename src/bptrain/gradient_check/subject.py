"""Judging: the gradients at a point beside the numeric one, block by block."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bptrain.core import backprop
from bptrain.core.network import Block
from bptrain.gradient_check import complex_step, differences
from bptrain.gradient_check.corners import Corners
from bptrain.gradient_check.lines import Backward
from bptrain.gradient_check.numeric import along_all
from bptrain.gradient_check.plan import Plan, Settings, directions
from bptrain.gradient_check.point import Point
from bptrain.gradient_check.scale import Scale
from bptrain.gradient_check.verdicts import (
    TOLERANCE,
    TOLERANCE_OF_DIFFERENCES,
    Allowed,
    BlockReport,
    Judged,
    Numeric,
    Outcome,
    judge,
)
from bptrain.parts.types import Array


class Subject(NamedTuple):
    """What is judged, and what it is judged by."""

    point: Point
    found: Corners | None
    s: Scale  # in absolute values
    q: Scale  # in squares
    exact: Backward  # the gradient by the lines of the derivation, from the parts' derivatives
    analytic: dict[str, Array]
    settings: Settings
    plan: Plan

    @property
    def tolerance(self) -> float:
        """The verdict's."""
        return TOLERANCE if self.plan.method == "complex_step" else TOLERANCE_OF_DIFFERENCES

    def allowed(self, part: slice) -> Allowed:
        """What the parameters at these places may be."""
        s, q, exact = self.s.w[part], self.q.w[part], self.exact.g[part]
        if self.found is None:
            return Allowed(s, q, exact, exact, np.zeros_like(s))
        return Allowed(s, q, exact, self.found.center[part], self.found.radius[part])

    @property
    def left_out(self) -> Array:
        """The parameters that are not judged: with kinks "skip", weights at the corner of l1."""
        if self.found is None or self.settings.kinks != "skip":
            return np.zeros(self.point.network.size, bool)
        return self.found.radius > 0

    def report(self, block: Block, numeric: Numeric) -> BlockReport:
        """The verdict on a block."""
        part = slice(block.start, block.stop)
        a = {name: g[part] for name, g in self.analytic.items()}
        return self.verdict(block.layer, block.kind, block.shape, a, numeric, self.allowed(part))

    def verdict(
        self,
        layer: int,
        parameter: str,
        shape: tuple[int, ...],
        a: Mapping[str, Array],
        numeric: Numeric,
        allowed: Allowed,
    ) -> BlockReport:
        """The verdict on some parameters or inputs, by the engine that is furthest off."""
        judged = {name: judge(flat, numeric, allowed, self.tolerance) for name, flat in a.items()}
        engine = max(judged, key=lambda name: (not judged[name].right, np.nan_to_num(judged[name].error)))
        one = judged[engine]
        kink = bool((allowed.radius > 0).any()) and self.settings.kinks != "skip"
        outcome: Outcome = "kink" if kink else "pass"
        refused = kink and self.settings.kinks == "fail"
        if not len(numeric.entries) and not np.any(numeric.v):
            outcome = "left out"
        elif not one.right:
            outcome = "undecided" if one.noisy else "mismatch"
        worst = shown(one, a[engine], numeric, allowed)
        place = np.flatnonzero(numeric.entries == worst)
        center, radius = float(allowed.center[worst]), float(allowed.radius[worst])
        return BlockReport(
            layer=layer,
            parameter=parameter,
            shape=shape,
            entries=len(numeric.entries),
            directions=len(numeric.n_v),
            errors={name: each.error for name, each in judged.items()},
            engine=engine,
            worst=tuple(int(k) for k in np.unravel_index(worst, shape)),
            worst_analytic=float(a[engine][worst]),
            worst_numeric=float(numeric.n[place[0]] if len(place) else allowed.exact[worst]),
            sides=(center - radius, center + radius) if radius > 0 else None,
            outcome=outcome,
            passed=one.right and not refused,
            vanishes=one.vanishes,
        )


def shown(one: Judged, a: Array, numeric: Numeric, allowed: Allowed) -> int:
    """The entry that a report shows: the furthest off, or at a corner the least certain."""
    if one.right and (allowed.radius > 0).any():
        return int(np.argmax(allowed.radius))
    if len(numeric.entries) and not (len(numeric.n_v) and not one.right):
        return one.worst
    return int(np.argmax(np.abs(a - allowed.exact)))


def inputs_report(subject: Subject) -> BlockReport:
    """The verdict on ∂objective/∂X_0, which `backprop.py` alone works out."""
    point, found = subject.point, subject.found
    analytic = backprop.input_gradient(point.network, point.w, point.X_0, point.T, point.context)
    if subject.plan.method == "complex_step":
        n = complex_step.of_inputs(point)
        estimate = np.zeros_like(n)
    else:
        n, estimate = np.full_like(point.X_0, np.nan), np.full_like(point.X_0, np.inf)
        free = (
            np.arange(len(n)) if found is None else np.flatnonzero(~found.rows)
        )  # the rest is judged by sides
        if len(free):
            difference = differences.of_inputs(point.some_rows(free), point.divisor)
            n[free], estimate[free] = difference
    exact, s, q = (part.ravel() for part in (subject.exact.D[0], subject.s.X_0, subject.q.X_0))
    center, radius = (
        (exact, np.zeros_like(s)) if found is None else (found.center_inputs, found.radius_inputs)
    )
    entries, none = np.arange(n.size), np.empty(0)
    numeric = Numeric(entries, n.ravel(), estimate.ravel(), np.empty((0, n.size)), none, none)
    allowed = Allowed(s, q, exact, center.ravel(), radius.ravel())
    return subject.verdict(0, "input", n.shape, {"numpy": analytic.ravel()}, numeric, allowed)


def overall_report(subject: Subject, blocks: Sequence[Block]) -> BlockReport:
    """The verdict along directions through all blocks at once."""
    point, size = subject.point, subject.point.network.size
    v = directions(size, subject.plan.directions, subject.settings.seed, blocks)
    v[:, subject.left_out] = 0.0
    n_v, estimate_v = along_all(point, subject.plan.method, v)
    none = np.empty(0)
    numeric = Numeric(np.empty(0, int), none, none, v, n_v, estimate_v)
    a = subject.analytic
    return subject.verdict(0, "all", (size,), a, numeric, subject.allowed(slice(0, size)))
