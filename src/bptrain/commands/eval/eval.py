"""What `bptrain eval` does: a trained model on a split of its own data, or on files."""

from collections.abc import Sequence
from pathlib import Path

from bptrain.errors import CheckpointError, UsageError
from bptrain.model.answered_rows import answered
from bptrain.model.ensemble_rows import answered_split
from bptrain.model.evaluation_report import EvaluationReport, report_on
from bptrain.model.load import enclosing_run, load_file, load_trained, run_of
from bptrain.model.rows_to_evaluate import rows_of_files
from bptrain.model.trained_model import TrainedModel
from bptrain.store.chosen_run import find_run
from bptrain.store.run_directory import RunDirectory


def evaluate_model(
    run_path: Path | None = None,
    split: str | None = None,
    data: Sequence[Path] = (),
    target: Path | None = None,
    which: str = "best",
    data_root: Path | None = None,
    by: str | None = None,
    interval: float | None = None,
) -> EvaluationReport:
    """Evaluates a run on one of its splits, or on files with the same columns as its training data.

    `which` is best, last or a checkpoint file; `data_root` is where the data of a run lies that has moved; `by` is a
    column whose groups are evaluated as well, and `interval` the level of prediction intervals. Raises UsageError,
    DataError or CheckpointError.
    """
    refuse_both(split, data, target)
    if data_root is not None and data:
        raise UsageError(
            "--data-root is where the data of the run lies, and --data is another file: give one"
        )
    model, run = model_of(run_path, which, alone=bool(data))
    if data:
        found = answered(model, rows_of_files(model, data, target))
    else:
        assert run is not None  # only files can be evaluated without one
        found = answered_split(model, run, split, data_root)
    return report_on(model, found, None if run is None else run.path, by, interval)


def refuse_both(split: str | None, data: Sequence[Path], target: Path | None) -> None:
    """Raises UsageError for options that exclude each other."""
    if split is not None and data:
        raise UsageError("--split and --data exclude each other: give one of them")
    if target is not None and not data:
        raise UsageError("--target needs --data")


def model_of(run_path: Path | None, which: str, alone: bool) -> tuple[TrainedModel, RunDirectory | None]:
    """best or last of a run (without one, of the newest), or a checkpoint file, which may stand `alone`.

    Raises CheckpointError.
    """
    if which in ("best", "last"):
        run = find_run(run_path)
        return load_trained(run, which), run
    file = Path(which)
    if not file.is_file():
        raise CheckpointError(f"no checkpoint at {which}: give best, last or a file")
    if run_path is None:
        return load_file(file), None if alone else run_of(file)
    run, own = find_run(run_path), enclosing_run(file)
    if own is not None and own.path.resolve() != run.path.resolve():
        raise CheckpointError(f"{file} belongs to {own.path}, not to {run.path}")
    return load_file(file), run
