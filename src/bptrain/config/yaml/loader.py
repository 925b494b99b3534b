"""A config file as values, with a position for every node."""

import os
from typing import Any, NamedTuple

from bptrain.config.yaml.composer import BREAK, parse, within_size
from bptrain.config.yaml.limits import MAX_BYTES
from bptrain.config.yaml.places import KeyPath, Mark, Place
from bptrain.errors import Problem, UsageError


class Document(NamedTuple):
    """A config as it was written."""

    file: str  # as the user named it
    value: dict[str, Any]  # dicts, lists and scalars
    positions: dict[KeyPath, Mark]
    lines: list[str]

    def source(self, place: Place) -> str | None:
        """The line of text at a place, for the caret."""
        known = place.line is not None and place.file == self.file and place.line <= len(self.lines)
        return self.lines[place.line - 1] if known and place.line else None


def load(path: str | os.PathLike[str]) -> Document:
    """Read a config file. Raises UsageError with everything that is wrong with it as YAML."""
    file = os.fspath(path)
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(Problem("file_not_found", "there is no such config file", file=file)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(Problem("unreadable", f"the config cannot be read: {reason}", file=file)) from None
    within_size(len(content), file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8 text (byte {error.start + 1} is {content[error.start]:#04x})"
        raise UsageError(Problem("not_utf8", message, file=file, line=line)) from None
    return load_text(text, file)


def load_text(text: str, file: str) -> Document:
    """Read the text of a config; `file` is what messages call it."""
    value, positions = parse(text, file)
    if not isinstance(value, dict):
        what = "is empty" if value is None else "holds no sections such as `network:`"
        raise UsageError(Problem("not_a_mapping", f"the config {what}", file=file, line=1, column=1))
    return Document(file, value, positions, BREAK.split(text))
