"""Metrics: how good predictions are, in the target's own terms, defined as in scikit-learn.

A metric of classes reads predicted classes, or the scores of all classes; a metric of values compares N × m numbers
in the target's own units. NaN stands for a metric that is not defined for the rows at hand.
"""

from bptrain.parts.metrics import classes, scores, values  # each registers its own
from bptrain.parts.metrics.base import Metric, metrics

__all__ = ["Metric", "classes", "metrics", "scores", "values"]
