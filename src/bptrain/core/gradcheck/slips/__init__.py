"""Known slips of a backward pass, and which of them a wrong gradient looks like."""

from bptrain.core.gradcheck.slips.base import Diagnosis, Slip, Truth
from bptrain.core.gradcheck.slips.diagnosis import diagnose, slips

__all__ = ["Diagnosis", "Slip", "Truth", "diagnose", "slips"]
