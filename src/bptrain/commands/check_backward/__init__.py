"""Somebody's own forward and backward pass, graded."""

from bptrain.commands.check_backward.findings import Finding, Trial
from bptrain.commands.check_backward.grade import Grade, check_backward

__all__ = ["Finding", "Grade", "Trial", "check_backward"]
