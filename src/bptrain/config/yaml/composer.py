"""Strict YAML 1.2, with a position for every node.

The values are built from PyYAML's events, so that what YAML allows and a config does not need is refused
where it stands: anchors, aliases, merge keys, tags, directives, several documents, keys that are no text, a
key given twice. Bytes, nodes and depth are counted in the events before a value is built, digits before a
number is, so that no file takes long.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from bptrain.config.yaml.limits import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_PROBLEMS
from bptrain.config.yaml.places import KeyPath, Mark, Place, dotted, in_order
from bptrain.config.yaml.scalars import resolve
from bptrain.config.yaml.syntax import in_words
from bptrain.errors import Problem, UsageError

LABELS = ("loss", "class_weight")  # whose keys are labels of the data, numbers too


class Refused(Exception):
    """Reading stops here; `problems` of the composer says why."""


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BREAK = re.compile("\r\n|[\n\r]")
# Three ends of a line of YAML 1.1, which are none in 1.2, are refused too: lines are what an editor counts.
_NOT_TEXT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def parse(text: str, file: str) -> tuple[Any, dict[KeyPath, Mark]]:
    """The value of one YAML document, and the position of each of its nodes. Raises UsageError."""
    within_size(len(text.encode("utf-8", "surrogatepass")), file)
    composer = _Composer(text, file)
    try:
        value = composer.document()
    except Refused:
        value = None
    if composer.problems:
        raise UsageError(in_order(composer.problems))
    return value, composer.positions


def within_size(size: int, file: str) -> None:
    """Raises UsageError where a text has too many bytes to be a config."""
    if size > MAX_BYTES:
        message = f"a config may have {MAX_BYTES // 1024} KiB, and this has more: is it a config?"
        raise UsageError(Problem("too_large", message, file=file))


class _Composer:
    """Builds values and positions from the events of one text."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.lines = BREAK.split(text)
        self.events: Iterator[Any] = iter(())
        self.positions: dict[KeyPath, Mark] = {}
        self.problems: list[Problem] = []

    def document(self) -> Any:
        if found := _NOT_TEXT.search(self.text):
            before = BREAK.split(self.text[: found.start()])
            at = Place(self.file, len(before), len(before[-1]) + 1)
            self.stop("syntax", f"the character {found[0]!a} does not belong in a text file", at)
        head = (
            n for n, line in enumerate(self.lines, 1) if line.strip() and not line.lstrip().startswith("#")
        )
        first = next(head, 1)
        if self.lines[first - 1].startswith("%"):
            message = "a config is YAML 1.2 and has no directives; leave them out, or quote it if it is text"
            self.stop("directive", message, Place(self.file, first, 1))
        self.events = iter(self.read())
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self.node(self.next(), (), None)
        return None

    def read(self) -> list[Any]:
        """The events of the text, those before a mistake in it where there is one; nothing is built beyond a cap."""
        events: list[Any] = []
        nodes = depth = documents = 0
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    message = "a config is one document, and a second one starts here (---)"
                    self.refuse("documents", message, self.place(event))
                    break
                events.append(event)
                nodes += isinstance(event, yaml.NodeEvent)
                depth += isinstance(event, yaml.CollectionStartEvent)
                depth -= isinstance(event, yaml.CollectionEndEvent)
                if nodes > MAX_NODES:
                    message = f"a config may have {MAX_NODES:,} keys and values, and more follow"
                    self.stop("too_large", message, self.place(event))
                if depth > MAX_DEPTH:
                    message = f"a config may be {MAX_DEPTH} levels deep, and this is deeper"
                    self.stop("too_deep", message, self.place(event))
        except yaml.MarkedYAMLError as error:
            message, line, column = in_words(error, self.lines)
            self.refuse("syntax", message, Place(self.file, line, column))
        except yaml.YAMLError as error:
            self.refuse("syntax", f"not valid YAML: {error}", Place(self.file))
        return events

    def next(self) -> Any:
        for event in self.events:
            return event
        raise Refused  # the text is broken off, which `read` has told

    def place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def refuse(
        self, code: str, message: str, at: Place, path: KeyPath = (), suggestion: str | None = None
    ) -> None:
        source = self.lines[at.line - 1] if at.line and at.line <= len(self.lines) else None
        self.problems.append(Problem(code, message, dotted(path), *at, suggestion, source))
        if len(self.problems) > MAX_PROBLEMS:
            raise Refused

    def stop(self, code: str, message: str, at: Place) -> NoReturn:
        self.refuse(code, message, at)
        raise Refused

    def node(self, event: Any, path: KeyPath, key: Place | None) -> Any:
        at = self.place(event)
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
                if first.line == at.line:
                    message = f"the key is given twice in this line, in column {first.column} and here"
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
