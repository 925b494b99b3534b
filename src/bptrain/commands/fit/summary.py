"""The end of a fit: the best and the final weights on every split, with the baseline."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bptrain.build.setup import Setup
from bptrain.core.network import Network
from bptrain.core.objective import penalty_at
from bptrain.engines.base import Outputs, TrainingPlan
from bptrain.errors import CheckpointError, Warned, not_silenced
from bptrain.parts.types import Array
from bptrain.store import checkpoint
from bptrain.store.loss_history import training_losses
from bptrain.store.plain import plain
from bptrain.store.run_directory import RunDirectory
from bptrain.training.conformal import AbsoluteErrors, absolute_errors
from bptrain.training.controls import reason
from bptrain.training.evaluation import Baseline, Evaluation, Seen, evaluation_of, seen_by
from bptrain.training.refit import is_refitted
from bptrain.training.state import Best, State


class SplitResult(NamedTuple):
    """The best model on one split, with the baseline."""

    name: str
    evaluation: Evaluation
    baseline: Baseline
    baseline_metrics: dict[str, Any]


class FitSummary(NamedTuple):
    """The results of a finished run."""

    result: dict[str, Any]  # the fields of fit's JSON
    splits: tuple[SplitResult, ...]
    reason: str | None  # why it ended before its last epoch
    learning: tuple[Warned, ...] = ()  # that it has learned nothing, as far as its best weights show it
    errors: AbsoluteErrors | None = None  # of validation rows at the best weights, where targets are numbers
    refitted: Best | None = None  # the weights of a refit that has come to its end


def summarize(
    setup: Setup,
    plan: TrainingPlan,
    run: RunDirectory,
    engine: str,
    outputs: Callable[[Array, Array], Outputs],
    state: State,
    seconds: Mapping[str, float],
    guess: Baseline,
    told: Sequence[Warned] = (),
) -> FitSummary:
    """Evaluates the best and the final weights of a run on every split. `told` are the warnings so far.

    After a refit the final weights are its own, and so is the best model's figure on test rows, which neither fit has
    seen; on train and validation rows it is that of the first fit.
    """
    # loaded at the end of a fit: validate, and a config that is refused, need none of it
    from bptrain.training.learning_checks import learning_warnings
    from bptrain.training.observations import Observations, split_error

    schema, splits, stopped = setup.prepared.schema, setup.prepared.splits, state.stopped
    assert stopped is not None  # it has ended
    last = Best(state.epoch, state.updates, math.nan, plan.for_use(state.optimizer_state))
    best = state.best or last  # a run may end in its first epoch
    final = best if state.restored else last
    first, refitted = state.before_refit, last if is_refitted(state) else None
    epochs = state.epoch if first is None else first.epochs
    stopped = stopped if first is None or refitted is None else first.stopped

    def on_every_split(w: Array) -> dict[str, Seen]:
        return {
            name: seen_by(setup.network, outputs(w, rows.X), schema, rows) for name, rows in splits.items()
        }

    def evaluated(seen: Mapping[str, Seen]) -> dict[str, Evaluation]:
        return {
            name: evaluation_of(seen[name], schema, rows, setup.metrics, per_target=True)
            for name, rows in splits.items()
        }

    of_best = on_every_split(best.w)
    at_best = evaluated(of_best)
    of_final = of_best if final.updates == best.updates else on_every_split(final.w)
    at_end = at_best if of_final is of_best else evaluated(of_final)
    used, of_used = (best, of_best) if refitted is None else (refitted, of_final)
    reported = at_best if refitted is None else {**at_best, **of_test(at_end)}
    observed = Observations(
        config=setup.loaded.config,
        schema=schema,
        network=setup.network,
        w=used.w,
        updates=used.updates if first is None or refitted is None else used.updates - first.updates,
        rows=splits["train"],
        splits=tuple(
            split_error(name, schema, rows, of_used[name].predicted, guess) for name, rows in splits.items()
        ),
        guess=guess,
        losses=training_losses(run, refit=refitted is not None),
        figures={
            **{f"{name} rows at the end": one.loss for name, one in at_end.items()},
            **{f"{name} rows": one.loss for name, one in at_best.items()},
        },
    )
    learning = not_silenced(learning_warnings(observed), setup.loaded.config.silence)
    result = {
        "run": str(run.path),
        "engine": engine,
        "epochs": epochs,
        "steps": state.updates,
        "rows_seen": state.rows_seen,
        "train_seconds": seconds["train"],
        "compile_seconds": seconds["compile"],
        "evaluation_seconds": seconds["evaluation"],
        "checkpoint_seconds": seconds["checkpoint"],
        "stopped": stopped,
        "best": figures(best.epoch, reported, penalty_on(setup.network, best.w)),
        "final": figures(final.epoch, at_end, penalty_on(setup.network, final.w)),
        "warnings": [{"name": name, "message": message} for name, message in (*told, *learning)],
    }
    shown = [
        SplitResult(name, reported[name], guess, guess.metrics(schema, rows, setup.metrics))
        for name, rows in splits.items()
    ]
    if refitted is not None:
        rows_together = sum(len(splits[name].X) for name in ("train", "validation"))
        result |= {
            "refit": {"epochs": refitted.epoch, "rows": rows_together},
            "before_refit": figures(best.epoch, of_test(at_best), None),
        }
        shown += [
            one._replace(name="test before refit", evaluation=at_best["test"])
            for one in shown
            if one.name == "test"
        ]
    errors = None
    if schema.task == "regression" and "validation" in splits and state.best is not None:
        errors = absolute_errors(of_best["validation"].predicted, splits["validation"].y_true)
    why = reason(setup.controls, stopped)
    return FitSummary(plain(result), tuple(shown), why, learning, errors, refitted)


def of_test(evaluations: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
    """The figures of test rows alone, where there are any."""
    return {name: evaluation for name, evaluation in evaluations.items() if name == "test"}


def best_is_written(run: RunDirectory, state: State, summary: FitSummary) -> bool:
    """Whether the files of the best weights, and of those before a refit, have those of a state and the errors.

    True too where there are none yet.
    """
    if state.best is None:
        return True
    expected = {run.best: summary.refitted or state.best}
    if summary.refitted is not None:
        expected[run.before_refit] = state.best
    for path, best in expected.items():
        try:
            written = checkpoint.read(path)
        except CheckpointError:
            return False
        whole = summary.errors is None or written.absolute_errors is not None
        if not whole or written.position["updates"] != best.updates:
            return False
    return True


def penalty_on(network: Network, w: Array) -> float | None:
    """What penalties on the weights w add to the objective; None where there are none."""
    return None if network.penalty is None else penalty_at(network, w)


def figures(epoch: int, evaluations: Mapping[str, Evaluation], penalty: float | None) -> dict[str, Any]:
    """Loss and metrics of one set of weights, by split, and what penalties add to the objective, if there are any."""
    return {
        "epoch": epoch,
        **({} if penalty is None else {"penalty": penalty}),
        "loss": {name: evaluation.loss for name, evaluation in evaluations.items()},
        "metrics": {name: evaluation.metrics for name, evaluation in evaluations.items()},
        **more_figures(evaluations),
    }


def more_figures(evaluations: Mapping[str, Evaluation]) -> dict[str, Any]:
    """The metrics with every row counted once, where rows weigh, and for each of several targets; by split."""
    found: dict[str, dict[str, Any]] = {"metrics_unweighted": {}, "metrics_per_target": {}}
    for field, by_split in found.items():
        for name, evaluation in evaluations.items():
            figures = getattr(evaluation, field)
            if figures is not None:
                by_split[name] = figures
    return {field: by_split for field, by_split in found.items() if by_split}
