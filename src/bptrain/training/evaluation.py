"""How good a model is on a data set: its loss and metrics, next to those of a baseline that ignores the inputs."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.network import Network
from bptrain.core.objective import row_losses
from bptrain.data.prepare import Rows
from bptrain.data.schema import Schema
from bptrain.engines.base import Outputs
from bptrain.parts.metrics import Metric
from bptrain.parts.types import Array

LOSS_ROWS = 10_000  # whose losses are worked out together


class Evaluation(NamedTuple):
    """One data set seen through one model."""

    rows: int
    loss: float  # the mean over the rows by what they weigh, without penalties
    metrics: dict[str, Any]  # name -> number, mapping from the labels, or matrix


def evaluate(
    network: Network, outputs: Outputs, schema: Schema, data: Rows, metrics: Mapping[str, Metric]
) -> Evaluation:
    """Loss and metrics of what a model makes of one split or file; metrics are in the target's own units."""
    Z_L, X_L = outputs
    losses = np.empty(len(X_L))
    with np.errstate(all="ignore"):
        for a in range(0, len(losses), LOSS_ROWS):
            rows = slice(a, a + LOSS_ROWS)
            losses[rows] = row_losses(network, Z_L[rows], X_L[rows], data.T[rows])
    V = data.sample_weight
    loss = float(losses.mean() if V is None else (V * losses).sum() / V.sum())
    if schema.task == "regression":
        return Evaluation(len(data.X), loss, score(schema, schema.decode(X_L), None, data.y_true, metrics))
    predicted, scores = schema.classes_of(X_L), schema.scores_of(X_L)
    return Evaluation(len(data.X), loss, score(schema, predicted, scores, data.y_true, metrics))


def score(
    schema: Schema, predicted: Array, scores: Array | None, true: Array, metrics: Mapping[str, Metric]
) -> dict[str, Any]:
    """Each metric of predictions (or of the scores of the classes) against true values, by name.

    A metric with one number per class is a mapping from the labels. Without scores, metrics that need them are left
    out.
    """
    classes, values = len(schema.labels), {}
    with np.errstate(all="ignore"):  # predictions beyond all bounds give NaN, not noise
        for name, metric in metrics.items():
            seen = predicted if metric.reads == "predictions" else scores
            if seen is not None:
                value = metric.of(seen, true, classes)
                by_label = zip(map(str, schema.labels), value, strict=True) if metric.per_class else None
                values[name] = value if by_label is None else dict(by_label)
    return values


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
        values = score(schema, predicted, scores, data.y_true, numbers)
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


def baseline(schema: Schema, train_true: Array) -> Baseline:
    """The majority class of the training rows, or the mean of each target."""
    if schema.task == "regression":
        return Baseline("always the mean", train_true.mean(axis=0))
    if train_true.ndim > 1:
        shares = train_true.mean(axis=0)
        return Baseline("always the more frequent answer", (shares >= 0.5).astype(train_true.dtype), shares)
    counts = np.bincount(train_true, minlength=len(schema.labels))
    majority = int(counts.argmax())
    return Baseline(f"always {schema.labels[majority]}", np.asarray(majority), counts / len(train_true))
