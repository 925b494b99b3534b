"""When to save, and what: the checkpoints of one run, its best weights, its metrics and its record."""

import time
from typing import Any, NamedTuple

from bptrain.core.network import Network
from bptrain.parts.optimizers import Optimizer
from bptrain.store import checkpoint
from bptrain.store.plain import plain
from bptrain.store.run import RunDirectory
from bptrain.training.events import EpochEnd, Event, Progress
from bptrain.training.state import State

AUTO_SECONDS = 10.0  # between checkpoints for `every: auto`


class Interval(NamedTuple):
    """How often a checkpoint is written: every so many epochs, or every so many seconds."""

    epochs: int | None = None
    seconds: float | None = None


class Saver:
    """Follows the events of a run and keeps its directory up to date."""

    def __init__(
        self,
        run: RunDirectory,
        network: Network,
        optimizer: Optimizer,
        facts: checkpoint.Facts,
        interval: Interval,
        keep: int,
        record: dict[str, Any],
    ) -> None:
        self.run, self.network, self.optimizer, self.facts = run, network, optimizer, facts
        self.interval, self.keep, self.record = interval, keep, record
        self.seconds = 0.0  # spent in writing
        self.train_seconds = 0.0  # of updates, an earlier part of the run included
        self.evaluation_seconds = 0.0
        self._clock = time.monotonic()
        self._saved_update: int | None = None
        self._best_written: int | None = None  # the update of the weights in best.safetensors

    def handle(self, event: Event) -> None:
        """Adds the epoch's line, and saves when a checkpoint is due. Raises StorageError."""
        if isinstance(event, Progress | EpochEnd):
            self.train_seconds += event.seconds
        if isinstance(event, EpochEnd):
            self.evaluation_seconds += event.evaluation_seconds
            started = time.perf_counter()
            self.run.append_metrics(metrics_line(event, self.train_seconds))
            self.seconds += time.perf_counter() - started
        if isinstance(event, Progress | EpochEnd) and self._due(event):
            self.save(event.state)

    def _due(self, event: Progress | EpochEnd) -> bool:
        if self.interval.epochs is not None:
            return isinstance(event, EpochEnd) and event.epoch % self.interval.epochs == 0
        return time.monotonic() - self._clock >= (self.interval.seconds or AUTO_SECONDS)

    def save(self, state: State) -> None:
        """Writes the checkpoint, then the best weights, and only then prunes. Raises StorageError."""
        started = time.perf_counter()
        if state.memory.t != self._saved_update:
            path = self.run.checkpoint_path(state.memory.t)
            checkpoint.write(path, self.network, self.optimizer, self.facts, state)
            self._saved_update = state.memory.t
        if state.best is not None and state.best.step != self._best_written:
            checkpoint.write_best(self.run.best, self.network, self.facts, state.best)
            self._best_written = state.best.step
        self.run.prune(self.keep)
        self._clock = time.monotonic()
        self.seconds += time.perf_counter() - started

    def update_record(self, **changes: Any) -> None:
        """Changes fields of run.json. Raises StorageError."""
        started = time.perf_counter()
        self.record |= changes
        self.run.write_record(self.record)
        self.seconds += time.perf_counter() - started


def metrics_line(event: EpochEnd, train_seconds: float) -> dict[str, Any]:
    """One line of metrics.jsonl: the running mean of the epoch, and the validation figures after it."""
    line: dict[str, Any] = {
        "epoch": event.epoch,
        "step": event.state.memory.t,
        "rows_seen": event.state.rows_seen,
        "train_seconds": train_seconds,
        "learning_rate_factor": event.learning_rate_factor,
        "train": {"loss": event.train_loss},
    }
    if event.validation_loss is not None:
        line["validation"] = {"loss": event.validation_loss, **event.validation_metrics}
    return plain(line)
