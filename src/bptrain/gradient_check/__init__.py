"""The gradient check of one network on arrays.

point           derivatives of the parts at given weights and rows, by the complex step
lines           the backward pass from these, line by line
complex_step, differences       derivatives of the whole objective, by either method
corners         where a slope jumps, and what the gradient may be there
trial           whether the complex step may be trusted
scale, verdicts how an error is measured, and what is said of it
plan, check     what is done, and doing it
"""

from bptrain.gradient_check.check import Gradient, checking, gradcheck
from bptrain.gradient_check.corners import Corner, Corners, corners
from bptrain.gradient_check.numeric import CheckProgress
from bptrain.gradient_check.plan import Asked, Settings, chosen_blocks
from bptrain.gradient_check.point import Point
from bptrain.gradient_check.report import GradcheckReport
from bptrain.gradient_check.scale import rounding_scale
from bptrain.gradient_check.units import UnitsReport, units
from bptrain.gradient_check.verdicts import TOLERANCE, BlockReport, Kinks, judge, lacking

__all__ = [
    "TOLERANCE",
    "Asked",
    "BlockReport",
    "CheckProgress",
    "Corner",
    "Corners",
    "GradcheckReport",
    "Gradient",
    "Kinks",
    "Point",
    "Settings",
    "UnitsReport",
    "checking",
    "chosen_blocks",
    "corners",
    "gradcheck",
    "judge",
    "lacking",
    "rounding_scale",
    "units",
]
