"""A Config back to plain values and to YAML: what applies in the chosen mode, with all defaults.

When loaded again it is the same Config, so the `config.yaml` of a run directory can be run again.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from bptrain.config.data import Source
from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.config.yaml.scalars import is_text

# Keys that are left out where they do not apply; any other None is a value.
_OPTIONAL = (
    "batch_size", "target", "validation", "test", "activations", "weight",
    "format", "delimiter", "encoding", "header", "comment", "quote", "decimal", "thousands", "missing_markers", "index",
    "sheet", "root", "column", "group", "time", "hash", "line", "folds", "fold", "seed",
    "validation_folds", "validation_fold", "memory", "cache", "ensemble", "input",
)  # fmt: skip

ROLES = ("train", "validation", "test")
OF_TARGETS = "_target"  # behind the role, where the targets have a file of their own
OF_SPLIT = "split_index"  # the role of the file with the numbers of the test rows


def resolve_path(text: str, directory: str | os.PathLike[str]) -> Path:
    """The file that a config in `directory` means: absolute, its own name kept even where it is a link."""
    path = Path(directory, text)
    place = os.path.realpath(
        path.parent if path.name else path
    )  # Path.resolve() raises RuntimeError for links in a loop
    return Path(place, path.name)


def with_absolute_paths(config: Config, directory: str | os.PathLike[str]) -> Config:
    """The config with every path of its data absolute, as seen from `data.root`, and that from `directory`.

    So is `data.cache`, which is no data and as seen from `directory` always.
    """
    root, cache = config.data.root, config.data.cache
    base = directory if root is None else resolve_path(root, directory)
    absolute = {
        role: tuple(str(resolve_path(path, base)) for path in paths)
        for role, paths in data_paths(config).items()
    }
    config = with_data_paths(config, absolute)
    places = {} if root is None else {"root": str(base)}
    places |= {} if cache is None else {"cache": str(resolve_path(cache, directory))}
    return config.model_copy(update={"data": config.data.model_copy(update=places)}) if places else config


def data_paths(config: Config) -> dict[str, tuple[str, ...]]:
    """The paths and patterns of the data by the role of the file, which is that of its digest."""
    data, found = config.data, {}
    for role in ROLES:
        source = getattr(data, role)
        if isinstance(source, Source):
            found[role] = source.inputs
            if source.target is not None:
                found[f"{role}{OF_TARGETS}"] = (source.target,)
    if data.target is not None and target_is_path(config):
        found[f"train{OF_TARGETS}"] = data.target
    if data.split.index is not None:
        found[OF_SPLIT] = (data.split.index,)
    return found


def with_data_paths(config: Config, paths: Mapping[str, tuple[str, ...]]) -> Config:
    """The config with other paths for some roles of its files."""
    data = config.data
    changed: dict[str, Any] = {}
    for role in ROLES:
        source = getattr(data, role)
        if isinstance(source, Source):
            update: dict[str, Any] = {"inputs": paths.get(role, source.inputs)}
            if source.target is not None:
                update["target"] = paths.get(f"{role}{OF_TARGETS}", (source.target,))[0]
            changed[role] = source.model_copy(update=update)
    if data.target is not None and target_is_path(config):
        changed["target"] = paths.get(f"train{OF_TARGETS}", data.target)
    if data.split.index is not None:
        (index,) = paths.get(OF_SPLIT, (data.split.index,))
        changed["split"] = data.split.model_copy(update={"index": index})
    return config.model_copy(update={"data": data.model_copy(update=changed)})


def target_is_path(config: Config) -> bool:
    """Whether `data.target` is a separate file, and not a column or an array."""
    return config.data.holds(config.data.train) in ("array", None)


def to_plain(config: Config) -> dict[str, Any]:
    """The config as dicts, lists and scalars, in the order of the schema."""
    plain: dict[str, Any] = _plain(config)
    data, network = plain["data"], plain["network"]
    for key in ("train", "validation", "test"):
        if data.get(key) and "inputs" in data[key]:
            if len(data[key]["inputs"]) == 1:
                data[key]["inputs"] = data[key]["inputs"][0]
            if data[key].keys() == {"inputs"}:
                data[key] = data[key]["inputs"]
    if len(data.get("target", ())) == 1:
        data["target"] = data["target"][0]
    data["columns"] = {name: _column(entry) for name, entry in data["columns"].items()}
    if isinstance(data["missing"], dict):
        data["missing"] = {name: _given(entry) for name, entry in data["missing"].items()}
    for key in config.data.split.idle:
        data["split"].pop(key, None)
    if config.ensemble is not None and config.ensemble.by == "fold":  # which makes the validation rows
        data["split"].pop("validation", None)
    if network.get("input") is not None:
        network["input"] = _given(network["input"])
    for key in ("bias", "initializer"):
        entries = network[key]
        if all(entry == entries[0] and type(entry) is type(entries[0]) for entry in entries):
            network[key] = entries[0]
    plain["metrics"] = "auto" if plain["metrics"] is None else plain["metrics"]
    every = {key: value for key, value in plain["checkpoint"]["every"].items() if value is not None}
    plain["checkpoint"]["every"] = every or "auto"
    return plain


def _column(entry: dict[str, Any]) -> Any:
    """A column as it is written: its kind alone where nothing else is said of it."""
    given = _given(entry)
    return given["kind"] if given.keys() == {"kind"} else given


def _given(entry: Any) -> Any:
    """The keys of a mapping that say something."""
    return (
        {key: value for key, value in entry.items() if value is not None}
        if isinstance(entry, dict)
        else entry
    )


def _plain(value: Any) -> Any:
    if isinstance(value, PartConfig):
        beside = {key: entry for key, entry in value.beside.items() if entry is not None}
        if not value.options and not value.beside:
            return value.name
        return {"name": value.name, **_plain(value.options), **_plain(beside)}
    if isinstance(value, BaseModel):
        fields = {key: getattr(value, key) for key in type(value).model_fields}
        kept = {key: entry for key, entry in fields.items() if entry is not None or key not in _OPTIONAL}
        return {key: _plain(entry) for key, entry in kept.items()}
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple | list) else value


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes where YAML 1.2 would read it as something else (for YAML 1.1, PyYAML does)."""

    def ignore_aliases(self, data: Any) -> bool:
        return True  # a config has no anchors

    def represent_text(self, text: str) -> yaml.ScalarNode:
        plain = is_text(text) and text.isprintable()
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _Dumper.represent_text)


def dump_yaml(plain: dict[str, Any]) -> str:
    """YAML 1.2 that `load_config` reads back to the same values."""
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def in_one_line(value: Any) -> str:
    """A value as YAML 1.2 in a single line."""
    text = yaml.dump(
        [value], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9, default_flow_style=True
    )
    return text.strip()[1:-1]
