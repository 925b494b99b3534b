"""Known slips of a backward pass, and which of them a wrong gradient looks like."""

from bptrain.gradient_check.slips.base import Diagnosis, Slip, Truth
from bptrain.gradient_check.slips.diagnosis import diagnose, slips

__all__ = ["Diagnosis", "Slip", "Truth", "diagnose", "slips"]
