"""`bptrain eval`: evaluate a trained model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import DataRoot, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("eval", "Evaluate a trained model against a baseline.", plugins=True)
def eval_command(
    screen: "Screen",
    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="A run (default: the newest under runs/).", show_default=False),
    ] = None,
    other: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN", help="Another run: how much better it is on the same rows.", show_default=False
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="train|validation|test", help="Default: test, else validation, else train."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A file with the columns of the training data, a pattern, or - for stdin. Repeatable.",
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(help="The file with the targets, if --data holds a single array."),
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(metavar="best|last|PATH", help="Which weights to evaluate.")
    ] = "best",
    fail_under: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=V", help="Exit with 1 if a metric is worse than V. Repeatable."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Metrics and selection rates for each value of a column, too."),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="LEVEL", help="How often prediction intervals of this level, such as 0.9, hold the truth."
        ),
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """Evaluate a trained model: metrics next to a baseline, and the confusion matrix.

    \b
    Examples:
      bptrain eval
      bptrain eval runs/iris/001 --split validation
      bptrain eval runs/iris/001 runs/iris/002
      bptrain eval --data new.csv --fail-under accuracy=0.9
      bptrain eval --data 'new/*.csv' --by sex
    """
    from bptrain.commands.eval import (
        SPLITS,
        compare_runs,
        evaluate_model,
        failed_thresholds,
        parse_bound,
    )
    from bptrain.console.eval import show_comparison, show_evaluation
    from bptrain.errors import VERDICT_EXIT, UsageError

    if split is not None and split not in SPLITS:
        raise UsageError(f"--split {split}: choose one of {', '.join(SPLITS)}")
    if run is not None and other is not None:
        if fail_under or by is not None or interval is not None:
            raise UsageError(
                "--fail-under, --by and --interval are of one run: give one run, or leave them out"
            )
        comparison = compare_runs((run, other), split, data or [], target, checkpoint, data_root)
        for note in comparison.notes:
            screen.note(note)
        screen.warn_all(comparison.warnings)
        show_comparison(screen, comparison)
        screen.record(comparison.record())
        return
    bounds = [parse_bound(text) for text in fail_under or []]
    report = evaluate_model(run, split, data or [], target, checkpoint, data_root, by, interval)
    short = failed_thresholds(report, bounds)
    for note in report.notes:
        screen.note(note)
    screen.warn_all(report.warnings)
    show_evaluation(screen, report)
    screen.record(report.record() | ({"fail_under": short} if bounds else {}), ok=not short)
    for sentence in short:
        screen.warn("fail_under", sentence)
    if short:
        raise typer.Exit(VERDICT_EXIT)
