"""Which files are predicted, by whom, and where the predictions go."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bptrain.commands.eval import model_of
from bptrain.commands.predict.prediction_files import format_of_name, prediction_formats
from bptrain.data.joined_files import JoinedFiles, is_pattern
from bptrain.errors import CheckpointError, Problem, UsageError
from bptrain.formats.base import format_of
from bptrain.formats.packing import without_packing
from bptrain.formats.parquet import row_groups
from bptrain.formats.problems import nearest
from bptrain.model.load import enclosing_run, load_file, load_trained, run_of
from bptrain.model.trained_model import TrainedModel
from bptrain.store.chosen_run import find_finished_run
from bptrain.store.run_directory import RunDirectory

WEIGHTS = ".safetensors"
DASH = Path("-")  # the standard input


class ChosenModel(NamedTuple):
    """Who predicts."""

    model: TrainedModel
    run: RunDirectory | None  # None for a checkpoint file that is in none
    newest: bool  # whether nobody has named it


class Shard(NamedTuple):
    """Every `of`-th file or row group from the `number`-th on, counted from 1."""

    number: int
    of: int


class PredictedShare(NamedTuple):
    """What one call predicts of the files that it names."""

    files: tuple[Path, ...]
    groups: range | None = None  # the row groups of the one Parquet file, counted from 0; None: all
    part: Shard | None = None  # which part of that file they are


class PredictionJob(NamedTuple):
    """One output, and the files whose rows it gets."""

    data: tuple[Path, ...]
    out: Path | None  # None: stdout


def chosen_model(
    words: Sequence[str], which: str, needs_run: bool = False
) -> tuple[ChosenModel, tuple[str, ...]]:
    """Who predicts, and the words that are left: the first one names a run or a checkpoint file, or is data already.

    Raises CheckpointError, UsageError.
    """
    first = Path(words[0]) if words else None
    if first is not None and first.name.endswith(WEIGHTS):
        if which != "best":
            raise UsageError(f"--checkpoint {which}: {first} is a checkpoint already")
        run = run_of(first) if needs_run and first.is_file() else enclosing_run(first)
        return ChosenModel(load_file(first), run, False), tuple(words[1:])
    if first is not None and first.is_dir():
        model, run = model_of(first, which, alone=not needs_run)
        return ChosenModel(model, run, False), tuple(words[1:])
    if which not in ("best", "last"):
        model, run = model_of(None, which, alone=not needs_run)
        return ChosenModel(model, run or enclosing_run(Path(which)), False), tuple(words)
    if first is not None and len(words) > 1 and is_no_data(first):
        message = f"no run at {first}: there is neither such a directory nor such a file"
        raise CheckpointError(Problem(CheckpointError.code, message, suggestion=similar_run(first)))
    run = find_finished_run()
    return ChosenModel(load_trained(run, which), run, True), tuple(words)


def is_no_data(word: Path) -> bool:
    """Whether a word in front of others is meant for a run: no file, no pattern, and without the ending of data."""
    return word != DASH and not word.exists() and not is_pattern(word) and format_of(word.name) is None


def similar_run(run: Path) -> str | None:
    """A run with a similar name in the same place."""
    close = nearest(run.name, (file.parent.name for file in run.parent.glob("*/run.json")))
    return None if close is None else str(run.with_name(close))


def data_files(words: Sequence[str]) -> list[Path]:
    """The files, those of a pattern in the order of their names. Raises UsageError without any, DataError."""
    if not words:
        raise UsageError("which rows? Name files of data, or the run's own rows with --split train")
    return JoinedFiles(tuple(map(Path, words))).files("")


def parse_shard(text: str) -> Shard:
    """`I/N` as a shard. Raises UsageError."""
    number, slash, of = text.partition("/")
    if slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return Shard(int(number), int(of))
    raise UsageError(f"--shard {text}: write I/N, with I from 1 to N, such as 1/4")


def share_of(files: Sequence[Path], shard: Shard | None) -> PredictedShare:
    """What a shard has of the files; None: everything. One Parquet file is shared out by its row groups.

    Raises UsageError for one file of another format, DataError.
    """
    if shard is None:
        return PredictedShare(tuple(files))
    if len(files) > 1:
        return PredictedShare(tuple(files[shard.number - 1 :: shard.of]))
    found = format_of(files[0].name)
    if found is None or ".parquet" not in found.suffixes:
        message = f"--shard shares out files, or the row groups of a Parquet file, and {files[0]} is one file without"
        raise UsageError(message)
    groups = range(shard.number - 1, row_groups(files[0], ""), shard.of)
    return PredictedShare(tuple(files), groups, shard) if groups else PredictedShare(())


def jobs_of(files: Sequence[Path], out: str | None, kind: str, share: PredictedShare) -> list[PredictionJob]:
    """The outputs of a share in a format: stdout, a file, or, of a directory, a file per input.

    What an output is called does not depend on the share, but for the part of one Parquet file.

    Raises UsageError where an output would be an input, or two inputs have one output.
    """
    if out is None:
        return [PredictionJob(share.files, None)] if share.files else []
    path = Path(out)
    if not is_directory(out, files):
        return [PredictionJob(share.files, path)] if share.files else []
    end = "" if share.part is None else f".{share.part.number}-of-{share.part.of}"
    end += prediction_formats.get(kind)().suffixes[0]
    inputs = defaultdict(list)
    for file in files:
        inputs[path / (stem_of(file) + end)].append(file)
    for target, sources in inputs.items():
        if len(sources) > 1:
            names = " and ".join(map(str, sources))
            raise UsageError(f"{names} would both be written to {target}: give them directories of their own")
    mine = frozenset(share.files)
    return [PredictionJob((file,), target) for target, (file,) in inputs.items() if file in mine]


def is_directory(out: str, files: Sequence[Path]) -> bool:
    """Whether --out means a directory: one that is there, one with a slash behind it, or the place of several files."""
    path = Path(out)
    return path.is_dir() or out.endswith("/") or (len(files) > 1 and format_of_name(path) is None)


def stem_of(file: Path) -> str:
    """The name of a file without the suffixes of its format and of its packing."""
    if file == DASH:
        return "stdin"
    bare = file.name[: len(without_packing(file.name))]
    found = format_of(bare)
    for suffix in () if found is None else (*found.suffixes, *found.variants):
        if bare.lower().endswith(suffix):
            return bare[: -len(suffix)]
    return bare


def refuse_existing(jobs: Sequence[PredictionJob], model: TrainedModel, overwrite: bool) -> None:
    """Raises UsageError for an output that is there, or that may not be replaced."""
    for job in jobs:
        if job.out is None:
            continue
        for file, role in (
            *((file, "file that is predicted") for file in job.data),
            (model.stored.path, "model that predicts"),
        ):
            if file.exists() and job.out.exists() and job.out.samefile(file):
                raise UsageError(f"--out {job.out} is the {role}")
        if job.out.exists() and not job.out.is_file():
            raise UsageError(f"--out {job.out} is not a plain file")
        if job.out.exists() and not overwrite:
            raise UsageError(f"--out {job.out} is there already: give another name, or --overwrite")


def format_for(out: str | None, files: Sequence[Path], asked: str | None) -> str:
    """The format of the output: as asked for, by the suffix of --out, else CSV. Raises UsageError."""
    known = ", ".join(prediction_formats)
    if asked is not None and asked not in prediction_formats:
        raise UsageError(f"--format {asked}: choose one of {known}")
    if out is None:
        if asked not in (None, "csv"):
            raise UsageError(f"--format {asked} needs --out: on stdout predictions are csv")
        return "csv"
    if is_directory(out, files):
        return asked or "csv"
    found = asked or format_of_name(Path(out))
    if found is None:
        raise UsageError(f"--out {out}: which format? Give it a suffix, or --format with one of {known}")
    return found
