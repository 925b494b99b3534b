"""Grades a user's own forward and backward pass."""

from bptrain.commands.check_backward.findings import FunctionFinding, GradingTrial
from bptrain.commands.check_backward.grade import Grade
from bptrain.commands.check_backward.grade_file import check_backward

__all__ = ["FunctionFinding", "Grade", "GradingTrial", "check_backward"]
