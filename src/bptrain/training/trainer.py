"""The loop over epochs and slices. It prints nothing, saves nothing and knows no clock but to report it."""

import math
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from bptrain.data.prepare import Rows
from bptrain.data.schema import Schema
from bptrain.engines.base import Engine, Memory, Task
from bptrain.engines.diagnosis import diagnosis
from bptrain.errors import NumericalError
from bptrain.evaluation import Evaluation, evaluate
from bptrain.parts.metrics import Metric
from bptrain.parts.random import stream
from bptrain.parts.types import Array
from bptrain.training.events import EpochEnd, Event, Finished, Progress, Warned
from bptrain.training.state import Best, State

GROWTH = 2.0  # an epoch's loss this many times the first epoch's is worth a warning


class Job(NamedTuple):
    """What is trained, and on what."""

    task: Task
    engine: Engine
    schema: Schema
    train: Rows
    validation: Rows | None
    metrics: Mapping[str, Metric]
    seed: int
    shuffle: bool


def train(job: Job, state: State) -> Iterator[Event]:
    """Trains from `state`, in place, to the last epoch.

    At every yield the state is consistent. Raises NumericalError when a loss or weight is not finite; the state is
    then that of the start of the slice in which it happened.
    """
    while state.epoch < job.task.epochs:
        order = row_order(job, state.epoch + 1)
        while True:
            before = state.memory.copy()
            rows, seconds = _slice(job, state, order, before)
            if state.step == job.task.steps_per_epoch:
                break
            loss = state.loss_sum / (state.step * job.task.batch_size)
            yield Progress(state, state.epoch + 1, state.step, job.task.steps_per_epoch, rows, seconds, loss)
        end = _end_epoch(job, state, before, rows, seconds)
        yield end
        yield from _growing_loss(state, end)
    yield Finished(state, "epochs")


def row_order(job: Job, epoch: int) -> Array | None:
    """The order of the training rows in an epoch (from 1), or None for the order of the file."""
    if not job.shuffle or job.task.batch_size >= job.task.rows:  # in one batch the order is immaterial
        return None
    return stream(job.seed, "shuffle", epoch=epoch).permutation(job.task.rows)


def _slice(job: Job, state: State, order: Array | None, before: Memory) -> tuple[int, float]:
    """Runs the next slice of the epoch under way; its rows, and the seconds of its updates."""
    task = job.task
    steps = min(task.slice_steps, task.steps_per_epoch - state.step)
    start = state.step * task.batch_size
    stop = min(start + steps * task.batch_size, task.rows)
    rows = slice(start, stop) if order is None else order[start:stop]
    clock = time.perf_counter()
    X, T = job.train.X[rows], job.train.T[rows]
    try:
        loss_sum = job.engine.run_slice(state.memory, X, T)
        if not (math.isfinite(loss_sum) and np.isfinite(state.memory.w).all()):
            raise diagnosis(task, before.copy(), X, T)
    except BaseException:  # Ctrl-C too: a slice that did not end counts as not begun
        state.memory = before
        raise
    seconds = time.perf_counter() - clock
    state.step += steps
    state.loss_sum += loss_sum
    state.rows_seen += stop - start
    return stop - start, seconds


def _end_epoch(job: Job, state: State, before: Memory, rows: int, seconds: float) -> EpochEnd:
    """Closes an epoch: evaluates the validation rows and keeps the best weights.

    `before` is what the last slice began with. In batch mode the epoch's loss belongs to those weights.
    """
    task = job.task
    clock = time.perf_counter()
    train_loss = state.loss_sum / task.rows
    validation: Evaluation | None = None
    if job.validation is not None:
        validation = evaluate(task.network, state.memory.w, job.schema, job.validation, job.metrics)
        if not math.isfinite(validation.loss):
            raise NumericalError(
                f"the validation loss of epoch {state.epoch + 1} is not finite: training diverges (try a smaller "
                "optimizer.learning_rate), or the validation rows hold values far outside the training rows."
            )
    state.epoch += 1
    state.step, state.loss_sum = 0, 0.0
    if state.epoch == 1:
        state.first_loss = train_loss

    here = Best(state.epoch, state.memory.t, train_loss, state.memory.w)
    if validation is not None:
        here = here._replace(loss=validation.loss)
    elif task.steps_per_epoch == 1:
        here = here._replace(epoch=state.epoch - 1, step=before.t, w=before.w)
    improved = state.best is None or here.loss < state.best.loss
    if improved:
        state.best = here._replace(w=here.w.copy())
    return EpochEnd(
        state=state,
        epoch=state.epoch,
        epochs=task.epochs,
        steps=task.steps_per_epoch,
        rows=rows,
        seconds=seconds,
        learning_rate_factor=task.factor(state.memory.t),
        train_loss=train_loss,
        validation_loss=None if validation is None else validation.loss,
        validation_metrics={} if validation is None else validation.metrics,
        improved=improved,
        evaluation_seconds=time.perf_counter() - clock,
    )


def _growing_loss(state: State, end: EpochEnd) -> Iterator[Warned]:
    """Warns once in a run of a training loss that is finite and grows."""
    first = state.first_loss
    if first is None or state.warned_of_growth or end.train_loss <= GROWTH * first:
        return
    state.warned_of_growth = True
    yield Warned(
        "growing_loss",
        f"the training loss of epoch {end.epoch} is {end.train_loss:.4g}, and was {first:.4g} in epoch 1: "
        "a smaller optimizer.learning_rate usually cures this.",
    )
