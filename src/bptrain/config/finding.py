"""What a rule between keys finds."""

from collections.abc import Iterator
from typing import NamedTuple

KeyPath = tuple[str | int, ...]


class Finding(NamedTuple):
    """A rule that a config breaks."""

    path: KeyPath
    message: str
    code: str = "contradiction"
    suggestion: str | None = None


Findings = Iterator[Finding]
