"""An evaluation as tables: metrics next to the baseline, per class, and the confusion matrix."""

from bptrain.commands.eval import EvaluationReport
from bptrain.console.terminal.class_metrics import show_classes
from bptrain.console.terminal.screen import Screen, figure


def show_evaluation(screen: Screen, report: EvaluationReport) -> None:
    """Metrics next to the baseline, those of each class, and the confusion matrix."""
    evaluation = report.evaluation
    rows = [["loss", figure(evaluation.loss), "-"]]
    for name, value in evaluation.metrics.items():
        if isinstance(value, float):
            rows.append([name, figure(value), figure(report.baseline_metrics.get(name))])
    title = (
        f"{report.checkpoint}: {report.split}, {evaluation.rows} rows "
        f"(baseline: {report.baseline.description})"
    )
    screen.table(title, ["metric", "value", "baseline"], rows)
    show_classes(screen, {report.split: evaluation.metrics})
    if report.confusion_matrix is not None and report.labels is not None:
        labels = [str(label) for label in report.labels]
        counts = [[label, *map(str, row)] for label, row in zip(labels, report.confusion_matrix, strict=True)]
        screen.table("confusion matrix: true class by row, predicted class by column", ["", *labels], counts)
