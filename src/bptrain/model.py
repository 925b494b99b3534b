"""A trained model: weights with everything that turns raw columns into predictions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bptrain.build import network_of_schema
from bptrain.config import from_plain
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.data.prepare import encode_columns
from bptrain.data.schema import Schema
from bptrain.errors import CheckpointError, UsageError
from bptrain.evaluation import network_outputs
from bptrain.parts.types import Array
from bptrain.store import checkpoint
from bptrain.store.run import RunDirectory, find_run


@dataclass(frozen=True)
class Model:
    """A network with its weights, and the schema of the columns it was trained on."""

    network: Network
    w: Array  # the flat weights
    schema: Schema
    config: Config
    stored: checkpoint.Stored

    def outputs(self, X: Any) -> Array:
        """x_L for raw feature columns: probabilities or scaled values, N × n_L.

        X is N × columns in the order of training, or a mapping or data frame of named columns. Raises DataError.
        """
        outputs, _ = network_outputs(self.network, self.w, encode_columns(X, self.schema, self.w.dtype))
        return outputs

    def predict(self, X: Any) -> Array:
        """A class label for each row, or the target in its own units: N, or N × targets. Raises DataError."""
        return self.schema.decode(self.outputs(X))


def load(path: str | Path) -> Model:
    """The model of a run (its best weights) or of any checkpoint file. Raises CheckpointError."""
    path = Path(path)
    return load_checkpoint(best_or_last(find_run(path)) if path.is_dir() else path)


def best_or_last(run: RunDirectory) -> Path:
    """The best weights of a run, or its newest checkpoint where no epoch has ended yet."""
    return run.best if run.best.exists() else last(run)


def last(run: RunDirectory) -> Path:
    """The newest checkpoint of a run. Raises CheckpointError when it has none."""
    checkpoints = run.checkpoints()
    if not checkpoints:
        raise CheckpointError(f"{run.path} has no checkpoint")
    return checkpoints[-1]


def load_checkpoint(path: Path) -> Model:
    """The model of one checkpoint file. Raises CheckpointError."""
    stored = checkpoint.read(path)
    try:
        config = from_plain(stored.facts.config, str(path))
        schema = Schema.from_json(stored.facts.schema)
    except (UsageError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} was written by a version whose config or columns this one cannot read: {error}"
        ) from error
    network = network_of_schema(config, schema)
    return Model(network, checkpoint.weights(stored, network), schema, config, stored)
