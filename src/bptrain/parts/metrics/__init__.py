"""Metrics: how good predictions are, in the target's own terms, defined as in scikit-learn.

A metric of classes reads predicted classes, or the scores of all classes; a metric of values compares N × m numbers
in the target's own units. NaN stands for a metric that is not defined for the rows at hand. Rows count by their weights
(`data.weight`), as scikit-learn's `sample_weight` has it; class weights are the loss's alone.
"""

from bptrain.parts.metrics import classes, scores, values  # each registers its own
from bptrain.parts.metrics.base import Metric, Summed, Units, by_mean, mean_of, mean_over_rows, metrics

__all__ = [
    "Metric",
    "Summed",
    "Units",
    "by_mean",
    "classes",
    "mean_of",
    "mean_over_rows",
    "metrics",
    "scores",
    "values",
]
