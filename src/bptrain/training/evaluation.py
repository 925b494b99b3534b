"""How good a model is on a data set: its loss and metrics, next to those of a baseline that ignores the inputs.

Where the data say what rows weigh, metrics and baselines count each row by its weight. Class weights enter the loss
alone.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.network import Network
from bptrain.core.objective import row_losses
from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.engines.base import Outputs
from bptrain.errors import short
from bptrain.mapped_rows import by_rows, room_of
from bptrain.parts.metrics import Metric, mean_over_rows
from bptrain.parts.types import Array

LOSS_ROWS = 10_000  # whose losses are worked out together


class Evaluation(NamedTuple):
    """One data set seen through one model."""

    rows: int
    loss: float  # the mean over the rows by what they weigh, without penalties
    metrics: dict[str, Any]  # name -> number, mapping from the labels, or matrix
    metrics_unweighted: dict[str, Any] | None = None  # every row counted once; None without row weights
    metrics_per_target: dict[str, dict[str, Any]] | None = (
        None  # name -> target -> number; None of one target
    )


class Seen(NamedTuple):
    """What a model makes of rows whose truth is known."""

    losses: Array  # of each row, N, without weights and penalties
    predicted: Array  # class numbers, N (multilabel: N × m of 0 and 1), or values in original units, N × m
    scores: Array | None  # of the classes, N × K (multilabel: of yes, N × m); None for values


def seen_by(network: Network, outputs: Outputs, schema: Schema, data: Rows) -> Seen:
    """Losses, predictions and scores of outputs."""
    Z_L, X_L = outputs
    losses = room_of(X_L).empty((len(X_L),), np.float64)
    with np.errstate(all="ignore"):
        for a in range(0, len(losses), LOSS_ROWS):
            rows = slice(a, a + LOSS_ROWS)
            losses[rows] = row_losses(network, Z_L[rows], X_L[rows], data.T[rows])
    values = schema.task == "regression"
    predicted = by_rows(schema.decode if values else schema.classes_of, X_L)
    return Seen(losses, predicted, None if values else by_rows(schema.scores_of, X_L))


def evaluate(
    network: Network,
    outputs: Outputs,
    schema: Schema,
    data: Rows,
    metrics: Mapping[str, Metric],
    per_target: bool = False,
) -> Evaluation:
    """Loss and metrics of what a model makes of one split or file; metrics are in the target's own units.

    With `per_target` each metric of several targets is also worked out for each of them.
    """
    return evaluation_of(seen_by(network, outputs, schema, data), schema, data, metrics, per_target)


def evaluation_of(
    seen: Seen, schema: Schema, data: Rows, metrics: Mapping[str, Metric], per_target: bool = False
) -> Evaluation:
    """The same of losses and predictions."""
    losses, predicted, scores = seen
    V = data.sample_weight
    with np.errstate(all="ignore"):  # NaN where they weigh nothing
        loss = float(losses.mean() if V is None else by_rows(np.multiply, V, losses).sum() / V.sum())
    true, weight = data.y_true, data.row_weight
    return Evaluation(
        len(losses),
        loss,
        score(schema, predicted, scores, true, metrics, weight),
        None if weight is None else score(schema, predicted, scores, true, metrics),
        score_per_target(schema, predicted, scores, true, metrics, weight) if per_target else None,
    )


def score(
    schema: Schema,
    predicted: Array,
    scores: Array | None,
    true: Array,
    metrics: Mapping[str, Metric],
    weight: Array | None = None,
) -> dict[str, Any]:
    """Each metric of predictions (or of the scores of the classes) against true values, by name.

    A metric with one number per class is a mapping from the labels. Without scores, metrics that need them are left
    out. Rows count by their weight, where it is given.
    """
    classes, values = len(schema.labels), {}
    with np.errstate(all="ignore"):  # predictions beyond all bounds give NaN, not noise
        for name, metric in metrics.items():
            seen = predicted if metric.reads == "predictions" else scores
            if seen is not None:
                value = metric.value(seen, true, classes, weight)
                by_label = zip(map(str, schema.labels), value, strict=True) if metric.per_class else None
                values[name] = value if by_label is None else dict(by_label)
    return values


def score_per_target(
    schema: Schema,
    predicted: Array,
    scores: Array | None,
    true: Array,
    metrics: Mapping[str, Metric],
    weight: Array | None = None,
) -> dict[str, dict[str, Any]] | None:
    """Each metric of each target, by name and target, but for those per class; None where there is one target."""
    names = schema.target.names
    if true.ndim == 1 or len(names) < 2:
        return None
    found: dict[str, dict[str, Any]] = {}
    with np.errstate(all="ignore"):
        for name, metric in metrics.items():
            seen = predicted if metric.reads == "predictions" else scores
            if seen is not None and not metric.per_class:
                found[name] = {
                    target: metric.value(
                        seen[:, k : k + 1], true[:, k : k + 1], min(len(schema.labels), 1), weight
                    )
                    for k, target in enumerate(names)
                }
    return found


class Baseline(NamedTuple):
    """The best guess without looking at the inputs, from the training rows."""

    description: str  # such as "always Adelie" or "always the mean"
    guess: Array  # a class number (one per label where outputs are yes or no), or a mean per target
    shares: Array | None = None  # of the classes, K (of the yeses of each label, m): its scores of them

    def metrics(self, schema: Schema, data: Rows, metrics: Mapping[str, Metric]) -> dict[str, Any]:
        """The metrics of that guess, those that read scores or probabilities of the shares as these.

        Metrics that are undefined here or are not a single number are left out.
        """
        predicted = np.broadcast_to(self.guess, data.y_true.shape)
        scores = (
            None
            if self.shares is None
            else np.broadcast_to(self.shares, (len(data.y_true), len(self.shares)))
        )
        numbers = {name: metric for name, metric in metrics.items() if metric.better != "neither"}
        values = score(schema, predicted, scores, data.y_true, numbers, data.row_weight)
        return {name: value for name, value in values.items() if not math.isnan(value)}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, as a checkpoint keeps them."""
        lists = {
            "guess": self.guess.tolist(),
            "shares": None if self.shares is None else self.shares.tolist(),
        }
        return {"description": self.description, **lists}

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> "Baseline":
        """The baseline that `to_json` wrote; older checkpoints have no shares."""
        shares = json.get("shares")
        return cls(
            json["description"], np.asarray(json["guess"]), None if shares is None else np.asarray(shares)
        )


def baseline(schema: Schema, train_true: Array, weight: Array | None = None) -> Baseline:
    """The majority class of the training rows, or the mean of each target, by what the rows weigh."""
    if schema.task == "regression":
        return Baseline("always the mean", mean_over_rows(train_true, weight))
    if train_true.ndim > 1:
        shares = mean_over_rows(train_true, weight)
        return Baseline("always the more frequent answer", (shares >= 0.5).astype(train_true.dtype), shares)
    counts = np.bincount(train_true, weight, minlength=len(schema.labels))
    majority = int(counts.argmax())
    total = len(train_true) if weight is None else weight.sum()
    return Baseline(f"always {short(schema.labels[majority])}", np.asarray(majority), counts / total)
