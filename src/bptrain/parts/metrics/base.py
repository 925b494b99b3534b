"""What a metric is, and the registry of them."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from bptrain.parts.types import Array
from bptrain.registry import Registry


class Metric(NamedTuple):
    """One metric. `of(seen, true, classes)` is a number, a list of one per class, or a K × K matrix.

    `seen` is what the metric reads of the model. predictions: class numbers, N (multi-label: N × m of 0 and 1), or
    values, N × m. scores: N × K, the larger the likelier (multi-label: N × m, of yes). probabilities: scores in [0, 1]
    of which those of a row sum to 1. `true` has the form of predictions; `classes` is K, or m.
    """

    of: Callable[[Array, Array, int], Any]
    task: Literal["classification", "regression"]
    better: Literal["higher", "lower", "neither"]  # neither: it is not one number
    multilabel: bool = True  # defined where every output is a separate yes or no
    reads: Literal["predictions", "scores", "probabilities"] = "predictions"
    per_class: bool = False  # the value is a list, in the order of the classes
    least_classes: int = 2  # with fewer it says nothing


metrics: Registry[Metric] = Registry("metric")
