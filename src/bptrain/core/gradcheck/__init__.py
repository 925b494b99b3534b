"""The gradient check of one network on arrays."""

from bptrain.core.gradcheck.whole import (
    TOLERANCE,
    BlockReport,
    GradcheckReport,
    complex_step,
    gradcheck,
    judge,
    rounding_scale,
)

__all__ = [
    "TOLERANCE",
    "BlockReport",
    "GradcheckReport",
    "complex_step",
    "gradcheck",
    "judge",
    "rounding_scale",
]
