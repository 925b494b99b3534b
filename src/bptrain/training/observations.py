"""What is looked at to tell whether a network has learned: its errors, its units, how far its weights have come."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bptrain.build.making import dtype_of
from bptrain.build.network import activation_parts, initial_weights
from bptrain.config.schema import Config
from bptrain.core.backprop import gradient
from bptrain.core.network import Network, views
from bptrain.core.objective import row_losses
from bptrain.data.features import Feature
from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.engines.forward_rows import numpy_outputs
from bptrain.gradient_check.forward_pass import units
from bptrain.gradient_check.point import GradientPoint
from bptrain.mapped_rows import in_float64
from bptrain.parts.metrics import mean_over_rows, metrics
from bptrain.parts.types import Array
from bptrain.training.evaluation import Baseline, score

ROWS = 1000  # whose units are looked at, evenly spaced
WORK = 5 * 10**8  # multiply-adds of that forward pass; of a large network fewer rows are looked at
FEWEST = 32  # but never fewer than these
ALIKE = 1e-4  # of the largest weight: units that differ by less differ by rounding


class SplitError(NamedTuple):
    """The error of a model on one split, rmse or 1 − accuracy, beside that of the baseline.

    Rows count by what they and their classes weigh in the loss, since that is what was trained for.
    """

    name: str
    rows: int
    metric: str  # rmse | accuracy
    error: float
    guess: float  # the baseline's error
    answer: (
        tuple[int, ...] | None
    )  # what is predicted for every row, as class numbers; None: not always the same
    others: int  # rows whose class is not that answer

    @property
    def figures(self) -> tuple[float, float]:
        """The metric itself, of the model and of the baseline."""
        return (self.error, self.guess) if self.metric == "rmse" else (1.0 - self.error, 1.0 - self.guess)


def split_error(name: str, schema: Schema, rows: Rows, predicted: Array, guess: Baseline) -> SplitError:
    """How a model with these predictions does on a split."""
    weight = None if rows.sample_weight is None else in_float64(rows.sample_weight)
    rows = rows._replace(row_weight=weight)
    values = schema.task == "regression"
    metric = "rmse" if values else "accuracy"
    asked = {metric: metrics.get(metric)()}
    here = score(schema, predicted, None, rows.y_true, asked, weight)[metric]
    there = guess.metrics(schema, rows, asked).get(metric, math.nan)
    answer, others = None, 0
    if not values and len(predicted) and (predicted == predicted[:1]).all():
        answer = tuple(int(k) for k in np.atleast_1d(predicted[0]))
        different = rows.y_true != predicted
        others = int((different.any(axis=-1) if different.ndim > 1 else different).sum())
    errors = (here, there) if values else (1.0 - here, 1.0 - there)
    return SplitError(name, len(rows.X), metric, *errors, answer, others)


class LayerSeen(NamedTuple):
    """One layer on the rows that are looked at."""

    layer: int
    activation: str
    units: int
    dead: bool  # all of its units
    saturated: bool  # all of its units
    alike: bool  # all of its units have the same weights and bias, to rounding
    bias: float  # the largest of b_i; 0 without a bias
    bias_size: float  # the largest |b|
    weight: float  # the largest |w|
    given: float  # the largest |x_{i−1}|
    size: float  # the largest |x_i|
    spread: float  # the largest difference between two rows of a unit's x_i


@dataclass(frozen=True)
class Observations:
    """A trained network, as far as it tells whether it has learned; what takes a pass over rows is done when asked."""

    config: Config
    schema: Schema
    network: Network
    w: Array  # the weights that are judged
    updates: int  # before they stood
    rows: Rows  # on which units are looked at
    splits: tuple[SplitError, ...]  # those at hand; in a fit train is among them
    guess: Baseline
    figures: Mapping[str, float]  # mean losses per row, by where they were found
    losses: tuple[float, ...] = ()  # the running training losses of the epochs so far as they are known

    @cached_property
    def start(self) -> Array:
        """The weights before the first update, which the seed gives again."""
        return initial_weights(self.config, self.network, dtype_of(self.config))

    @cached_property
    def chosen(self) -> slice:
        """The rows that are looked at, evenly spaced: those of a sorted file are of all classes."""
        most = max(FEWEST, min(ROWS, WORK // self.network.size))
        return slice(None, None, -(-len(self.rows.X) // most) or 1)

    @cached_property
    def some(self) -> tuple[Array, Array]:
        """X and T of the rows that are looked at, in float64."""
        return self.rows.X[self.chosen].astype(np.float64), self.rows.T[self.chosen].astype(np.float64)

    @cached_property
    def first_loss(self) -> float:
        """The mean loss per row before the first update, on the rows that are looked at."""
        return self._loss_at(self.start)

    @cached_property
    def gain(self) -> float:
        """By which share of it the loss on these rows has fallen since."""
        here = self._loss_at(self.w)
        return (self.first_loss - here) / abs(self.first_loss) if self.first_loss else 0.0

    def _loss_at(self, w: Array) -> float:
        (X, T), weight = self.some, self.rows.sample_weight
        with np.errstate(all="ignore"):
            outputs = numpy_outputs(self.network, w.astype(np.float64), X)
            losses = row_losses(self.network, *outputs, T)
            return float(mean_over_rows(losses, None if weight is None else weight[self.chosen]))

    @cached_property
    def layers(self) -> tuple[LayerSeen, ...]:
        """The layers with the weights that are judged."""
        return self._layers_at(self.w)

    @cached_property
    def at_start(self) -> tuple[LayerSeen, ...]:
        """The layers before the first update."""
        return self._layers_at(self.start)

    def _layers_at(self, w: Array) -> tuple[LayerSeen, ...]:
        network, (X, T) = self.network, self.some
        point = GradientPoint(network, w.astype(np.float64), X, T, derivatives_from="parts")
        names = [part.name for part in activation_parts(self.config, self.schema.task)]
        with np.errstate(all="ignore"):
            found = {report.layer: report for report in units(point)}
        seen = []
        for i in range(1, network.L + 1):
            W, b, report = point.parameters.W[i], point.parameters.b[i], found.get(i)
            alike = all(np.ptp(P, axis=0).max() <= ALIKE * np.abs(P).max() for P in (W, b) if P is not None)
            seen.append(
                LayerSeen(
                    layer=i,
                    activation=names[i - 1],
                    units=len(W),
                    dead=report is not None and len(report.dead) == report.units,
                    saturated=report is not None and len(report.saturated) == report.units,
                    alike=len(W) > 1 and bool(alike),
                    bias=0.0 if b is None else float(b.max()),
                    bias_size=0.0 if b is None else float(np.abs(b).max()),
                    weight=float(np.abs(W).max()),
                    given=float(np.abs(point.space.X[i - 1]).max()),
                    size=float(np.abs(point.space.X[i]).max()),
                    spread=float(np.ptp(point.space.X[i], axis=0).max()),
                )
            )
        return tuple(seen)

    @cached_property
    def moved(self) -> tuple[float, ...]:
        """‖W_i − W_i at the start‖ / ‖W_i at the start‖ of the layers; of weights that were 0, 0 or ∞."""
        here, there = (views(self.network, flat) for flat in (self.w, self.start))
        with np.errstate(all="ignore"):
            pairs = [
                (float(np.linalg.norm(here.W[i] - there.W[i])), float(np.linalg.norm(there.W[i])))
                for i in range(1, self.network.L + 1)
            ]
        return tuple((far / size if size else (math.inf if far else 0.0)) for far, size in pairs)

    @cached_property
    def slopes(self) -> tuple[float, ...]:
        """The root mean square of an entry of ∂E/∂W_i, layer by layer."""
        X, T = self.some
        with np.errstate(all="ignore"):
            g = views(self.network, gradient(self.network, self.w.astype(np.float64), X, T))
            return tuple(float(np.sqrt((g.W[i] ** 2).mean())) for i in range(1, self.network.L + 1))

    @cached_property
    def largest_input(self) -> tuple[float, Feature]:
        """The largest |x_0| of the rows that are looked at, and its column."""
        sizes = np.abs(self.some[0]).max(axis=0)
        place = int(sizes.argmax())
        ends = np.cumsum([feature.width for feature in self.schema.features])
        return float(sizes[place]), self.schema.features[int(np.searchsorted(ends, place, "right"))]

    def share_of_guess(self, names: Sequence[str] = ()) -> float:
        """The least error of a split, of these names or any, as a share of the baseline's; ∞ where none is known."""
        pairs = [one for one in self.splits if (not names or one.name in names) and one.guess > 0]
        return min((one.error / one.guess for one in pairs), default=math.inf)

    @property
    def fallen(self) -> float:
        """By which share the training loss has fallen since the first epoch; 0 where that is not known."""
        first, last = (self.losses[0], self.losses[-1]) if self.losses else (math.nan, math.nan)
        return (first - last) / abs(first) if math.isfinite(first - last) and first else 0.0
