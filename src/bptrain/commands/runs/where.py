"""`--where optimizer.name=adam`: which runs are meant, by their settings and results."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bptrain.errors import Problem, UsageError

NOT_THERE = object()
WRITTEN = re.compile(r"\s*([^=!<>]*[^=!<>\s])\s*(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


class Condition(NamedTuple):
    """What a run must fulfil."""

    written: str
    key: str
    sign: str
    value: Any

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds for a run with these values; a run without the key has none."""
        value = values.get(self.key, NOT_THERE)
        if self.sign in ("=", "!="):
            return same(value, self.value) == (self.sign == "=")
        if is_amount(value) and is_amount(self.value):
            return COMPARED[self.sign](value, self.value)
        both_texts = isinstance(value, str) and isinstance(self.value, str)
        return both_texts and COMPARED[self.sign](value, self.value)


def conditions(texts: Iterable[str]) -> list[Condition]:
    """The conditions as they are typed, KEY=VALUE and the like, values as YAML. Raises UsageError."""
    found = []
    for text in texts:
        from bptrain.config import shown
        from bptrain.config.yaml.reader import parse

        parts = WRITTEN.fullmatch(text)
        if parts is None:
            raise UsageError(
                f"--where {shown(text)}: write KEY=VALUE, such as optimizer.name=adam; also with !=, <, <=, > or >="
            )
        key, sign, written = parts.groups()
        value, _ = parse(written, f"--where {text}")
        found.append(Condition(text, key, sign, value))
    return found


def fulfilling(wanted: Sequence[Condition], values: Sequence[Mapping[str, Any]]) -> list[bool]:
    """For each run whether it fulfils all conditions; `optimizer` is `optimizer.name`, as in a config.

    Raises UsageError for a key that no run has.
    """
    keys = {key for one in values for key in one} if wanted else set()
    named = []
    for condition in wanted:
        key = condition.key if condition.key in keys else f"{condition.key}.name"
        if values and key not in keys:
            from bptrain.config import shown
            from bptrain.config.suggestions import suggest

            message = f"--where {condition.written}: no run here has {shown(condition.key)}"
            meant = suggest.value(condition.key, sorted(keys))
            raise UsageError(Problem("wrong_choice", message, suggestion=meant))
        named.append(condition._replace(key=key))
    return [all(condition.holds(one) for condition in named) for one in values]


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same; true is no number, and a number may be written in several ways."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def is_amount(value: Any) -> bool:
    """Whether a value can be compared with numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)
