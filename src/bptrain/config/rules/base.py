"""What a rule between keys finds."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bptrain.config.yaml.places import KeyPath as KeyPath


class Finding(NamedTuple):
    """A rule that a config breaks."""

    path: KeyPath
    message: str
    code: str = "contradiction"
    suggestion: str | None = None


Findings = Iterator[Finding]


def listed_twice(path: KeyPath, names: Iterable[str]) -> Findings:
    """Every name that stands in a list a second time."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield Finding((*path, i), f"{name} is listed twice", "duplicate")
        seen.add(name)
