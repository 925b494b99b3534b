"""Strict YAML 1.2, with a position for every node.

The values are built from PyYAML's events, so that what YAML allows and a config does not need is refused
where it stands: anchors, aliases, merge keys, tags, several documents, keys that are no text, a key given
twice. Sizes are capped, so that no file takes long.
"""

import os
import re
from typing import Any, NamedTuple, NoReturn

import yaml

from bptrain.config.scalars import resolve
from bptrain.config.syntax import in_words
from bptrain.errors import Problem, UsageError

MAX_BYTES = 64 * 1024
MAX_NODES = 5_000
MAX_DEPTH = 32
MAX_PROBLEMS = 20
LABELS = ("loss", "class_weight")  # whose keys are labels of the data, numbers too

KeyPath = tuple[str | int, ...]  # ("network", "sizes", 1)


class Place(NamedTuple):
    """Where something stands, counted from 1; no line for what came from the command line."""

    file: str
    line: int | None = None
    column: int | None = None


class Mark(NamedTuple):
    """Where a node stands."""

    key: Place  # of its key; of an item of a list, the item itself
    value: Place  # of its value; of a section in block style, its key
    written: str | None = None  # a scalar as it was written


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


class Refused(Exception):
    """Reading stops here; `problems` of the composer says why."""


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML takes for the end of a line
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


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
    if len(content) > MAX_BYTES:
        message = f"a config may have {MAX_BYTES // 1024} KiB, and this file has more: is it a config?"
        raise UsageError(Problem("too_large", message, file=file))
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
    return Document(file, value, positions, _BREAK.split(text))


def parse(text: str, file: str) -> tuple[Any, dict[KeyPath, Mark]]:
    """The value of one YAML document, and the position of each of its nodes. Raises UsageError."""
    composer = _Composer(text, file)
    try:
        value = composer.document()
    except Refused:
        value = None
    if composer.problems:
        raise UsageError(composer.problems)
    return value, composer.positions


class _Composer:
    """Builds values and positions from the events of one text."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.lines = _BREAK.split(text)
        self.events = yaml.parse(text, Loader=_LOADER)
        self.positions: dict[KeyPath, Mark] = {}
        self.problems: list[Problem] = []

    def document(self) -> Any:
        if found := _NOT_TEXT.search(self.text):
            before = _BREAK.split(self.text[: found.start()])
            at = Place(self.file, len(before), len(before[-1]) + 1)
            self.stop("syntax", f"the character {found[0]!a} does not belong in a text file", at)
        value: Any = None
        seen = False
        for event in iter(self.next, None):
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    message = "a config is one document, and a second one starts here (---)"
                    self.stop("documents", message, self.place(event))
                seen = True
                value = self.node(self.next(), (), None)
        return value

    def next(self) -> Any:
        try:
            return next(self.events, None)
        except yaml.MarkedYAMLError as error:
            message, mark = in_words(error, self.lines)
            self.stop("syntax", message, Place(self.file, mark.line + 1, mark.column + 1))
        except yaml.YAMLError as error:
            self.stop("syntax", f"not valid YAML: {error}", Place(self.file))

    def place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def refuse(
        self, code: str, message: str, at: Place, path: KeyPath = (), suggestion: str | None = None
    ) -> None:
        source = self.lines[at.line - 1] if at.line and at.line <= len(self.lines) else None
        self.problems.append(Problem(code, message, dotted(path), *at, suggestion, source))
        if len(self.problems) == MAX_PROBLEMS:
            raise Refused

    def stop(self, code: str, message: str, at: Place) -> NoReturn:
        self.refuse(code, message, at)
        raise Refused

    def node(self, event: Any, path: KeyPath, key: Place | None) -> Any:
        at = self.place(event)
        if len(self.positions) >= MAX_NODES:
            self.stop("too_large", f"a config may have {MAX_NODES:,} values, and more follow", at)
        if len(path) > MAX_DEPTH:
            self.stop("too_deep", f"a config may be {MAX_DEPTH} levels deep, and this is deeper", at)
        if isinstance(event, yaml.AliasEvent):
            message = f"*{event.anchor} stands for another value; write the value itself"
            self.refuse("alias", message, at, path)
            self.positions[path] = Mark(key or at, at)
            return None
        if event.anchor is not None:
            message = f"&{event.anchor} is an anchor, which a config does not have; quote it if it is text"
            self.refuse("anchor", message, at, path)
        if event.tag is not None:
            self.refuse("tag", "a config has no tags (!…); quote it if it is text", at, path)
        if isinstance(event, yaml.ScalarEvent):
            self.positions[path] = Mark(key or at, at, event.value)
            return self.scalar(event, at, path)
        self.positions[path] = Mark(key or at, at if event.flow_style or not key else key)
        return self.sequence(path) if isinstance(event, yaml.SequenceStartEvent) else self.mapping(path)

    def scalar(self, event: Any, at: Place, path: KeyPath) -> Any:
        if event.style:  # quoted, or a block of text
            return event.value
        try:
            return resolve(event.value)
        except ValueError as error:
            self.refuse("out_of_range", str(error), at, path)
            return None

    def sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            items.append(self.node(event, (*path, len(items)), None))
        return items

    def mapping(self, path: KeyPath) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            at = self.place(event)
            key = self.key(event, at, path)
            if key in items:
                first = self.positions[*path, key].key
                message = f"the key is given twice, in line {first.line} and in line {at.line}"
                self.refuse("duplicate_key", message, at, (*path, key))
            items[key] = self.node(self.next(), (*path, key), at)
        return items

    def key(self, event: Any, at: Place, path: KeyPath) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            what = "an alias" if isinstance(event, yaml.AliasEvent) else "a list or a mapping"
            self.stop("key_not_text", f"{what} cannot be a key", at)
        value: str = event.value
        plain = not event.style
        if plain and value == "<<":
            self.refuse("merge_key", "<< (merge) is not read in a config; write the keys out", at, path)
        elif event.anchor is not None or event.tag is not None:
            self.refuse("anchor" if event.tag is None else "tag", "a key has no anchor and no tag", at, path)
        elif plain and path != LABELS and not isinstance(self.scalar(event, at, path), str):
            what = f"the key {value} is not text" if value else "a key is empty"
            self.refuse("key_not_text", f"{what}; put it in quotes", at, path, suggestion=f'"{value}"')
        return value


def marks(value: Any, place: Place, path: KeyPath = ()) -> dict[KeyPath, Mark]:
    """The same place for every node of a value that was not read from a file."""
    found = {path: Mark(place, place)}
    if isinstance(value, dict | list):
        for step, entry in value.items() if isinstance(value, dict) else enumerate(value):
            found |= marks(entry, place, (*path, step))
    return found


def dotted(path: KeyPath) -> str:
    """`network.sizes.1`, as messages and `--set` write a key."""
    return ".".join(str(step) for step in path)
