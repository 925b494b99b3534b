"""What a fit is made of, before it has a run directory: its plan, its baseline, its engine, its rows for a refit."""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from bptrain.build.making import dtype_of
from bptrain.build.network import initial_weights
from bptrain.build.setup import Setup, run_config
from bptrain.build.training import build_plan, refuse_what_is_too_large
from bptrain.core.network import Network
from bptrain.engines.base import Engine, TrainingPlan, initial_optimizer_state
from bptrain.engines.choice import EngineChoice, choose_engine, make_engine
from bptrain.engines.registry import engine_entry
from bptrain.engines.threads import threads_for
from bptrain.mapped_rows import room_of
from bptrain.plugins.records import records
from bptrain.store import checkpoint
from bptrain.store.plain import plain
from bptrain.store.run_settings import portable
from bptrain.training.evaluation import Baseline, baseline
from bptrain.training.refit import part_of, refit_controls, together
from bptrain.training.rows import RowsOfArrays, TrainingRows, bytes_ahead, rows_ahead
from bptrain.training.state import State
from bptrain.training.trainer import Job


class Compiling(NamedTuple):
    """The training loop is about to be compiled, which takes seconds; nothing has been written yet."""

    network: Network


class Fit(NamedTuple):
    """What a fit is made of, before it has a directory and an engine."""

    setup: Setup
    plan: TrainingPlan
    guess: Baseline
    facts: checkpoint.Facts  # without the numerics, which depend on the engine
    threads: int
    rows_together: TrainingRows | None = (
        None  # of train and validation, of which those of the setup are views
    )

    def plan_at(self, state: State) -> TrainingPlan:
        """What a state is trained by: the plan of the first fit or, for as many epochs as its best, of the refit."""
        if state.before_refit is None or state.best is None or self.rows_together is None:
            return self.plan
        plan = build_plan(self.setup.loaded.config, self.setup.network, len(self.rows_together.X))
        return plan._replace(epochs=state.best.epoch)


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


def for_refit(fit: Fit) -> Fit:
    """The fit with its train and validation rows in the same arrays, where it is to end with a refit."""
    if not fit.setup.loaded.config.training.refit:
        return fit
    splits = fit.setup.prepared.splits
    train_rows, validation = splits["train"], splits["validation"]
    both, n = together(train_rows, validation), len(train_rows.X)
    views = {
        "train": part_of(train_rows, both, slice(0, n)),
        "validation": part_of(validation, both, slice(n, None)),
    }
    prepared = fit.setup.prepared._replace(splits={**splits, **views})
    return fit._replace(setup=fit.setup._replace(prepared=prepared), rows_together=both)


def ready_engine(
    fit: Fit, plan: TrainingPlan, begun_with: str | None = None
) -> Generator[Compiling, None, tuple[Engine, EngineChoice]]:
    """The engine of a plan, compiled; yields Compiling first if that takes a while. Raises UsageError."""
    loaded = fit.setup.loaded
    asked, dtype = loaded.config.training.engine, dtype_of(loaded.config)
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


def job_at(fit: Fit, engine: Engine, directory: Path, state: State, seconds: float) -> Job:
    """What the trainer needs to go on from a state: of the first fit, or of the refit on the rows of both splits.

    `seconds` are those of updates and evaluations so far.
    """
    setup, splits = fit.setup, fit.setup.prepared.splits
    first, memory = state.before_refit is None, setup.loaded.config.data.memory_bound
    rows = splits["train"] if first or fit.rows_together is None else fit.rows_together
    return Job(
        plan=fit.plan_at(state),
        engine=engine,
        schema=setup.prepared.schema,
        train=RowsOfArrays(rows, bytes_ahead(memory)),
        validation=splits.get("validation") if first else None,
        metrics=setup.metrics,
        seed=setup.loaded.config.seed,
        shuffle=setup.loaded.config.training.shuffle,
        controls=setup.controls if first else refit_controls(setup.controls),
        seconds=seconds,
        directory=directory,
        room=room_of(rows.X),
        ahead=rows_ahead(rows, memory),
    )
