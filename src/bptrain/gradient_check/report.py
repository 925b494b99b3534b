"""The report of a gradient check, and its JSON."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from bptrain.gradient_check.cross_check import CrossCheck
from bptrain.gradient_check.kinks import Kink
from bptrain.gradient_check.part_derivatives import PartFault
from bptrain.gradient_check.point import DerivativeSource
from bptrain.gradient_check.slips.base import LikelySlip
from bptrain.gradient_check.verdicts import TOLERANCE, KinkPolicy, NumericMethod, Outcome

KINKS = 100  # that the JSON lists one by one


class BlockReport(NamedTuple):
    """The verdict on one W_i or b_i, or on X_0 (layer 0, parameter "input")."""

    layer: int
    parameter: str  # weight | bias | input, or the name of a parameter of a step before W_1 (layer 0)
    shape: tuple[int, ...]
    entries: int  # entries that were checked one by one
    directions: int  # random directions through all entries that were checked
    errors: dict[str, float]  # the relative error by engine
    engine: str  # the engine with the largest, to which what follows belongs
    worst: tuple[int, ...]  # index of the entry with the largest |a − n|
    worst_analytic: float
    worst_numeric: float
    sides: tuple[float, float] | None  # the least and the largest that this entry may be at a kink
    outcome: Outcome
    passed: bool
    vanishes: bool  # ‖a‖ and ‖n‖ are both below 10⁻⁷ s

    @property
    def name(self) -> str:
        """The name that `--params` selects by."""
        if self.parameter == "input":
            return "inputs"
        of_step = self.layer == 0 and self.parameter != "all"
        return f"input.{self.parameter}" if of_step else f"layers.{self.layer}.{self.parameter}"

    @property
    def relative_error(self) -> float:
        """The largest error of an engine; NaN counts as largest."""
        return float(np.max(list(self.errors.values())))

    @property
    def verdict(self) -> str:
        """The outcome, with more words where it needs them."""
        words = self.outcome + (
            {True: ", between the slopes of both sides", False: ", refused"}[self.passed]
            if self.outcome == "kink"
            else ""
        )
        return words + (", the gradient vanishes here" if self.vanishes else "")

    def record(self) -> dict[str, Any]:
        """The fields of a block in gradcheck's JSON."""
        return {
            "layer": self.layer,
            "parameter": self.parameter,
            "shape": list(self.shape),
            "relative_error": self.relative_error,
            "verdict": self.verdict,
            "outcome": self.outcome,
            "passed": self.passed,
            "entries": self.entries,
            "directions": self.directions,
            "errors": self.errors,
            "worst": {
                "engine": self.engine,
                "index": list(self.worst),
                "analytic": self.worst_analytic,
                "numeric": self.worst_numeric,
                "sides": None if self.sides is None else list(self.sides),
            },
        }


def rules(method: NumericMethod, tolerance: float, kinks: KinkPolicy) -> dict[Outcome, str]:
    """The rule behind each outcome, in words."""
    noise = " or ten times the estimated error of the differences" if method == "central" else ""
    limit = f"{tolerance:.0e} max(|a|, |n|, q){noise}"
    at_kink = {
        "interval": "a unit's slope jumps within rounding of its z: passes if a is between the gradients of both sides",
        "skip": "a unit's slope jumps within rounding of its z: such rows were left out",
        "fail": "a unit's slope jumps within rounding of its z: refused, as requested",
    }
    return {
        "pass": f"|a − n| is at most {limit}",
        "kink": at_kink[kinks],
        "mismatch": f"|a − n| is more than {limit}, and a is not between the slopes of a kink either",
        "left out": "every weight of it is at l1's kink at 0",
        "undecided": "the differences are too noisy here to decide",
    }


class GradcheckReport(NamedTuple):
    """The verdict on one network at one point."""

    method: NumericMethod
    why: str  # what was done and why, in words
    tolerance: float
    layers: tuple[BlockReport, ...]  # a block each, and X_0 where asked for
    overall: BlockReport | None  # along directions through all blocks
    rows: int  # that were checked
    rows_left_out: int  # that are at kinks, with kinks "skip"
    parameters: int
    forward_error: float  # of the forward pass, against its equations written out once more
    kink_policy: KinkPolicy
    kinks_found: tuple[Kink, ...]
    cross_check: CrossCheck | None  # of the complex step, where the method was chosen here
    engines: tuple[str, ...]
    likely: Mapping[str, LikelySlip] = MappingProxyType({})  # by engine: the slip that a mismatch looks like
    faults: tuple[PartFault, ...] = ()  # of the parts, where the gradient does not depend on them either
    derivatives_from: DerivativeSource = "complex_step"  # how derivatives of the parts were taken
    complete: bool = True  # False where a check ended at its first mismatch

    @property
    def entries(self) -> int:
        """The number of parameters that were checked: all of a block where directions go through it."""
        blocks = [
            block for block in self.layers if block.parameter != "input" and block.outcome != "left out"
        ]
        return sum(int(np.prod(block.shape)) if block.directions else block.entries for block in blocks)

    @property
    def blocks(self) -> tuple[BlockReport, ...]:
        """Everything that has a verdict."""
        return self.layers if self.overall is None else (*self.layers, self.overall)

    @property
    def max_relative_error(self) -> float:
        """The largest error of a block; NaN counts as largest."""
        return float(np.max([block.relative_error for block in self.blocks]))

    @property
    def passed(self) -> bool:
        """Whether the gradient is right, and every part that the network uses."""
        return self.gradient_passed and not self.faults

    @property
    def gradient_passed(self) -> bool:
        """Whether the forward pass and every block passed."""
        return self.forward_error <= TOLERANCE and all(block.passed for block in self.blocks)

    @property
    def rules(self) -> dict[Outcome, str]:
        """The rule behind each outcome that occurs, in words."""
        said = rules(self.method, self.tolerance, self.kink_policy)
        return {block.outcome: said[block.outcome] for block in self.blocks}

    def summary(self) -> dict[str, Any]:
        """The fields that the JSON of every check begins with."""
        return {
            "method": self.method,
            "entries": self.entries,
            "max_relative_error": self.max_relative_error,
            "tolerance": self.tolerance,
        }

    def explanations(self) -> dict[str, Any]:
        """What a mismatch looks like, and which part is at fault, as JSON has it."""
        return {
            "diagnosis": {name: one._asdict() for name, one in self.likely.items()},
            "part_faults": [fault._asdict() for fault in self.faults],
        }

    def record(self) -> dict[str, Any]:
        """The fields of gradcheck's JSON."""
        return {
            **self.summary(),
            "chosen": self.why,
            "engines": list(self.engines),
            "kinks": self.kink_policy,
            "rows": self.rows,
            "rows_left_out": self.rows_left_out,
            "parameters": self.parameters,
            "forward_error": self.forward_error,
            "complete": self.complete,
            "layers": [block.record() for block in self.layers],
            "overall": None if self.overall is None else self.overall.record(),
            "rules": dict(self.rules),
            "corners": [kink._asdict() for kink in self.kinks_found[:KINKS]],
            "corner_count": len(self.kinks_found),
            "cross_check": None if self.cross_check is None else self.cross_check._asdict(),
            **self.explanations(),
        }
