"""The 95 % intervals of the figures of an evaluation."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.parts.metrics import Metric, Summed, mean_of
from bptrain.parts.types import Array
from bptrain.training.bootstrap import (
    Drawn,
    Ends,
    Sampling,
    interval,
    resampled_rows,
    resampled_sums,
    wilson,
)
from bptrain.training.evaluation import Seen

LOSS = "loss"


class Intervals(NamedTuple):
    """The ends of the interval of each figure; None where the rows do not tell."""

    metrics: dict[str, Any]  # the loss too; name -> ends, or label -> ends
    per_target: dict[str, dict[str, Any]] | None = None  # name -> target -> ends; None of one target


Key = tuple[str, int | None]  # a metric, and of which of several targets


class Figures(NamedTuple):
    """The figures of one model on rows, ready to be resampled, and those that are the largest of all rows."""

    summed: dict[Key, Summed]
    by_rows: dict[Key, Callable[[Array], Array]]
    extremes: dict[Key, float]


def figures_of(
    seen: Seen,
    schema: Schema,
    data: Rows,
    metrics: Mapping[str, Metric],
    sampling: Sampling,
    per_target: bool = False,
) -> Figures:
    """The loss and the metrics of what a model makes of rows, but for what is no number per row, class or target."""
    classes, true, weight = len(schema.labels), data.y_true, data.row_weight
    targets = range(true.shape[1]) if per_target and true.ndim > 1 and true.shape[1] > 1 else range(0)
    summed: dict[Key, Summed] = {}
    by_rows: dict[Key, Callable[[Array], Array]] = {}
    extremes: dict[Key, float] = {}
    width = 4 * max(classes, 1) * len(metrics)
    with np.errstate(all="ignore"):
        units = sampling.units(data.sample_weight, width)
        summed[LOSS, None] = mean_of(seen.losses, units)
        units = units._replace(weight=weight)
        for name, metric in metrics.items():
            of = seen.predicted if metric.reads == "predictions" else seen.scores
            if of is None or (metric.better == "neither" and not metric.per_class):
                continue
            for k in (None, *([] if metric.per_class else targets)):
                part = (of, true, classes) if k is None else one_target(of, true, classes, k)
                if metric.extreme:
                    extremes[name, k] = float(metric.value(*part, weight))
                elif metric.by_sums is not None:
                    summed[name, k] = metric.by_sums(*part, units)
                else:
                    by_rows[name, k] = on_rows(metric, *part, weight)
    return Figures(summed, by_rows, extremes)


def one_target(of: Array, true: Array, classes: int, k: int) -> tuple[Array, Array, int]:
    """What a metric is given of the k-th of several targets."""
    return of[:, k : k + 1], true[:, k : k + 1], min(classes, 1)


def on_rows(
    metric: Metric, of: Array, true: Array, classes: int, weight: Array | None
) -> Callable[[Array], Array]:
    """A metric as a function of the numbers of rows; NaN where it says by an error that it is not defined for them."""

    def value(rows: Array) -> Array:
        by = None if weight is None else weight[rows]
        try:
            return np.asarray(metric.value(of[rows], true[rows], classes, by), np.float64)
        except (
            ArithmeticError,
            ValueError,
        ):  # of a plug-in, which has a figure at all rows: that came before
            return np.asarray(np.nan)

    return value


def drawn_of(figures: Figures, sampling: Sampling) -> dict[Key, Drawn]:
    """Every figure on the rows drawn, which are the same for all figures and models with this sampling."""
    found = dict(zip(figures.summed, resampled_sums([*figures.summed.values()], sampling.seed), strict=True))
    return found | resampled_rows(figures.by_rows, sampling)


def intervals_of(
    seen: Seen,
    schema: Schema,
    data: Rows,
    metrics: Mapping[str, Metric],
    sampling: Sampling,
    per_target: bool = False,
) -> Intervals:
    """The interval of the loss and of each metric: Wilson's for shares of independent rows, else the bootstrap's."""
    figures = figures_of(seen, schema, data, metrics, sampling, per_target)
    independent = sampling.groups is None and data.row_weight is None
    return intervals_from(figures, drawn_of(figures, sampling), schema, metrics, independent)


def intervals_from(
    figures: Figures,
    drawn: Mapping[Key, Drawn],
    schema: Schema,
    metrics: Mapping[str, Metric],
    independent: bool,
) -> Intervals:
    """The same of figures that were worked out on the rows drawn; `independent` says that each row counts by itself."""
    found: dict[Key, list[Ends | None]] = {key: [(value, np.inf)] for key, value in figures.extremes.items()}
    for key, of_key in drawn.items():
        figure = figures.summed.get(key)
        if independent and figure is not None and figure.share_of is not None:
            rows = np.atleast_1d(figure.share_of(figure.table.sum(axis=0)))
            shares = np.atleast_1d(of_key.value)
            found[key] = [wilson(float(p), float(n)) for p, n in zip(shares, rows, strict=True)]
        else:
            found[key] = interval(of_key)
    whole: dict[str, Any] = {}
    targets: dict[str, dict[str, Any]] = {}
    for (name, k), ends in found.items():
        if k is not None:
            targets.setdefault(name, {})[schema.target.names[k]] = ends[0]
        elif name != LOSS and metrics[name].per_class:
            whole[name] = dict(zip(map(str, schema.labels), ends, strict=True))
        else:
            whole[name] = ends[0]
    in_order = {name: whole[name] for name in (LOSS, *metrics) if name in whole}
    return Intervals(in_order, targets or None)
