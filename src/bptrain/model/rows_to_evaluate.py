"""Rows that a model is evaluated on: a split of its run, files, or what Python gives."""

import sys
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.data import conventions_for, without_keys
from bptrain.data.joined_files import source_of_paths
from bptrain.data.memory import TableInMemory, in_memory, is_named
from bptrain.data.prepare import encode_file
from bptrain.data.prepared import Rows
from bptrain.data.raw_columns import columns_of
from bptrain.data.sources import DataSource
from bptrain.errors import DataError, Problem, UsageError, Warned
from bptrain.formats import Sheet
from bptrain.formats.conventions import Conventions
from bptrain.formats.incoming import STDIN
from bptrain.formats.problems import UndeclaredConvention
from bptrain.formats.streams import pieces
from bptrain.model.ensemble import first_of_each_name
from bptrain.model.load import run_data
from bptrain.model.model import Model
from bptrain.model.row_groups import some_rows
from bptrain.model.trained_model import TrainedModel
from bptrain.store.run_directory import RunDirectory

SPLITS = ("test", "validation", "train")  # in the order of preference


class Evaluated(NamedTuple):
    """Encoded rows, and where they were read from."""

    split: str  # "data" for rows that are no split of the run
    encoded: tuple[Rows, ...]  # in each of the model's encodings, the same rows in the same order
    source: DataSource
    warnings: tuple[Warned, ...] = ()  # what is odd about them

    @property
    def rows(self) -> Rows:
        """As the first network takes them."""
        return self.encoded[0]


def rows_of_split(
    model: Model, run: RunDirectory, wanted: str | None = None, data_root: Path | None = None
) -> Evaluated:
    """The rows of a split of the run that a model comes from: of test, else of validation, else of train.

    Raises UsageError where the run has no such rows, and what `run_data` does.
    """
    prepared, sources = run_data(model, run, model.w.dtype, data_root=data_root)
    name = wanted or next(split for split in SPLITS if split in prepared.splits)
    if name not in prepared.splits:
        raise UsageError(f"this run has no {name} rows; it has {', '.join(prepared.splits)}")
    done = tuple(note for note in prepared.notes if note.startswith("missing: "))
    rows = prepared.splits[name]
    warned = trained_on(model, run) if name == "validation" else ()
    return Evaluated(name, (rows._replace(notes=rows.notes or done),), sources[name], tuple(warned))


def trained_on(model: Model, run: RunDirectory) -> Iterator[Warned]:
    """That the validation rows are no new ones to the model of a refit."""
    if model.stored.before_refit is None:
        return
    before = run.before_refit if run.before_refit.exists() else run.best
    yield Warned(
        "trained_on_validation",
        f"{model.stored.path} was trained on the validation rows too (training.refit), so figures on them say nothing "
        f"of new rows; the model before the refit was not: --checkpoint {before}",
    )


def rows_of_files(model: TrainedModel, paths: Sequence[Path], target: Path | None = None) -> Evaluated:
    """The rows of files, or patterns of their names, or of a pipe; `target` has the targets of a file of one array.

    Raises DataError, and UsageError for a pipe beside other files.
    """
    conventions = conventions_for(model.config.data, paths[0])
    source: DataSource = source_of_paths(paths, target, conventions)
    try:
        if any(map(is_pipe, paths)):
            if len(paths) > 1 or target is not None:
                raise UsageError(
                    "--data with a pipe takes no other file: join them before, or save it to a file"
                )
            source = piped(model, paths[0], conventions)
        return rows_of_source(model, source)
    except UndeclaredConvention as doubt:
        raise without_keys(doubt) from None


def is_pipe(path: Path) -> bool:
    """Whether a path means the standard input, `-`, or is a pipe, such as `<(zcat new.csv.gz)` of a shell."""
    return str(path) == "-" or path.is_fifo()


def piped(model: TrainedModel, path: Path, conventions: Conventions) -> TableInMemory:
    """The table that a pipe holds, read to its end. Raises DataError."""
    names = (feature.name for feature in model.schema.features)
    conventions = conventions._replace(needed=(*names, *model.schema.target.names))
    stdin = str(path) == "-"
    for content in pieces(sys.stdin.buffer if stdin else path, "", conventions, rows=sys.maxsize):
        if isinstance(content, Sheet):
            return TableInMemory(str(STDIN if stdin else path), content)
    message = "a pipe must hold a table, whose columns have names: save its content to a file"
    raise DataError(Problem("no_table", message, file=str(STDIN if stdin else path)))


def rows_of_source(model: TrainedModel, source: DataSource) -> Evaluated:
    """The rows of any source with the columns of the training data, that every member can predict. Raises DataError."""
    settings = model.config.data  # which names the arrays of an npz file
    names, group = (settings.features, settings.target), settings.split.group
    found = [encode_file(source, schema, dtype, *names, group=group) for schema, dtype in model.encodings]
    encoded = [rows for rows, _ in found]
    common = reduce(np.intersect1d, (rows.row_index for rows in encoded))
    encoded = [
        rows
        if len(rows.row_index) == len(common)
        else some_rows(rows, np.isin(rows.row_index, common).nonzero()[0])
        for rows in encoded
    ]
    warnings = first_of_each_name([odd for _, odd in found])
    return Evaluated("data", tuple(encoded), source, tuple(warnings))


def rows_given(model: TrainedModel, data: Any) -> Evaluated:
    """The rows of a path, of several, or of what `bptrain.fit` takes as data: (X, y), a dict of columns, a frame.

    X is what `Model.predict` takes. Raises DataError.
    """
    if isinstance(data, str | Path):
        return rows_of_files(model, [Path(data)])
    if isinstance(data, list | tuple) and data and all(isinstance(one, str | Path) for one in data):
        return rows_of_files(model, [Path(one) for one in data])
    if isinstance(data, tuple) and len(data) == 2 and not is_named(data[0]):
        data = (columns_of(data[0], model.schema), data[1])
    return rows_of_source(model, in_memory(data, "data"))
