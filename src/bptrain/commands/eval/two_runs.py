"""`bptrain eval RUN_A RUN_B`: how much better one model is than another on the same rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.data import conventions_for, data_settings, without_keys
from bptrain.build.metrics import build_metrics
from bptrain.commands.eval.eval import refuse_both
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.prepared import Rows
from bptrain.data.sources import DataSource, FileSource
from bptrain.errors import DataError, Problem, UsageError, Warned, not_silenced
from bptrain.formats.files import digest
from bptrain.formats.problems import UndeclaredConvention, some_of
from bptrain.model.answered_rows import Answered, answered
from bptrain.model.ensemble import Ensemble
from bptrain.model.ensemble_rows import answered_split, reading_of
from bptrain.model.load import config_of, load_trained, run_data, runs_of_networks
from bptrain.model.model import Model
from bptrain.model.row_groups import of_rows, some_rows
from bptrain.model.rows_to_evaluate import Evaluated, is_pipe, rows_of_files, rows_of_source
from bptrain.model.trained_model import TrainedModel
from bptrain.parts.metrics import Metric
from bptrain.parts.types import Array
from bptrain.store.chosen_run import find_run
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory
from bptrain.training.bootstrap import Drawn, Ends, Sampling, interval
from bptrain.training.evaluation import Evaluation, Seen, evaluation_of
from bptrain.training.intervals import LOSS, Figures, Intervals, Key, drawn_of, figures_of, intervals_from


class RunCompared(NamedTuple):
    """One of the two models on the rows."""

    run: RunDirectory
    model: TrainedModel
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
            "warnings": [{"name": name, "message": message} for name, message in self.warnings],
        }


class Candidate(NamedTuple):
    """A run and its model."""

    run: RunDirectory
    model: TrainedModel


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
    refuse_both(split, data, target)
    if which not in ("best", "last"):
        raise UsageError(f"--checkpoint {which}: of two runs, choose best or last")
    if any(map(is_pipe, data)):
        raise UsageError("--data with a pipe can be read once, and there are two models: save it to a file")
    a, b = (Candidate(run, load_trained(run, which)) for run in map(find_run, paths))
    refuse_other_questions(a, b)
    if data:
        first = answered(a.model, rows_of_files(a.model, data, target))
        second = answered(b.model, rows_of_files(b.model, data, target))
    else:
        first = answered_split(a.model, a.run, split, data_root)
        second = answered(b.model, the_same_rows(b.model, first.source))
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
    on_rows = (CommonRows.some(first, places_a), CommonRows.some(second, places_b))
    warned = (*first.warnings, *second.warnings)
    return compared((a, b), first.split, on_rows, notes, warned)


class CommonRows(NamedTuple):
    """What a model makes of the rows that both can predict."""

    rows: Rows
    seen: Seen

    @classmethod
    def some(cls, found: Answered, places: Array) -> "CommonRows":
        """Some of the rows of a model."""
        if len(places) == len(found.rows.row_index):
            return cls(found.rows, found.seen)
        return cls(some_rows(found.rows, places), of_rows(found.seen, places))


def the_same_rows(model: TrainedModel, source: DataSource) -> Evaluated:
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
    evaluated: Answered, candidates: Iterable[Candidate], data_root: Path | None
) -> None:
    """Raises DataError where one of the models was trained on one of the rows, as far as digests tell."""
    what = evaluated.source.name if evaluated.split == "data" else f"the {evaluated.split} split"
    for run, network in networks_of(candidates):
        trained = trained_splits(evaluated.source, network)
        if trained is not None:
            splits = run_data(network, run, network.w.dtype, data_root=data_root).prepared.splits
            rows = evaluated.rows.row_index
            n = sum(len(np.intersect1d(splits[name].row_index, rows)) for name in trained)
            fault = f"{n:,} of the {len(rows):,} rows of {what} are training rows of {run.path}" if n else ""
        else:
            shared = [
                path
                for source in training_sources(run, network, data_root)
                for path in files_in_common(evaluated.source, source)
            ]
            fault = (
                f"{what} has rows of {some_of(shared)}, of which {run.path} was trained on some"
                if shared
                else ""
            )
        if fault:
            cure = "give rows that neither was trained on with --data FILE, or train both with the same split"
            raise DataError(Problem("training_rows", f"{fault}, so it has an unfair lead there: {cure}"))


def networks_of(candidates: Iterable[Candidate]) -> Iterator[tuple[RunDirectory, Model]]:
    """The networks of the models, with their runs; members of one ensemble that have the same training rows once."""
    for run, model in candidates:
        if not isinstance(model, Ensemble):
            yield from ((run, network) for network in model.members)
            continue
        known = set()
        for member, place in zip(model.networks, runs_of_networks(model, run.path), strict=True):
            key = (reading_of(member), member.stored.before_refit is not None)
            if key not in known:
                known.add(key)
                yield RunDirectory(place), member


def trained_splits(source: DataSource, model: Model) -> list[str] | None:
    """The splits in a source that a model was trained on, in a refit validation too; None for a source of other data.

    That is told by its digests.
    """
    kept, refitted = model.stored.facts.data, model.stored.before_refit is not None
    of_role = {"train": ["train"], "validation": []}
    if refitted:
        of_role["validation" if "validation" in kept else "train"].append("validation")
    read = {
        role: splits
        for role, splits in of_role.items()
        if splits and all(kept.get(name) == found for name, found in source.digests(role).items())
    }
    return [name for splits in read.values() for name in splits] if read else None


def training_sources(run: RunDirectory, model: Model, data_root: Path | None) -> list[DataSource]:
    """Where the rows that a model was trained on lie now; none where they are not at hand, or were given in Python."""
    try:
        loaded, search = config_of(model, run, data_root)
        settings = data_settings(search.found(loaded))
    except DataError:  # then the digest of all of them has to do
        return []
    added = None if model.stored.before_refit is None else settings.validation
    return [settings.train, *([] if added is None else [added])]


def files_in_common(one: DataSource, other: DataSource) -> list[Path]:
    """The files of a source that are, by their digests, files of another one, too."""
    known = set(file_digests(other).values())
    return [path for path, found in file_digests(one).items() if found in known]


def file_digests(source: DataSource) -> dict[Path, str]:
    """The digest of each file of a source of one or several tables."""
    if isinstance(source, JoinedFiles):
        return {path: digest(path, "") for path in source.files("")}
    if isinstance(source, FileSource) and source.target is None:
        return {source.inputs: digest(source.inputs, "")}
    return {}


def compared(
    candidates: tuple[Candidate, Candidate],
    split: str,
    on_rows: tuple[CommonRows, CommonRows],
    notes: Sequence[str],
    odd: Sequence[Warned],
) -> Comparison:
    """The figures of both models on the rows, and their differences on the same rows drawn."""
    a, b = (model for _, model in candidates)
    chosen, told = common_metrics(a, b), list(notes)
    first = on_rows[0].rows  # whose weights and groups are the same in both
    sampling = Sampling(len(first.row_index), a.config.seed, first.groups)
    both: list[RunCompared] = []
    drawn: list[FiguresDrawn] = []
    for (run, model), (own, seen), metrics in zip(candidates, on_rows, chosen, strict=True):
        data = own._replace(row_weight=first.row_weight, sample_weight=first.sample_weight)
        figures = figures_of(seen, model.schema, data, metrics, sampling)
        drawn.append(FiguresDrawn(figures, drawn_of(figures, sampling)))
        independent = first.groups is None and first.row_weight is None
        ends = intervals_from(*drawn[-1], model.schema, metrics, independent)
        both.append(RunCompared(run, model, evaluation_of(seen, model.schema, data, metrics), ends))
    same_loss = a.config.loss == b.config.loss
    if not same_loss:
        names = f"{a.config.loss.name} and {b.config.loss.name}"
        told.append(f"the losses differ ({names}, or their options), so their difference is left out")
    difference, ends_of = differences(drawn[0], drawn[1], same_loss, a.schema.labels)
    warned = (*a.warnings, *b.warnings, *not_silenced(dict.fromkeys(odd), a.config.silence))
    return Comparison(split, sampling.rows, (both[0], both[1]), difference, ends_of, warned, tuple(told))


class FiguresDrawn(NamedTuple):
    """The figures of one model, and what they are on the rows drawn."""

    figures: Figures
    drawn: Mapping[Key, Drawn]


def common_metrics(a: TrainedModel, b: TrainedModel) -> tuple[Mapping[str, Metric], Mapping[str, Metric]]:
    """The metrics that both configs have with the same options, as each of them makes it."""
    options = [
        {part.name: part.options for part in model.config.metrics or () if part.options} for model in (a, b)
    ]
    of_a, of_b = (build_metrics(model.config, model.schema) for model in (a, b))
    names = [name for name in of_a if name in of_b and options[0].get(name) == options[1].get(name)]
    return {name: of_a[name] for name in names}, {name: of_b[name] for name in names}


def differences(
    a: FiguresDrawn, b: FiguresDrawn, same_loss: bool, labels: Sequence[Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """B − A of the loss and each metric, and its ends: each figure of both on the same rows drawn."""
    difference: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    for key, of_a in a.drawn.items():
        name, _ = key
        if name == LOSS and not same_loss:
            continue
        gap = b.drawn[key].minus(of_a)
        ends: list[Ends | None] = interval(gap)
        if gap.value.ndim:
            names = [*map(str, labels)]
            difference[name] = dict(zip(names, gap.value.tolist(), strict=True))
            intervals[name] = dict(zip(names, ends, strict=True))
        else:
            difference[name], intervals[name] = float(gap.value), ends[0]
    for key, value in a.figures.extremes.items():
        difference[key[0]], intervals[key[0]] = b.figures.extremes[key] - value, None
    return difference, intervals
