"""The report of a gradient check."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from bptrain.gradient_check.corners import Corner
from bptrain.gradient_check.parts import PartFault
from bptrain.gradient_check.point import Way
from bptrain.gradient_check.slips.base import Diagnosis
from bptrain.gradient_check.trial import Trial
from bptrain.gradient_check.verdicts import TOLERANCE, BlockReport, Kinks, Outcome, UpdateRule, rules


class GradcheckReport(NamedTuple):
    """The verdict on one network at one point."""

    method: UpdateRule
    why: str  # what was done and why, in words
    tolerance: float
    layers: tuple[BlockReport, ...]  # a block each, and X_0 where asked for
    overall: BlockReport | None  # along directions through all blocks
    rows: int  # that were checked
    rows_left_out: int  # that stand on corners, with kinks "skip"
    parameters: int
    forward_error: float  # of the forward pass, against its equations written out once more
    kinks: Kinks
    corners: tuple[Corner, ...]
    trial: Trial | None  # of the complex step, where the method was chosen here
    engines: tuple[str, ...]
    likely: Mapping[str, Diagnosis] = MappingProxyType({})  # by engine: the slip that a mismatch looks like
    faults: tuple[PartFault, ...] = ()  # of the parts, also where the gradient does not go by them
    by: Way = "complex_step"  # how derivatives of the parts were taken
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
        """Whether the forward pass and every block passed."""
        return self.forward_error <= TOLERANCE and all(block.passed for block in self.blocks)

    @property
    def rules(self) -> dict[Outcome, str]:
        """The rule behind each outcome that occurs, in words."""
        said = rules(self.method, self.tolerance, self.kinks)
        return {block.outcome: said[block.outcome] for block in self.blocks}
