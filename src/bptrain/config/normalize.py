"""Brings what may be written in several forms to one, so that the schema has a single form to validate.

A name becomes `{name: …}`, a path or a list of paths `{inputs: …}`, one value for all layers a tuple of L, a list a
tuple, an empty section the section with its defaults. A value of a wrong type is left as it is, and the schema reports
it.
"""

from collections.abc import Callable
from typing import Any

from bptrain.config.part import MAX_ENTRIES
from bptrain.config.training import DEFAULT_BATCH_SIZE

SECTIONS = ("data", "network", "training", "checkpoint")


def normalize(value: dict[str, Any]) -> dict[str, Any]:
    """A config as it was written, in the form that the schema validates."""
    config = {**value, **{name: {} for name in SECTIONS if value.get(name) is None}}
    for name, section in _SECTION.items():
        if isinstance(config[name], dict):
            config[name] = section(dict(config[name]))
    _each(config, _part, "loss")
    _each(config, lambda value: _part(value, "gradient_descent"), "optimizer")
    _each(config, lambda value: _part(value, "constant"), "schedule")
    _each(config, lambda value: (value,) if isinstance(value, str) else _tuple(value), "silence")
    if "metrics" in config:
        config["metrics"] = _metrics(config["metrics"])
    return config


def _data(section: dict[str, Any]) -> dict[str, Any]:
    _each(
        section,
        _source,
        "train",
        "validation",
        "test",
    )
    _each(
        section, lambda value: (value,) if isinstance(value, str | int | float) else _tuple(value), "target"
    )
    _each(section, _tuple, "features", "exclude")
    _each(section, lambda value: (value,) if isinstance(value, str) else _tuple(value), "missing_markers")
    if section.get("header") is False:
        _each(section, _of_places, "target", "features", "exclude", "weight")
        if isinstance(section.get("split"), dict):
            section["split"] = dict(section["split"])
            _each(section["split"], _of_places, "column", "group", "time", "hash")
    _each(section, lambda value: _part(value, "standard"), "scale")
    _each(section, _columns, "columns")
    _each(section, _part, "scale_target")
    _each(section, lambda value: None if value == "none" else value, "memory")
    return section


def _columns(value: Any) -> Any:
    """Each column a mapping, with its scaler and its levels as those of sections are."""
    if not isinstance(value, dict):
        return value
    columns = {}
    for name, entry in value.items():
        column = {"kind": entry} if isinstance(entry, str) else entry
        if isinstance(column, dict):
            column = dict(column)
            _each(column, lambda scale: _part(scale, "standard"), "scale")
            _each(column, _tuple, "order")
        columns[name] = column
    return columns


def _of_places(value: Any) -> Any:
    """The names of columns that are given by their places, from 1, as in a file without a header."""
    if isinstance(value, tuple):
        return tuple(_of_places(entry) for entry in value)
    return f"x{value}" if type(value) is int and value >= 1 else value


def _source(value: Any) -> Any:
    """`{inputs: …}`, with a tuple of paths or patterns."""
    source = {"inputs": value} if isinstance(value, str | list) else value
    if isinstance(source, dict) and "inputs" in source:
        inputs = source["inputs"]
        source = {**source, "inputs": (inputs,) if isinstance(inputs, str) else _tuple(inputs)}
    return source


def _network(section: dict[str, Any]) -> dict[str, Any]:
    sizes = section.get("sizes")
    layers = min(max(len(sizes) - 1, 1), MAX_ENTRIES) if isinstance(sizes, list) else 1
    _each(section, _tuple, "sizes")
    section.setdefault("bias", True)
    section.setdefault("initializer", "auto")
    for key in ("activations", "bias", "initializer"):
        value = section.get(key)
        if key == "activations" and value is None:
            continue
        entries = tuple(value) if isinstance(value, list) else (value,) * layers
        section[key] = entries if key == "bias" else tuple(_part(entry) for entry in entries)
    _each(section, lambda value: _dropout(value, layers), "dropout")
    _each(section, _input, "input")
    return section


def _input(value: Any) -> Any:
    """The steps that there are; no step at all is no section."""
    if not isinstance(value, dict):
        return value
    section = dict(value)
    _each(section, lambda embed: _part(embed, "periodic"), "embed")
    return None if all(entry is None for entry in section.values()) else section


def _dropout(value: Any, layers: int) -> Any:
    """One rate is that of the hidden layers, of which there should be some; a list begins with the inputs."""
    if isinstance(value, list):
        return tuple(value)
    none = value is None or (value == 0 and not isinstance(value, bool))
    return () if none else (0.0, *(value,) * max(layers - 1, 1))


def _training(section: dict[str, Any]) -> dict[str, Any]:
    if section.get("mode", "minibatch") == "minibatch" and section.get("batch_size") is None:
        section["batch_size"] = DEFAULT_BATCH_SIZE
    _each(section, lambda value: {} if value is None else value, "stop_at", "penalty")
    return section


def _checkpoint(section: dict[str, Any]) -> dict[str, Any]:
    _each(section, lambda value: {} if value == "auto" else value, "every")
    return section


_SECTION: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "data": _data, "network": _network, "training": _training, "checkpoint": _checkpoint,
}  # fmt: skip


def _each(section: dict[str, Any], change: Callable[[Any], Any], *keys: str) -> None:
    for key in keys:
        if key in section:
            section[key] = change(section[key])


def _part(value: Any, default: str | None = None) -> Any:
    """`{name: …}` for a name, and for a mapping without a name where the section has a default."""
    if isinstance(value, str):
        return {"name": value}
    return {"name": default, **value} if default and isinstance(value, dict) else value


def _metrics(value: Any) -> Any:
    if value == "auto":
        return None
    return tuple(_part(entry) for entry in (value if isinstance(value, list) else [value]))


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
