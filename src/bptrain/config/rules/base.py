"""What a rule between keys finds: where a config breaks it, and what to say."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bptrain.config.yaml.places import KeyPath as KeyPath


class BrokenRule(NamedTuple):
    """A rule that a config breaks."""

    path: KeyPath
    message: str
    code: str = "contradiction"
    suggestion: str | None = None


Found = Iterator[BrokenRule]


def listed_twice(path: KeyPath, names: Iterable[str]) -> Found:
    """Every name that is in a list a second time."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield BrokenRule((*path, i), f"{name} is listed twice", "duplicate")
        seen.add(name)
