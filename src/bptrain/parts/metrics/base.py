"""What a metric is, the registry of them, and means over rows that may weigh differently."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from bptrain.parts.types import Array
from bptrain.registry import Registry


class Metric(NamedTuple):
    """One metric. `of(seen, true, classes)` is a number, a list of one per class, or a K × K matrix.

    With `weighs` it is `of(seen, true, classes, weight)`, where weight is what each row weighs, N, or None where all
    weigh 1: a row of weight 2 counts as two rows.

    `seen` is what the metric reads of the model. predictions: class numbers, N (multi-label: N × m of 0 and 1), or
    values, N × m. scores: N × K, the larger the likelier (multi-label: N × m, of yes). probabilities: scores in [0, 1]
    of which those of a row sum to 1. `true` has the form of predictions; `classes` is K, or m.
    """

    of: Callable[..., Any]
    task: Literal["classification", "regression"]
    better: Literal["higher", "lower", "neither"]  # neither: it is not one number
    multilabel: bool = True  # defined where every output is a separate yes or no
    reads: Literal["predictions", "scores", "probabilities"] = "predictions"
    per_class: bool = False  # the value is a list, in the order of the classes
    least_classes: int = 2  # with fewer it says nothing
    weighs: bool = False

    def value(self, seen: Array, true: Array, classes: int, weight: Array | None = None) -> Any:
        """What `of` gives; a metric that does not weigh counts every row once.

        Where the rows weigh nothing, there is no figure: every number is NaN.
        """
        if self.weighs and weight is not None and not weight.sum() > 0:
            return np.full(np.shape(self.of(seen, true, classes)), np.nan).tolist()
        return self.of(seen, true, classes, weight) if self.weighs else self.of(seen, true, classes)


metrics: Registry[Metric] = Registry("metric")


def mean_over_rows(values: Array, weight: Array | None) -> Any:
    """The mean over the first axis, by what the rows weigh."""
    return values.mean(axis=0) if weight is None else weight @ values / weight.sum()
