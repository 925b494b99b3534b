"""One fit, from a config file to a finished run: the trainer's events, dealt with by the store and passed on.

    for event in fit_events("config.yaml"):
        …  # Started, then the trainer's events, then Done

Closing the generator between two events saves the run: nothing is lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build import (
    build_metrics,
    build_task,
    dtype_of,
    initial_weights,
    network_of_schema,
    prepare_data,
)
from bptrain.config import Loaded, load_config
from bptrain.config.resolved import dump_yaml, target_is_path, to_plain
from bptrain.core.network import Network
from bptrain.data.prepare import Prepared
from bptrain.engines.base import Task, fresh_memory
from bptrain.engines.choice import choose_engine
from bptrain.errors import NumericalError
from bptrain.evaluation import Baseline, Evaluation, baseline, evaluate
from bptrain.parts.metrics import Metric
from bptrain.parts.types import Array
from bptrain.resuming import Resumed, finished_or_resumed
from bptrain.store import checkpoint
from bptrain.store.plain import plain
from bptrain.store.provenance import bits, now, provenance
from bptrain.store.run import RunDirectory, clear, locked, new_run, run_at
from bptrain.store.saver import Interval, Saver
from bptrain.training.events import Event, Finished
from bptrain.training.state import State
from bptrain.training.trainer import Job, train


class Started(NamedTuple):
    """The run directory is made and training begins."""

    run: Path
    state: State  # where the run begins, and stands from then on
    network: Network
    task: Task
    rows: dict[str, int]  # of each split
    engine: str
    reason: str  # why that engine
    notes: tuple[str, ...]  # decisions worth a line each
    warnings: tuple[tuple[str, str], ...]  # (name, message)
    resumed_epoch: int | None  # epochs already done in a resumed run


class Split(NamedTuple):
    """The best model on one split, beside the baseline."""

    name: str
    evaluation: Evaluation
    baseline: Baseline
    baseline_metrics: dict[str, Any]


class Done(NamedTuple):
    """The run is finished; `result` holds the fields of fit's JSON."""

    result: dict[str, Any]
    splits: tuple[Split, ...]  # empty when the run had been finished before
    already: bool = False  # nothing was left to do


class Prologue(NamedTuple):
    """A config with its data, as far as every use of it goes."""

    loaded: Loaded
    prepared: Prepared
    network: Network
    metrics: Mapping[str, Metric]


def open_config(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Prologue:
    """Validates a config, reads its data and builds its network. Raises UsageError or DataError."""
    return open_loaded(load_config(config, overrides))


def open_loaded(loaded: Loaded) -> Prologue:
    """Reads the data of a config and builds its network. Raises UsageError or DataError."""
    prepared = prepare_data(loaded)
    network = network_of_schema(loaded.config, prepared.schema)
    return Prologue(loaded, prepared, network, build_metrics(loaded, prepared.schema))


def blas_threads(threads: int | None) -> AbstractContextManager[Any]:
    """Holds BLAS to that many threads; None leaves them as they are."""
    if threads is None:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(threads, user_api="blas")


def fit_events(
    config: Path,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    out: Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
) -> Iterator[Started | Event | Done]:
    """Trains a config in a run directory of its own, and yields what happens.

    `out` is the run directory itself; `resume` is "auto" or a run. Raises the errors of `bptrain.errors`. A run that
    fails or is closed keeps the last state that was sound.
    """
    prologue = open_config(config, overrides)
    loaded, prepared, network, metrics = prologue
    train_rows = prepared.splits["train"]
    task = build_task(loaded.config, network, len(train_rows.X), dtype_of(loaded.config))
    choice = choose_engine(loaded.config.training.engine, task)
    with ExitStack() as stack:
        stack.enter_context(blas_threads(loaded.config.training.threads))
        guess = baseline(prepared.schema, train_rows.true)
        facts = checkpoint.Facts(
            config=portable(loaded),
            schema=prepared.schema.to_json(),
            data=prepared.digest,
            bits=bits(choice.engine.name, loaded.config.training.threads),
            baseline={"description": guess.description, "guess": plain(guess.guess)},
        )
        resumed: Resumed | None = None
        if resume is not None:
            found = finished_or_resumed(resume, loaded, out, facts, network, task.optimizer, stack)
            if isinstance(found, dict):
                yield Done(found, (), already=True)
                return
            resumed = found
        if resumed is not None:
            run, state = resumed.run, resumed.state
        else:
            run = run_at(out, overwrite) if out is not None else new_run(loaded.path.stem)
            stack.enter_context(locked(run))
            clear(run)
            state = State(
                fresh_memory(initial_weights(loaded.config, network, dtype_of(loaded.config)), task.optimizer)
            )
        saver = open_saver(run, loaded, network, task, facts, resumed)
        saver.save(state)  # from here on there is something to go on from
        run.write_config(dump_yaml(to_plain(loaded.absolute())))
        saver.update_record(status="running", engine=choice.engine.name, engine_reason=choice.reason)
        yield Started(
            run=run.path,
            state=state,
            network=network,
            task=task,
            rows={name: len(rows.X) for name, rows in prepared.splits.items()},
            engine=choice.engine.name,
            reason=choice.reason,
            notes=prepared.notes,
            warnings=prepared.warnings + (resumed.warnings if resumed else ()),
            resumed_epoch=state.epoch if resumed else None,
        )
        job = Job(
            task=task,
            engine=choice.engine,
            schema=prepared.schema,
            train=train_rows,
            validation=prepared.splits.get("validation"),
            metrics=metrics,
            seed=loaded.config.seed,
            shuffle=loaded.config.training.shuffle,
        )
        stopped = "interrupted"
        try:
            for event in train(job, state):
                saver.handle(event)
                if isinstance(event, Finished):
                    stopped = event.stopped
                yield event
        except NumericalError:
            stopped = "diverged"
            raise
        finally:
            saver.save(state)
            if stopped in ("interrupted", "diverged"):
                saver.update_record(status=stopped, ended=now())
        result, splits = finish(prologue, run, choice.engine.name, state, saver, stopped, guess)
        saver.update_record(status="finished", ended=now(), result=result)
        yield Done(result, splits)


def portable(loaded: Loaded) -> dict[str, Any]:
    """The resolved config for a checkpoint: data files by name alone, since it holds no path."""
    resolved = to_plain(loaded.config)
    data = resolved["data"]
    for role in ("train", "validation", "test"):
        if isinstance(data.get(role), str):
            data[role] = Path(data[role]).name
        elif role in data:
            data[role] = {key: Path(path).name for key, path in data[role].items()}
    if "target" in data and target_is_path(loaded.config):
        data["target"] = Path(data["target"]).name
    return resolved


def open_saver(
    run: RunDirectory,
    loaded: Loaded,
    network: Network,
    task: Task,
    facts: checkpoint.Facts,
    resumed: Resumed | None,
) -> Saver:
    """The saver of a run, going on with the record and the times of a resumed one."""
    every = loaded.config.checkpoint.every
    record: dict[str, Any] = {
        "format": 1,
        "status": "starting",
        "started": now(),
        **provenance(),
        "data": facts.data,
    }
    if resumed is not None:
        record |= {"started": resumed.record.get("started", record["started"]), "resumed": now()}
    interval = Interval(every.epochs, every.seconds)
    saver = Saver(run, network, task.optimizer, facts, interval, loaded.config.checkpoint.keep, record)
    if resumed is not None:
        saver.train_seconds = resumed.train_seconds
    return saver


def finish(
    prologue: Prologue,
    run: RunDirectory,
    engine: str,
    state: State,
    saver: Saver,
    stopped: str,
    guess: Baseline,
) -> tuple[dict[str, Any], tuple[Split, ...]]:
    """The fields of fit's JSON, and the best model on every split."""
    schema, splits = prologue.prepared.schema, prologue.prepared.splits
    assert state.best is not None  # the trainer sets it at the end of the first epoch

    def on_every_split(w: Array) -> dict[str, Evaluation]:
        return {
            name: evaluate(prologue.network, w, schema, rows, prologue.metrics)
            for name, rows in splits.items()
        }

    best = on_every_split(state.best.w)
    same = state.best.step == state.memory.t
    final = best if same else on_every_split(state.memory.w)
    result = {
        "run": str(run.path),
        "engine": engine,
        "epochs": state.epoch,
        "steps": state.memory.t,
        "rows_seen": state.rows_seen,
        "train_seconds": saver.train_seconds,
        "compile_seconds": 0.0,
        "evaluation_seconds": saver.evaluation_seconds,
        "checkpoint_seconds": saver.seconds,
        "stopped": stopped,
        "best": figures(state.best.epoch, best),
        "final": figures(state.epoch, final),
    }
    shown = tuple(
        Split(name, best[name], guess, guess.metrics(schema, rows, prologue.metrics))
        for name, rows in splits.items()
    )
    return plain(result), shown


def figures(epoch: int, evaluations: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Loss and metrics of one set of weights, by split."""
    return {
        "epoch": epoch,
        "loss": {name: evaluation.loss for name, evaluation in evaluations.items()},
        "metrics": {name: evaluation.metrics for name, evaluation in evaluations.items()},
    }
