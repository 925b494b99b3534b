"""A run as `bptrain runs` lists it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

NOTHING: Mapping[str, Any] = MappingProxyType({})
ASKED = ("run", "state", "reason", "epochs", "best", "split", "loss", "started", "seconds")


class RunRow(NamedTuple):
    """One run."""

    run: str  # its path
    state: str  # finished | stopped | interrupted | diverged | running | killed | damaged
    reason: str | None = None  # why it stopped early, or what is damaged
    epochs: int | None = None
    best: int | None = None  # the epoch of the best weights
    split: str | None = None  # validation, or train without it: what loss and metrics are of
    loss: float | None = None
    metrics: Mapping[str, Any] = NOTHING
    test: Mapping[str, Any] = NOTHING
    started: str | None = None
    seconds: float | None = None  # of updates, evaluations and what else belongs to training
    group: Mapping[str, Any] | None = None  # of a group of runs: kind, runs, finished, and sd of the metrics
    settings: Mapping[str, Any] = NOTHING  # by dotted key

    def record(self) -> dict[str, Any]:
        """The run in the JSON of `bptrain runs`."""
        return self._asdict()

    @property
    def values(self) -> dict[str, Any]:
        """All that can be asked for with --where: its settings, results and metrics, and those of the test rows."""
        own = {key: getattr(self, key) for key in ASKED}
        of_test = {f"test.{name}": value for name, value in self.test.items()}
        return {**self.settings, **own, **self.metrics, **of_test}


INDEXED = RunRow._fields[1:-1]  # the values that an index keeps; settings have a place of their own there
