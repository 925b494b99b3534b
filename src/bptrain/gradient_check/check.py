"""The gradient check of one network at one point: analytic gradients against a numeric one."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from bptrain.core import backprop
from bptrain.core.network import PLAIN, BatchContext, Network
from bptrain.drain import drain
from bptrain.errors import UsageError
from bptrain.gradient_check.corners import Corners, corners
from bptrain.gradient_check.forward import forward_error
from bptrain.gradient_check.lines import backward
from bptrain.gradient_check.numeric import CheckProgress, numeric_side
from bptrain.gradient_check.parts import part_faults
from bptrain.gradient_check.plan import Settings, chosen_blocks, plan
from bptrain.gradient_check.point import Point
from bptrain.gradient_check.report import GradcheckReport
from bptrain.gradient_check.scale import scale_at
from bptrain.gradient_check.slips.base import Diagnosis
from bptrain.gradient_check.slips.diagnosis import diagnose
from bptrain.gradient_check.subject import Subject, inputs_report, overall_report
from bptrain.gradient_check.trial import COMPLEX_REFUSED, Trial, culprits, trial
from bptrain.gradient_check.verdicts import BlockReport, UpdateRule
from bptrain.parts.types import Array

# (w, X, T, context) -> the flat gradient of the objective
Gradient = Callable[[Array, Array, Array, BatchContext], Array]

SETTINGS = Settings()
NEAR = 1e-7  # by which share of z's terms a unit may be off a corner and still be too near for differences


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
    return drain(checking(Point(network, w, X, T, context), analytic, settings))


def checking(
    point: Point, analytic: Array | Mapping[str, Gradient] | None = None, settings: Settings = SETTINGS
) -> Generator[CheckProgress, None, GradcheckReport]:
    """The check of `gradcheck`, which tells on its way how far it has come."""
    with np.errstate(all="ignore"):
        report = yield from _checking(point, analytic, settings)
    return report


def _checking(
    point: Point, analytic: Array | Mapping[str, Gradient] | None, settings: Settings
) -> Generator[CheckProgress, None, GradcheckReport]:
    all_rows, wrong_forward = len(point.X_0), forward_error(point)
    point, found, tried = begin(point)
    method: UpdateRule = "central" if settings.method == "central" or not tried.passed else "complex_step"
    if method == "central":
        found = corners(point, NEAR)
    standing = () if found is None else found.found
    if settings.kinks == "skip" and found is not None and found.rows.any():
        point, found = without_rows(point, found, analytic, method)
    blocks = chosen_blocks(point.network, settings.params)
    plan_ = plan(point, settings, method)
    subject = Subject(
        point,
        found,
        scale_at(point, 1),
        scale_at(point),
        backward(point),
        gradients(point, analytic),
        settings,
        plan_,
    )
    reports: list[BlockReport] = []
    total = sum(min(plan_.entries, block.stop - block.start) + plan_.directions for block in blocks)
    done = 0
    for block in blocks:
        numeric = yield from numeric_side(point, plan_, block, settings.seed, subject.left_out, done, total)
        done += len(numeric.n) + len(numeric.n_v)
        reports.append(subject.report(block, numeric))
        if settings.fail_fast and not reports[-1].passed:
            break
    stopped = settings.fail_fast and any(not report.passed for report in reports)
    if settings.inputs and not stopped:
        reports.append(inputs_report(subject))
    overall = None if stopped or not plan_.directions else overall_report(subject, blocks)
    likely, faults = ({}, ()) if not tried.passed else (slips_of(subject, reports), tuple(part_faults(point)))
    return GradcheckReport(
        method=method,
        why=plan_.why if tried.passed else f"{tried.words}; so, {plan_.why}",
        tolerance=subject.tolerance,
        layers=tuple(reports),
        overall=overall,
        rows=len(point.X_0),
        rows_left_out=all_rows - len(point.X_0),
        parameters=point.network.size,
        forward_error=wrong_forward,
        kinks=settings.kinks,
        corners=standing,
        trial=tried,
        engines=tuple(subject.analytic),
        likely=likely,
        faults=faults,
        complete=not stopped,
        by=point.by,
    )


def slips_of(subject: Subject, reports: Sequence[BlockReport]) -> dict[str, Diagnosis]:
    """The slips that gradients which do not match look like, by engine."""
    wrong = {name for report in reports if not report.passed for name in report.errors}
    found = {name: diagnose(subject.point, g) for name, g in subject.analytic.items() if name in wrong}
    return {name: one for name, one in found.items() if one is not None}


def begin(point: Point) -> tuple[Point, Corners | None, Trial]:
    """The corners, and whether the complex step may be trusted; where not, a point by the parts' own derivatives."""
    _ = point.space  # a mistake in a part is an error of its own, not one of the method
    try:
        found = corners(point)
        tried = trial(point, found)
    except COMPLEX_REFUSED as error:
        found, tried = None, Trial(False, f"the complex step failed: {error}{culprits(point)}")
    return (point if tried.passed else replace(point, by="parts")), found, tried


def without_rows(
    point: Point, found: Corners, analytic: Array | Mapping[str, Gradient] | None, method: UpdateRule
) -> tuple[Point, Corners | None]:
    """The point without the rows that stand on a corner."""
    if found.rows.all():
        raise UsageError("every row stands on a corner, so that none is left to check: see --kinks interval")
    if isinstance(analytic, np.ndarray):
        raise UsageError("a gradient that is given as numbers has all rows in it: none can be left out")
    point = point.some_rows(np.flatnonzero(~found.rows))
    return point, corners(point, NEAR if method == "central" else 0.0)


def gradients(point: Point, analytic: Array | Mapping[str, Gradient] | None) -> dict[str, Array]:
    """The gradients to judge, flat, by engine."""
    if analytic is None:
        analytic = {"numpy": partial(backprop.gradient, point.network)}
    if isinstance(analytic, Mapping):
        return {name: g(point.w, point.X_0, point.T, point.context) for name, g in analytic.items()}
    return {"given": np.asarray(analytic, np.float64)}
