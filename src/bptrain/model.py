"""A trained model: weights with everything that turns raw columns into predictions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bptrain.build import network_of_schema, prepare_data
from bptrain.cautions import Caution, audible
from bptrain.config import from_plain, load_config
from bptrain.config.resolved import to_plain
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.data.prepare import Prepared, encode_columns
from bptrain.data.raw_columns import Encoder
from bptrain.data.schema import Schema
from bptrain.engines.base import Outputs
from bptrain.engines.choice import forward_pass
from bptrain.engines.parts_of_rows import Parts
from bptrain.errors import CheckpointError, DataError, UsageError
from bptrain.parts.types import Array
from bptrain.plugins.records import changes, refuse_missing
from bptrain.prologue import portable, setting_differences
from bptrain.store import checkpoint
from bptrain.store.run import RunDirectory, find_run

ROWS_AT_ONCE = 8192  # of a large array, from raw columns to labels


@dataclass(frozen=True)
class Model:
    """A network with its weights, and the schema of the columns it was trained on."""

    network: Network
    w: Array  # the flat weights
    schema: Schema
    config: Config
    stored: checkpoint.Stored
    warnings: tuple[
        Caution, ...
    ] = ()  # about what it was loaded with, but for those that its config silences

    def outputs(self, X: Any) -> Array:
        """x_L for raw feature columns: probabilities or scaled values, N × n_L.

        X is N × columns in the order of training, or a mapping or data frame of named columns. Raises DataError.
        """
        return self.outputs_of(encode_columns(X, self.schema, self.w.dtype)).X_L

    def outputs_of(self, X: Array) -> Outputs:
        """Z_L and X_L of encoded rows, N × n_0, by the engine that trained the model where that is installed."""
        return self._forward(self.w, X)

    def predict(self, X: Any) -> Array:
        """A class label for each row, or the target in its own units: N, or N × targets. Raises DataError."""
        if isinstance(X, np.ndarray) and X.ndim == 2 and len(X) > ROWS_AT_ONCE:
            try:
                return self._predict_in_parts(X)
            except DataError:  # all rows together are told by their own numbers
                pass
        return self.schema.decode(self.outputs(X))

    def _predict_in_parts(self, X: Array) -> Array:
        """The same for many rows: some at a time, which stay in the cache from raw columns to labels."""
        forward = self._forward_by_one_thread  # made here, once, and not by each thread

        def predicted(rows: slice) -> list[Array]:
            encode, found = Encoder(self.schema, self.w.dtype, ROWS_AT_ONCE), []
            for a in range(rows.start, rows.stop, ROWS_AT_ONCE):
                encoded = encode(X[a : min(a + ROWS_AT_ONCE, rows.stop)])
                found.append(self.schema.decode(forward(self.w, encoded).X_L))
            return found

        parts = Parts(None).run(predicted, len(X), ROWS_AT_ONCE)
        return np.concatenate([found for part in parts for found in part])

    @cached_property
    def _forward_by_one_thread(self) -> Callable[[Array, Array], Outputs]:
        return forward_pass(self._engine, self.network, self.w.dtype, threads=1)

    @cached_property
    def _forward(self) -> Callable[[Array, Array], Outputs]:
        return forward_pass(self._engine, self.network, self.w.dtype)

    @property
    def _engine(self) -> str:
        return str(self.stored.facts.bits.get("engine", "numpy"))


def load(path: str | Path) -> Model:
    """The model of a run (its best weights) or of any checkpoint file. Raises CheckpointError."""
    path = Path(path)
    return load_run(find_run(path), "best") if path.is_dir() else load_checkpoint(path)


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
    model = load_checkpoint(checkpoints[-1])
    if which == "best" and model.stored.best is not None:
        return replace(model, w=checkpoint.best_weights(model.stored, model.network))
    return model


def training_data(model: Model, run: RunDirectory, dtype: DTypeLike, limit: int | None = None) -> Prepared:
    """The data set that a model was trained on, read and cut again, with the config of its run.

    Raises CheckpointError when the run is damaged, or is not the one that the model comes from; DataError when the data
    is missing or not what it was.
    """
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
    prepared = prepare_data(loaded, dtype, limit)
    if prepared.digest != kept.data or prepared.schema.to_json() != kept.schema:
        raise DataError(
            f"the data of {run.path} has changed since it was trained, so its splits cannot be cut again: "
            "bring the old file back, or evaluate a file with --data FILE"
        )
    return prepared


def run_of(checkpoint_file: Path) -> RunDirectory:
    """The run that a checkpoint file lies in. Raises CheckpointError when it lies in none."""
    run = enclosing_run(checkpoint_file)
    if run is None:
        raise CheckpointError(
            f"{checkpoint_file} lies in no run: name the run it comes from, or a file with --data"
        )
    return run


def enclosing_run(checkpoint_file: Path) -> RunDirectory | None:
    """The run that a checkpoint file lies in, if any."""
    for directory in (checkpoint_file.parent, checkpoint_file.parent.parent):
        if (directory / "run.json").is_file():
            return RunDirectory(directory)
    return None


def load_checkpoint(path: Path) -> Model:
    """The model of one checkpoint file. Raises CheckpointError."""
    stored = checkpoint.read(path)
    refuse_missing(stored.facts.plugins, stored.facts.config, path)
    try:
        config = from_plain(stored.facts.config, str(path))
        schema = Schema.from_json(stored.facts.schema)
    except (UsageError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} was written by a version whose config or columns this one cannot read: {error}"
        ) from error
    network = network_of_schema(config, schema)
    warnings = audible(of_plugins(stored.facts), config.silence)
    return Model(network, checkpoint.weights(stored, network), schema, config, stored, warnings)


def of_plugins(facts: checkpoint.Facts) -> Iterator[Caution]:
    """That parts of plug-ins are not the ones that a run was trained with."""
    differing = changes(facts.plugins, facts.config)
    if differing:
        message = f"the figures may not be those that the run ended with: {'; '.join(differing)}"
        yield "other_plugin", message
