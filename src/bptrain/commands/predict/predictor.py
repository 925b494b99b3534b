"""A model, and what is written of its outputs: predictions, probabilities, or another choice of the class."""

from typing import NamedTuple

from bptrain.commands.predict.decisions import Decision, by_cost, by_threshold
from bptrain.commands.predict.prediction_columns import (
    OutColumn,
    interval_columns,
    interval_names,
    prediction_columns,
    prediction_names,
    refuse_clashes,
    spread_columns,
    spread_names,
)
from bptrain.commands.predict.prediction_events import PredictOptions
from bptrain.commands.predict.prediction_files import prediction_formats
from bptrain.data.new_rows import ALL
from bptrain.errors import UsageError
from bptrain.model.prediction_intervals import half_widths_of
from bptrain.model.trained_model import Answers, TrainedModel
from bptrain.parts.types import Array


class Predictor(NamedTuple):
    """A model, and what is written of its outputs."""

    model: TrainedModel
    name: str
    proba: bool
    decide: Decision | None
    half_widths: Array | None = None  # of the interval of each target, m
    spread: bool = False  # whether the standard deviation of the members of an ensemble is written

    @property
    def names(self) -> list[str]:
        """The columns of predictions."""
        schema = self.model.schema
        names = prediction_names(schema, self.name, self.proba)
        names += [] if self.half_widths is None else interval_names(schema)
        return names + (spread_names(schema, self.proba) if self.spread else [])

    def columns(self, X: Array) -> list[OutColumn]:
        """The predictions of encoded rows, N × n_0, by one network."""
        return self.columns_of(self.model.answers_of([X]))

    def columns_of(self, answers: Answers) -> list[OutColumn]:
        """The predictions that answers are."""
        schema, outputs = self.model.schema, answers.outputs
        P = schema.scores_of(outputs) if self.proba or self.decide is not None else None
        classes = None if self.decide is None or P is None else self.decide(P)
        shown = P if self.proba else None
        found = prediction_columns(schema, outputs, name=self.name, probabilities=shown, classes=classes)
        if self.half_widths is not None:
            found += interval_columns(schema, outputs, self.half_widths)
        if self.spread:
            found += spread_columns(schema, answers, self.proba, classes)
        return found

    def refuse_format(self, kind: str) -> None:
        """Raises UsageError where the labels are texts and the format holds numbers alone."""
        target = self.model.schema.target
        texts = target.kind != "multilabel" and any(isinstance(label, str) for label in target.labels)
        if texts and prediction_formats.get(kind)().numbers_alone:
            message = f"the labels are texts ({target.labels[0]}, …), and {kind} holds numbers alone"
            raise UsageError(f"{message}: write csv, jsonl or parquet")


def predictor_of(model: TrainedModel, options: PredictOptions) -> Predictor:
    """What predicts as asked. Raises UsageError for what the model cannot, DataError for a file of costs.

    Of intervals: DataError where too few validation rows made them, CheckpointError for a model without them.
    """
    labels, decide = model.schema.labels, None
    if not options.name.strip():
        raise UsageError("--name is empty: give the column of predictions a name")
    if options.threshold is not None and options.cost is not None:
        raise UsageError("--threshold and --cost exclude each other: give one of them")
    chooser = (
        "--threshold" if options.threshold is not None else "--cost" if options.cost is not None else None
    )
    if chooser is not None and model.schema.target.kind == "multilabel":
        raise UsageError(f"{chooser} chooses one class, but here each label is a yes or no of its own")
    if options.proba or chooser is not None:
        model.refuse_no_probabilities()
    if options.threshold is not None:
        decide = by_threshold(labels, options.threshold)
    if options.cost is not None:
        decide = by_cost(labels, options.cost)
    half = None if options.interval is None else half_widths_of(model, options.interval)
    if options.spread and len(model.members) == 1:
        raise UsageError(
            f"--spread is the standard deviation of an ensemble's members, and {model.stored.path} is one network: "
            "leave it out, or train an ensemble (docs/ensembles.md)"
        )
    predictor = Predictor(model, options.name, options.proba, decide, half, options.spread)
    for column in options.keep:
        if options.keep.count(column) > 1:
            raise UsageError(f"--keep names {column} twice")
    refuse_clashes([*(options.keep if options.keep != (ALL,) else ()), *predictor.names], "--name")
    return predictor
