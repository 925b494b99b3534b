"""`bptrain eval RUN_A RUN_B`: how much better one model is than another on the same rows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.data import conventions_for, data_settings, without_keys
from bptrain.build.metrics import build_metrics
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.prepare import Rows
from bptrain.data.sources import DataSource, FileSource
from bptrain.errors import DataError, Problem, UsageError, Warned, not_silenced
from bptrain.formats.files import digest
from bptrain.formats.problems import UndeclaredConvention
from bptrain.model.load import config_of, load_run, run_data
from bptrain.model.model import Model
from bptrain.model.row_groups import some_rows
from bptrain.model.rows_to_evaluate import Evaluated, rows_of_files, rows_of_source, rows_of_split
from bptrain.parts.metrics import Metric
from bptrain.parts.types import Array
from bptrain.store.chosen_run import find_run
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory
from bptrain.training.bootstrap import Ends, Sampling, interval
from bptrain.training.evaluation import Evaluation, evaluation_of, seen_by
from bptrain.training.intervals import LOSS, Figures, Intervals, drawn_of, figures_of, intervals_of


class RunCompared(NamedTuple):
    """One of the two models on the rows."""

    run: RunDirectory
    model: Model
    evaluation: Evaluation
    intervals: Intervals

    def record(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "run": str(self.run.path),
            "checkpoint": str(self.model.stored.path),
            "loss": plain(self.evaluation.loss),
            "metrics": plain(self.evaluation.metrics),
            "intervals": plain(self.intervals.metrics),
        }


class Comparison(NamedTuple):
    """Two models on the same rows, and B − A."""

    split: str
    rows: int
    runs: tuple[RunCompared, RunCompared]
    difference: dict[str, Any]  # of the loss and each metric: a number, or one per label
    intervals: dict[str, Any]  # its ends likewise; None where the rows do not tell
    warnings: tuple[Warned, ...]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The fields of eval's JSON."""
        return {
            "split": self.split,
            "rows": self.rows,
            "runs": [one.record() for one in self.runs],
            "difference": plain(self.difference),
            "intervals": plain(self.intervals),
        }


class Candidate(NamedTuple):
    """A run and its model."""

    run: RunDirectory
    model: Model


def compare_runs(
    paths: tuple[Path, Path],
    split: str | None = None,
    data: Sequence[Path] = (),
    target: Path | None = None,
    which: str = "best",
    data_root: Path | None = None,
) -> Comparison:
    """Evaluates two runs on the same rows: those of a split of the first, or of files.

    Raises UsageError for models that do not answer the same question; DataError for rows that one of them was trained
    on.
    """
    if which not in ("best", "last"):
        raise UsageError(f"--checkpoint {which}: of two runs, choose best or last")
    a, b = (Candidate(run, load_run(run, which)) for run in map(find_run, paths))
    refuse_other_questions(a, b)
    if data:
        first = rows_of_files(a.model, data, target)
        second = rows_of_files(b.model, data, target)
    else:
        first = rows_of_split(a.model, a.run, split, data_root)
        second = the_same_rows(b.model, first.source)
    refuse_training_rows(first, (a, b), data_root)
    common, places_a, places_b = np.intersect1d(
        first.rows.row_index, second.rows.row_index, return_indices=True
    )
    if not len(common):
        raise DataError("there is no row that both models can predict")
    notes = list(first.rows.notes)
    if len(common) < len(first.rows.row_index):
        left = len(first.rows.row_index) - len(common)
        notes.append(
            f"{left:,} of {len(first.rows.row_index):,} rows are left out: {b.run.path} drops them for missing cells"
        )
    rows = (some_rows(first.rows, places_a), some_rows(second.rows, places_b))
    return compared((a, b), first.split, rows, notes, (first, second))


def the_same_rows(model: Model, source: DataSource) -> Evaluated:
    """All rows of a source of another model, read as this model reads files. Raises DataError."""
    if isinstance(source, FileSource):
        source = source._replace(conventions=conventions_for(model.config.data, source.inputs))
    elif isinstance(source, JoinedFiles):
        source = source._replace(conventions=conventions_for(model.config.data, source.patterns[0]))
    try:
        return rows_of_source(model, source)
    except UndeclaredConvention as doubt:
        raise without_keys(doubt) from None


def refuse_other_questions(a: Candidate, b: Candidate) -> None:
    """Raises UsageError where two models differ in task, targets or classes."""
    for what, of in (
        ("tasks", lambda model: model.schema.task),
        ("targets", lambda model: ", ".join(model.schema.target.names)),
        ("classes", lambda model: ", ".join(map(str, model.schema.labels))),
    ):
        one, other = of(a.model), of(b.model)
        if one != other:
            raise UsageError(
                f"{a.run.path} and {b.run.path} cannot be compared, since their {what} differ: {one}; {other}"
            )


def refuse_training_rows(
    evaluated: Evaluated, candidates: Iterable[Candidate], data_root: Path | None
) -> None:
    """Raises DataError where one of the models was trained on one of the rows, as far as digests tell."""
    for candidate in candidates:
        trained = trained_rows(evaluated, candidate, data_root)
        n, rows = len(np.intersect1d(trained, evaluated.rows.row_index)), len(evaluated.rows.row_index)
        if n:
            what = evaluated.source.name if evaluated.split == "data" else f"the {evaluated.split} split"
            message = (
                f"{n:,} of the {rows:,} rows of {what} are training rows of {candidate.run.path}, so it has an unfair "
                "lead there: give rows that neither was trained on with --data FILE, or train both with the same split"
            )
            raise DataError(Problem("training_rows", message))


def trained_rows(evaluated: Evaluated, candidate: Candidate, data_root: Path | None) -> Array:
    """The numbers of rows of a source on which a model was trained, where its files are those of the training rows."""
    run, model = candidate
    known, source = model.stored.facts.data, evaluated.source
    if all(known.get(role) == found for role, found in source.digests("train").items()):
        return np.asarray(
            run_data(model, run, model.w.dtype, data_root=data_root).prepared.splits["train"].row_index
        )
    try:
        loaded, search = config_of(model, run, data_root)
        settings = data_settings(search.found(loaded))
        own = set(file_digests(settings.train))
    except DataError:  # its data is not at hand, or was given in Python: the digest of all of it has to do
        own = set()
    return evaluated.rows.row_index if own & set(file_digests(source)) else np.empty(0, int)


def file_digests(source: DataSource) -> list[str]:
    """The digest of each file of a source of several, or of a table."""
    if isinstance(source, JoinedFiles):
        return [digest(path, "") for path in source.files("")]
    return [digest(source.inputs, "")] if isinstance(source, FileSource) and source.target is None else []


def compared(
    candidates: tuple[Candidate, Candidate],
    split: str,
    rows: tuple[Rows, Rows],
    notes: Sequence[str],
    found: Iterable[Evaluated],
) -> Comparison:
    """The figures of both models on the rows, and their differences on the same rows drawn."""
    a, b = candidates
    chosen = common_metrics(a.model, b.model)
    sampling = Sampling(len(rows[0].row_index), a.model.config.seed, rows[0].groups)
    both: list[RunCompared] = []
    figures: list[Figures] = []
    for (run, model), data in zip(candidates, rows, strict=True):
        own = {
            name: metric
            for name, metric in build_metrics(model.config, model.schema).items()
            if name in chosen
        }
        data = data._replace(row_weight=rows[0].row_weight)  # in the metrics of both
        seen = seen_by(model.network, model.outputs_of(data.X), model.schema, data)
        evaluation = evaluation_of(seen, model.schema, data, own)
        ends = intervals_of(seen, model.schema, data, own, sampling)
        both.append(RunCompared(run, model, evaluation, ends))
        figures.append(figures_of(seen, model.schema, data, own, sampling))
    told = list(notes)
    losses = [model.config.loss for _, model in candidates]
    if losses[0] != losses[1]:
        names = " and ".join(loss.name for loss in losses)
        told.append(f"the losses differ ({names}, or their options), so their difference is left out")
    difference, ends_of = differences(both, figures, sampling, losses[0] == losses[1], a.model.schema.labels)
    odd = dict.fromkeys(one for evaluated in found for one in evaluated.warnings)
    warned = (*a.model.warnings, *b.model.warnings, *not_silenced(odd, a.model.config.silence))
    return Comparison(
        split, len(rows[0].row_index), (both[0], both[1]), difference, ends_of, warned, tuple(told)
    )


def common_metrics(a: Model, b: Model) -> Mapping[str, Metric]:
    """The metrics that both configs have, with the same options. Raises UsageError where there are none."""
    parts = [
        None if model.config.metrics is None else {part.name: part.options for part in model.config.metrics}
        for model in (a, b)
    ]
    own, others = build_metrics(a.config, a.schema), build_metrics(b.config, b.schema)
    return {
        name: metric
        for name, metric in own.items()
        if name in others and (parts[0] or {}).get(name, {}) == (parts[1] or {}).get(name, {})
    }


def differences(
    both: Sequence[RunCompared],
    figures: Sequence[Figures],
    sampling: Sampling,
    same_loss: bool,
    labels: Sequence[Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """B − A of the loss and each metric, and its ends: each figure of both on the same rows drawn."""
    drawn = [drawn_of(one, sampling) for one in figures]
    difference: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    for key in drawn[0]:
        name, _ = key
        if name == LOSS and not same_loss:
            continue
        gap = drawn[1][key].minus(drawn[0][key])
        ends: list[Ends | None] = interval(gap)
        if gap.value.ndim:
            names = [*map(str, labels)]
            difference[name] = dict(zip(names, gap.value.tolist(), strict=True))
            intervals[name] = dict(zip(names, ends, strict=True))
        else:
            difference[name], intervals[name] = float(gap.value), ends[0]
    for (name, _), value in figures[0].extremes.items():
        difference[name], intervals[name] = figures[1].extremes[name, None] - value, None
    return difference, intervals
