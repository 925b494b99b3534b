"""What a trained model is to those who ask it, whether it is one network or an ensemble of several."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from bptrain.build.metrics import no_probabilities
from bptrain.build.network import activation_parts
from bptrain.config.schema import Config
from bptrain.data.column_statistics import Statistics
from bptrain.data.schema import Schema
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

if TYPE_CHECKING:
    from bptrain.model.model import Model


class Answers(NamedTuple):
    """What a trained model makes of N rows."""

    outputs: Array  # what its schema decodes, N × q: X_L, or of an ensemble the mean of its members
    each: tuple[Array, ...] = ()  # those of each member of an ensemble likewise

    def part(self, rows: slice) -> "Answers":
        """Those of some rows."""
        return Answers(self.outputs[rows], tuple(one[rows] for one in self.each))


class Encoding(NamedTuple):
    """How raw rows become X."""

    schema: Schema
    dtype: np.dtype[Any]


class StoredModel(Protocol):
    """The file that a model was read from."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        ...

    @property
    def absolute_errors(self) -> dict[str, Any] | None:
        """Those that prediction intervals are made of."""
        ...


class TrainedModel(ABC):
    """Answers for raw rows, with labels or in the target's own unit."""

    schema: Schema  # by which answers are decoded
    config: Config  # of an ensemble that of its first member
    stored: StoredModel
    warnings: tuple[Warned, ...]  # about what it was loaded with, but for those that its config silences

    @property
    @abstractmethod
    def members(self) -> "tuple[Model, ...]":
        """The networks that it consists of."""

    @property
    @abstractmethod
    def encodings(self) -> tuple[Encoding, ...]:
        """How its members take rows, each way once."""

    @abstractmethod
    def answers_of(self, encoded: Sequence[Array]) -> Answers:
        """The answers for rows, which were encoded in each of these ways."""

    @abstractmethod
    def answers_of_plain(self, raw: Array) -> Answers | None:
        """The answers for raw numbers, N × columns in the order of training; None where `answers_of` must have them."""

    @abstractmethod
    def _outputs(self, X: Any) -> Array:
        """The outputs for raw rows; what is odd about these is said as a warning of Python to who called the caller.

        Raises DataError.
        """

    def outputs(self, X: Any) -> Array:
        """x_L for raw feature columns: probabilities or scaled values, N × n_L; of an ensemble the mean of the members,
        values in the target's own unit.

        X is N × columns in the order of training, or a mapping or data frame of named columns. The last bits of a row
        may depend on the rows beside it: docs/rounding.md. Raises DataError.
        """
        return self._outputs(X)

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
        for member in self.members:
            why = no_probabilities(self.schema, activation_parts(member.config, self.schema.task)[-1])
            if why is not None:
                return f"this needs probabilities{why}"
        return None

    def score(self, X: Any, y: Any) -> float:
        """Accuracy for classes (of several yes/no outputs all must be right), R² for values, as scikit-learn's.

        X is what `predict` takes, y the labels, N, or values, N or N × targets. Every row counts once. Raises
        DataError.
        """
        from bptrain.model.rows_to_evaluate import rows_given

        evaluated = rows_given(self, (X, y))
        self._say(one for one in evaluated.warnings if one.name != "no_weights")
        found = self.schema
        name = "r2" if found.task == "regression" else "accuracy"
        outputs = self.answers_of([rows.X for rows in evaluated.encoded]).outputs
        seen = found.decode(outputs) if found.task == "regression" else found.classes_of(outputs)
        with np.errstate(all="ignore"):  # a score of predictions beyond all bounds is NaN
            return float(metrics.get(name)().value(seen, evaluated.rows.y_true, len(found.labels)))

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
        from bptrain.model.answered_rows import answered
        from bptrain.model.evaluation_report import report_on
        from bptrain.model.rows_to_evaluate import rows_given

        report = report_on(self, answered(self, rows_given(self, data)), by=by, interval=interval)
        self._say(report.warnings[len(self.warnings) :])  # those of the model were said when it was loaded
        return report.record()

    def _say(self, odd: Iterable[Warned], level: int = 3) -> None:
        """Warnings of Python, but for those that the config silences, to who called the caller."""
        for name, message in not_silenced(odd, self.config.silence):
            warnings.warn(printable(f"{message} [{name}]", spaces=True), DataWarning, stacklevel=level)
