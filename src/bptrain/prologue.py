"""What every use of a config begins with: validated, its data read, its network built."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build import activation_parts, located, network_of_schema, prepare_data
from bptrain.build_controls import build_controls
from bptrain.build_metrics import build_metrics
from bptrain.cautions import Caution, audible
from bptrain.config import Loaded, from_plain, load_config
from bptrain.config.resolved import target_is_path, to_plain
from bptrain.core.network import Network
from bptrain.data.prepare import Prepared
from bptrain.doubts import doubts
from bptrain.errors import CheckpointError, DataError, UsageError
from bptrain.parts.controls import Controls
from bptrain.parts.metrics import Metric

# What may differ from the run that is resumed: how long it trains, how often it is saved, what is told.
MAY_CHANGE = (
    "training.epochs",
    "training.max_time",
    "training.stop_at",
    "training.early_stopping.patience",
    "checkpoint.every",
    "checkpoint.keep",
    "silence",
)


class Prologue(NamedTuple):
    """A config with its data and network."""

    loaded: Loaded
    prepared: Prepared
    network: Network
    metrics: Mapping[str, Metric]
    controls: Controls
    warnings: tuple[Caution, ...]  # about config and data, but for those that the config silences


def open_config(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Prologue:
    """Validates a config, reads its data and builds its network. Raises UsageError or DataError."""
    return open_loaded(load_config(config, overrides))


def open_loaded(loaded: Loaded) -> Prologue:
    """Reads the data of a config and builds its network. Raises UsageError or DataError."""
    prepared = prepare_data(loaded)
    network = network_of_schema(loaded.config, prepared.schema)
    try:
        metrics = build_metrics(loaded.config, prepared.schema)
        controls = build_controls(loaded.config, metrics, "validation" in prepared.splits)
    except (UsageError, DataError) as error:
        raise type(error)([located(loaded, problem) for problem in error.problems]) from error
    warnings = audible((*prepared.warnings, *doubts(loaded.config, network, prepared)), loaded.config.silence)
    return Prologue(loaded, prepared, network, metrics, controls, warnings)


def run_config(prologue: Prologue) -> dict[str, Any]:
    """The config as a run keeps it, plain: what was decided filled in, data by absolute path; runs again as it is."""
    loaded, network = prologue.loaded, prologue.network
    resolved = to_plain(loaded.absolute())
    resolved["network"]["sizes"] = list(network.sizes)
    if "activations" not in resolved["network"]:
        parts = activation_parts(loaded.config, prologue.prepared.schema.task)
        resolved["network"]["activations"] = [part.name for part in parts]
    return resolved


def portable(resolved: dict[str, Any]) -> dict[str, Any]:
    """A run's config as its checkpoints keep it: data files by name alone, since they hold no path."""
    config = from_plain(resolved, "run")
    data = dict(resolved["data"])
    for role in ("train", "validation", "test"):
        if isinstance(data.get(role), str):
            data[role] = Path(data[role]).name
        elif role in data:
            data[role] = {key: Path(path).name for key, path in data[role].items()}
    if "target" in data and target_is_path(config):
        data["target"] = Path(data["target"]).name
    return {**resolved, "data": data}


def setting_differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The settings in which two portable configs differ, as `key: old -> new`, but for those that may.

    A key that one of them leaves out has its default. Raises CheckpointError for a config that cannot be read.
    """
    try:
        old, new = (to_plain(from_plain(config, "checkpoint")) for config in (old, new))
    except UsageError as error:
        raise CheckpointError(f"the config of the run cannot be used: {error.problems[0].message}") from error
    return differences(old, new, MAY_CHANGE)


def differences(
    old: dict[str, Any], new: dict[str, Any], may_change: Sequence[str] = (), path: str = ""
) -> list[str]:
    """The entries in which two nested dicts differ, as `key: old -> new`."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        here = f"{path}{key}"
        a, b = old.get(key), new.get(key)
        if a == b or here in may_change:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, may_change, here + ".")
        else:
            found.append(f"{here}: {a} -> {b}")
    return found


def held_threads(threads: int | None) -> AbstractContextManager[Any]:
    """Holds the products to that many threads, those of OpenMP libraries too; None: to as many as BLAS has."""
    from threadpoolctl import threadpool_info, threadpool_limits

    of_blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    return threadpool_limits(threads or max(of_blas, default=None))
