"""A model on rows whose truth is known: figures, intervals, the baseline, groups."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.metrics import build_metrics
from bptrain.data.prepared import Rows
from bptrain.errors import Warned, not_silenced
from bptrain.mapped_rows import room_of
from bptrain.model.answered_rows import Answered, OnRows, unlearned
from bptrain.model.load import runs_of_networks
from bptrain.model.prediction_intervals import IntervalCoverage, coverage_of, half_widths_of
from bptrain.model.row_groups import (
    ByColumn,
    GroupReport,
    RowGroup,
    groups_of,
    of_rows,
    selection_rates,
    some_rows,
)
from bptrain.model.trained_model import TrainedModel
from bptrain.parts.metrics import Metric, metrics
from bptrain.store.plain import plain
from bptrain.training.bootstrap import Sampling
from bptrain.training.evaluation import Baseline, Evaluation, Seen, evaluation_of
from bptrain.training.intervals import Intervals, intervals_of


class EvaluationReport(NamedTuple):
    """A model on a data set, with the baseline."""

    run: Path | None  # None for a lone checkpoint file and other rows than its own
    checkpoint: Path
    split: str
    evaluation: Evaluation
    intervals: Intervals
    baseline: Baseline
    baseline_metrics: dict[str, Any]
    labels: tuple[Any, ...] | None  # the class labels in the order of the confusion matrix
    confusion_matrix: list[list[int]] | None
    warnings: tuple[Warned, ...]
    notes: tuple[str, ...] = ()  # what was decided about how the file is written
    by: ByColumn | None = None
    interval: IntervalCoverage | None = None
    members: dict[int, Evaluation] | None = None  # of an ensemble: the figures of each member, by its number

    def record(self) -> dict[str, Any]:
        """The fields of eval's JSON."""
        more = {
            "metrics_unweighted": self.evaluation.metrics_unweighted,
            "metrics_per_target": self.evaluation.metrics_per_target,
            "intervals_per_target": self.intervals.per_target,
            "interval": None if self.interval is None else self.interval.record(),
            "by": None if self.by is None else self.by.record(),
            "members": None if self.members is None else members_record(self.members),
        }
        return {
            "run": None if self.run is None else str(self.run),
            "checkpoint": str(self.checkpoint),
            "split": self.split,
            "rows": self.evaluation.rows,
            "loss": plain(self.evaluation.loss),
            "metrics": plain(self.evaluation.metrics),
            "intervals": plain(self.intervals.metrics),
            "baseline": plain(self.baseline_metrics),
            "labels": plain(self.labels),
            "confusion_matrix": self.confusion_matrix,
            "warnings": [{"name": name, "message": message} for name, message in self.warnings],
            **{field: plain(figures) for field, figures in more.items() if figures is not None},
        }


def members_record(members: Mapping[int, Evaluation]) -> list[dict[str, Any]]:
    """The figures of the members of an ensemble in JSON."""
    return [
        {"member": k, "rows": one.rows, "loss": one.loss, "metrics": one.metrics}
        for k, one in members.items()
    ]


def report_on(
    model: TrainedModel,
    found: Answered,
    run: Path | None = None,
    by: str | None = None,
    interval: float | None = None,
) -> EvaluationReport:
    """What a model makes of rows; with the name of a column, of the rows of each of its values too.

    With a level, how often prediction intervals hold the truth. Raises UsageError, DataError and CheckpointError.
    """
    schema, rows, seen = model.schema, found.rows, found.seen
    if interval is not None:
        half_widths_of(model, interval)  # what it lacks is said first of all
    column = None if by is None else found.column(by, model)
    chosen = build_metrics(model.config, schema)
    sampling = Sampling(len(rows.y_true), model.config.seed, rows.groups, room_of(rows.X, rows.T))
    matrix = None
    if schema.task == "classification" and rows.y_true.ndim == 1:  # its entries are rows, whatever they weigh
        matrix = metrics.get("confusion_matrix")().of(seen.predicted, rows.y_true, len(schema.labels))
    guess = Baseline.from_json(model.members[0].stored.facts.baseline)
    several = len(model.members) > 1
    runs = [] if run is None else runs_of_networks(model, run)
    warnings = (*found.warnings, *unlearned(found, runs, several))
    return EvaluationReport(
        run=run,
        checkpoint=model.stored.path,
        split=found.split,
        evaluation=evaluation_of(seen, schema, rows, chosen, per_target=True),
        intervals=intervals_of(seen, schema, rows, chosen, sampling, per_target=True),
        baseline=guess,
        baseline_metrics=guess.metrics(schema, rows, chosen),
        labels=tuple(schema.labels) if schema.task == "classification" else None,
        confusion_matrix=matrix,
        warnings=(*model.warnings, *not_silenced(warnings, model.config.silence)),
        notes=rows.notes,
        interval=None
        if interval is None
        else coverage_of(model, seen.predicted, rows.y_true, interval, sampling),
        by=None
        if by is None or column is None
        else ByColumn(
            by, tuple(on_group(model, seen, rows, chosen, group) for group in groups_of(column, by))
        ),
        members=None
        if not several
        else {one.number: evaluation_of_member(one, chosen) for one in found.members},
    )


def evaluation_of_member(one: OnRows, chosen: Mapping[str, Metric]) -> Evaluation:
    """The figures of one member of an ensemble, by the metrics of the ensemble."""
    return evaluation_of(one.seen, one.model.schema, one.rows, chosen)


def on_group(
    model: TrainedModel, seen: Seen, rows: Rows, chosen: Mapping[str, Metric], group: RowGroup
) -> GroupReport:
    """What a model makes of one group of the rows."""
    schema, part, some = model.schema, of_rows(seen, group.rows), some_rows(rows, group.rows)
    sampling = Sampling(len(group.rows), model.config.seed, some.groups)
    return GroupReport(
        group.value,
        evaluation_of(part, schema, some, chosen),
        intervals_of(part, schema, some, chosen, sampling),
        selection_rates(schema, part.predicted, some.row_weight),
    )
