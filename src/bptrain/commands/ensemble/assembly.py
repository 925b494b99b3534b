"""From the finished runs of its members to an ensemble: its file, its figures, its record."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.metrics import build_metrics
from bptrain.build.setup import NOTHING
from bptrain.commands.fit.summary import SplitResult, more_figures
from bptrain.data.memory import InMemory
from bptrain.errors import DataError, UsageError, Warned
from bptrain.model.ensemble import Ensemble, ensemble_of
from bptrain.model.ensemble_rows import EnsembleOnData
from bptrain.model.load import stored_model
from bptrain.store import checkpoint, ensemble_file
from bptrain.store.ensemble_file import StoredEnsemble
from bptrain.store.plain import plain
from bptrain.store.provenance import now, provenance
from bptrain.store.run_directory import RunDirectory
from bptrain.training.conformal import AbsoluteErrors, absolute_errors
from bptrain.training.evaluation import Baseline, evaluation_of


class EnsembleSummary(NamedTuple):
    """A finished ensemble."""

    result: dict[str, Any]  # the fields of the JSON of `fit`
    splits: tuple[SplitResult, ...]
    notes: tuple[str, ...]  # why there are no figures of some rows
    warnings: tuple[Warned, ...]  # about members, by their numbers

    def record(self) -> dict[str, Any]:
        """The fields of the JSON of `fit` and of `ensemble`."""
        return self.result


class Assembled(NamedTuple):
    """An ensemble on the rows of its members, before it is written."""

    stored: Sequence[checkpoint.Stored]  # of each member
    splits: tuple[SplitResult, ...]
    errors: AbsoluteErrors | None  # of rows unseen by the members that answer
    notes: tuple[str, ...]


def assemble(
    directory: Path,
    runs: Sequence[Path],
    given: Mapping[str, InMemory] = NOTHING,
    data_root: Path | None = None,
) -> Assembled:
    """The ensemble of some runs, which is to lie in a directory.

    Raises UsageError where they do not answer one question, CheckpointError, DataError.
    """
    run = RunDirectory(directory)
    stored = [checkpoint.read(RunDirectory(path).best) for path in runs]
    ensemble = made_of(run, stored, runs)
    unseen = ensemble
    if any(one.before_refit is not None for one in stored):
        unseen = made_of(run, [checkpoint.read(before_refit(RunDirectory(path))) for path in runs], runs)
    splits, absolute, notes = on_own_rows(ensemble, unseen, runs, given, data_root)
    return Assembled(stored, splits, absolute, notes)


def write_ensemble(
    directory: Path, made: Assembled, results: Sequence[Mapping[str, Any]], started: str
) -> EnsembleSummary:
    """Writes best.safetensors of an ensemble, and then its record; `results` are the fields of its members' JSON.

    Raises StorageError.
    """
    run, stored = RunDirectory(directory), made.stored
    errors = None if made.errors is None else made.errors.to_json()
    warnings = warnings_of_members(results)
    result = {
        "run": str(directory),
        "members": [{"member": k, **of_member} for k, of_member in enumerate(results, start=1)],
        "best": figures_of_splits(made.splits),
        "warnings": [one._asdict() for one in warnings],
    }
    run.refuse_links()
    ensemble_file.write(run.best, stored, errors)
    engine = str(stored[0].facts.numerics.get("engine", "numpy"))
    record = {"format": 1, "started": started, **provenance(engine), "data": stored[0].facts.data}
    run.write_record(record | {"ended": now(), "status": "finished", "result": plain(result)})
    return EnsembleSummary(plain(result), made.splits, made.notes, warnings)


def made_of(run: RunDirectory, stored: Sequence[checkpoint.Stored], runs: Sequence[Path]) -> Ensemble:
    """An ensemble of checkpoints of these runs."""
    networks = [stored_model(one, RunDirectory(path)) for one, path in zip(stored, runs, strict=True)]
    return ensemble_of(networks, StoredEnsemble(run.best, tuple(stored)))


def before_refit(run: RunDirectory) -> Path:
    """The best weights of a run that were not trained on its validation rows."""
    return run.before_refit if run.before_refit.exists() else run.best


def on_own_rows(
    ensemble: Ensemble,
    unseen: Ensemble,
    runs: Sequence[Path],
    given: Mapping[str, InMemory],
    data_root: Path | None,
) -> tuple[tuple[SplitResult, ...], AbsoluteErrors | None, tuple[str, ...]]:
    """The figures of an ensemble on each split that it has, the errors that intervals are made of, and notes.

    Those on train and validation rows are of `unseen`: its members before their refits, where they have had such.
    """
    try:
        on_data = EnsembleOnData(ensemble, runs, data_root=data_root, given=given)
        on_unseen = on_data
        if unseen is not ensemble:
            on_unseen = EnsembleOnData(unseen, runs, data_root=data_root, given=given)
    except (
        UsageError,
        DataError,
    ) as error:  # other files: new ones can be predicted and evaluated all the same
        if (
            isinstance(error, DataError) and error.problems[0].code != "arrays"
        ):  # rows from Python are not kept
            raise
        return (), None, (f"no figures: {error.problems[0].message}",)
    schema = ensemble.schema
    chosen = build_metrics(ensemble.config, schema)
    guess = Baseline.from_json(ensemble.networks[0].stored.facts.baseline)
    found: dict[str, SplitResult] = {}
    errors, notes = None, []
    for name in ("train", "validation", "test"):
        if name not in on_data.splits:
            continue
        try:
            answered = (on_data if name == "test" else on_unseen).answered(name)
        except (UsageError, DataError) as error:  # test rows that a member has seen
            notes.append(f"no figures of {name} rows: {error.problems[0].message}")
            continue
        evaluation = evaluation_of(answered.seen, schema, answered.rows, chosen, per_target=True)
        found[name] = SplitResult(name, evaluation, guess, guess.metrics(schema, answered.rows, chosen))
        if name == "validation" and schema.task == "regression":
            errors = absolute_errors(answered.seen.predicted, answered.rows.y_true)
    return tuple(found.values()), errors, tuple(notes)


def figures_of_splits(splits: Sequence[SplitResult]) -> dict[str, Any]:
    """Loss and metrics of an ensemble, by split."""
    evaluations = {split.name: split.evaluation for split in splits}
    return {
        "loss": {name: evaluation.loss for name, evaluation in evaluations.items()},
        "metrics": {name: evaluation.metrics for name, evaluation in evaluations.items()},
        **more_figures(evaluations),
    }


def warnings_of_members(results: Sequence[Mapping[str, Any]]) -> tuple[Warned, ...]:
    """The warnings of the members' fits with the member in front; what several say alike, by the first of them."""
    said: dict[tuple[str, str], list[int]] = {}
    for k, result in enumerate(results, start=1):
        for one in result.get("warnings", ()):
            said.setdefault((str(one["name"]), str(one["message"])), []).append(k)
    return tuple(
        Warned(name, f"member{'s' if len(of) > 1 else ''} {', '.join(map(str, of))}: {message}")
        for (name, message), of in said.items()
    )
