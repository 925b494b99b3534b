"""Values and comments as YAML text that every reader of YAML takes for the same."""

import re
from collections.abc import Iterable
from typing import Any

from bptrain.config.yaml.scalars import is_text
from bptrain.errors import printable

PLAIN = re.compile(r"[A-Za-z_./](?:[A-Za-z0-9_ .()/+-]*[A-Za-z0-9_()/+-])?")
WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # YAML 1.1 reads them as something else


def scalar(value: Any) -> str:
    """A value, quoted where it would be read as another."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if PLAIN.fullmatch(text) and is_text(text) and text.lower() not in WORDS:
        return text
    return f'"{"".join(escaped(character) for character in text)}"'


def escaped(character: str) -> str:
    """A character in double quotes."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(entry) for entry in value)}]"
    return scalar(value)


def comment(text: str) -> str:
    """Text behind a #: one line of it."""
    return f"# {printable(text)}"


def aligned(lines: Iterable[tuple[str, str]], most: int = 44) -> list[str]:
    """Lines, each with its comment, if it has one, in one column; a line beyond `most` has it behind itself."""
    pairs = list(lines)
    width = max((len(line) for line, said in pairs if said and len(line) <= most), default=0)
    return [f"{line:<{width}}  {comment(said)}" if said else line for line, said in pairs]
