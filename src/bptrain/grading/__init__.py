"""Somebody's own forward and backward pass, graded."""

from bptrain.grading.findings import Finding, Trial
from bptrain.grading.grade import Grade, check_backward

__all__ = ["Finding", "Grade", "Trial", "check_backward"]
