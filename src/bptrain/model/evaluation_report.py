"""A model on rows whose truth is known: figures, intervals, the baseline, groups."""

from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.metrics import build_metrics
from bptrain.errors import Warned, not_silenced
from bptrain.model.model import Model
from bptrain.model.row_groups import ByColumn, GroupReport, groups_of, of_rows, selection_rates, some_rows
from bptrain.model.rows_to_evaluate import Evaluated
from bptrain.parts.metrics import metrics
from bptrain.store.loss_history import training_losses
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory
from bptrain.training.bootstrap import Sampling
from bptrain.training.evaluation import Baseline, Evaluation, evaluation_of, seen_by
from bptrain.training.intervals import Intervals, intervals_of
from bptrain.training.learning_checks import learning_warnings
from bptrain.training.observations import Observations, split_error


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

    def record(self) -> dict[str, Any]:
        """The fields of eval's JSON."""
        more = {
            "metrics_unweighted": self.evaluation.metrics_unweighted,
            "metrics_per_target": self.evaluation.metrics_per_target,
            "intervals_per_target": self.intervals.per_target,
            "by": None if self.by is None else self.by.record(),
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


def report_on(
    model: Model, evaluated: Evaluated, run: Path | None = None, by: str | None = None
) -> EvaluationReport:
    """What a model makes of rows; with the name of a column, of the rows of each of its values too.

    Raises UsageError and DataError.
    """
    schema, rows = model.schema, evaluated.rows
    column = None if by is None else evaluated.column(by, model)  # a wrong name first of all
    chosen = build_metrics(model.config, schema)
    seen = seen_by(model.network, model.outputs_of(rows.X), schema, rows)
    sampling = Sampling(len(rows.X), model.config.seed)
    matrix = None
    if (
        schema.task == "classification" and rows.y_true.ndim == 1
    ):  # whose entries are rows, whatever they weigh
        matrix = metrics.get("confusion_matrix")().of(seen.predicted, rows.y_true, len(schema.labels))
    guess = Baseline.from_json(model.stored.facts.baseline)
    groups = []
    for group in () if by is None or column is None else groups_of(column, by):
        part, some = of_rows(seen, group.rows), some_rows(rows, group.rows)
        within = sampling._replace(
            rows=len(group.rows), groups=None if sampling.groups is None else sampling.groups[group.rows]
        )
        groups.append(
            GroupReport(
                group.value,
                evaluation_of(part, schema, some, chosen),
                intervals_of(part, schema, some, chosen, within),
                selection_rates(schema, part.predicted, some.row_weight),
            )
        )
    evaluation = evaluation_of(seen, schema, rows, chosen, per_target=True)
    observed = Observations(
        config=model.config,
        schema=schema,
        network=model.network,
        w=model.w,
        updates=int(model.stored.position["updates"]),
        rows=rows,
        splits=(split_error(evaluated.split, schema, rows, seen.predicted, guess),),
        guess=guess,
        figures={f"{evaluated.split} rows": evaluation.loss},
        losses=() if run is None else training_losses(RunDirectory(run)),
    )
    warnings = (*evaluated.warnings, *learning_warnings(observed))
    return EvaluationReport(
        run=run,
        checkpoint=model.stored.path,
        split=evaluated.split,
        evaluation=evaluation,
        intervals=intervals_of(seen, schema, rows, chosen, sampling, per_target=True),
        baseline=guess,
        baseline_metrics=guess.metrics(schema, rows, chosen),
        labels=tuple(schema.labels) if schema.task == "classification" else None,
        confusion_matrix=matrix,
        warnings=(*model.warnings, *not_silenced(warnings, model.config.silence)),
        notes=rows.notes,
        by=None if by is None else ByColumn(by, tuple(groups)),
    )
