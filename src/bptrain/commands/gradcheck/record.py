"""The report of a gradient check as JSON has it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bptrain.commands.gradcheck.run import Checked
from bptrain.commands.gradcheck.selftest import SelfChecked
from bptrain.gradient_check import BlockReport, GradcheckReport

CORNERS = 100  # that are listed one by one


def gradcheck_record(checked: Checked) -> dict[str, Any]:
    """The fields of gradcheck's JSON."""
    report = checked.report
    trial = report.trial
    return {
        **head(report),
        "chosen": report.why,
        "engines": list(report.engines),
        "kinks": report.kinks,
        "rows": report.rows,
        "rows_left_out": report.rows_left_out,
        "parameters": report.parameters,
        "forward_error": report.forward_error,
        "complete": report.complete,
        "layers": [block_record(block) for block in report.layers],
        "overall": None if report.overall is None else block_record(report.overall),
        "rules": dict(report.rules),
        "corners": [corner._asdict() for corner in report.corners[:CORNERS]],
        "corner_count": len(report.corners),
        "cross_check": None if trial is None else trial._asdict(),
        **explanations(report),
        "consistency": [
            {**one._asdict(), "likely": None if one.likely is None else one.likely._asdict()}
            for one in checked.consistency
        ],
        "units": [one._asdict() for one in checked.units],
        "notes": list(checked.notes),
    }


def head(report: GradcheckReport) -> dict[str, Any]:
    """What every check has."""
    return {
        "method": report.method,
        "entries": report.entries,
        "max_relative_error": report.max_relative_error,
        "tolerance": report.tolerance,
    }


def explanations(report: GradcheckReport) -> dict[str, Any]:
    """What a mismatch looks like, and which part is at fault."""
    return {
        "diagnosis": {name: one._asdict() for name, one in report.likely.items()},
        "part_faults": [fault._asdict() for fault in report.faults],
    }


def block_record(block: BlockReport) -> dict[str, Any]:
    """One block of parameters, or the inputs."""
    return {
        "layer": block.layer,
        "parameter": block.parameter,
        "shape": list(block.shape),
        "relative_error": block.relative_error,
        "verdict": block.verdict,
        "outcome": block.outcome,
        "passed": block.passed,
        "entries": block.entries,
        "directions": block.directions,
        "errors": block.errors,
        "worst": {
            "engine": block.engine,
            "index": list(block.worst),
            "analytic": block.worst_analytic,
            "numeric": block.worst_numeric,
            "sides": None if block.sides is None else list(block.sides),
        },
    }


def parts_record(checks: Sequence[SelfChecked]) -> dict[str, Any]:
    """The fields of gradcheck's JSON without an argument: every combination, and the layers of all of them."""
    reports = [checked.report for checked in checks]
    return {
        **head(reports[0]),
        "entries": sum(report.entries for report in reports),
        "max_relative_error": float(np.max([report.max_relative_error for report in reports])),
        "combinations": len(checks),
        "wrong": [
            {**checked.combination._asdict(), **explanations(checked.report)}
            for checked in checks
            if not checked.report.passed
        ],
        "layers": [
            {"parts": checked.combination.parts, **checked.combination._asdict(), **block_record(block)}
            for checked in checks
            for block in checked.report.layers
        ],
    }
