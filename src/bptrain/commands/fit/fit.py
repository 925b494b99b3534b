"""One fit, from a config file to a finished run: the trainer's events, saved by the store and passed on.

    for event in fit_events("config.yaml"):
        …  # Converting and Compiling where that takes a while, Started, then the trainer's events, then Done

With training.refit, RefitStarted and the events of the refit stand before Done. Closing the generator between two
events saves the run: nothing is lost.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.converted_data import Converting
from bptrain.build.setup import NOTHING, load_given, opening_loaded, run_config
from bptrain.commands.fit.older_metrics import weighed_anew
from bptrain.commands.fit.ready import (
    Compiling,
    Fit,
    for_refit,
    job_at,
    open_fit,
    ready_engine,
    start_state,
)
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
from bptrain.engines.base import Engine, TrainingPlan
from bptrain.engines.choice import EngineChoice, forward_pass
from bptrain.engines.threads import limit_threads
from bptrain.errors import NumericalError, Problem, UsageError, Warned, not_silenced
from bptrain.model.moved_data import origin_record
from bptrain.store.provenance import now, numerics, provenance
from bptrain.store.run_directory import RunDirectory, clear, locked, new_run, run_at
from bptrain.store.saver import Interval, Saver
from bptrain.training.events import Event, Finished
from bptrain.training.refit import is_refitted, refit_is_due, refit_start
from bptrain.training.state import State
from bptrain.training.trainer import train


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


class RefitStarted(NamedTuple):
    """The first fit has ended and is saved, and the refit begins."""

    state: State
    plan: TrainingPlan


FitEvent = Converting | Compiling | Started | RefitStarted | Event | Done


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
        # first of all, since a network or rows too large for memory leave no directory
        state = resumed.state if resumed is not None else start_state(fit)
        fit = for_refit(fit)
        begun_with = None if resumed is None else str(resumed.numerics["engine"])
        engine, choice = yield from ready_engine(fit, fit.plan_at(state), begun_with)
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
        plan=fit.plan_at(state),
        rows={name: len(rows.X) for name, rows in prepared.splits.items()},
        engine=choice.name,
        reason=choice.reason,
        notes=prepared.notes if anew is None else (anew, *prepared.notes),
        warnings=fit.setup.warnings + not_silenced(warnings, silenced),
        resumed=resumed is not None,
    )


def trained(
    fit: Fit, engine: Engine, run: RunDirectory, state: State, saver: Saver, warnings: tuple[Warned, ...]
) -> Iterator[Compiling | RefitStarted | Event | Done]:
    """The trainer's events, each saved before it is passed on, and the summary, with the `warnings` so far."""
    setup, told = fit.setup, list(warnings)
    status = "interrupted"
    try:
        for event in both_fits(fit, engine, run, state, saver):
            state = event.state if not isinstance(event, Warned | Compiling) else state
            silent = isinstance(event, Warned) and event.name in setup.loaded.config.silence
            if not isinstance(event, Finished) and not silent:
                told += [event] if isinstance(event, Warned) else []
                yield event
        outputs, seconds = engine.outputs, saver.seconds
        summary = summarize(setup, fit.plan, run, engine.name, outputs, state, seconds, fit.guess, told)
        saver.save_at_end(state, summary.errors, summary.refitted, result=summary.result)
        status = "finished"
    except NumericalError as error:
        status = "diverged"
        if state.before_refit is not None:
            kept = f"{run.best} is the model before the refit."
            error.reworded(
                one._replace(message=f"in the refit, {one.message} {kept}") for one in error.problems
            )
        raise
    finally:  # an error, Ctrl-C, or whoever follows the events has closed them: the last whole state stays
        saver.save(state, status=status, ended=now())
    yield Done(summary)


def both_fits(
    fit: Fit, engine: Engine, run: RunDirectory, state: State, saver: Saver
) -> Generator[Compiling | RefitStarted | Event, None, None]:
    """The events of the first fit, and with training.refit those of the refit."""
    state = yield from saved(fit, engine, run, state, saver)
    if not fit.setup.loaded.config.training.refit:
        return
    if refit_is_due(state):
        saver.save(state)  # the refit begins again from here, until it has a checkpoint of its own
        state = refit_start(state, start_state(fit).optimizer_state).kept(run.path)
        engine, _ = yield from ready_engine(fit, fit.plan_at(state), engine.name)
        saver.seconds["compile"] += engine.compile_seconds
        yield RefitStarted(state, fit.plan_at(state))
        state = yield from saved(fit, engine, run, state, saver)
    if not is_refitted(state):
        yield left_out(run)


def saved(
    fit: Fit, engine: Engine, run: RunDirectory, state: State, saver: Saver
) -> Generator[Event, None, State]:
    """The trainer's events from a state on, each saved before it is passed on; returns the last state."""
    used = saver.seconds["train"] + saver.seconds["evaluation"]
    for event in train(job_at(fit, engine, run.path, state, used), state):
        state = state if isinstance(event, Warned) else event.state
        saver.handle(event)
        yield event
    return state


def left_out(run: RunDirectory) -> Warned:
    """That the time limit has ended a run before its refit was done."""
    message = f"the refit is not done, since training.max_time is over: {run.best} is the best model of the first fit"
    return Warned("refit_left_out", f"{message}; with more time, --resume {run.path} goes on")


def finished(fit: Fit, resumed: Resumed) -> FitSummary:
    """The summary of a run that had ended; what a kill at its very end left undone is done now."""
    run, state, record = resumed.run, resumed.state, resumed.record
    fit = fit._replace(facts=fit.facts._replace(numerics=resumed.numerics))
    choice = EngineChoice(str(resumed.numerics["engine"]), str(record.get("engine_reason", "")))
    saver = open_saver(run, fit, resumed, choice, 0.0)
    outputs = forward_pass(choice.name, fit.setup.network, state.optimizer_state.w.dtype, fit.threads)
    told, seconds = fit.setup.warnings, saver.seconds
    if fit.setup.loaded.config.training.refit and not is_refitted(state):
        told += not_silenced([left_out(run)], fit.setup.loaded.config.silence)
    summary = summarize(fit.setup, fit.plan, run, choice.name, outputs, state, seconds, fit.guess, told)
    if record.get("status") != "finished" or not best_is_written(run, state, summary):
        with locked(run):
            saver.save_at_end(
                state, summary.errors, summary.refitted, status="finished", result=summary.result
            )
    return summary
