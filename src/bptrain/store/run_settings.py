"""The settings that a run keeps, and in which of them another config differs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bptrain.config import from_plain
from bptrain.config.resolved import target_is_path, to_plain
from bptrain.errors import CheckpointError, UsageError

# What may differ from the run that is resumed: how long it trains, how often it is saved, what is printed, where the
# data lies.
MAY_CHANGE = (
    "training.epochs",
    "training.max_time",
    "training.stop_at",
    "training.early_stopping.patience",
    "checkpoint.every",
    "checkpoint.keep",
    "data.memory",
    "silence",
)

SHAPES = (
    "data.train.arrays",
    "data.validation.arrays",
    "data.test.arrays",
)  # arrays are known by their digests


def portable(resolved: dict[str, Any]) -> dict[str, Any]:
    """A run's config as its checkpoints keep it: data files by name alone, since they hold no path."""
    config = from_plain(resolved, "run")
    data = {key: value for key, value in resolved["data"].items() if key not in ("root", "cache")}
    for role in ("train", "validation", "test"):
        if role in data and "arrays" not in data[role]:
            data[role] = _names(data[role])
    if "target" in data and target_is_path(config):
        data["target"] = Path(data["target"]).name
    if "index" in data["split"]:
        data["split"] = {**data["split"], "index": _names(data["split"]["index"])}
    return {**resolved, "data": data}


def _names(paths: Any) -> Any:
    """The names of files, one by one, in a list or in a mapping."""
    if isinstance(paths, dict):
        return {key: _names(entry) for key, entry in paths.items()}
    return [_names(entry) for entry in paths] if isinstance(paths, list) else Path(paths).name


def setting_differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The settings in which two portable configs differ, as `key: old -> new`, but for those that may.

    A key that one of them leaves out has its default. Raises CheckpointError for a config that cannot be read.
    """
    try:
        old, new = (to_plain(from_plain(config, "checkpoint")) for config in (old, new))
    except UsageError as error:
        raise CheckpointError(f"the config of the run cannot be used: {error.problems[0].message}") from error
    return differences(old, new, (*MAY_CHANGE, *SHAPES))


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
