"""What a metric is, the registry of them, and means over rows that may weigh differently."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from bptrain.mapped_rows import by_rows
from bptrain.parts.types import Array
from bptrain.registry import Registry


class Units(NamedTuple):
    """The rows in units that are drawn together when rows are resampled: each row by itself, or the rows of a group."""

    of_row: Array  # the number of each row's unit, N, of 0 … B − 1
    total: int  # B
    weight: Array | None = None  # what each row weighs, N; None: 1

    def sums(self, *columns: Array | float) -> Array:
        """Σ over the rows of each unit of weight × value, B × q, for values N, N × k, or the same of every row."""
        found = []
        for values in columns:
            if np.ndim(values) == 0:
                values = by_rows(partial(np.full_like, fill_value=values, dtype=np.float64), self.of_row)
            each = np.asarray(values)
            for column in each.reshape(len(each), -1).T:
                weighed = column if self.weight is None else by_rows(np.multiply, self.weight, column)
                found.append(np.bincount(self.of_row, weighed, minlength=self.total))
        return np.stack(found, axis=1)

    def counts(self, of: Array, classes: int, rows: Array | None = None) -> Array:
        """How many rows of each class each unit has, B × K, or what they weigh; of the rows where `rows` is true."""
        places = self.total * classes

        def place(unit: Array, of: Array, chosen: Array | None = None) -> Array:
            number = unit * classes + of
            return number if chosen is None else np.where(chosen, number, places)  # a place of its own

        given = (self.of_row, of) if rows is None else (self.of_row, of, rows)
        counts = np.bincount(by_rows(place, *given), self.weight, minlength=places)
        return counts[:places].reshape(self.total, classes)


class Summed(NamedTuple):
    """A metric as a function of sums over rows, so that resampled rows need no more than the sums of their units."""

    table: Array  # the sums of each unit, B × q
    value: Callable[[Array], Array]  # of sums … × q: the metric, …, or one value per class, … × K
    share_of: Callable[[Array], Array] | None = None  # of how many rows each value is a share, if it is one


class Metric(NamedTuple):
    """One metric. `of(seen, true, classes)` is a number, a list of one per class, or a K × K matrix.

    With `weighs` it is `of(seen, true, classes, weight)`, where weight is what each row weighs, N, or None where all
    weigh 1: a row of weight 2 counts as two rows.

    `by_sums(seen, true, classes, units)` is the same as a function of sums, for which an interval costs little.

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
    by_sums: Callable[[Array, Array, int, Units], Summed] | None = None  # for its interval; None: by its rows
    extreme: bool = False  # the largest of all rows, which says nothing of how large it may be elsewhere

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


def by_mean(
    each: Callable[[Array, Array, int], Array],
    after: Callable[[Array], Array] = lambda mean: mean,
    share: bool = False,  # each value is 0 or 1
) -> Callable[[Array, Array, int, Units], Summed]:
    """A metric that is f(mean of a value per row), N or N × m; with several columns, the mean of these figures."""

    def by_sums(seen: Array, true: Array, classes: int, units: Units) -> Summed:
        def of_rows(seen: Array, true: Array) -> Array:
            return each(seen, true, classes)

        return mean_of(by_rows(of_rows, seen, true), units, after, share)

    return by_sums


def mean_of(
    values: Array, units: Units, after: Callable[[Array], Array] = lambda mean: mean, share: bool = False
) -> Summed:
    """f(mean) of values that are there, N or N × m; with several columns, the mean of these figures."""

    def value(sums: Array) -> Array:
        mean: Array = after(sums[..., :-1] / sums[..., -1:]).mean(axis=-1)
        return mean

    rows = (lambda sums: sums[..., -1]) if share else None
    return Summed(units.sums(values, 1.0), value, rows)
