"""How good a model is on a data set: its loss and metrics, beside those of a baseline that knows no inputs."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.backprop import forward, row_losses, workspace
from bptrain.core.network import Network, views
from bptrain.data.prepare import Rows
from bptrain.data.schema import Schema
from bptrain.parts.metrics import Metric
from bptrain.parts.types import Array

CHUNK_NUMBERS = 2_000_000  # matrix entries of one layer in memory at a time


class Evaluation(NamedTuple):
    """One data set seen through one model."""

    rows: int
    loss: float  # the mean over the rows, without penalties
    metrics: dict[str, Any]  # name -> number, or matrix


def chunks(network: Network, rows: int) -> Iterator[slice]:
    """Slices of rows whose matrices are small enough to be worked on together."""
    size = max(1, CHUNK_NUMBERS // max(network.sizes))
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def network_outputs(network: Network, w: Array, X: Array, T: Array | None = None) -> tuple[Array, Array]:
    """X_L of the rows X (N × n_L), and the loss of each row where targets T are given."""
    parameters = views(network, w)
    outputs = np.empty((len(X), network.sizes[-1]), w.dtype)
    losses = np.empty(len(X) if T is not None else 0)
    with np.errstate(all="ignore"):
        for part in chunks(network, len(X)):
            space = workspace(network, part.stop - part.start, w.dtype)
            outputs[part] = forward(network, parameters, X[part], space)
            if T is not None:
                losses[part] = row_losses(network, space.Z[network.L], outputs[part], T[part])
    return outputs, losses


def evaluate(
    network: Network, w: Array, schema: Schema, data: Rows, metrics: Mapping[str, Metric]
) -> Evaluation:
    """Loss and metrics of the weights w on one split or file; metrics are in the target's own units."""
    outputs, losses = network_outputs(network, w, data.X, data.T)
    predicted = schema.classes_of(outputs) if schema.task == "classification" else schema.decode(outputs)
    return Evaluation(len(data.X), float(losses.mean()), score(schema, predicted, data.true, metrics))


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
