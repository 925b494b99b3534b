"""What `bptrain predict` does: rows come piece by piece, and their predictions go out as they come.

A file of predictions is written beside its name and renamed when it is whole, so that one that is there is complete.
"""

import io
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.data import conventions_for, without_keys
from bptrain.commands.predict.decisions import Decision, by_cost, by_threshold
from bptrain.commands.predict.predicted_files import (
    ChosenModel,
    PredictionJob,
    chosen_model,
    data_files,
    format_for,
    is_directory,
    jobs_of,
    refuse_existing,
)
from bptrain.commands.predict.prediction_columns import (
    PREDICTION,
    OutColumn,
    prediction_columns,
    prediction_names,
    refuse_clashes,
    with_gaps,
)
from bptrain.commands.predict.prediction_files import Writer, prediction_formats
from bptrain.data.new_rows import ALL, EncodedPiece, NewRows
from bptrain.data.sources import known_format, read_table
from bptrain.errors import UsageError, Warned, not_silenced
from bptrain.formats.base import Contents
from bptrain.formats.conventions import Conventions
from bptrain.formats.problems import FaultyRows, UndeclaredConvention
from bptrain.model.model import Model
from bptrain.parts.types import Array
from bptrain.store.atomic import writing_atomically

BLANK, ERROR = "blank", "error"


class PredictOptions(NamedTuple):
    """What is asked of the command beside the words of its line."""

    checkpoint: str = "best"
    out: str | None = None  # None: stdout
    format: str | None = None
    overwrite: bool = False
    keep: tuple[str, ...] = ()  # columns; "all" alone: all
    name: str = PREDICTION
    proba: bool = False
    on_bad_row: str = ERROR
    threshold: float | None = None
    cost: Path | None = None


class Chosen(NamedTuple):
    """Who predicts."""

    by: ChosenModel


class Noted(NamedTuple):
    """A line about how a file was read."""

    text: str


class Left(NamedTuple):
    """A file that was there, and is left as it is."""

    out: Path


class Printed(NamedTuple):
    """Predictions for stdout."""

    text: str


class Advanced(NamedTuple):
    """Some more rows were predicted."""

    rows: int


class PredictedFile(NamedTuple):
    """A file whose rows were predicted, or which is left since its predictions were there."""

    data: Path
    out: Path | None
    rows: int = 0
    unknown: int = 0  # cells of unknown categories
    filled: int = 0  # cells that were missing and filled in
    left: bool = False

    def record(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**self._asdict(), "data": str(self.data), "out": None if self.out is None else str(self.out)}


class PredictionSummary(NamedTuple):
    """All that was predicted."""

    run: Path | None
    checkpoint: Path
    files: tuple[PredictedFile, ...]
    seconds: float

    @property
    def rows(self) -> int:
        """Those that were predicted now."""
        return sum(file.rows for file in self.files)

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return {
            "run": None if self.run is None else str(self.run),
            "checkpoint": str(self.checkpoint),
            "files": [file.record() for file in self.files],
            "rows": self.rows,
            "unknown": sum(file.unknown for file in self.files),
            "filled": sum(file.filled for file in self.files),
            "seconds": self.seconds,
        }


PredictEvent = Chosen | Noted | Warned | Left | Printed | Advanced | PredictionSummary


def predict(words: Sequence[str], options: PredictOptions) -> Generator[PredictEvent]:
    """Predicts the rows of files: the last event is the summary.

    words   a run or a checkpoint file, unless the newest finished run is meant; and the files

    Raises UsageError, DataError (FaultyRows for rows that cannot be predicted), CheckpointError, StorageError.
    """
    by, names = chosen_model(words, options.checkpoint)
    files = data_files(names)
    kind = format_for(options.out, files, options.format)
    jobs = jobs_of(files, options.out, kind)
    requeued = options.out is not None and is_directory(options.out, files)
    refuse_existing(jobs, options.overwrite or requeued)
    predictor = predictor_of(by.model, options)
    predictor.refuse_format(kind)
    yield Chosen(by)
    yield from by.model.warnings
    begun, done = time.monotonic(), list[PredictedFile]()
    for job in jobs:
        if requeued and not options.overwrite and job.out is not None and job.out.exists():
            done += [PredictedFile(file, job.out, left=True) for file in job.data]
            yield Left(job.out)
        else:
            done += yield from predict_job(job, predictor, options, kind)
    run = None if by.run is None else by.run.path
    yield PredictionSummary(run, by.model.stored.path, tuple(done), time.monotonic() - begun)


class Predictor(NamedTuple):
    """A model, and what is written of its outputs."""

    model: Model
    name: str
    proba: bool
    decide: Decision | None

    @property
    def names(self) -> list[str]:
        """The columns of predictions."""
        return prediction_names(self.model.schema, self.name, self.proba)

    def columns(self, X: Array) -> list[OutColumn]:
        """The predictions of encoded rows."""
        outputs, schema = self.model.outputs_of(X).X_L, self.model.schema
        P = schema.scores_of(outputs) if self.proba or self.decide is not None else None
        classes = None if self.decide is None or P is None else self.decide(P)
        shown = P if self.proba else None
        return prediction_columns(schema, outputs, name=self.name, probabilities=shown, classes=classes)

    def refuse_format(self, kind: str) -> None:
        """Raises UsageError where the labels are texts and the format holds numbers alone."""
        target = self.model.schema.target
        texts = target.kind != "multilabel" and any(isinstance(label, str) for label in target.labels)
        if texts and prediction_formats.get(kind)().numbers_alone:
            message = f"the labels are texts ({target.labels[0]}, …), and {kind} holds numbers alone"
            raise UsageError(f"{message}: write csv, jsonl or parquet")


def predictor_of(model: Model, options: PredictOptions) -> Predictor:
    """What predicts as asked. Raises UsageError for what the model cannot, DataError for a file of costs."""
    labels, decide = model.schema.labels, None
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
    predictor = Predictor(model, options.name, options.proba, decide)
    refuse_clashes([*(options.keep if options.keep != (ALL,) else ()), *predictor.names], "--name")
    return predictor


def predict_job(
    job: PredictionJob, predictor: Predictor, options: PredictOptions, kind: str
) -> Generator[PredictEvent, None, list[PredictedFile]]:
    """Predicts the files of one output; returns what became of each."""
    done: list[PredictedFile] = []
    with ExitStack() as stack:
        shown = io.BytesIO()
        file = shown if job.out is None else stack.enter_context(writing_atomically(job.out))
        writer = prediction_formats.get(kind)().make(file, options.on_bad_row == BLANK)
        for path in job.data:
            rows = yield from predict_file(path, predictor, options, writer, shown)
            done.append(PredictedFile(path, job.out, rows.rows, rows.unknown.total, rows.filled.total()))
        writer.close()
    return done


def predict_file(
    path: Path, predictor: Predictor, options: PredictOptions, writer: Writer, shown: io.BytesIO
) -> Generator[PredictEvent, None, NewRows]:
    """Predicts the rows of one file; returns them, with what is odd about them."""
    model = predictor.model
    settings = model.config.data
    named = settings.features if isinstance(settings.features, str) and settings.features != ALL else "X"
    rows = NewRows(
        model.schema,
        model.w.dtype,
        str(path),
        array=named,
        keep=ALL if options.keep == (ALL,) else options.keep,
        blank=options.on_bad_row == BLANK,
    )
    conventions = conventions_for(settings, path)
    conventions = conventions._replace(needed=tuple(feature.name for feature in model.schema.features))
    try:
        for piece in pieces(path, "", conventions):
            taken = rows.take(piece)
            writer.write(columns_of(taken, predictor))
            yield Advanced(taken.rows)
            if text := shown.getvalue():
                yield Printed(text.decode())
                shown.seek(0)
                shown.truncate()
    except UndeclaredConvention as doubt:
        raise without_keys(doubt) from None
    except FaultyRows as fault:
        *others, last = fault.problems
        message = f"{last.message}. To predict the other rows: --on-bad-row blank"
        raise FaultyRows([*others, last._replace(message=message)], fault.rows) from None
    odd = not_silenced(rows.warnings(), model.config.silence)
    yield from map(Noted, rows.notes())
    yield from odd
    return rows


def pieces(path: Path, key: str, conventions: Conventions) -> Iterator[Contents]:
    """The content of a file."""
    form = known_format(path, key, conventions)
    yield (
        read_table(form, path, key, conventions)
        if form.holds == "table"
        else form.read(path, key, conventions)
    )


def columns_of(piece: EncodedPiece, predictor: Predictor) -> list[OutColumn]:
    """The columns that are written of some rows. Raises UsageError where two have the same name."""
    kept = [OutColumn(one.name, one.cells, copied=True, typed=one.typed) for one in piece.kept]
    refuse_clashes([*(column.name for column in kept), *predictor.names], "--name, or keep other columns")
    made = [with_gaps(column, piece.unfit) for column in predictor.columns(piece.X)]
    return [*kept, *made]
