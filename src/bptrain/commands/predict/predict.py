"""What `bptrain predict` does: rows come piece by piece, and their predictions go out as they come.

A file of predictions is written beside its name and renamed when it is whole, so that one that is there is complete.
"""

import io
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bptrain.build.data import conventions_for, without_keys
from bptrain.commands.predict.own_rows import ROW, own_rows, row_columns, target_names
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
    OutColumn,
    refuse_clashes,
    with_gaps,
)
from bptrain.commands.predict.prediction_events import (
    BLANK,
    Advanced,
    Chosen,
    Left,
    Noted,
    PredictedFile,
    PredictEvent,
    PredictionSummary,
    PredictOptions,
    Printed,
)
from bptrain.commands.predict.prediction_files import Writer, prediction_formats
from bptrain.commands.predict.predictor import Predictor, predictor_of
from bptrain.data.drift import ColumnDrift, DriftCounts
from bptrain.data.new_rows import ALL, EncodedPiece, NewRows
from bptrain.data.sources import known_format, read_table
from bptrain.errors import UsageError, not_silenced
from bptrain.formats.base import Contents
from bptrain.formats.conventions import Conventions
from bptrain.formats.problems import FaultyRows, UndeclaredConvention
from bptrain.store.atomic import writing_atomically


def predict(words: Sequence[str], options: PredictOptions) -> Generator[PredictEvent]:
    """Predicts the rows of files: the last event is the summary.

    words   a run or a checkpoint file, unless the newest finished run is meant; and the files, or with a split none

    Raises UsageError, DataError (FaultyRows for rows that cannot be predicted), CheckpointError, StorageError.
    """
    if options.split is not None:
        yield from predict_split(words, options.split, options)
        return
    by, names = chosen_model(words, options.checkpoint)
    files = data_files(names)
    kind = format_for(options.out, files, options.format)
    jobs = jobs_of(files, options.out, kind)
    requeued = options.out is not None and is_directory(options.out, files)
    refuse_existing(jobs, options.overwrite or requeued)
    predictor = predictor_of(by.model, options)
    predictor.refuse_format(kind)
    drift = None if options.fail_on_drift is None else DriftCounts(by.model.training_statistics())
    yield Chosen(by)
    yield from by.model.warnings
    begun, done = time.monotonic(), list[PredictedFile]()
    for job in jobs:
        if requeued and not options.overwrite and job.out is not None and job.out.exists():
            done += [PredictedFile(str(file), job.out, left=True) for file in job.data]
            yield Left(job.out)
        else:
            done += yield from predict_job(job, predictor, options, kind, drift)
    drifted = None
    if drift is not None and options.fail_on_drift is not None:
        drifted = tuple(column for column in drift.columns() if column.psi > options.fail_on_drift)
    yield summary_of(by, done, begun, drifted)


def summary_of(
    by: ChosenModel,
    done: Sequence[PredictedFile],
    begun: float,
    drifted: tuple[ColumnDrift, ...] | None = None,
) -> PredictionSummary:
    """What was predicted since a time of the clock."""
    run = None if by.run is None else by.run.path
    return PredictionSummary(run, by.model.stored.path, tuple(done), time.monotonic() - begun, drifted)


def predict_job(
    job: PredictionJob, predictor: Predictor, options: PredictOptions, kind: str, drift: DriftCounts | None
) -> Generator[PredictEvent, None, list[PredictedFile]]:
    """Predicts the files of one output; returns what became of each."""
    done: list[PredictedFile] = []
    with ExitStack() as stack:
        shown = io.BytesIO()
        file = shown if job.out is None else stack.enter_context(writing_atomically(job.out))
        writer = prediction_formats.get(kind)().make(file, options.on_bad_row == BLANK)
        for path in job.data:
            rows = yield from predict_file(path, predictor, options, writer, shown, drift)
            found = (rows.rows, rows.unknown.total, rows.filled.total())
            done.append(PredictedFile(str(path), job.out, *found))
        writer.close()
    return done


def predict_split(words: Sequence[str], split: str, options: PredictOptions) -> Generator[PredictEvent]:
    """Predicts the rows of a run's own split, together as `eval` does, with their numbers and targets."""
    by, names = chosen_model(words, options.checkpoint, needs_run=True)
    if names:
        raise UsageError(f"--split {split} means the run's own rows: leave out {names[0]}, or --split")
    if options.fail_on_drift is not None:
        raise UsageError("--fail-on-drift compares new data with the training rows; --split has none")
    if options.keep:
        raise UsageError("--keep copies columns of new data; with --split the row and the target stand there")
    assert by.run is not None  # which was asked for
    kind = format_for(options.out, (), options.format)
    (job,) = jobs_of((), options.out, kind)
    refuse_existing([job], options.overwrite)
    predictor, schema = predictor_of(by.model, options), by.model.schema
    predictor.refuse_format(kind)
    refuse_clashes([ROW, *target_names(schema), *predictor.names], "--name")
    yield Chosen(by)
    yield from by.model.warnings
    begun = time.monotonic()
    rows, notes = own_rows(by.model, by.run, split, options.data_root)
    yield from map(Noted, notes)
    with ExitStack() as stack:
        shown = io.BytesIO()
        file = shown if job.out is None else stack.enter_context(writing_atomically(job.out))
        writer = prediction_formats.get(kind)().make(file, False)
        writer.write([*row_columns(schema, rows), *predictor.columns(rows.X)])
        writer.close()
    yield Advanced(len(rows.X))
    if text := shown.getvalue():
        yield Printed(text.decode())
    yield summary_of(by, [PredictedFile(split, job.out, len(rows.X))], begun)


def predict_file(
    path: Path,
    predictor: Predictor,
    options: PredictOptions,
    writer: Writer,
    shown: io.BytesIO,
    drift: DriftCounts | None,
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
        drift=drift,
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
