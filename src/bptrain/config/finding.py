"""What a rule between keys finds."""

from collections.abc import Iterator
from typing import NamedTuple

from bptrain.config.places import KeyPath as KeyPath


class Finding(NamedTuple):
    """A rule that a config breaks."""

    path: KeyPath
    message: str
    code: str = "contradiction"
    suggestion: str | None = None


Findings = Iterator[Finding]
