"""One fit, from a config file to a finished run: the trainer's events, dealt with by the store and passed on.

    for event in fit_events("config.yaml"):
        …  # Compiling where that takes a while, Started, then the trainer's events, then Done

Closing the generator between two events saves the run: nothing is lost.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build import build_task, dtype_of, initial_weights, located, refuse_what_is_too_large
from bptrain.cautions import audible
from bptrain.conclusion import Conclusion, best_is_written, conclude
from bptrain.config.resolved import dump_yaml
from bptrain.core.network import Network
from bptrain.engines.base import Engine, Task, fresh_memory
from bptrain.engines.choice import Choice, choose_engine, forward_pass, make_engine
from bptrain.engines.numba_engine import is_compiled
from bptrain.errors import NumericalError, UsageError
from bptrain.evaluation import Baseline, baseline
from bptrain.plugins.records import records
from bptrain.prologue import Prologue, held_threads, open_config, portable, run_config
from bptrain.resuming import Resumed, refuse_missing_plugins, resumed_run
from bptrain.store import checkpoint
from bptrain.store.plain import plain
from bptrain.store.provenance import bits, now, provenance
from bptrain.store.run import RunDirectory, clear, locked, new_run, run_at
from bptrain.store.saver import Interval, Saver
from bptrain.training.events import Event, Finished, Warned
from bptrain.training.state import State
from bptrain.training.trainer import Job, train


class Compiling(NamedTuple):
    """The training loop is about to be compiled, which takes seconds; nothing has been written yet."""

    network: Network


class Started(NamedTuple):
    """The run directory is made and training begins."""

    run: Path
    state: State  # where the run begins
    network: Network
    task: Task
    rows: dict[str, int]  # of each split
    engine: str
    reason: str  # why that engine
    notes: tuple[str, ...]  # decisions worth a line each
    warnings: tuple[tuple[str, str], ...]  # (name, message)
    resumed: bool


class Done(NamedTuple):
    """The run is finished."""

    conclusion: Conclusion
    already: bool = False  # it had been finished before: nothing was left to do

    @property
    def result(self) -> dict[str, Any]:
        """The fields of fit's JSON."""
        return self.conclusion.result


FitEvent = Compiling | Started | Event | Done


class Fit(NamedTuple):
    """What a fit is made of, before it has a directory and an engine."""

    prologue: Prologue
    task: Task
    guess: Baseline
    facts: checkpoint.Facts  # but for what decides the bits, which depends on the engine


def fit_events(
    config: Path,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    out: Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
) -> Generator[FitEvent, None, None]:
    """Trains a config in a run directory of its own, and yields what happens.

    `out` is the run directory itself; `resume` is "auto" or a run. Raises the errors of `bptrain.errors`. A run that
    fails or is closed keeps the last state that was sound.
    """
    if resume is not None:
        refuse_missing_plugins(resume, out)
    fit = open_fit(open_config(config, overrides))
    loaded = fit.prologue.loaded
    with ExitStack() as stack:
        resumed = None
        if resume is not None:
            resumed = resumed_run(resume, fit.prologue, out, fit.facts, fit.task.method, stack)
        if resumed is not None and resumed.finished:
            yield Done(finished(fit, resumed), already=True)
            return
        # first of all, since a network too large for memory leaves no directory
        state = resumed.state if resumed is not None else start_state(fit)
        engine, choice = yield from ready_engine(fit, resumed)
        threads = loaded.config.training.threads
        fit = fit._replace(facts=fit.facts._replace(bits=bits(engine.name, threads)))
        stack.enter_context(held_threads(threads))
        if resumed is not None:
            run = resumed.run
        else:
            run = run_at(out, overwrite) if out is not None else new_run(loaded.path.stem)
            stack.enter_context(locked(run))
            clear(run)
        state = state.kept(run.path)  # and no longer in memory, where it is large
        resumed = None if resumed is None else resumed._replace(state=state)
        saver = open_saver(run, fit, resumed, choice, engine.compile_seconds)
        saver.save(state, status="running")  # from here on there is something to go on from
        run.write_config(dump_yaml(run_config(fit.prologue)))
        yield started(fit, run, state, resumed, choice)
        yield from trained(fit, engine, run, state, saver)


def open_fit(prologue: Prologue) -> Fit:
    """The task, the baseline, and what is the same in every checkpoint. Raises UsageError."""
    config, prepared = prologue.loaded.config, prologue.prepared
    refuse_what_is_too_large(prologue.loaded, prologue.network)
    train_rows = prepared.splits["train"]
    guess = baseline(prepared.schema, train_rows.true)
    settings = portable(run_config(prologue))
    facts = checkpoint.Facts(
        config=settings,
        schema=prepared.schema.to_json(),
        data=prepared.digest,
        bits={},
        baseline=plain(guess.to_json()),
        plugins=records(settings),
    )
    return Fit(prologue, build_task(config, prologue.network, len(train_rows.X)), guess, facts)


def ready_engine(fit: Fit, resumed: Resumed | None) -> Generator[Compiling, None, tuple[Engine, Choice]]:
    """The engine of a fit, compiled; tells first where that takes a while. Raises UsageError."""
    loaded, task = fit.prologue.loaded, fit.task
    asked, dtype = loaded.config.training.engine, dtype_of(loaded.config)
    begun_with = None if resumed is None else str(resumed.bits["engine"])
    try:
        choice = choose_engine(asked, task, dtype, begun_with)
        if choice.name == "numba" and not is_compiled(task, dtype):
            yield Compiling(fit.prologue.network)
        return make_engine(choice, asked, task, dtype, loaded.config.training.threads)
    except UsageError as error:
        raise UsageError([located(loaded, problem) for problem in error.problems]) from error


def start_state(fit: Fit) -> State:
    """The state before the first update."""
    config = fit.prologue.loaded.config
    w = initial_weights(config, fit.prologue.network, dtype_of(config))
    return State(fresh_memory(w, fit.task.method))


def open_saver(
    run: RunDirectory, fit: Fit, resumed: Resumed | None, choice: Choice, compile_seconds: float
) -> Saver:
    """The saver of a run, going on with the record and the times of a resumed one."""
    settings = fit.prologue.loaded.config.checkpoint
    record = {"format": 1, "started": now(), **provenance(choice.name), "data": fit.facts.data}
    record |= {"engine": choice.name, "engine_reason": choice.reason, "plugins": fit.facts.plugins}
    if resumed is not None:
        record |= {key: resumed.record[key] for key in resumed.record if key in ("started", "seconds")}
        record["resumed"] = now()
    interval = Interval(settings.every.epochs, settings.every.seconds)
    saver = Saver(run, fit.prologue.network, fit.task.method, fit.facts, interval, settings.keep, record)
    saver.seconds["compile"] += compile_seconds
    return saver


def started(fit: Fit, run: RunDirectory, state: State, resumed: Resumed | None, choice: Choice) -> Started:
    """The first event."""
    prepared, silenced = fit.prologue.prepared, fit.prologue.loaded.config.silence
    return Started(
        run=run.path,
        state=state,
        network=fit.prologue.network,
        task=fit.task,
        rows={name: len(rows.X) for name, rows in prepared.splits.items()},
        engine=choice.name,
        reason=choice.reason,
        notes=prepared.notes,
        warnings=fit.prologue.warnings + audible(resumed.warnings(fit.facts) if resumed else (), silenced),
        resumed=resumed is not None,
    )


def trained(
    fit: Fit, engine: Engine, run: RunDirectory, state: State, saver: Saver
) -> Iterator[Event | Done]:
    """The trainer's events, each saved before it is passed on, and the conclusion."""
    prologue = fit.prologue
    job = Job(
        task=fit.task,
        engine=engine,
        schema=prologue.prepared.schema,
        train=prologue.prepared.splits["train"],
        validation=prologue.prepared.splits.get("validation"),
        metrics=prologue.metrics,
        seed=prologue.loaded.config.seed,
        shuffle=prologue.loaded.config.training.shuffle,
        controls=prologue.controls,
        seconds=saver.seconds["train"] + saver.seconds["evaluation"],
        directory=run.path,
    )
    status = "interrupted"
    try:
        for event in train(job, state):
            state = event.state if not isinstance(event, Warned) else state
            saver.handle(event)
            silent = isinstance(event, Warned) and event.name in prologue.loaded.config.silence
            if not isinstance(event, Finished) and not silent:
                yield event
        outputs = engine.outputs
        conclusion = conclude(prologue, fit.task, run, engine.name, outputs, state, saver.seconds, fit.guess)
        saver.save(state, result=conclusion.result)
        status = "finished"
    except NumericalError:
        status = "diverged"
        raise
    finally:  # an error, Ctrl-C, or whoever follows the events has closed them: the last whole state stays
        saver.save(state, status=status, ended=now())
    yield Done(conclusion)


def finished(fit: Fit, resumed: Resumed) -> Conclusion:
    """The conclusion of a run that had ended; what a kill at its very end left undone is done now."""
    run, state, record = resumed.run, resumed.state, resumed.record
    fit = fit._replace(facts=fit.facts._replace(bits=resumed.bits))
    choice = Choice(str(resumed.bits["engine"]), str(record.get("engine_reason", "")))
    saver = open_saver(run, fit, resumed, choice, 0.0)
    outputs = forward_pass(choice.name, fit.prologue.network, state.memory.w.dtype)
    conclusion = conclude(fit.prologue, fit.task, run, choice.name, outputs, state, saver.seconds, fit.guess)
    if record.get("status") != "finished" or not best_is_written(run, state):
        with locked(run):
            saver.save(state, status="finished", result=conclusion.result)
    return conclusion
