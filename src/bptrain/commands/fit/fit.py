"""One fit, from a config file to a finished run: the trainer's events, saved by the store and passed on.

    for event in fit_events("config.yaml"):
        …  # Converting and Compiling where that takes a while, Started, then the trainer's events, then Done

Closing the generator between two events saves the run: nothing is lost.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.converted_data import Converting
from bptrain.build.making import dtype_of
from bptrain.build.network import initial_weights
from bptrain.build.setup import NOTHING, Setup, load_given, opening_loaded, run_config
from bptrain.build.training import build_plan, refuse_what_is_too_large
from bptrain.commands.fit.older_metrics import weighed_anew
from bptrain.commands.fit.resume import (
    Resumed,
    data_to_go_on,
    not_continued,
    refuse_what_is_missing,
    resumed_run,
)
from bptrain.commands.fit.summary import FitSummary, best_is_written, summarize
from bptrain.config import Loaded
from bptrain.config.resolved import dump_yaml
from bptrain.core.network import Network
from bptrain.data.memory import InMemory
from bptrain.data.prepared import ChangedDataError
from bptrain.engines.base import Engine, TrainingPlan, initial_optimizer_state
from bptrain.engines.choice import EngineChoice, choose_engine, forward_pass, make_engine
from bptrain.engines.registry import engine_entry
from bptrain.engines.threads import limit_threads, threads_for
from bptrain.errors import NumericalError, Problem, UsageError, Warned, not_silenced
from bptrain.mapped_rows import room_of
from bptrain.model.moved_data import origin_record
from bptrain.plugins.records import records
from bptrain.store import checkpoint
from bptrain.store.plain import plain
from bptrain.store.provenance import now, numerics, provenance
from bptrain.store.run_directory import RunDirectory, clear, locked, new_run, run_at
from bptrain.store.run_settings import portable
from bptrain.store.saver import Interval, Saver
from bptrain.training.evaluation import Baseline, baseline
from bptrain.training.events import Event, Finished
from bptrain.training.rows import RowsOfArrays, bytes_ahead, rows_ahead
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
    plan: TrainingPlan
    rows: dict[str, int]  # of each split
    engine: str
    reason: str  # why that engine
    notes: tuple[str, ...]  # decisions, one line per note
    warnings: tuple[Warned, ...]
    resumed: bool


class Done(NamedTuple):
    """The run is finished."""

    summary: FitSummary
    already: bool = False  # it had been finished before: nothing was left to do

    @property
    def result(self) -> dict[str, Any]:
        """The fields of fit's JSON."""
        return self.summary.result


FitEvent = Converting | Compiling | Started | Event | Done


class Fit(NamedTuple):
    """What a fit is made of, before it has a directory and an engine."""

    setup: Setup
    plan: TrainingPlan
    guess: Baseline
    facts: checkpoint.Facts  # without the numerics, which depend on the engine
    threads: int


def fit_events(
    config: Path | Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, Any] = (),
    out: Path | None = None,
    resume: str | None = None,
    overwrite: bool = False,
    given: Mapping[str, InMemory] = NOTHING,
) -> Generator[FitEvent, None, None]:
    """Trains a config in a run directory of its own, and yields what happens.

    `out` is the run directory itself; `resume` is "auto" or a run; `given` are rows in place of files. Raises
    the errors of `bptrain.errors`. A run that fails or is closed keeps its last consistent state.
    """
    if resume is not None:
        refuse_what_is_missing(resume, out, given)
    loaded = load_given(config, overrides, given)
    refuse_several_networks(loaded)
    kept = None
    if resume is not None:
        loaded, kept = data_to_go_on(resume, loaded, out)
    try:
        fit = open_fit((yield from opening_loaded(loaded, given, kept)))
    except ChangedDataError:  # such a run does not go on, which is said later
        fit = open_fit((yield from opening_loaded(loaded, given)))
    del given  # the rows are encoded: what they were made from need not stay in memory
    with ExitStack() as stack:
        resumed, anew = None, None
        if resume is not None:
            resumed = resumed_run(resume, fit.setup, out, fit.facts, fit.plan.method, stack)
            anew = not_continued(fit.setup, fit.facts) if resumed is None and out is None else None
        if resumed is not None and resumed.finished:
            yield Done(finished(fit, resumed), already=True)
            return
        # first of all, since a network too large for memory leaves no directory
        state = resumed.state if resumed is not None else start_state(fit)
        engine, choice = yield from ready_engine(fit, resumed)
        fit = fit._replace(facts=fit.facts._replace(numerics=numerics(engine.name, fit.threads)))
        stack.enter_context(limit_threads(blas=loaded.config.training.threads or 1, openmp=fit.threads))
        older: tuple[Warned, ...] = ()
        if resumed is not None:
            run = resumed.run
            state, older = weighed_anew(fit.setup, resumed.numerics, state, engine.outputs)
        else:
            run = run_at(out, overwrite) if out is not None else new_run(loaded.path.stem)
            stack.enter_context(locked(run))
            clear(run)
        state = state.kept(run.path)  # and no longer in memory, where it is large
        resumed = None if resumed is None else resumed._replace(state=state)
        saver = open_saver(run, fit, resumed, choice, engine.compile_seconds)
        saver.save(state, status="running")  # from here on there is something to go on from
        run.write_config(dump_yaml(run_config(fit.setup)))
        begun = started(fit, run, state, resumed, choice, anew, older)
        yield begun
        yield from trained(fit, engine, run, state, saver, begun.warnings)


def refuse_several_networks(loaded: Loaded) -> None:
    """Raises UsageError for a config of an ensemble, which is not one fit (experiments/ensembles.py)."""
    if loaded.config.ensemble is not None:
        with loaded.locating():
            message = "several networks are not one fit: set it to null"
            raise UsageError(Problem("contradiction", message, path="ensemble"))


def open_fit(setup: Setup) -> Fit:
    """The training plan, the baseline, and what is the same in every checkpoint. Raises UsageError."""
    config, prepared = setup.loaded.config, setup.prepared
    refuse_what_is_too_large(setup.loaded, setup.network)
    train_rows = prepared.splits["train"]
    guess = baseline(prepared.schema, train_rows.y_true, train_rows.row_weight)
    settings = portable(run_config(setup))
    facts = checkpoint.Facts(
        config=settings,
        schema=prepared.schema.to_json(),
        data=prepared.digest,
        numerics={},
        baseline=plain(guess.to_json()),
        plugins=records(settings),
    )
    plan = build_plan(config, setup.network, len(train_rows.X))
    return Fit(setup, plan, guess, facts, threads_for(plan, config.training.threads))


def ready_engine(
    fit: Fit, resumed: Resumed | None
) -> Generator[Compiling, None, tuple[Engine, EngineChoice]]:
    """The engine of a fit, compiled; yields Compiling first if that takes a while. Raises UsageError."""
    loaded, plan = fit.setup.loaded, fit.plan
    asked, dtype = loaded.config.training.engine, dtype_of(loaded.config)
    begun_with = None if resumed is None else str(resumed.numerics["engine"])
    with loaded.locating():
        choice = choose_engine(asked, plan, dtype, begun_with)
        if not engine_entry(choice.name).is_ready(plan, dtype, fit.threads):
            yield Compiling(fit.setup.network)
        return make_engine(choice, asked, plan, dtype, fit.threads)


def start_state(fit: Fit) -> State:
    """The state before the first update."""
    config = fit.setup.loaded.config
    w = initial_weights(config, fit.setup.network, dtype_of(config))
    return State(initial_optimizer_state(w, fit.plan.method))


def open_saver(
    run: RunDirectory, fit: Fit, resumed: Resumed | None, choice: EngineChoice, compile_seconds: float
) -> Saver:
    """The saver of a run, going on with the record and the times of a resumed one."""
    settings = fit.setup.loaded.config.checkpoint
    record = {"format": 1, "started": now(), **provenance(choice.name), "data": fit.facts.data}
    record["paths"] = origin_record(run, fit.setup.loaded)
    record |= {"engine": choice.name, "engine_reason": choice.reason, "plugins": fit.facts.plugins}
    if resumed is not None:
        record |= {key: resumed.record[key] for key in resumed.record if key in ("started", "seconds")}
        record["resumed"] = now()
    interval = Interval(settings.every.epochs, settings.every.seconds)
    saver = Saver(run, fit.setup.network, fit.plan.method, fit.facts, interval, settings.keep, record)
    saver.seconds["compile"] += compile_seconds
    return saver


def started(
    fit: Fit,
    run: RunDirectory,
    state: State,
    resumed: Resumed | None,
    choice: EngineChoice,
    anew: str | None,
    older: tuple[Warned, ...],
) -> Started:
    """The first event; `anew` says why a run that might have gone on does not, `older` warns of one that does."""
    prepared, silenced = fit.setup.prepared, fit.setup.loaded.config.silence
    warnings = (*resumed.warnings(fit.facts), *older) if resumed is not None else ()
    return Started(
        run=run.path,
        state=state,
        network=fit.setup.network,
        plan=fit.plan,
        rows={name: len(rows.X) for name, rows in prepared.splits.items()},
        engine=choice.name,
        reason=choice.reason,
        notes=prepared.notes if anew is None else (anew, *prepared.notes),
        warnings=fit.setup.warnings + not_silenced(warnings, silenced),
        resumed=resumed is not None,
    )


def trained(
    fit: Fit, engine: Engine, run: RunDirectory, state: State, saver: Saver, warnings: tuple[Warned, ...]
) -> Iterator[Event | Done]:
    """The trainer's events, each saved before it is passed on, and the summary, with the `warnings` so far."""
    setup, told = fit.setup, list(warnings)
    train_rows, memory = setup.prepared.splits["train"], setup.loaded.config.data.memory_bound
    job = Job(
        plan=fit.plan,
        engine=engine,
        schema=setup.prepared.schema,
        train=RowsOfArrays(train_rows, bytes_ahead(memory)),
        validation=setup.prepared.splits.get("validation"),
        metrics=setup.metrics,
        seed=setup.loaded.config.seed,
        shuffle=setup.loaded.config.training.shuffle,
        controls=setup.controls,
        seconds=saver.seconds["train"] + saver.seconds["evaluation"],
        directory=run.path,
        room=room_of(train_rows.X),
        ahead=rows_ahead(train_rows, memory),
    )
    status = "interrupted"
    try:
        for event in train(job, state):
            state = event.state if not isinstance(event, Warned) else state
            saver.handle(event)
            silent = isinstance(event, Warned) and event.name in setup.loaded.config.silence
            if not isinstance(event, Finished) and not silent:
                told += [event] if isinstance(event, Warned) else []
                yield event
        outputs, seconds = engine.outputs, saver.seconds
        summary = summarize(setup, fit.plan, run, engine.name, outputs, state, seconds, fit.guess, told)
        saver.save_at_end(state, summary.errors, result=summary.result)
        status = "finished"
    except NumericalError:
        status = "diverged"
        raise
    finally:  # an error, Ctrl-C, or whoever follows the events has closed them: the last whole state stays
        saver.save(state, status=status, ended=now())
    yield Done(summary)


def finished(fit: Fit, resumed: Resumed) -> FitSummary:
    """The summary of a run that had ended; what a kill at its very end left undone is done now."""
    run, state, record = resumed.run, resumed.state, resumed.record
    fit = fit._replace(facts=fit.facts._replace(numerics=resumed.numerics))
    choice = EngineChoice(str(resumed.numerics["engine"]), str(record.get("engine_reason", "")))
    saver = open_saver(run, fit, resumed, choice, 0.0)
    outputs = forward_pass(choice.name, fit.setup.network, state.optimizer_state.w.dtype, fit.threads)
    told, seconds = fit.setup.warnings, saver.seconds
    summary = summarize(fit.setup, fit.plan, run, choice.name, outputs, state, seconds, fit.guess, told)
    if record.get("status") != "finished" or not best_is_written(run, state, summary.errors):
        with locked(run):
            saver.save_at_end(state, summary.errors, status="finished", result=summary.result)
    return summary
