"""Known slips of a backward pass, and which of them a wrong gradient looks like."""

from bptrain.gradient_check.slips.base import Diagnosis, GroundTruth, Slip
from bptrain.gradient_check.slips.diagnose import diagnose, slips

__all__ = ["Diagnosis", "GroundTruth", "Slip", "diagnose", "slips"]
