"""The end of a fit: the best and the final weights on every split, beside the baseline."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bptrain.engines.base import Outputs
from bptrain.evaluation import Baseline, Evaluation, evaluate
from bptrain.parts.types import Array
from bptrain.prologue import Prologue
from bptrain.store.plain import plain
from bptrain.store.run import RunDirectory
from bptrain.training.state import Best, State


class Split(NamedTuple):
    """The best model on one split, beside the baseline."""

    name: str
    evaluation: Evaluation
    baseline: Baseline
    baseline_metrics: dict[str, Any]


class Conclusion(NamedTuple):
    """What a finished run came to."""

    result: dict[str, Any]  # the fields of fit's JSON
    splits: tuple[Split, ...]


def conclude(
    prologue: Prologue,
    run: RunDirectory,
    engine: str,
    outputs: Callable[[Array, Array], Outputs],
    state: State,
    seconds: Mapping[str, float],
    stopped: str,
    guess: Baseline,
) -> Conclusion:
    """Evaluates the best and the final weights of a run on every split."""
    schema, splits = prologue.prepared.schema, prologue.prepared.splits
    best: Best | None = state.best
    assert best is not None  # the trainer sets it at the end of the first epoch

    def on_every_split(w: Array) -> dict[str, Evaluation]:
        return {
            name: evaluate(prologue.network, outputs(w, rows.X), schema, rows, prologue.metrics)
            for name, rows in splits.items()
        }

    at_best = on_every_split(best.w)
    at_end = at_best if best.updates == state.memory.t else on_every_split(state.memory.w)
    result = {
        "run": str(run.path),
        "engine": engine,
        "epochs": state.epoch,
        "steps": state.memory.t,
        "rows_seen": state.rows_seen,
        "train_seconds": seconds["train"],
        "compile_seconds": seconds["compile"],
        "evaluation_seconds": seconds["evaluation"],
        "checkpoint_seconds": seconds["checkpoint"],
        "stopped": stopped,
        "best": figures(best.epoch, at_best),
        "final": figures(state.epoch, at_end),
    }
    shown = tuple(
        Split(name, at_best[name], guess, guess.metrics(schema, rows, prologue.metrics))
        for name, rows in splits.items()
    )
    return Conclusion(plain(result), shown)


def figures(epoch: int, evaluations: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Loss and metrics of one set of weights, by split."""
    return {
        "epoch": epoch,
        "loss": {name: evaluation.loss for name, evaluation in evaluations.items()},
        "metrics": {name: evaluation.metrics for name, evaluation in evaluations.items()},
    }
