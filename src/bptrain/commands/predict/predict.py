"""What `bptrain predict` does: rows come piece by piece, and their predictions go out as they come.

A file of predictions is written beside its name and renamed when it is whole, so that one that is there is complete.
"""

import signal
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bptrain.build.data import conventions_for, without_keys
from bptrain.commands.predict.own_rows import AT_A_TIME, ROW, row_columns, target_names
from bptrain.commands.predict.predicted_files import (
    DASH,
    ChosenModel,
    PredictionJob,
    chosen_model,
    data_files,
    format_for,
    is_directory,
    jobs_of,
    parse_shard,
    refuse_existing,
    share_of,
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
from bptrain.commands.predict.prediction_output import Output, open_output
from bptrain.commands.predict.predictor import Predictor, predictor_of
from bptrain.data.drift import ColumnDrift, DriftCounts
from bptrain.data.new_rows import ALL
from bptrain.errors import Interrupted, UsageError, not_silenced
from bptrain.formats.incoming import STDIN
from bptrain.formats.problems import FaultyRows, UndeclaredConvention
from bptrain.formats.streams import pieces, pieces_of_groups
from bptrain.model.ensemble_rows import answered_split
from bptrain.model.predicted_rows import AnsweredPiece, PredictedRows


def predict(words: Sequence[str], options: PredictOptions) -> Generator[PredictEvent]:
    """Predicts the rows of files: the last event is the summary.

    words   a run or a checkpoint file, unless the newest finished run is meant; and the files, or with a split none

    Raises UsageError, DataError (FaultyRows for rows that cannot be predicted), CheckpointError, StorageError.
    """
    if options.split is not None:
        yield from predict_split(words, options.split, options)
        return
    if options.data_root is not None:
        raise UsageError("--data-root is where the run's own data lies: it goes with --split")
    by, names = chosen_model(words, options.checkpoint)
    files = data_files(names)
    kind = format_for(options.out, files, options.format)
    share = share_of(files, None if options.shard is None else parse_shard(options.shard))
    jobs = jobs_of(files, options.out, kind, share)
    requeued = options.out is not None and is_directory(options.out, files)
    refuse_existing(jobs, by.model, options.overwrite or requeued)
    drift = None if options.fail_on_drift is None else DriftCounts(by.model.training_statistics())
    task = Task(predictor_of(by.model, options), options, kind, requeued, share.groups, drift)
    task.predictor.refuse_format(kind)
    yield Chosen(by)
    yield from by.model.warnings
    if not jobs:
        yield Noted(f"nothing is left for --shard {options.shard}: there are fewer files or row groups")
    begun, done, finished = time.monotonic(), list[PredictedFile](), 0
    try:
        for job in jobs:
            if requeued and not options.overwrite and job.out is not None and job.out.exists():
                done += [PredictedFile(str(file), job.out, left=True) for file in job.data]
                yield Left(job.out)
                if drift is not None:  # which is that of all files together
                    for file in job.data:
                        yield from predict_file(file, task, None)
            else:
                done += yield from predict_job(job, task)
            finished += 1
    except (KeyboardInterrupt, Interrupted) as error:
        if not finished:
            raise
        which = f"{finished} of {len(jobs)} files of predictions" + (" is" if finished == 1 else " are")
        number = error.signal_number if isinstance(error, Interrupted) else signal.SIGINT
        message = f"stopped; {which} complete, and the same command goes on with the others"
        raise Interrupted(message, number) from None
    drifted = None
    if drift is not None and options.fail_on_drift is not None:
        drifted = tuple(column for column in drift.columns() if column.psi > options.fail_on_drift)
    yield summary_of(by, done, begun, drifted)


class Task(NamedTuple):
    """What is done with each file."""

    predictor: Predictor
    options: PredictOptions
    kind: str  # the format of the output
    to_directory: bool
    groups: range | None  # the row groups of the one Parquet file; None: all rows of each file
    drift: DriftCounts | None


def summary_of(
    by: ChosenModel,
    done: Sequence[PredictedFile],
    begun: float,
    drifted: tuple[ColumnDrift, ...] | None = None,
) -> PredictionSummary:
    """What was predicted since a time of the clock."""
    run = None if by.run is None else by.run.path
    return PredictionSummary(run, by.model.stored.path, tuple(done), time.monotonic() - begun, drifted)


def predict_job(job: PredictionJob, task: Task) -> Generator[PredictEvent, None, list[PredictedFile]]:
    """Predicts the files of one output; returns what became of each."""
    done: list[PredictedFile] = []
    with open_output(job.out, task.kind, task.options.on_bad_row == BLANK, task.to_directory) as output:
        for path in job.data:
            rows = yield from predict_file(path, task, output)
            found = (rows.rows, rows.unknown.total, rows.filled.total())
            done.append(PredictedFile(str(path), job.out, *found))
    return done


def predict_split(words: Sequence[str], split: str, options: PredictOptions) -> Generator[PredictEvent]:
    """Predicts the rows of a run's own split, together as `eval` does, with their numbers and targets."""
    by, names = chosen_model(words, options.checkpoint, needs_run=True)
    if names:
        raise UsageError(f"--split {split} means the run's own rows: leave out {names[0]}, or --split")
    if options.shard is not None:
        raise UsageError("--shard shares out files of new data; --split has none")
    if options.fail_on_drift is not None:
        raise UsageError("--fail-on-drift compares new data with the training rows; --split has none")
    if options.keep:
        raise UsageError("--keep copies columns of new data; with --split the row and the target stand there")
    if options.on_bad_row == BLANK:
        raise UsageError("--on-bad-row is about new data; the run has read the rows of --split before")
    assert by.run is not None  # which was asked for
    kind = format_for(options.out, (), options.format)
    if options.out is not None and is_directory(options.out, ()):
        raise UsageError(f"--out {options.out} is a directory: name a file in it")
    job = PredictionJob((), None if options.out is None else Path(options.out))
    refuse_existing([job], by.model, options.overwrite)
    predictor, schema = predictor_of(by.model, options), by.model.schema
    predictor.refuse_format(kind)
    refuse_clashes([ROW, *target_names(schema), *predictor.names], "--name")
    yield Chosen(by)
    yield from by.model.warnings
    begun = time.monotonic()
    found = answered_split(by.model, by.run, split, options.data_root)
    rows, answers = found.rows, found.answers
    yield from map(Noted, rows.notes)
    yield from not_silenced(found.warnings, by.model.config.silence)
    with open_output(job.out, kind, False) as output:
        for a in range(0, len(answers.outputs), AT_A_TIME):
            part = slice(a, a + AT_A_TIME)
            written = [*row_columns(schema, rows, part), *predictor.columns_of(answers.part(part))]
            output.write(written, split)
            yield from shown(output)
    yield Advanced(len(rows.y_true))
    yield summary_of(by, [PredictedFile(split, job.out, len(rows.y_true))], begun)


def predict_file(
    path: Path, task: Task, output: Output | None
) -> Generator[PredictEvent, None, PredictedRows]:
    """Predicts the rows of one file; returns them, with what is odd about them. Without an output they are counted."""
    predictor, options = task.predictor, task.options
    model = predictor.model
    settings = model.config.data
    named = settings.features if isinstance(settings.features, str) and settings.features != ALL else "X"
    source, name = (sys.stdin.buffer, str(STDIN)) if path == DASH else (path, str(path))
    rows = PredictedRows(
        model,
        name,
        array=named,
        keep=ALL if options.keep == (ALL,) else options.keep,
        blank=options.on_bad_row == BLANK,
        drift=task.drift,
    )
    conventions = conventions_for(settings, path)
    names = tuple(feature.name for feature in model.schema.features)
    conventions = conventions._replace(needed=names, kept=() if options.keep == (ALL,) else options.keep)
    try:
        found = (
            pieces(source, "", conventions)
            if task.groups is None
            else pieces_of_groups(path, task.groups, conventions)
        )
        for piece in found:
            taken = rows.take(piece)
            if output is not None:
                output.write(columns_of(taken, predictor), name)
                yield Advanced(taken.rows)
                yield from shown(output)
    except UndeclaredConvention as doubt:
        raise without_keys(doubt) from None
    except FaultyRows as fault:
        *others, last = fault.problems
        message = f"{last.message}. To predict the other rows: --on-bad-row blank"
        raise FaultyRows([*others, last._replace(message=message)], fault.rows) from None
    if output is not None:
        odd = not_silenced(rows.warnings(), model.config.silence)
        yield from map(Noted, rows.notes())
        yield from odd
    return rows


def shown(output: Output) -> Iterator[Printed]:
    """What is to be printed now."""
    if text := output.lines():
        yield Printed(text)


def columns_of(piece: AnsweredPiece, predictor: Predictor) -> list[OutColumn]:
    """The columns that are written of some rows. Raises UsageError where two have the same name."""
    kept = [OutColumn(one.name, one.cells, copied=True, typed=one.typed) for one in piece.kept]
    refuse_clashes([*(column.name for column in kept), *predictor.names], "--name, or keep other columns")
    return [*kept, *(with_gaps(column, piece.unfit) for column in predictor.columns_of(piece.answers))]
