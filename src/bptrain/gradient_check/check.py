"""The gradient check of one network at one point: analytic gradients compared with a numeric one."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from bptrain.core import backprop
from bptrain.core.network import PLAIN, BatchContext, Block, Network
from bptrain.drain import drain
from bptrain.engine_names import NUMPY
from bptrain.errors import UsageError
from bptrain.gradient_check import complex_step, differences
from bptrain.gradient_check.cross_check import COMPLEX_REFUSED, CrossCheck, cross_check, culprits
from bptrain.gradient_check.forward_pass import forward_error
from bptrain.gradient_check.kinks import FoundKinks, find_kinks
from bptrain.gradient_check.lines import Backward, backward
from bptrain.gradient_check.numeric_gradient import (
    CheckPlan,
    CheckProgress,
    Settings,
    along_all,
    chosen_blocks,
    directions,
    numeric_side,
    plan,
)
from bptrain.gradient_check.part_derivatives import part_faults
from bptrain.gradient_check.part_slopes import refuse_wrong_shapes
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.report import BlockReport, GradcheckReport
from bptrain.gradient_check.rounding import rounded_elsewhere, rounding_at
from bptrain.gradient_check.slips.base import LikelySlip
from bptrain.gradient_check.slips.diagnose import diagnose
from bptrain.gradient_check.verdicts import (
    TOLERANCE,
    TOLERANCE_OF_DIFFERENCES,
    BlockVerdict,
    NumericGradient,
    NumericMethod,
    Outcome,
    Scale,
    Tolerance,
    judge,
    scale_at,
)
from bptrain.parts.types import Array

# (w, X, T, context) -> the flat gradient of the objective
Gradient = Callable[[Array, Array, Array, BatchContext], Array]

SETTINGS = Settings()
NEAR = 1e-7  # by which share of z's terms a unit may be off a kink and still be too near for differences


def gradcheck(
    network: Network,
    w: Array,
    X: Array,
    T: Array,
    analytic: Array | Mapping[str, Gradient] | None = None,
    context: BatchContext = PLAIN,
    settings: Settings = SETTINGS,
) -> GradcheckReport:
    """Checks the gradient at the flat weights w over the rows X (N × n_0) and T (N × n_L), all in float64.

    It is that of the whole objective: with penalties, row weights, and dropout by the masks that are given.
    `analytic` is the gradient to judge, or functions that make it, by the name of their engine; by default that of
    `backprop.py`. Raises UsageError where no row or no parameter is left to check.
    """
    w, X, T = (np.asarray(array, np.float64) for array in (w, X, T))
    return drain(checking(GradientPoint(network, w, X, T, context), analytic, settings))


def checking(
    point: GradientPoint,
    analytic: Array | Mapping[str, Gradient] | None = None,
    settings: Settings = SETTINGS,
) -> Generator[CheckProgress, None, GradcheckReport]:
    """The check of `gradcheck`, which reports its progress."""
    with np.errstate(all="ignore"):
        report = yield from _checking(point, analytic, settings)
    return report


def _checking(
    point: GradientPoint, analytic: Array | Mapping[str, Gradient] | None, settings: Settings
) -> Generator[CheckProgress, None, GradcheckReport]:
    point, found, tried = trusted_point(point)
    all_rows, wrong_forward = len(point.X_0), forward_error(point)
    method: NumericMethod = "central" if settings.method == "central" or not tried.passed else "complex_step"
    if method == "central":
        found = find_kinks(point, NEAR)
    standing = () if found is None else found.kinks
    if settings.kinks == "skip" and found is not None and found.rows.any():
        point, found = without_rows(point, found, analytic, method)
    blocks = chosen_blocks(point.network, settings.params)
    check_plan = plan(point, settings, method)
    squares, given = scale_at(point), gradients(point, analytic)
    q = rounding_at(point) if method == "complex_step" else squares
    q_elsewhere = q if method == "central" or set(given) == {NUMPY} else rounded_elsewhere(point, found, q)
    block_judge = BlockJudge(
        point,
        found,
        scale_at(point, 1),
        squares,
        q,
        q_elsewhere,
        backward(point),
        given,
        settings,
        check_plan,
    )
    reports: list[BlockReport] = []
    total = sum(min(check_plan.entries, block.stop - block.start) + check_plan.directions for block in blocks)
    done = 0
    for block in blocks:
        numeric = yield from numeric_side(
            point, check_plan, block, settings.seed, block_judge.left_out, done, total
        )
        done += len(numeric.n) + len(numeric.n_v)
        reports.append(block_judge.report(block, numeric))
        if settings.fail_fast and not reports[-1].passed:
            break
    stopped = settings.fail_fast and any(not report.passed for report in reports)
    if settings.inputs and not stopped:
        reports.append(inputs_report(block_judge))
    overall = None if stopped or not check_plan.directions else overall_report(block_judge, blocks)
    likely = slips_of(block_judge, reports) if tried.passed else {}
    return GradcheckReport(
        method=method,
        why=check_plan.why if tried.passed else f"{tried.words}; so, {check_plan.why}",
        tolerance=block_judge.tolerance,
        layers=tuple(reports),
        overall=overall,
        rows=len(point.X_0),
        rows_left_out=all_rows - len(point.X_0),
        parameters=point.network.size,
        forward_error=wrong_forward,
        kink_policy=settings.kinks,
        kinks_found=standing,
        cross_check=tried,
        engines=tuple(block_judge.analytic),
        likely=likely,
        faults=tuple(part_faults(point)),
        complete=not stopped,
        derivatives_from=point.derivatives_from,
    )


class BlockJudge(NamedTuple):
    """The gradients at a point, and everything that they are judged by."""

    point: GradientPoint
    found: FoundKinks | None
    s: Scale  # in absolute values
    squares: Scale  # in squares
    q: Scale  # what rounding may do; with central differences the scale in squares
    q_elsewhere: Scale  # the same of engines whose z are rounded in another way
    exact: Backward  # the gradient by the lines of the derivation, from the parts' derivatives
    analytic: dict[str, Array]
    settings: Settings
    plan: CheckPlan

    @property
    def tolerance(self) -> float:
        """The verdict's."""
        return TOLERANCE if self.plan.method == "complex_step" else TOLERANCE_OF_DIFFERENCES

    def allowed(self, part: slice) -> Tolerance:
        """What the parameters at these places may be."""
        scales = (self.s.w[part], self.squares.w[part], self.q.w[part], self.q_elsewhere.w[part])
        exact = self.exact.g[part]
        if self.found is None:
            return Tolerance(*scales, exact, exact, np.zeros_like(exact))
        return Tolerance(*scales, exact, self.found.center[part], self.found.radius[part])

    @property
    def left_out(self) -> Array:
        """The parameters that are not judged: with kinks "skip", weights at the kink of l1."""
        if self.found is None or self.settings.kinks != "skip":
            return np.zeros(self.point.network.size, bool)
        return self.found.radius > 0

    def report(self, block: Block, numeric: NumericGradient) -> BlockReport:
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
        numeric: NumericGradient,
        allowed: Tolerance,
    ) -> BlockReport:
        """The verdict on some parameters or inputs, by the engine that is furthest off."""
        elsewhere = allowed._replace(q=allowed.q_elsewhere)
        judged = {
            name: judge(flat, numeric, allowed if name == NUMPY else elsewhere, self.tolerance)
            for name, flat in a.items()
        }
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


def slips_of(block_judge: BlockJudge, reports: Sequence[BlockReport]) -> dict[str, LikelySlip]:
    """The slips that gradients which do not match look like, by engine."""
    wrong = {name for report in reports if not report.passed for name in report.errors}
    found = {
        name: diagnose(block_judge.point, g) for name, g in block_judge.analytic.items() if name in wrong
    }
    return {name: one for name, one in found.items() if one is not None}


def trusted_point(point: GradientPoint) -> tuple[GradientPoint, FoundKinks | None, CrossCheck]:
    """The kinks, and whether the complex step may be trusted; where not, a point by the parts' own derivatives."""
    refuse_wrong_shapes(point)
    _ = point.space  # a mistake in a part is an error of its own, not one of the method
    try:
        found = find_kinks(point)
        tried = cross_check(point, found)
    except COMPLEX_REFUSED as error:
        found, tried = None, CrossCheck(False, f"the complex step failed: {error}{culprits(point)}")
    return (point if tried.passed else replace(point, derivatives_from="parts")), found, tried


def without_rows(
    point: GradientPoint,
    found: FoundKinks,
    analytic: Array | Mapping[str, Gradient] | None,
    method: NumericMethod,
) -> tuple[GradientPoint, FoundKinks | None]:
    """The point without the rows that are at a kink."""
    if found.rows.all():
        raise UsageError("every row is at a kink, so that none is left to check: see --kinks interval")
    if isinstance(analytic, np.ndarray):
        raise UsageError("a gradient that is given as numbers has all rows in it: none can be left out")
    point = point.some_rows(np.flatnonzero(~found.rows))
    return point, find_kinks(point, NEAR if method == "central" else 0.0)


def gradients(point: GradientPoint, analytic: Array | Mapping[str, Gradient] | None) -> dict[str, Array]:
    """The gradients to judge, flat, by engine."""
    if analytic is None:
        analytic = {NUMPY: partial(backprop.gradient, point.network)}
    if isinstance(analytic, Mapping):
        return {name: g(point.w, point.X_0, point.T, point.context) for name, g in analytic.items()}
    return {"given": np.asarray(analytic, np.float64)}


def shown(one: BlockVerdict, a: Array, numeric: NumericGradient, allowed: Tolerance) -> int:
    """The entry that a report shows: the furthest off, or at a kink the least certain."""
    if one.right and (allowed.radius > 0).any():
        return int(np.argmax(allowed.radius))
    if len(numeric.entries) and not (len(numeric.n_v) and not one.right):
        return one.worst
    return int(np.argmax(np.abs(a - allowed.exact)))


def inputs_report(block_judge: BlockJudge) -> BlockReport:
    """The verdict on ∂objective/∂X_0, which `backprop.py` alone computes."""
    point, found = block_judge.point, block_judge.found
    analytic = backprop.input_gradient(point.network, point.w, point.X_0, point.T, point.context)
    if block_judge.plan.method == "complex_step":
        n = complex_step.of_inputs(point)
        estimate = np.zeros_like(n)
    else:
        n, estimate = (np.full_like(point.space.X[0], value) for value in (np.nan, np.inf))
        # rows at a kink are judged by the slopes of both sides
        free = np.arange(len(n)) if found is None else np.flatnonzero(~found.rows)
        if len(free):
            difference = differences.of_inputs(point.some_rows(free).behind_steps, point.divisor)
            n[free], estimate[free] = difference
    exact = block_judge.exact.D[0].ravel()
    s, squares, q = (scale.X_0.ravel() for scale in (block_judge.s, block_judge.squares, block_judge.q))
    center, radius = (
        (exact, np.zeros_like(exact)) if found is None else (found.center_inputs, found.radius_inputs)
    )
    entries, none = np.arange(n.size), np.empty(0)
    numeric = NumericGradient(entries, n.ravel(), estimate.ravel(), np.empty((0, n.size)), none, none)
    allowed = Tolerance(s, squares, q, q, exact, center.ravel(), radius.ravel())
    return block_judge.verdict(0, "input", n.shape, {"numpy": analytic.ravel()}, numeric, allowed)


def overall_report(block_judge: BlockJudge, blocks: Sequence[Block]) -> BlockReport:
    """The verdict along directions through all blocks at once."""
    point, size = block_judge.point, block_judge.point.network.size
    v = directions(size, block_judge.plan.directions, block_judge.settings.seed, blocks)
    v[:, block_judge.left_out] = 0.0
    n_v, estimate_v = along_all(point, block_judge.plan.method, v)
    none = np.empty(0)
    numeric = NumericGradient(np.empty(0, int), none, none, v, n_v, estimate_v)
    a = block_judge.analytic
    return block_judge.verdict(0, "all", (size,), a, numeric, block_judge.allowed(slice(0, size)))
