"""A strict reader of YAML 1.2: the values of one document, with a position for every node.

The values are built from PyYAML's events, so that what YAML allows and is seldom meant is refused where it stands:
anchors, aliases, merge keys, tags, directives, several documents, keys that are not text, a key given twice. Bytes,
nodes and depth are counted in the events before a value is built, digits before a number is, so that no text takes
long.
"""

import os
import re
from collections.abc import Collection, Iterator
from typing import Any, NoReturn

import yaml

from bptrain.config.yaml.places import MAX_PROBLEMS, KeyPath, Mark, Place, dotted, in_order
from bptrain.config.yaml.scalars import resolve
from bptrain.errors import Problem, UsageError

MAX_BYTES = 64 * 1024
MAX_NODES = 5_000  # keys and values
MAX_DEPTH = 32


class Refused(Exception):
    """Reading stops here; `problems` of the composer says why."""


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BREAK = re.compile("\r\n|[\n\r]")
# Three ends of a line of YAML 1.1, which are none in 1.2, are refused too: lines are what an editor counts.
_NOT_TEXT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def read_text(path: str | os.PathLike[str], what: str = "file") -> str:
    """The text of a file, which messages call `what`. Raises UsageError where it cannot be read or is too large."""
    file = os.fspath(path)
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(Problem("file_not_found", f"there is no such {what}", file=file)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(Problem("unreadable", f"the {what} cannot be read: {reason}", file=file)) from None
    _check_size(len(content), file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8 text (byte {error.start + 1} is {content[error.start]:#04x})"
        raise UsageError(Problem("not_utf8", message, file=file, line=line)) from None


def parse(text: str, file: str, numeric_keys: Collection[KeyPath] = ()) -> tuple[Any, dict[KeyPath, Mark]]:
    """The value of one YAML document, and the position of each of its nodes; `file` is what messages call it.

    All keys are text; in the mappings at `numeric_keys` a number or a word such as true may be written without quotes.
    Raises UsageError with everything that is wrong.
    """
    _check_size(len(text.encode("utf-8", "surrogatepass")), file)
    composer = _Composer(text, file, numeric_keys)
    try:
        value = composer.document()
    except Refused:
        value = None
    if composer.problems:
        raise UsageError(in_order(composer.problems))
    return value, composer.positions


def _check_size(size: int, file: str) -> None:
    if size > MAX_BYTES:
        message = (
            f"the text is larger than {MAX_BYTES // 1024} KiB, which is the limit; is it the right file?"
        )
        raise UsageError(Problem("too_large", message, file=file))


class _Composer:
    """Builds values and positions from the events of one text."""

    def __init__(self, text: str, file: str, numeric_keys: Collection[KeyPath]) -> None:
        self.text, self.file, self.numeric_keys = text, file, numeric_keys
        self.lines = BREAK.split(text)
        self.events: Iterator[Any] = iter(())
        self.positions: dict[KeyPath, Mark] = {}
        self.problems: list[Problem] = []

    def document(self) -> Any:
        if found := _NOT_TEXT.search(self.text):
            before = BREAK.split(self.text[: found.start()])
            at = Place(self.file, len(before), len(before[-1]) + 1)
            self.stop("syntax", f"the character {found[0]!a} is not allowed in a text file", at)
        head = (
            n for n, line in enumerate(self.lines, 1) if line.strip() and not line.lstrip().startswith("#")
        )
        first = next(head, 1)
        if self.lines[first - 1].startswith("%"):
            message = "directives (%…) are not allowed; leave them out, or quote it if it is text"
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
                    message = "a second document starts here (---); a file holds one document"
                    self.refuse("documents", message, self.place(event))
                    break
                events.append(event)
                nodes += isinstance(event, yaml.NodeEvent)
                depth += isinstance(event, yaml.CollectionStartEvent)
                depth -= isinstance(event, yaml.CollectionEndEvent)
                if nodes > MAX_NODES:
                    message = f"there are more than {MAX_NODES:,} keys and values"
                    self.stop("too_large", message, self.place(event))
                if depth > MAX_DEPTH:
                    message = f"this is nested more than {MAX_DEPTH} levels deep"
                    self.stop("too_deep", message, self.place(event))
        except yaml.MarkedYAMLError as error:
            message, line, column = syntax_error(error, self.lines)
            self.refuse("syntax", message, Place(self.file, line, column))
        except yaml.YAMLError as error:
            self.refuse("syntax", f"not valid YAML: {error}", Place(self.file))
        return events

    def next(self) -> Any:
        for event in self.events:
            return event
        raise Refused  # the text breaks off, which `read` has reported

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
            message = f"*{event.anchor} is an alias, which is not allowed; write the value itself"
            self.refuse("alias", message, at, path)
            self.positions[path] = Mark(key or at, at)
            return None
        if event.anchor is not None:
            message = f"&{event.anchor} is an anchor, which is not allowed; quote it if it is text"
            self.refuse("anchor", message, at, path)
        if event.tag is not None:
            self.refuse("tag", "tags (!…) are not allowed; quote it if it is text", at, path)
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
                message = f"the key is given twice, on lines {first.line} and {at.line}"
                if first.line == at.line:
                    message = f"the key is given twice on this line, in column {first.column} and here"
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
            self.refuse("merge_key", "<< (merge) is not allowed; write the keys out", at, path)
        elif event.anchor is not None or event.tag is not None:
            self.refuse(
                "anchor" if event.tag is None else "tag", "a key cannot have an anchor or a tag", at, path
            )
        elif plain and path not in self.numeric_keys and not isinstance(self.scalar(event, at, path), str):
            what = f"the key {value} is not text" if value else "a key is empty"
            self.refuse("key_not_text", f"{what}; put it in quotes", at, path, suggestion=f'"{value}"')
        return value


# What libyaml or PyYAML says -> the same in plain words.
_SYNTAX = {
    r"expected ',' or '\]'": "the list that starts with [ here is not closed, or a comma is missing in it",
    r"expected ',' or '\}'": "the mapping that starts with { here is not closed, or a comma is missing in it",
    r"unexpected end of stream|unexpected document separator": "the quote that starts here is not closed",
    r"mapping values are not allowed": "a second colon in one line, or a line too far to the right: put text "
    "with ': ' in quotes, and align the keys of a section",
    r"sequence entries are not allowed": "a list written with - starts on a line of its own",
    r"could not find expected ':'": "a key without its colon, or text that needs quotes",
    r"expected <block end>|expected key|expected '-'": "the indentation does not match the lines above",
    r"unknown escape character": r"an unknown escape after \ in double quotes: use single quotes, or \\",
    r"undefined tag handle": "tags (!…) are not allowed: put text that starts with ! in quotes",
    r"alphabetic or numeric character": "text that starts with * or & must be in quotes",
    r"expected the node content|expected node content": "a value is missing here",
}


def syntax_error(error: Any, lines: list[str]) -> tuple[str, int, int]:
    """A message for a `yaml.MarkedYAMLError`, and line and column of what is at fault, counted from 1."""
    message, mark = _syntax_error(error, lines)
    above = _line_without_colon(lines, mark.line) if "a second colon" in message else None
    if above is not None:
        return "a key without its colon", above + 1, len(lines[above]) - len(lines[above].lstrip()) + 1
    return message, mark.line + 1, mark.column + 1


def _line_without_colon(lines: list[str], line: int) -> int | None:
    """The line above one that has a key, where it starts in the same column and should have one too."""
    above = next((i for i in range(line - 1, -1, -1) if lines[i].strip()), None)
    if above is None or line >= len(lines) or ":" in lines[above]:
        return None
    text = lines[above].lstrip()
    same_column = len(lines[above]) - len(text) == len(lines[line]) - len(lines[line].lstrip())
    return above if same_column and text[0].isalpha() else None


def _syntax_error(error: Any, lines: list[str]) -> tuple[str, Any]:
    problem, mark = error.problem or error.context or "unknown", error.problem_mark or error.context_mark
    if "cannot start any token" in problem:
        line = lines[mark.line] if mark.line < len(lines) else ""
        character = line[mark.column : mark.column + 1]
        if character == "\t":
            return "a tab; YAML is indented with spaces", mark
        return f"text that starts with {character} must be in quotes", mark
    for pattern, words in _SYNTAX.items():
        if re.search(pattern, problem):
            return words, (error.context_mark or mark) if "not closed" in words else mark
    return f"not valid YAML: {problem}", mark
