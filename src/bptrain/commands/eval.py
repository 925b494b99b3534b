"""What `bptrain eval` does: a trained model on a split of its own data, or on a file."""

from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.data import conventions_for, without_keys
from bptrain.build.metrics import build_metrics
from bptrain.data.joined_files import source_of_paths
from bptrain.data.prepare import Rows, encode_file
from bptrain.errors import CheckpointError, UsageError, Warned, not_silenced
from bptrain.formats.problems import UndeclaredConvention
from bptrain.model.load import enclosing_run, load_checkpoint, load_run, run_of, training_data
from bptrain.model.model import Model
from bptrain.parts.metrics import metrics
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory, find_run
from bptrain.training.bootstrap import Sampling
from bptrain.training.evaluation import Baseline, Evaluation, evaluation_of, seen_by
from bptrain.training.intervals import Intervals, intervals_of

SPLITS = ("test", "validation", "train")  # in the order of preference


class EvaluationReport(NamedTuple):
    """A model on a data set, with the baseline."""

    run: Path | None  # None for a lone checkpoint file and a data file
    checkpoint: Path
    split: str
    evaluation: Evaluation
    intervals: Intervals
    baseline: Baseline
    baseline_metrics: dict[str, Any]
    labels: tuple[Any, ...] | None  # the class labels in the order of the confusion matrix
    confusion_matrix: list[list[int]] | None
    warnings: tuple[Warned, ...]
    notes: tuple[str, ...] = ()  # what was decided about how the file is written

    def record(self) -> dict[str, Any]:
        """The fields of eval's JSON."""
        return {
            "run": None if self.run is None else str(self.run),
            "checkpoint": str(self.checkpoint),
            "split": self.split,
            "rows": self.evaluation.rows,
            "loss": plain(self.evaluation.loss),
            "metrics": plain(self.evaluation.metrics),
            "intervals": plain(self.intervals.metrics),
            **{
                field: plain(figures)
                for field in ("metrics_unweighted", "metrics_per_target")
                if (figures := getattr(self.evaluation, field)) is not None
            },
            **(
                {}
                if self.intervals.per_target is None
                else {"intervals_per_target": plain(self.intervals.per_target)}
            ),
            "baseline": plain(self.baseline_metrics),
            "labels": plain(self.labels),
            "confusion_matrix": self.confusion_matrix,
        }


def evaluate_model(
    run_path: Path | None = None,
    split: str | None = None,
    data: Path | None = None,
    target: Path | None = None,
    which: str = "best",
    data_root: Path | None = None,
) -> EvaluationReport:
    """Evaluates a run on one of its splits, or on a data file with the same columns as its training data.

    `which` is best, last or a checkpoint file; `data_root` is where the data of a run lies that has moved. Raises
    UsageError, DataError or CheckpointError.
    """
    if split is not None and data is not None:
        raise UsageError("--split and --data exclude each other: give one of them")
    if target is not None and data is None:
        raise UsageError("--target needs --data")
    if data_root is not None and data is not None:
        raise UsageError(
            "--data-root is where the data of the run lies, and --data is another file: give one"
        )
    model, run = model_of(run_path, which, alone=data is not None)
    name, rows, warnings = (
        _file(model, data, target) if data is not None else _split(model, run, split, data_root)
    )
    chosen = build_metrics(model.config, model.schema)
    one_class_a_row = model.schema.task == "classification" and rows.y_true.ndim == 1
    outputs = model.outputs_of(rows.X)
    seen = seen_by(model.network, outputs, model.schema, rows)
    sampling = Sampling(len(rows.X), model.config.seed)
    matrix = None
    if one_class_a_row:  # whose entries are rows, whatever they weigh
        matrix = metrics.get("confusion_matrix")().of(seen.predicted, rows.y_true, len(model.schema.labels))
    guess = Baseline.from_json(model.stored.facts.baseline)
    return EvaluationReport(
        run=None if run is None else run.path,
        checkpoint=model.stored.path,
        split=name,
        evaluation=evaluation_of(seen, model.schema, rows, chosen, per_target=True),
        intervals=intervals_of(seen, model.schema, rows, chosen, sampling, per_target=True),
        baseline=guess,
        baseline_metrics=guess.metrics(model.schema, rows, chosen),
        labels=tuple(model.schema.labels) if model.schema.task == "classification" else None,
        confusion_matrix=matrix,
        warnings=(*model.warnings, *not_silenced(warnings, model.config.silence)),
        notes=rows.notes,
    )


Found = tuple[str, Rows, tuple[Warned, ...]]


def _file(model: Model, data: Path, target: Path | None) -> Found:
    settings = model.config.data
    arrays = (settings.features, settings.target)  # the names of an npz file's arrays
    source = source_of_paths([data], target, conventions_for(settings, data))
    try:
        rows, warnings = encode_file(source, model.schema, model.w.dtype, *arrays)
    except UndeclaredConvention as doubt:
        raise without_keys(doubt) from None
    return "data", rows, tuple(warnings)


def _split(model: Model, run: RunDirectory | None, wanted: str | None, data_root: Path | None) -> Found:
    assert run is not None  # only a file can be evaluated without one
    prepared = training_data(model, run, model.w.dtype, data_root=data_root)
    name = wanted or next(split for split in SPLITS if split in prepared.splits)
    if name not in prepared.splits:
        raise UsageError(f"this run has no {name} rows; it has {', '.join(prepared.splits)}")
    done = tuple(note for note in prepared.notes if note.startswith("missing: "))
    rows = prepared.splits[name]
    return name, rows._replace(notes=rows.notes or done), ()


def failed_thresholds(report: EvaluationReport, bounds: list[tuple[str, float]]) -> list[str]:
    """One sentence for each bound that is not met: a metric below its bound, or above it if lower is better.

    Raises UsageError for a metric that was not computed.
    """
    values = {"loss": report.evaluation.loss, **report.evaluation.metrics}
    sentences = []
    for name, bound in bounds:
        value = values.get(name)
        if not isinstance(value, float):
            known = ", ".join(key for key, number in values.items() if isinstance(number, float))
            reason = f"{name} is more than one number" if name in values else "no such metric"
            raise UsageError(f"--fail-under {name}: {reason} here; there are {known}")
        lower = name == "loss" or metrics.get(name)().better == "lower"
        if not (value <= bound if lower else value >= bound):
            sentences.append(f"{name} is {value:.6g}, {'above' if lower else 'below'} {bound:g}")
    return sentences


def parse_bound(text: str) -> tuple[str, float]:
    """`metric=v` as a pair. Raises UsageError."""
    name, equals, number = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        return name.strip(), float(number)
    except ValueError:
        raise UsageError(f"--fail-under {text}: write METRIC=NUMBER, such as accuracy=0.9") from None


def model_of(run_path: Path | None, which: str, alone: bool) -> tuple[Model, RunDirectory | None]:
    """best or last of a run (without one, of the newest), or a checkpoint file, which may stand `alone`.

    Raises CheckpointError.
    """
    if which in ("best", "last"):
        run = find_run(run_path)
        return load_run(run, which), run
    file = Path(which)
    if not file.is_file():
        raise CheckpointError(f"no checkpoint at {which}: give best, last or a file")
    if run_path is None:
        return load_checkpoint(file), None if alone else run_of(file)
    run, own = find_run(run_path), enclosing_run(file)
    if own is not None and own.path.resolve() != run.path.resolve():
        raise CheckpointError(f"{file} belongs to {own.path}, not to {run.path}")
    return load_checkpoint(file), run
