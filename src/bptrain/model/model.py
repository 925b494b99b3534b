"""A trained model: weights with everything that turns raw columns into predictions."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bptrain.build.metrics import no_probabilities
from bptrain.build.network import activation_parts
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.data.column_statistics import Statistics
from bptrain.data.raw_columns import Encoder, encode_rows, is_plain, outside_range_of_columns
from bptrain.data.schema import Schema
from bptrain.engines.base import Outputs
from bptrain.engines.choice import forward_pass
from bptrain.engines.row_threads import Parts
from bptrain.engines.threads import threads_at_hand
from bptrain.errors import (
    CheckpointError,
    DataWarning,
    UsageError,
    Warned,
    not_silenced,
    printable,
)
from bptrain.parts.metrics import metrics
from bptrain.parts.types import Array
from bptrain.store import checkpoint

ROWS_AT_ONCE = 8192  # of a large array, from raw columns to labels


@dataclass(frozen=True)
class Model:
    """A network with its weights, and the schema of the columns it was trained on."""

    network: Network
    w: Array  # the flat weights
    schema: Schema
    config: Config
    stored: checkpoint.Stored
    warnings: tuple[Warned, ...] = ()  # about what it was loaded with, but for those that its config silences

    def outputs(self, X: Any) -> Array:
        """x_L for raw feature columns: probabilities or scaled values, N × n_L.

        X is N × columns in the order of training, or a mapping or data frame of named columns. The last bits of a row
        may depend on the rows beside it: docs/rounding.md. Raises DataError.
        """
        return self._outputs(X)

    def outputs_of(self, X: Array) -> Outputs:
        """Z_L and X_L of encoded rows, N × n_0, by the engine that trained the model where that is installed."""
        return self._forward(self.w, X)

    def predict(self, X: Any) -> Array:
        """A class label for each row, or the target in its own units: N, or N × targets. Raises DataError."""
        return self.schema.decode(self._outputs(X))

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, in the order of `schema.labels`, N × classes; of each label, where each is a
        yes or no of its own.

        Raises UsageError where the outputs are no probabilities, DataError for the columns.
        """
        self.refuse_no_probabilities()
        return self.schema.scores_of(self._outputs(X))

    def predict_one(self, row: tuple[Any, ...] | Mapping[str, Any]) -> Any:
        """The label or the number of one row; a tuple of these for several targets.

        `row` has the cells in the order of training, or by the names of the columns. Raises DataError.
        """
        X = {name: [cell] for name, cell in row.items()} if isinstance(row, Mapping) else tuple(row)
        predicted = self.schema.decode(self._outputs(X))[0]
        if not isinstance(predicted, np.ndarray):
            return predicted.item()
        values = predicted.tolist()
        return values[0] if len(values) == 1 else tuple(values)

    def training_statistics(self) -> Statistics:
        """What the training rows held. Raises CheckpointError where the model was written without."""
        found = self.schema.statistics
        if not found.rows:
            message = "was written by a version that kept no statistics of the training rows: train it again"
            raise CheckpointError(f"{self.stored.path} {message}")
        return found

    def refuse_no_probabilities(self) -> None:
        """Raises UsageError where the outputs are no probabilities of classes."""
        why = self.why_no_probabilities()
        if why is not None:
            raise UsageError(why)

    def why_no_probabilities(self) -> str | None:
        """Why the outputs are no probabilities of classes; None where they are."""
        if self.schema.task == "regression":
            return "this model predicts numbers, and there are no probabilities of them"
        output = activation_parts(self.config, self.schema.task)[-1]
        why = no_probabilities(self.schema, output)
        return None if why is None else f"this needs probabilities{why}"

    def score(self, X: Any, y: Any) -> float:
        """Accuracy for classes (of several yes/no outputs all must be right), R² for values, as scikit-learn's.

        X is what `predict` takes, y the labels, N, or values, N or N × targets. Every row counts once. Raises
        DataError.
        """
        from bptrain.model.rows_to_evaluate import rows_given

        _, rows, _, odd = rows_given(self, (X, y))
        self._say(one for one in odd if one.name != "no_weights")
        found = self.schema
        name = "r2" if found.task == "regression" else "accuracy"
        outputs = self.outputs_of(rows.X).X_L
        seen = found.decode(outputs) if found.task == "regression" else found.classes_of(outputs)
        with np.errstate(all="ignore"):  # a score of predictions beyond all bounds is NaN
            return float(metrics.get(name)().value(seen, rows.y_true, len(found.labels)))

    def predict_interval(self, X: Any, level: float = 0.9) -> tuple[Array, Array]:
        """The lower and the upper ends between which the targets lie with the probability `level`, each N × targets.

        Split conformal intervals, by the errors of the run's validation rows (docs/evaluation.md). Raises UsageError
        for a model of classes, DataError for too few of these rows, CheckpointError for a model that keeps none.
        """
        from bptrain.model.prediction_intervals import half_widths_of

        half = half_widths_of(self, level)
        predicted = self.schema.decode(self._outputs(X))
        return predicted - half, predicted + half

    def evaluate(self, data: Any, by: str | None = None, interval: float | None = None) -> dict[str, Any]:
        """The fields of `bptrain eval --data … --json`: loss, metrics, intervals, baseline, confusion matrix.

        `data` is a path or a list of them, (X, y), a dict of columns, or a frame of pandas, polars or Arrow; `by` is a
        column whose groups are evaluated too, `interval` the level of prediction intervals. Raises DataError; with a
        level what `predict_interval` does.
        """
        from bptrain.model.evaluation_report import report_on
        from bptrain.model.rows_to_evaluate import rows_given

        report = report_on(self, rows_given(self, data), by=by, interval=interval)
        self._say(report.warnings[len(self.warnings) :])  # those of the model were said when it was loaded
        return report.record()

    def _outputs(self, X: Any) -> Array:
        """X_L of raw rows; what is odd about these is said as a warning of Python to who called the caller.

        Raises DataError.
        """
        outputs, odd = None, list[Warned]()
        if isinstance(X, np.ndarray) and is_plain(X, self.schema):
            outputs = self.outputs_of_plain(X)
        if outputs is None:  # an error about all rows together has their own numbers
            encoded, odd = encode_rows(X, self.schema, self.w.dtype)
            outputs = self.outputs_of(encoded).X_L
        else:
            odd = outside_range_of_columns(X, self.schema)
        self._say(odd, 4)
        return outputs

    def _say(self, odd: Iterable[Warned], level: int = 3) -> None:
        """Warnings of Python, but for those that the config silences, to who called the caller."""
        for name, message in not_silenced(odd, self.config.silence):
            warnings.warn(printable(f"{message} [{name}]", spaces=True), DataWarning, stacklevel=level)

    def outputs_of_plain(self, raw: Array) -> Array | None:
        """X_L of raw numbers, N × columns in the order of training; None where one of them is not finite when scaled.

        So it is of other shapes, and of few rows, which `outputs_of` takes together. Parts of many are worked on at the
        same time, each of which stays in the cache from raw columns to outputs.
        """
        if raw.ndim != 2 or len(raw) <= ROWS_AT_ONCE or raw.shape[1] != len(self.schema.features):
            return None
        forward = self._forward_by_one_thread

        def outputs(rows: slice) -> list[Array | None]:
            encode, found = Encoder(self.schema, self.w.dtype, ROWS_AT_ONCE), list[Array | None]()
            for a in range(rows.start, rows.stop, ROWS_AT_ONCE):
                X = encode.plain(raw[a : min(a + ROWS_AT_ONCE, rows.stop)])
                found.append(None if X is None else forward(self.w, X).X_L.copy())
            return found

        parts = [found for part in self._parts.run(outputs, len(raw), ROWS_AT_ONCE) for found in part]
        sound = [found for found in parts if found is not None]
        return np.concatenate(sound) if len(sound) == len(parts) else None

    @cached_property
    def _parts(self) -> Parts:
        return Parts(threads_at_hand())

    @cached_property
    def _forward_by_one_thread(self) -> Callable[[Array, Array], Outputs]:
        return forward_pass(self._engine, self.network, self.w.dtype, threads=1)

    @cached_property
    def _forward(self) -> Callable[[Array, Array], Outputs]:
        return forward_pass(self._engine, self.network, self.w.dtype)

    @property
    def _engine(self) -> str:
        return str(self.stored.facts.numerics.get("engine", "numpy"))
