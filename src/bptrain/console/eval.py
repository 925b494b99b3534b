"""An evaluation as tables: metrics next to the baseline, per class, and the confusion matrix."""

from collections.abc import Mapping

from bptrain.commands.eval import Comparison, EvaluationReport
from bptrain.console.terminal.metric_tables import ends, show_classes, show_targets, with_ends
from bptrain.console.terminal.screen import Screen, figure
from bptrain.errors import short
from bptrain.model.prediction_intervals import IntervalCoverage
from bptrain.model.row_groups import ByColumn
from bptrain.training.evaluation import Evaluation


def show_evaluation(screen: Screen, report: EvaluationReport) -> None:
    """Metrics next to the baseline, those of each class and target, and the confusion matrix."""
    evaluation, once = report.evaluation, report.evaluation.metrics_unweighted
    columns = ["metric", "value", "95 % interval", "baseline", *([] if once is None else ["unweighted"])]
    intervals = report.intervals.metrics
    rows = [["loss", figure(evaluation.loss), ends(intervals.get("loss")), "-", "-"][: len(columns)]]
    for name, value in evaluation.metrics.items():
        if isinstance(value, float):
            beside = [] if once is None else [figure(once[name])]
            guess = figure(report.baseline_metrics.get(name))
            rows.append([name, figure(value), ends(intervals.get(name)), guess, *beside])
    title = (
        f"{report.checkpoint}: {report.split}, {evaluation.rows:,} row{'' if evaluation.rows == 1 else 's'} "
        f"(baseline: {report.baseline.description})"
    )
    screen.table(title, columns, rows)
    show_classes(screen, {report.split: evaluation.metrics}, intervals)
    show_targets(screen, {report.split: evaluation.metrics_per_target}, report.intervals.per_target)
    if report.confusion_matrix is not None and report.labels is not None:
        labels = [short(label) for label in report.labels]
        counts = [[label, *map(str, row)] for label, row in zip(labels, report.confusion_matrix, strict=True)]
        title = "confusion matrix: true class by row, predicted class by column"
        screen.table(title + ("" if once is None else ", every row counted once"), ["", *labels], counts)
    if report.members is not None:
        show_members(screen, report.members)
    if report.interval is not None:
        show_coverage(screen, report.interval)
    if report.by is not None:
        show_groups(screen, report.by)


def show_members(screen: Screen, members: Mapping[int, Evaluation]) -> None:
    """The figures of each member of an ensemble."""
    first = next(iter(members.values()))
    names = [name for name, value in first.metrics.items() if isinstance(value, float)]
    rows = [
        [str(k), f"{one.rows:,}", figure(one.loss), *(figure(one.metrics[name]) for name in names)]
        for k, one in members.items()
    ]
    screen.table("members by themselves", ["member", "rows", "loss", *names], rows)


def show_coverage(screen: Screen, found: IntervalCoverage) -> None:
    """How often prediction intervals hold the truth, and how wide they are, for each target."""
    rows = [
        [name, figure(coverage), ends(of_coverage), figure(width)]
        for name, coverage, of_coverage, width in zip(
            found.targets, found.coverage, found.ends, found.mean_width, strict=True
        )
    ]
    title = f"prediction intervals of level {found.level:g}, by the errors of {found.validation_rows:,} validation rows"
    screen.table(title, ["target", "coverage", "95 % interval", "mean width"], rows)


def show_groups(screen: Screen, by: ByColumn) -> None:
    """Counts, metrics and selection rates of each group."""
    first = by.groups[0]
    names = [name for name, value in first.evaluation.metrics.items() if isinstance(value, float)]
    rates = first.selection_rate or {}
    rows = []
    for group in by.groups:
        figures = {"loss": group.evaluation.loss, **group.evaluation.metrics}
        ends_of = group.intervals.metrics
        rows.append(
            [
                "(missing)" if group.value is None else short(group.value),
                f"{group.evaluation.rows:,}",
                *(with_ends(figures[name], ends_of.get(name)) for name in ("loss", *names)),
                *(figure((group.selection_rate or {})[label]) for label in rates),
            ]
        )
    title = f"by {by.column}: 95 % intervals in brackets" + (
        ", and the share predicted as each class" if rates else ""
    )
    predicted = (f"predicted {short(label)}" for label in rates)
    screen.table(title, [by.column, "rows", "loss", *names, *predicted], rows)


def show_comparison(screen: Screen, comparison: Comparison) -> None:
    """The figures of two runs side by side, and their differences; those of classes in a table of their own."""
    a, b = comparison.runs
    title = f"{comparison.split}, {comparison.rows:,} rows: A is {a.run.path}, B is {b.run.path}"
    columns = ["A", "B", "B − A", "95 % interval"]
    rows, of_classes = [], []
    for name, gap in comparison.difference.items():
        ends_of = comparison.intervals[name]
        values = [{"loss": one.evaluation.loss, **one.evaluation.metrics}[name] for one in (a, b)]
        if isinstance(gap, dict):
            for label, own in gap.items():
                shown = [figure(value[label]) for value in values]
                of_classes.append([name, short(label), *shown, figure(own), ends(ends_of[label])])
        else:
            rows.append([name, *map(figure, values), figure(gap), ends(ends_of)])
    screen.table(title, ["metric", *columns], rows)
    if of_classes:
        screen.table("per class", ["metric", "class", *columns], of_classes)
