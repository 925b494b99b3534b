"""What a rule finds."""

from collections.abc import Iterator
from typing import NamedTuple

from bptrain.config.loader import KeyPath


class Finding(NamedTuple):
    """A rule that a config breaks."""

    path: KeyPath
    message: str
    code: str = "contradiction"
    suggestion: str | None = None


Findings = Iterator[Finding]
