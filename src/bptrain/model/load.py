"""A trained model from a run directory or a checkpoint file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import DTypeLike

from bptrain.build.data import data_settings, prepare_data
from bptrain.build.network import network_of_schema
from bptrain.config import Loaded, from_plain, load_config
from bptrain.config.resolved import to_plain
from bptrain.data.prepared import ChangedDataError, KeptSchema, Prepared
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings
from bptrain.data.sources import DataSource
from bptrain.errors import CheckpointError, UsageError, Warned, not_silenced
from bptrain.model.ensemble import Ensemble, ensemble_of
from bptrain.model.model import Model
from bptrain.model.moved_data import RunOrigin, Search
from bptrain.model.trained_model import TrainedModel
from bptrain.plugins.records import changes, refuse_missing
from bptrain.store import checkpoint, ensemble_file
from bptrain.store.chosen_run import find_run
from bptrain.store.ensemble_file import StoredEnsemble
from bptrain.store.run_directory import RunDirectory
from bptrain.store.run_group import member_directory, member_places
from bptrain.store.run_places import GROUP
from bptrain.store.run_settings import portable, setting_differences
from bptrain.store.sealed_file import ENSEMBLE, ONE_NETWORK, read_sealed


def load(path: str | Path) -> Model:
    """The network of a run (its best weights) or of any checkpoint file of one. Raises CheckpointError."""
    path = Path(path)
    return load_run(find_run(path), "best") if path.is_dir() else load_checkpoint(path)


def load_model(path: str | Path) -> TrainedModel:
    """The same, or an ensemble. Raises CheckpointError."""
    path = Path(path)
    return load_trained(find_run(path), "best") if path.is_dir() else load_file(path)


def load_trained(run: RunDirectory, which: str) -> TrainedModel:
    """The best or the last weights of a run, or an ensemble. Raises CheckpointError, UsageError for the last of one."""
    if not (run.path / GROUP).is_file():
        return load_run(run, which)
    if which != "best":
        message = (
            f"{run.path} is an ensemble of the best weights of its members, and has no others: name a member"
        )
        raise UsageError(f"--checkpoint {which}: {message}, such as {run.path / member_directory(1)}")
    return load_file(run.best)


def load_file(path: Path) -> TrainedModel:
    """The model of a checkpoint file, or an ensemble. Raises CheckpointError."""
    sealed = read_sealed(path, (ONE_NETWORK, ENSEMBLE))
    if not ensemble_file.is_ensemble(sealed):
        return stored_model(checkpoint.stored(sealed), enclosing_run(path))
    return load_ensemble(ensemble_file.stored_ensemble(sealed))


def load_ensemble(stored: StoredEnsemble) -> Ensemble:
    """The ensemble of what its file holds. Raises CheckpointError."""
    try:
        return ensemble_of([stored_model(member, None) for member in stored.members], stored)
    except UsageError as error:
        raise CheckpointError(f"{stored.path} is corrupt: {error.problems[0].message}") from error


def load_run(run: RunDirectory, which: str) -> Model:
    """The best or the last weights of a run. Raises CheckpointError when it has no checkpoint.

    Every checkpoint carries the best weights so far: they serve where best.safetensors is missing. Before the first
    epoch has ended the best weights are the last ones.
    """
    if which == "best" and run.best.exists():
        return load_checkpoint(run.best)
    checkpoints = run.checkpoints()
    if not checkpoints:
        raise CheckpointError(f"{run.path} has no checkpoint")
    stored = checkpoint.read(checkpoints[-1])
    return stored_model(checkpoint.of_best(stored) if which == "best" else stored, run)


def training_data(
    model: Model,
    run: RunDirectory,
    dtype: DTypeLike,
    limit: int | None = None,
    data_root: Path | None = None,
) -> Prepared:
    """The data set that a model was trained on: `run_data` without its sources."""
    return run_data(model, run, dtype, limit, data_root).prepared


class RunData(NamedTuple):
    """The data set of a run, and where its rows are read from."""

    prepared: Prepared
    sources: Mapping[str, DataSource]  # split -> the file that its rows are in, and are numbered by

    @classmethod
    def of(cls, prepared: Prepared, settings: DataSettings) -> "RunData":
        """Rows of a split without a file of its own are in that of the training rows."""
        own = {"validation": settings.validation, "test": settings.test}
        return cls(prepared, {split: own.get(split) or settings.train for split in prepared.splits})


def run_data(
    model: Model,
    run: RunDirectory,
    dtype: DTypeLike,
    limit: int | None = None,
    data_root: Path | None = None,
) -> RunData:
    """The data set that a model was trained on, read and split again, with the config of its run.

    Data that has moved is found again, below `data_root` or with the run: `moved_data.py`. Raises CheckpointError when
    the run is damaged, or is not the one that the model comes from; DataError when the data is missing or not what it
    was.
    """
    loaded, search = config_of(model, run, data_root)
    kept = model.stored.facts
    with_schema = KeptSchema(model.schema, kept.data)
    found = search.found(loaded)
    try:
        prepared = prepare_data(found, dtype, limit, kept_schema=with_schema)
    except ChangedDataError:  # another file lies where the data was
        found = search.found(loaded, trusting=False)
        prepared = prepare_data(found, dtype, limit, kept_schema=with_schema)
    return RunData.of(prepared, data_settings(found))


def config_of(model: Model, run: RunDirectory, data_root: Path | None = None) -> tuple[Loaded, Search]:
    """The config of the run that a model comes from, and the search for its data. Raises CheckpointError."""
    refuse_missing(model.stored.facts.plugins, model.stored.facts.config, run.path)
    try:
        loaded = load_config(run.config)
    except UsageError as error:
        raise CheckpointError(
            f"the config of {run.path} cannot be used: {error.problems[0].message}"
        ) from error
    kept = model.stored.facts
    if setting_differences(kept.config, portable(to_plain(loaded.config))):
        raise CheckpointError(
            f"{model.stored.path} was trained with other settings than {run.path}: name its own run"
        )
    return loaded, Search(run.path, RunOrigin.of(run), kept.data, data_root)


def run_of(checkpoint_file: Path) -> RunDirectory:
    """The run that a checkpoint file lies in. Raises CheckpointError when it lies in none."""
    run = enclosing_run(checkpoint_file)
    if run is None:
        raise CheckpointError(
            f"{checkpoint_file} is not in a run: name the run that it comes from, or give a file with --data"
        )
    return run


def runs_of_networks(model: TrainedModel, run: Path) -> list[Path]:
    """The runs of the networks of a model of this run. Raises CheckpointError where that has not as many."""
    if not isinstance(model, Ensemble):
        return [run]
    places = member_places(run) if (run / GROUP).is_file() else [run]
    if len(places) != len(model.networks):
        raise CheckpointError(
            f"{model.stored.path} is an ensemble of {len(model.networks)} networks, and {run} has {len(places)}: name "
            "its own run, or the file alone with --data"
        )
    return places


def enclosing_run(checkpoint_file: Path) -> RunDirectory | None:
    """The run that a checkpoint file lies in, if any. Raises CheckpointError where a file of that run is a link."""
    for directory in (checkpoint_file.parent, checkpoint_file.parent.parent):
        if (directory / "run.json").is_file():
            run = RunDirectory(directory)
            run.refuse_links()
            return run
    return None


def load_checkpoint(path: Path) -> Model:
    """The model of one checkpoint file. Raises CheckpointError."""
    return stored_model(checkpoint.read(path), enclosing_run(path))


def stored_model(stored: checkpoint.Stored, run: RunDirectory | None) -> Model:
    """The model of what a checkpoint holds. Raises CheckpointError."""
    path = stored.path
    refuse_missing(stored.facts.plugins, stored.facts.config, path)
    try:
        config = from_plain(stored.facts.config, str(path))
        schema = Schema.from_json(stored.facts.schema)
    except (UsageError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} was written by a version whose config or columns this one cannot read: {error}"
        ) from error
    network = network_of_schema(config, schema)
    warned = (*of_plugins(stored.facts), *of_divergence(run, stored.position))
    warnings = not_silenced(warned, config.silence)
    return Model(network, checkpoint.weights(stored, network), schema, config, stored, warnings)


def of_plugins(facts: checkpoint.Facts) -> Iterator[Warned]:
    """That parts of plug-ins are not the ones that a run was trained with."""
    differing = changes(facts.plugins, facts.config)
    if differing:
        message = f"the results may differ from those of the run:  {'; '.join(differing)}"
        yield Warned("other_plugin", message)


def of_divergence(run: RunDirectory | None, position: Mapping[str, Any]) -> Iterator[Warned]:
    """That a run diverged, and how far its weights had come before that."""
    try:
        diverged = run is not None and run.read_record().get("status") == "diverged"
    except CheckpointError:  # a damaged run.json says nothing of it, and a checkpoint is whole without
        return
    if run is None or not diverged:
        return
    epochs, updates = int(position["epoch"]), int(position["updates"])
    had = "its last sound weights are those before the first update: the network is untrained"
    if updates:
        count = f"{updates:,} update{'' if updates == 1 else 's'}"
        had = f"these are its weights after {count} ({epochs} whole epoch{'' if epochs == 1 else 's'}), before it did"
    cures = "Train it again, with a smaller optimizer.learning_rate or with scaled data"
    yield Warned("diverged_run", f"the training of {run.path} diverged; {had}. {cures}")
