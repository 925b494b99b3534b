"""What was probably meant by a command line that does not parse: a key as an option, braces without quotes."""

import shlex
from collections.abc import Iterator, Sequence

SET = "--set"
PAIRS = {"{": "}", "[": "]"}


def hint_for(unknown: str | None, arguments: Sequence[str]) -> str | None:
    """One sentence for a command that takes --set; `unknown` is an option that it does not have. None for no idea."""
    if unknown is not None:
        return key_as_option(unknown, arguments)
    for found in (split_by_blanks(arguments), split_by_braces(arguments), without_set(arguments)):
        if found is not None:
            return found
    return None


def key_as_option(unknown: str, arguments: Sequence[str]) -> str | None:
    """--epochs 5 is --set training.epochs=5."""
    from bptrain.config.schema import Config
    from bptrain.config.suggestions import suggest

    name = unknown.lstrip("-")
    place = name if "." in name else suggest.key(name.replace("-", "_"), "", Config.model_fields).key
    if place is None or place.startswith("-"):
        return None
    if ": " in place:  # a part, such as optimizer: momentum
        return f"Keys of the config are given by {SET}, such as {SET} {place.replace(': ', '=')}."
    return f"Keys of the config are given by {SET}: {SET} {shlex.quote(f'{place}={value_of(unknown, arguments)}')}."


def value_of(option: str, arguments: Sequence[str]) -> str:
    """What stands behind an option, or in it after =."""
    for position, word in enumerate(arguments):
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
        if word == option:
            following = arguments[position + 1 : position + 2]
            return following[0] if following and not following[0].startswith("--") else "VALUE"
    return "VALUE"


def settings(arguments: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The value of each --set, with the position of the word behind it."""
    for position, word in enumerate(arguments):
        if word == SET and position + 1 < len(arguments):
            yield position + 2, arguments[position + 1]
        elif word.startswith(f"{SET}="):
            yield position + 1, word.partition("=")[2]


def split_by_blanks(arguments: Sequence[str]) -> str | None:
    """A value in brackets that the shell has split: --set optimizer={name: adam, learning_rate: 0.1}."""
    for behind, value in settings(arguments):
        whole, end = value, behind
        while is_open(whole) and end < len(arguments) and not arguments[end].startswith("--"):
            whole, end = f"{whole} {arguments[end]}", end + 1
        if end > behind and not is_open(whole):
            return f"The shell splits a value at its blanks; quote it: {SET} {shlex.quote(whole)}."
    return None


def is_open(text: str) -> bool:
    """Whether a bracket is not closed."""
    return any(text.count(left) > text.count(right) for left, right in PAIRS.items())


def split_by_braces(arguments: Sequence[str]) -> str | None:
    """A value whose braces the shell has expanded: optimizer={name:adam,mu:0.1} becomes two words."""
    for behind, value in settings(arguments):
        key, _, first = value.partition("=")
        items, end = [first], behind
        while key and end < len(arguments) and arguments[end].startswith(f"{key}="):
            items.append(arguments[end].partition("=")[2])
            end += 1
        if len(items) == 1:
            continue
        pairs = all(":" in item for item in items)
        inside = ", ".join(item.replace(":", ": ", 1) if pairs else item for item in items)
        meant = f"{key}={{{inside}}}" if pairs else f"{key}=[{inside}]"
        return f"The shell expands braces that are not quoted: {SET} {shlex.quote(meant)}."
    return None


def without_set(arguments: Sequence[str]) -> str | None:
    """A key without --set in front of it, or without =."""
    for behind, value in settings(arguments):
        following = arguments[behind : behind + 1]
        if "=" not in value and following and not following[0].startswith("-"):
            return f"Write {SET} {shlex.quote(f'{value}={following[0]}')}."
    for position, word in enumerate(arguments):
        key, equals, _ = word.partition("=")
        named = position > 0 and arguments[position - 1].startswith("--")
        if equals and not named and key.replace(".", "").replace("_", "").isalnum():
            return f"Keys of the config are given by {SET}: {SET} {shlex.quote(word)}."
    return None
