"""How good a model is on a data set: its loss and metrics, beside those of a baseline that knows no inputs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.backprop import row_losses
from bptrain.core.network import Network
from bptrain.data.prepare import Rows
from bptrain.data.schema import Schema
from bptrain.engines.base import Outputs
from bptrain.parts.metrics import Metric
from bptrain.parts.types import Array

LOSS_ROWS = 10_000  # whose losses are worked out together


class Evaluation(NamedTuple):
    """One data set seen through one model."""

    rows: int
    loss: float  # the mean over the rows, without penalties
    metrics: dict[str, Any]  # name -> number, or matrix


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
    predicted = schema.classes_of(X_L) if schema.task == "classification" else schema.decode(X_L)
    loss = float(losses.mean())
    return Evaluation(len(data.X), loss, score(schema, predicted, data.true, metrics))


def score(schema: Schema, predicted: Array, true: Array, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Each metric of predicted against true values, by name."""
    classes = len(schema.labels)
    with np.errstate(all="ignore"):  # predictions beyond all bounds give NaN, not noise
        return {name: metric.of(predicted, true, classes) for name, metric in metrics.items()}


class Baseline(NamedTuple):
    """The best guess without looking at the inputs, from the training rows."""

    description: str  # such as "always Adelie" or "always the mean"
    guess: Array  # a class number (one a label where outputs are yes or no), or a mean a target

    def metrics(self, schema: Schema, data: Rows, metrics: Mapping[str, Metric]) -> dict[str, Any]:
        """The metrics of that guess; a matrix says nothing here and is left out."""
        predicted = np.broadcast_to(self.guess, data.true.shape)
        numbers = {name: metric for name, metric in metrics.items() if metric.better != "neither"}
        return score(schema, predicted, data.true, numbers)


def baseline(schema: Schema, train_true: Array) -> Baseline:
    """The majority class of the training rows, or the mean of each target."""
    if schema.task == "regression":
        return Baseline("always the mean", train_true.mean(axis=0))
    if train_true.ndim > 1:
        return Baseline(
            "always the more frequent answer", (train_true.mean(axis=0) >= 0.5).astype(train_true.dtype)
        )
    majority = int(np.bincount(train_true).argmax())
    return Baseline(f"always {schema.labels[majority]}", np.asarray(majority))
