"""`--set training.epochs=20`: values that replace those of the file."""

import numbers
import os
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from bptrain.config.document import Document
from bptrain.config.yaml.places import KeyPath, Mark, Place, dotted, marks
from bptrain.config.yaml.reader import parse
from bptrain.config.yaml.scalars import shown
from bptrain.errors import Problem, UsageError

Written = dict[KeyPath, str | None]  # the scalars of a value as they were written

COMMAND_LINE = Place("--set")
ARGUMENT = Place("overrides")  # given in Python
GIVEN = {"train": "data"}  # the argument with rows, where its name is not the role's

# Where a name alone stands for `{name: …}`, and a path alone for `{inputs: …}`; * is any item of a list.
SHORTHANDS: dict[tuple[str, ...], str] = {
    ("loss",): "name",
    ("optimizer",): "name",
    ("schedule",): "name",
    ("data", "scale"): "name",
    ("data", "scale_target"): "name",
    ("network", "initializer"): "name",
    ("network", "initializer", "*"): "name",
    ("network", "activations"): "name",
    ("network", "activations", "*"): "name",
    ("metrics", "*"): "name",
    ("data", "train"): "inputs",
    ("data", "validation"): "inputs",
    ("data", "test"): "inputs",
}

# Keys of a config at which a name alone stands for `{name: …}`.
PARTS = frozenset(".".join(key) for key, short in SHORTHANDS.items() if short == "name" and "*" not in key)


def document_of(config: Mapping[str, Any], file: str) -> Document:
    """A config that Python gave as a mapping of its sections; `file` is what messages call it. Raises UsageError."""
    place = Place(file)
    value = {str(name): _plain(section, str(name), place) for name, section in config.items()}
    return Document(file, value, marks(value, place), [])


def with_given_rows(document: Document, given: Mapping[str, str]) -> Document:
    """The document with rows that Python gave in the place of files: role ("train", …) -> how many by how many.

    What messages call their place is the argument of `fit`; a `data` section is made where the config has none.
    """
    result = document._replace(value=_copy(document.value), positions=dict(document.positions))
    for role, shape in given.items():
        if result.value.get("data") is None:
            _put(result, "data", {}, Place(document.file), {})
        _put(result, f"data.{role}", {"arrays": shape}, Place(GIVEN.get(role, role)), {})
    return result


def override(document: Document, overrides: Iterable[str] | Mapping[str, Any]) -> Document:
    """The document with some values replaced: texts `key=value`, or a mapping of keys to ready values.

    Raises UsageError with all overrides that cannot be read or applied.
    """
    if isinstance(overrides, str):
        overrides = [overrides]
    is_mapping = isinstance(overrides, Mapping)
    result = document._replace(value=_copy(document.value), positions=dict(document.positions))
    problems: list[Problem] = []
    for item in overrides.items() if isinstance(overrides, Mapping) else overrides:
        try:
            key, value, written = _ready(*item) if isinstance(item, tuple) else _read(item)
            _put(result, key, value, ARGUMENT if is_mapping else COMMAND_LINE, written)
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(problems)
    return result


def plain_config(config: str | os.PathLike[str] | Mapping[str, Any]) -> str | dict[str, Any]:
    """A config's path, or its sections in plain JSON types. Raises UsageError for what has none."""
    return document_of(config, "config").value if isinstance(config, Mapping) else os.fspath(config)


def plain_overrides(overrides: Iterable[str] | Mapping[str, Any]) -> list[str] | dict[str, Any]:
    """The same overrides, of which a mapping has values of plain JSON types. Raises UsageError for what has none."""
    if isinstance(overrides, str):
        return [overrides]
    if isinstance(overrides, Mapping):
        return {key: _ready(key, value)[1] for key, value in overrides.items()}
    return list(overrides)


def _read(text: str) -> tuple[str, Any, Written]:
    """`key=value`, the value as YAML."""
    key, equals, written = text.partition("=")
    if not equals or not all(key.strip().split(".")):
        message = f"{shown(text)} is not of the form key=value, such as training.epochs=20"
        _fail("override", message, "", COMMAND_LINE)
    key = key.strip()
    try:
        value, positions = parse(written, COMMAND_LINE.file)
    except UsageError as error:
        raise UsageError(
            Problem(problem.code, f"{shown(written)}: {problem.message}", key, COMMAND_LINE.file)
            for problem in error.problems
        ) from None
    return key, value, {path: mark.written for path, mark in positions.items()}


def _ready(key: Any, value: Any) -> tuple[str, Any, Written]:
    if not isinstance(key, str) or not all(key.split(".")):
        _fail("override", f"{key!r} is not a key such as training.epochs", "", ARGUMENT)
    return key, _plain(value, key, ARGUMENT), {}


def _plain(value: Any, key: str, place: Place) -> Any:
    """A value of Python as the YAML reader would return it."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, numbers.Integral):  # NumPy's too
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(entry, f"{key}.{name}", place) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, f"{key}.{i}", place) for i, entry in enumerate(value)]
    return _fail("wrong_type", f"a config cannot hold a value of type {type(value).__name__}", key, place)


def _put(document: Document, key: str, value: Any, place: Place, written: Written) -> None:
    """Sets one value, and makes the sections on the way to it."""
    path: KeyPath = ()
    node: Any = document.value
    steps = key.split(".")
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        if isinstance(node, list):
            if not step.isdecimal() or int(step) >= len(node):
                _fail(
                    "override",
                    f"{dotted(path)} has the items 0 to {len(node) - 1}, not {step}",
                    key,
                    place,
                )
            here: Any = int(step)
        else:
            here = step
        path = (*path, here)
        if last:
            node[here] = value
            for old in [known for known in document.positions if known[: len(path)] == path]:
                del document.positions[old]
            document.positions.update(marks(value, place, path))
            for inside, text_of in written.items():
                document.positions[*path, *inside] = Mark(place, place, text_of)
            return
        inner = node[here] if isinstance(node, list) else node.get(here)
        node[here] = inner = _section(document, path, inner, key, place)
        node = inner


def _section(document: Document, path: KeyPath, value: Any, key: str, place: Place) -> Any:
    """The value at `path` as a mapping or list; a short form is written out, an empty section is made."""
    if isinstance(value, dict | list):
        return value
    if value is None:
        document.positions.setdefault(path, Mark(place, place))
        return {}
    shorthand = SHORTHANDS.get(tuple("*" if isinstance(step, int) else step for step in path))
    if shorthand and isinstance(value, str):
        mark = document.positions[path]
        document.positions[*path, shorthand] = mark._replace(key=mark.value)
        return {shorthand: value}
    message = f"{dotted(path)} is {shown(value)}, which has no key {dotted((key.split('.')[len(path)],))}"
    return _fail("override", message, key, place)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value


def _fail(code: str, message: str, key: str, place: Place) -> NoReturn:
    raise UsageError(Problem(code, message, key, place.file))
