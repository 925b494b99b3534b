"""A config file as values, with a position for every node."""

import os
from typing import Any, NamedTuple

from bptrain.config.yaml.places import KeyPath, Mark, Place
from bptrain.config.yaml.reader import BREAK, parse, read_text
from bptrain.errors import Problem, UsageError
from bptrain.formats import format_of

LABELS = ("loss", "class_weight")  # whose keys are labels of the data, so that they may be numbers


class Location(NamedTuple):
    """Where a key of a config stands: fields of a Problem."""

    file: str
    line: int | None
    column: int | None
    source: str | None  # the line as written


class Document(NamedTuple):
    """A config as it was written."""

    file: str  # as the user named it
    value: dict[str, Any]  # dicts, lists and scalars
    positions: dict[KeyPath, Mark]
    lines: list[str]

    def written(self, location: KeyPath) -> KeyPath:
        """The node as written: steps that are not there (a name in place of `{name: …}`) are dropped."""
        path: KeyPath = ()
        for step in location:
            if (*path, step) in self.positions:
                path = (*path, step)
        return path

    def nearest(self, path: KeyPath) -> KeyPath:
        """The node at a path; where there is none, the section that it would stand in."""
        while path not in self.positions:
            path = path[:-1]
        return path

    def place(self, path: KeyPath, of_key: bool = False) -> Place:
        """Where a key stands; where it does not, its section; line 1 where there is no section either."""
        nearest = self.nearest(path)
        mark = self.positions[nearest]
        if not nearest and mark.key.line is not None:
            return Place(self.file, 1, 1)
        return mark.key if of_key or nearest != path else mark.value

    def locate(self, key: str) -> Location:
        """Where a key such as "data.target" stands; a key that is not written, the nearest section."""
        steps: KeyPath = tuple(int(step) if step.isdecimal() else step for step in key.split("."))
        written = self.written(steps)
        at = self.place(steps if written == () else written, of_key=written != steps)
        return Location(*at, self.source(at))

    def source(self, place: Place) -> str | None:
        """The line of text at a place, for the caret."""
        known = place.line is not None and place.file == self.file and place.line <= len(self.lines)
        return self.lines[place.line - 1] if known and place.line else None


def load(path: str | os.PathLike[str]) -> Document:
    """Read a config file. Raises UsageError with everything that is wrong with it as YAML."""
    return load_text(read_text(path, "config file"), os.fspath(path))


def load_text(text: str, file: str) -> Document:
    """Read the text of a config; `file` is what messages call it."""
    value, positions = parse(text, file, (LABELS,))
    if not isinstance(value, dict):
        raise UsageError(Problem("not_a_mapping", _no_sections(value, file), file=file, line=1, column=1))
    return Document(file, value, positions, BREAK.split(text))


def _no_sections(value: Any, file: str) -> str:
    if value is None:
        return "the config is empty"
    if format_of(file) is not None:
        return f"this is a data file, not a config; run `bptrain init --data {file} --target COLUMN` first"
    return "the config has no sections such as `network:`"
