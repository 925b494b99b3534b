"""When to save, and what: the checkpoints of one run, its best weights, its metrics and its record."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from bptrain.core.network import Network
from bptrain.parts.methods import UpdateRule
from bptrain.store import checkpoint
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory
from bptrain.training.conformal import AbsoluteErrors
from bptrain.training.events import EpochEnd, Event, Progress
from bptrain.training.state import Best, State

AUTO_SECONDS = 10.0  # between checkpoints for `every: auto`


class Interval(NamedTuple):
    """How often a checkpoint is written: an interval in epochs or in seconds."""

    epochs: int | None = None
    seconds: float | None = None


class Saver:
    """Follows the events of a run and keeps its directory up to date."""

    def __init__(
        self,
        run: RunDirectory,
        network: Network,
        method: UpdateRule,
        facts: checkpoint.Facts,
        interval: Interval,
        keep: int,
        record: dict[str, Any],
    ) -> None:
        self.run, self.network, self.method, self.facts = run, network, method, facts
        self.interval, self.keep, self.record = interval, keep, record
        # Seconds of the whole run, earlier parts included; kept in run.json, since a checkpoint holds no times.
        before = record.get("seconds", {})
        self.seconds = {
            name: before.get(name, 0.0) for name in ("train", "compile", "evaluation", "checkpoint")
        }
        self._clock = time.monotonic()
        self._saved_update: int | None = None
        self._best_written: int | None = None  # the update of the weights in best.safetensors
        self._absolute_errors: dict[str, Any] | None = (
            None  # of validation rows at the best weights of an ended run
        )
        self._refitted: Best | None = None  # the weights of a refit that has ended

    def handle(self, event: Event) -> None:
        """Adds the epoch's line, and saves when a checkpoint is due. Raises StorageError."""
        if isinstance(event, Progress | EpochEnd):
            self.seconds["train"] += event.seconds
        if isinstance(event, EpochEnd):
            self.seconds["evaluation"] += event.evaluation_seconds
            with self._timed():
                self.run.append_metrics(metrics_line(event, self.seconds["train"]))
        if isinstance(event, Progress | EpochEnd) and self._due(event):
            self.save(event.state)

    def _due(self, event: Progress | EpochEnd) -> bool:
        if self.interval.epochs is not None:
            return isinstance(event, EpochEnd) and event.epoch % self.interval.epochs == 0
        return time.monotonic() - self._clock >= (self.interval.seconds or AUTO_SECONDS)

    def save(self, state: State, **changes: Any) -> None:
        """Writes the checkpoint, the best weights and run.json with `changes`, then prunes.

        Raises StorageError; CheckpointError where a file of the run is a link.
        """
        with self._timed():
            self.run.refuse_links()  # one may have come while it trained
            self.run.flush_metrics()
            path = self.run.checkpoint_path(state.updates)
            if state.updates != self._saved_update:
                checkpoint.write(path, self.network, self.method, self.facts, state)
                self._saved_update = state.updates
            if state.best is not None and state.best.updates != self._best_written:
                self._save_best(state, state.best)
                self._best_written = state.best.updates
            self.run.prune(self.keep, path)
        self.record |= {"seconds": self.seconds, **changes}
        with self._timed():
            self.run.write_record(self.record)
        self._clock = time.monotonic()

    def _save_best(self, state: State, best: Best) -> None:
        """Writes the best weights; where a refit has ended, to a file beside those of the refit."""
        refitted, errors = self._refitted, self._absolute_errors
        path = self.run.best if refitted is None else self.run.before_refit
        checkpoint.write_best(path, self.network, self.facts, best, errors)
        if refitted is not None:  # the first fit's best weights are in their new place by now
            before = state.before_refit
            checkpoint.write_best(self.run.best, self.network, self.facts, refitted, errors, before)

    def save_at_end(
        self, state: State, errors: AbsoluteErrors | None, refitted: Best | None, **changes: Any
    ) -> None:
        """Saves the state of a run that has ended; the best weights with the errors that intervals are made of.

        `refitted` are the weights of a refit, if it has ended as well.
        """
        if errors is not None or refitted is not None:
            self._best_written = None
        self._absolute_errors = None if errors is None else errors.to_json()
        self._refitted = refitted
        self.save(state, **changes)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds["checkpoint"] += time.perf_counter() - started


def metrics_line(event: EpochEnd, train_seconds: float) -> dict[str, Any]:
    """One line of metrics.jsonl: the running mean of the epoch, and the validation figures after it."""
    line: dict[str, Any] = {
        **({} if event.state.before_refit is None else {"phase": "refit"}),
        "epoch": event.epoch,
        "step": event.state.updates,
        "rows_seen": event.state.rows_seen,
        "train_seconds": train_seconds,
        "learning_rate_factor": event.learning_rate_factor,
        "train": {"loss": event.train_loss},
    }
    if event.validation_loss is not None:
        line["validation"] = {"loss": event.validation_loss, **event.validation_metrics}
    if event.validation_metrics_unweighted is not None:
        line["metrics_unweighted"] = {"validation": event.validation_metrics_unweighted}
    if event.penalty:
        line["penalty"] = event.penalty
    if event.gradient_norm is not None:
        line["gradient_norm"] = event.gradient_norm
    return plain(line)
