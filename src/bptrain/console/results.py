"""The results of the commands as tables."""

from bptrain.assessing import Assessment
from bptrain.checking import Checked
from bptrain.conclusion import Split
from bptrain.console.screen import Screen, figure
from bptrain.explain import Explanation
from bptrain.fitting import Done
from bptrain.seeding import Summary


def show_fit(screen: Screen, done: Done) -> None:
    """The best model on every split beside its baseline."""
    best, splits = done.result["best"], done.conclusion.splits
    epochs = f"{done.result['epochs']} epoch{'' if done.result['epochs'] == 1 else 's'}"
    if done.already:
        screen.note(f"this run is finished: it has done {epochs}")
    if done.conclusion.reason is not None:
        screen.note(f"stopped after {epochs}: {done.conclusion.reason}")
    names = [name for name, value in splits[0].evaluation.metrics.items() if isinstance(value, float)]
    columns = ["split", "rows", "loss", *(title for name in names for title in (name, "(baseline)"))]
    rows = [split_row(split, names) for split in splits]
    guess = splits[0].baseline.description
    screen.table(
        f"best model (epoch {best['epoch']} of {done.result['epochs']}; baseline: {guess})", columns, rows
    )


def split_row(split: Split, names: list[str]) -> list[str]:
    """Name, rows, loss, and each metric beside its baseline."""
    evaluation = split.evaluation
    row = [split.name, str(evaluation.rows), figure(evaluation.loss)]
    for name in names:
        row += [figure(evaluation.metrics[name]), f"({figure(split.baseline_metrics.get(name))})"]
    return row


def show_seeds(screen: Screen, summary: Summary) -> None:
    """Mean and standard deviation over the seeds, for every split and metric."""
    rows = [
        [split, name, figure(mean), figure(summary.sd[split][name])]
        for split, metrics in summary.mean.items()
        for name, mean in metrics.items()
    ]
    screen.table(f"best models of {len(summary.runs)} seeds", ["split", "metric", "mean", "sd"], rows)


def show_assessment(screen: Screen, assessment: Assessment) -> None:
    """Metrics beside the baseline, and the confusion matrix."""
    evaluation = assessment.evaluation
    rows = [["loss", figure(evaluation.loss), "-"]]
    for name, value in evaluation.metrics.items():
        if not isinstance(value, list):
            rows.append([name, figure(value), figure(assessment.baseline_metrics.get(name))])
    title = (
        f"{assessment.checkpoint}: {assessment.split}, {evaluation.rows} rows "
        f"(baseline: {assessment.baseline.description})"
    )
    screen.table(title, ["metric", "value", "baseline"], rows)
    if assessment.confusion_matrix is not None and assessment.labels is not None:
        labels = [str(label) for label in assessment.labels]
        counts = [
            [label, *map(str, row)] for label, row in zip(labels, assessment.confusion_matrix, strict=True)
        ]
        screen.table("confusion matrix: true class by row, predicted class by column", ["", *labels], counts)


def show_gradcheck(screen: Screen, checked: Checked) -> None:
    """Each parameter block with its error and verdict, and the verdict in a sentence."""
    report = checked.report
    rows = [
        [
            str(block.layer),
            block.parameter,
            "x".join(map(str, block.shape)),
            str(block.entries),
            f"{block.relative_error:.1e}",
            block.verdict,
        ]
        for block in report.layers
    ]
    title = f"{checked.name} at {checked.point}: backpropagation against the complex step"
    screen.table(title, ["layer", "parameter", "shape", "checked", "relative error", "verdict"], rows)
    for block in report.layers:
        if not block.passed:
            index = ", ".join(map(str, block.worst))
            screen.result(
                f"layer {block.layer} {block.parameter}: the worst entry is [{index}], analytic "
                f"{block.worst_analytic:.12g}, numeric {block.worst_numeric:.12g}"
            )
    if not report.forward_error <= report.tolerance:
        screen.result(f"the forward pass itself is wrong: z or x differ by {report.forward_error:.1e}")
    verdict = "pass" if report.passed else "MISMATCH"
    screen.result(
        f"{verdict}: largest relative error {report.max_relative_error:.1e}, tolerance {report.tolerance:.0e}, "
        f"{report.entries} of {report.parameters} parameters"
    )


def show_parts(screen: Screen, checks: list[Checked]) -> None:
    """One row for each combination of parts."""
    rows = [
        [
            checked.name,
            checked.point,
            f"{checked.report.max_relative_error:.1e}",
            "pass" if checked.report.passed else "mismatch",
        ]
        for checked in checks
    ]
    screen.table(
        "every activation and loss: backpropagation against the complex step",
        ["parts", "bias", "relative error", "verdict"],
        rows,
    )
    failed = [checked for checked in checks if not checked.report.passed]
    screen.result(
        f"{'MISMATCH' if failed else 'pass'}: {len(checks) - len(failed)} of {len(checks)} combinations pass"
    )


def show_explanation(screen: Screen, explanation: Explanation) -> None:
    """The equations, with their shapes in a column of their own."""
    width = max(
        len(line.equation) for section in explanation.sections for line in section.lines if line.shapes
    )
    for section in explanation.sections:
        screen.result(section.title)
        for line in section.lines:
            screen.result(f"  {line.equation:<{width}}   {line.shapes}".rstrip())
        screen.result()
