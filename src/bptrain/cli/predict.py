"""`bptrain predict`: the predictions of a trained model on new rows."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import DataRoot, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("predict", "Predict new rows with a trained model.", plugins=True)
def predict_command(
    screen: "Screen",
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN] DATA...",
            help="A run or a checkpoint file (default: the newest finished run), and files of rows.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE|DIR", help="Where to write (default: stdout); DIR: a file per input."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(metavar="csv|jsonl|npy|parquet", help="The format, where the name does not say it."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    keep: Annotated[
        str | None,
        typer.Option(metavar="COLUMNS|all", help="Columns of the data to copy, such as id,name."),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What the column of predictions is called.")
    ] = "prediction",
    proba: Annotated[
        bool, typer.Option("--proba", help="Add the probability of each class, p_<label>.")
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            min=0.0,
            max=1.0,
            help="Two classes: predict the second one from this probability on.",
        ),
    ] = None,
    cost: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A CSV of costs, true label by predicted one; the least expected is chosen."
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="LEVEL",
            help="Numbers: add lower and upper, between which the target lies with this probability.",
        ),
    ] = None,
    spread: Annotated[
        bool,
        typer.Option("--spread", help="Of an ensemble: add the standard deviation of its members."),
    ] = False,
    on_bad_row: Annotated[
        str,
        typer.Option(metavar="error|blank", help="What becomes of a row that cannot be predicted."),
    ] = "error",
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Every N-th file from the I-th on, or row group of a Parquet file."),
    ] = None,
    fail_on_drift: Annotated[
        float | None,
        typer.Option(metavar="X", min=0.0, help="Exit with 1 if the drift of an input is above X."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="train|validation|test", help="Predict the run's own rows, with row number and target."
        ),
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(metavar="best|last|PATH", help="Which weights to predict with.")
    ] = "best",
    data_root: DataRoot = None,
) -> None:
    """Predict new rows with a trained model: one line out for every row in, in order.

    The data needs the input columns alone; a target that is there is not read.

    \b
    Examples:
      bptrain predict new.csv
      bptrain predict runs/iris/001 new.csv --out predictions.csv --keep id --proba
      bptrain predict runs/iris/001 'parts/*.parquet' --out predictions/
    """
    from bptrain.commands.predict.predict import predict
    from bptrain.commands.predict.prediction_events import PredictionSummary, PredictOptions
    from bptrain.console.predict import PredictView
    from bptrain.errors import VERDICT_EXIT, UsageError
    from bptrain.model.rows_to_evaluate import SPLITS

    if split is not None and split not in SPLITS:
        raise UsageError(f"--split {split}: choose one of {', '.join(SPLITS)}")
    if on_bad_row not in ("error", "blank"):
        raise UsageError(f"--on-bad-row {on_bad_row}: choose error or blank")
    if screen.json and out is None:
        raise UsageError("--json prints a summary on stdout: name a place for the predictions with --out")
    options = PredictOptions(
        checkpoint=checkpoint,
        out=out,
        format=format,
        overwrite=overwrite,
        keep=() if keep is None else tuple(part.strip() for part in keep.split(",") if part.strip()),
        name=name,
        proba=proba,
        on_bad_row=on_bad_row,
        threshold=threshold,
        cost=cost,
        interval=interval,
        spread=spread,
        split=split,
        data_root=data_root,
        shard=shard,
        fail_on_drift=fail_on_drift,
    )
    with PredictView(screen, out is None) as view, closing(predict(words or [], options)) as events:
        for event in events:
            view.show(event)
            if isinstance(event, PredictionSummary):
                far = event.drifted or ()
                screen.record(event.record(), ok=not far)
                for one in far:
                    screen.warn(
                        "fail_on_drift", f"the drift of {one.name} is {one.psi:.4g}, above {fail_on_drift:g}"
                    )
    if far:
        raise typer.Exit(VERDICT_EXIT)
