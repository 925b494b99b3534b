"""What a run keeps of the plug-ins that its config uses, and whether they are here when it is used again.

    {"file": "my_parts.py", "sha256": "…", "parts": [["activation", "squareplus"], …]}

`parts` are all that the file registers; what is asked for again are those that the config names.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bptrain.errors import CheckpointError, Problem
from bptrain.plugins.kinds import KINDS
from bptrain.plugins.loading import origin, plugins_in_use

Record = Mapping[str, Any]
Part = tuple[str, str]  # (kind, name)

# Where a config names parts: a key, and the kind of part.
NAMED = (
    ("network.activations", "activation"),
    ("network.initializer", "initializer"),
    ("loss", "loss"),
    ("optimizer", "optimizer"),
    ("schedule", "schedule"),
    ("metrics", "metric"),
    ("data.scale", "scaler"),
    ("data.scale_target", "scaler"),
    ("data.columns.*.scale", "scaler"),  # of every column
)


def parts_named(config: Mapping[str, Any]) -> Iterator[Part]:
    """The parts that a config names, which is plain: dicts, lists and scalars."""
    for key, kind in NAMED:
        for value in _values_at(config, key.split(".")):
            for entry in value if isinstance(value, list) else [value]:
                name = entry.get("name") if isinstance(entry, Mapping) else entry
                if isinstance(name, str):
                    yield kind, name


def _values_at(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """What stands at a path in nested mappings, where * is every key."""
    if not steps:
        yield value
    elif isinstance(value, Mapping):
        for key in value if steps[0] == "*" else [steps[0]]:
            yield from _values_at(value.get(key), steps[1:])


def records(config: Mapping[str, Any]) -> tuple[Record, ...]:
    """The plug-ins that a plain config uses, as its checkpoints keep them; plain JSON types."""
    named = set(parts_named(config))
    kept = []
    for plugin in plugins_in_use():
        parts = [[part.kind.name, part.name] for part in plugin.parts]
        if any((kind, name) in named for kind, name in parts):
            kept.append({"file": plugin.script.path.name, "sha256": plugin.sha256, "parts": parts})
    return tuple(kept)


def refuse_missing(kept: Sequence[Record], config: Mapping[str, Any], path: Path) -> None:
    """Raises CheckpointError for the parts of plug-ins that the plain config in `path` names and that are not here."""
    problems = []
    for record in kept:
        missing = [f"{kind} {name}" for kind, name in _wanted(record, config) if not _is_there(kind, name)]
        if missing:
            file = record["file"]
            message = (
                f"{path} needs the {' and the '.join(missing)} of the plug-in {file} (sha256 {record['sha256']}): "
                f'add --plugin {file}, in Python plugins=["{file}"]'
            )
            problems.append(Problem("missing_plugin", message))
    if problems:
        raise CheckpointError(problems)


def changes(kept: Sequence[Record], config: Mapping[str, Any]) -> list[str]:
    """How the plug-ins that a plain config names differ from those that it was used with, a sentence each."""
    sentences: dict[str, None] = {}
    for record in kept:
        for kind, name in _wanted(record, config):
            plugin, before = origin(kind, name), f"the {kind} {name} came from {_short(record)}"
            if plugin is None:
                sentences[f"{before} and now comes from bptrain"] = None
            elif plugin.sha256 != record["sha256"]:
                now = {"file": plugin.script.path.name, "sha256": plugin.sha256}
                sentences[f"{before} and now comes from {_short(now)}"] = None
    return list(sentences)


def _wanted(record: Record, config: Mapping[str, Any]) -> list[Part]:
    named = set(parts_named(config))
    return [(kind, name) for kind, name in record["parts"] if (kind, name) in named]


def _is_there(kind: str, name: str) -> bool:
    return any(name in of.registry for of in KINDS if of.name == kind)


def _short(record: Record) -> str:
    return f"{record['file']} (sha256 {record['sha256'][:12]}…)"
