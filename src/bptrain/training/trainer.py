"""The loop over epochs and slices. It prints nothing, saves nothing and knows no clock but to report it."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext
from bptrain.core.objective import penalty_at
from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.engines.base import Engine, OptimizerState, TrainingPlan
from bptrain.engines.divergence import diagnosis
from bptrain.engines.gradient_transform import gradient_noise
from bptrain.engines.snapshots import all_finite
from bptrain.errors import NumericalError, Warned
from bptrain.mapped_rows import IN_MEMORY, Room, numbered, room_of
from bptrain.parts.controls import Controls
from bptrain.parts.metrics import Metric
from bptrain.parts.random import stream
from bptrain.parts.types import Array
from bptrain.training.controls import after_epoch, after_slice, monitor_of_best, value_of
from bptrain.training.evaluation import Evaluation, evaluate
from bptrain.training.events import EpochEnd, Event, Finished, Progress
from bptrain.training.rows import ALL, EpochRows, RowSource
from bptrain.training.solving import iterate
from bptrain.training.state import Best, State

GROWTH = 2.0  # an epoch's loss this many times the first epoch's is worth a warning


class Job(NamedTuple):
    """What is trained, and on what."""

    plan: TrainingPlan
    engine: Engine
    schema: Schema
    train: RowSource
    validation: Rows | None
    metrics: Mapping[str, Metric]
    seed: int
    shuffle: bool
    controls: Controls = Controls()
    seconds: float = 0.0  # of updates and evaluations in earlier parts of the run
    directory: Path | None = None  # where states of a large network may lie, in files without names
    room: Room = IN_MEMORY  # for what grows with the number of rows
    ahead: int = 0  # rows of a shuffled epoch that are read at once


def train(job: Job, state: State) -> Iterator[Event]:
    """Trains from `state` until the last epoch or a control ends the run; every event but a warning carries the state.

    Raises NumericalError when a loss, weight or slot is not finite.
    """
    plan, used = job.plan, job.seconds
    working = state.optimizer_state.copy()  # what the updates change; every state has its own copy
    while state.stopped is None:
        epoch_rows = EpochRows(job.train, row_order(job, state.epoch + 1), job.ahead)
        while True:
            before = state
            working.rate_factor = state.optimizer_state.rate_factor
            state, rows, seconds = (
                _slice(job, before, working, epoch_rows)
                if plan.solver is None
                else _iteration(job, before, working)
            )
            used += seconds
            if state.step == plan.steps_per_epoch:
                break
            state = after_slice(job.controls, state, used)
            loss = state.loss_sum / epoch_rows.weight(0, state.step * plan.batch_size)
            yield Progress(state, state.epoch + 1, state.step, plan.steps_per_epoch, rows, seconds, loss)
            if state.stopped is not None:
                yield Finished(state, state.stopped)
                return
        end = _end_epoch(job, state, before.optimizer_state, working, rows, seconds)
        used += end.evaluation_seconds
        state = after_epoch(job.controls, end, used)
        warning = _growing_loss(end)
        if warning is not None:
            state = replace(state, warned_of_growth=True)
        yield end._replace(state=state)
        del before, end  # and the states that they hold
        if warning is not None:
            yield warning
    yield Finished(state, state.stopped)


def row_order(job: Job, epoch: int) -> Array | None:
    """The order of the training rows in an epoch (from 1), or None for the order of the file."""
    if not job.shuffle or job.plan.batch_size >= job.plan.rows:  # in one batch the order is immaterial
        return None
    order = numbered(job.plan.rows, job.room)
    stream(job.seed, "shuffle", epoch=epoch).shuffle(order)  # which is what `permutation` does
    return order


def _slice(
    job: Job, state: State, optimizer_state: OptimizerState, epoch_rows: EpochRows
) -> tuple[State, int, float]:
    """Runs the next slice of the epoch under way: the state after it, its rows, the seconds of its updates.

    `optimizer_state` is what the updates change; it holds what the state does.
    """
    plan = job.plan
    steps = min(plan.slice_steps(job.engine.step_work), plan.steps_per_epoch - state.step)
    start = state.step * plan.batch_size
    stop = min(start + steps * plan.batch_size, plan.rows)
    places = slice(start, stop)
    X, T, V = epoch_rows.take(places)
    clock = time.perf_counter()
    context = BatchContext(V, masks(plan.network, job.seed, state.epoch + 1, places, X.dtype, room_of(X)))
    noise = None
    if plan.transform.noise is not None:
        updates = range(optimizer_state.t + 1, optimizer_state.t + 1 + steps)
        noise = gradient_noise(plan.transform, plan.network, job.seed, updates, optimizer_state.w.dtype)
    loss_sum = job.engine.run_slice(optimizer_state, X, T, context, noise)
    seconds = time.perf_counter() - clock
    if not (math.isfinite(loss_sum) and all(map(all_finite, (optimizer_state.w, *optimizer_state.slots)))):
        raise diagnosis(plan, job.engine.name, state.optimizer_state.copy(), X, T, context, noise)
    after = replace(
        state,
        optimizer_state=optimizer_state.kept(job.directory),
        step=state.step + steps,
        loss_sum=state.loss_sum + loss_sum,
        rows_seen=state.rows_seen + stop - start,
    )
    return after, stop - start, seconds


def _iteration(job: Job, state: State, optimizer_state: OptimizerState) -> tuple[State, int, float]:
    """Runs a solver's next iteration, which is an epoch: the state after it, the rows seen, its seconds."""
    plan = job.plan
    assert plan.solver is not None
    clock = time.perf_counter()
    done = iterate(plan, job.engine, plan.solver, optimizer_state, *job.train.take(ALL))
    seconds, rows = time.perf_counter() - clock, plan.rows * done.evaluations
    after = replace(
        state,
        optimizer_state=optimizer_state.kept(job.directory),
        step=1,
        loss_sum=done.loss_sum,
        rows_seen=state.rows_seen + rows,
        stopped="converged" if done.converged else None,
    )
    return after, rows, seconds


def _end_epoch(
    job: Job, state: State, before: OptimizerState, working: OptimizerState, rows: int, seconds: float
) -> EpochEnd:
    """Closes an epoch: evaluates the validation rows and keeps the best weights.

    `before` is what the last slice began with. In batch mode the epoch's loss belongs to those weights; a solver's is
    that of the weights it has come to. `working` is what the state has a copy of.
    """
    plan, optimizer_state, controls = job.plan, state.optimizer_state, job.controls
    w = plan.for_use(working)  # which are in memory
    clock = time.perf_counter()
    epoch, train_loss = state.epoch + 1, state.loss_sum / EpochRows(job.train, None).weight(0, plan.rows)
    validation: Evaluation | None = None
    if job.validation is not None:
        outputs = job.engine.outputs(w, job.validation.X)
        validation = evaluate(plan.network, outputs, job.schema, job.validation, job.metrics)
        if not math.isfinite(validation.loss):
            raise NumericalError(
                f"the validation loss of epoch {epoch} is not finite: training diverges (try a smaller "
                "optimizer.learning_rate), or the validation rows hold values far outside the training rows."
            )
    validation_loss, figures = (None, {}) if validation is None else (validation.loss, validation.metrics)
    monitor = monitor_of_best(controls)
    here = Best(epoch, optimizer_state.t, math.nan, plan.for_use(optimizer_state))
    if validation is None and plan.steps_per_epoch == 1 and plan.solver is None:
        here = here._replace(epoch=epoch - 1, updates=before.t, w=plan.for_use(before))
    objective = train_loss + penalty_of_a_row(job, here.w)
    here = here._replace(value=value_of(monitor, objective, validation_loss, figures))
    improved = state.best is None or monitor.better(here.value, state.best.value)
    state = replace(
        state,
        epoch=epoch,
        step=0,
        loss_sum=0.0,
        first_loss=train_loss if epoch == 1 else state.first_loss,
        best=here if improved and state.before_refit is None else state.best,
    )
    return EpochEnd(
        state=state,
        epoch=epoch,
        epochs=plan.epochs,
        steps=plan.steps_per_epoch,
        rows=rows,
        seconds=seconds,
        learning_rate_factor=plan.factor(optimizer_state.t) * optimizer_state.rate_factor,
        penalty=penalty_at(plan.network, w),
        train_loss=train_loss,
        train_objective=objective,
        validation_loss=validation_loss,
        validation_metrics=figures,
        validation_metrics_unweighted=None if validation is None else validation.metrics_unweighted,
        gradient_norm=None if controls.gradient_norm is None else _gradient_norm(job, w),
        evaluation_seconds=time.perf_counter() - clock,
    )


def penalty_of_a_row(job: Job, w: Array) -> float:
    """What a penalty adds to the mean loss per row: once, or once per batch with reduction sum."""
    plan, penalty = job.plan, penalty_at(job.plan.network, w)
    if plan.network.reduction == "mean":
        return penalty
    return penalty * plan.steps_per_epoch / EpochRows(job.train, None).weight(0, plan.rows)


def _gradient_norm(job: Job, w: Array) -> float:
    """The Euclidean norm of the objective's gradient over all training rows."""
    X, T, V = job.train.take(ALL)
    return float(np.linalg.norm(job.engine.gradient(w, X, T, BatchContext(V)).astype(np.float64)))


def _growing_loss(end: EpochEnd) -> Warned | None:
    """A warning, once in a run, of a training loss that is finite and grows."""
    first = end.state.first_loss
    if end.state.warned_of_growth or first is None or not 0 < GROWTH * first < end.train_loss:
        return None
    return Warned(
        "growing_loss",
        f"the training loss of epoch {end.epoch} is {end.train_loss:.4g}, and was {first:.4g} in epoch 1: "
        "a smaller optimizer.learning_rate usually cures this.",
    )
