"""What `bptrain eval` does: a trained model on a split of its own data, or on a file."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build import build_metrics, prepare_data
from bptrain.config import Loaded, load_config
from bptrain.data.prepare import Prepared, Rows, encode_file
from bptrain.data.settings import Source
from bptrain.errors import CheckpointError, DataError, UsageError
from bptrain.evaluation import Baseline, Evaluation, evaluate
from bptrain.model import Model, best_or_last, last, load_checkpoint
from bptrain.parts.metrics import metrics
from bptrain.store.plain import plain
from bptrain.store.run import RunDirectory, find_run

SPLITS = ("test", "validation", "train")  # in the order of preference


class Assessment(NamedTuple):
    """A model on a data set, beside the baseline."""

    run: Path
    checkpoint: Path
    split: str
    evaluation: Evaluation
    baseline: Baseline
    baseline_metrics: dict[str, Any]
    labels: tuple[Any, ...] | None  # the class labels in the order of the confusion matrix
    confusion_matrix: list[list[int]] | None
    warnings: tuple[tuple[str, str], ...]

    def record(self) -> dict[str, Any]:
        """The fields of eval's JSON."""
        return {
            "run": str(self.run),
            "checkpoint": str(self.checkpoint),
            "split": self.split,
            "rows": self.evaluation.rows,
            "loss": plain(self.evaluation.loss),
            "metrics": plain(self.evaluation.metrics),
            "baseline": plain(self.baseline_metrics),
            "labels": plain(self.labels),
            "confusion_matrix": self.confusion_matrix,
        }


def assess(
    run_path: Path | None = None,
    split: str | None = None,
    data: Path | None = None,
    target: Path | None = None,
    which: str = "best",
) -> Assessment:
    """Evaluates a run on one of its splits, or on a data file in the form of its training data.

    `which` is best, last or a checkpoint file. Raises UsageError, DataError or CheckpointError.
    """
    if split is not None and data is not None:
        raise UsageError(
            "--split names a part of the training data and --data another file: give one of them"
        )
    if target is not None and data is None:
        raise UsageError("--target goes with --data")
    run = find_run(run_path)
    path = checkpoint_of(run, which)
    model = load_checkpoint(path)
    loaded = load_config(run.config)
    name, rows, warnings = _file(loaded, model, data, target) if data else _split(run, loaded, model, split)
    chosen = build_metrics(loaded, model.schema)
    evaluation = evaluate(model.network, model.w, model.schema, rows, chosen)
    stored = model.stored.facts.baseline
    guess = Baseline(stored["description"], np.asarray(stored["guess"]))
    labels, matrix = None, None
    if model.schema.task == "classification":
        labels = tuple(model.schema.labels)
        confusion = metrics.get("confusion_matrix")()
        if rows.true.ndim == 1 or confusion.multilabel:
            counted = evaluate(model.network, model.w, model.schema, rows, {"confusion_matrix": confusion})
            matrix = counted.metrics["confusion_matrix"]
    return Assessment(
        run=run.path,
        checkpoint=path,
        split=name,
        evaluation=evaluation,
        baseline=guess,
        baseline_metrics=guess.metrics(model.schema, rows, chosen),
        labels=labels,
        confusion_matrix=matrix,
        warnings=warnings,
    )


Found = tuple[str, Rows, tuple[tuple[str, str], ...]]


def _file(loaded: Loaded, model: Model, data: Path, target: Path | None) -> Found:
    settings = loaded.config.data
    arrays = (settings.features, settings.target)  # the names of an npz file's arrays
    rows, warnings = encode_file(Source(data, target), model.schema, model.w.dtype, *arrays)
    return "data", rows, tuple(warnings)


def _split(run: RunDirectory, loaded: Loaded, model: Model, wanted: str | None) -> Found:
    """One split, cut again from the training data, which must be what it was. Raises DataError."""
    prepared: Prepared = prepare_data(loaded)
    if prepared.digest != model.stored.facts.data:
        raise DataError(
            f"the data of {run.path} has changed since it was trained, so its splits cannot be cut again: "
            "bring the old file back, or evaluate a file with --data FILE"
        )
    name = wanted or next(split for split in SPLITS if split in prepared.splits)
    if name not in prepared.splits:
        raise UsageError(f"this run has no {name} rows: it has {', '.join(prepared.splits)}")
    return name, prepared.splits[name], ()


def falls_short(assessment: Assessment, bounds: list[tuple[str, float]]) -> list[str]:
    """The bounds that are not met, a sentence each: a metric below its bound, or above where lower is better.

    Raises UsageError for a metric that was not computed.
    """
    values = {"loss": assessment.evaluation.loss, **assessment.evaluation.metrics}
    sentences = []
    for name, bound in bounds:
        value = values.get(name)
        if not isinstance(value, float):
            known = ", ".join(key for key, number in values.items() if isinstance(number, float))
            raise UsageError(f"--fail-under {name}: no such metric here; there are {known}")
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


def checkpoint_of(run: RunDirectory, which: str) -> Path:
    """best, last or a file of a run's. Raises CheckpointError."""
    if which not in ("best", "last") and not Path(which).is_file():
        raise CheckpointError(f"no checkpoint at {which}: give best, last or a file")
    return {"best": best_or_last, "last": last}.get(which, lambda _: Path(which))(run)
