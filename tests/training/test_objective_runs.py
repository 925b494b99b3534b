"""Runs with penalties: what is best without validation rows is best by the objective that is made small."""

import itertools
from pathlib import Path

import pytest

from bptrain.commands.fit.fit import Done, fit_events
from bptrain.training.events import EpochEnd

SETTINGS = {
    "training.mode": "batch",
    "training.penalty": {"l2": 0.3},
    "data.split.validation": 0.0,
    "network.dtype": "float64",
    "training.epochs": 60,
}


@pytest.mark.parametrize("optimizer", ["lbfgs", {"name": "adam", "learning_rate": 0.1}])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_best_is_by_the_objective(optimizer: object, reduction: str, iris: Path) -> None:
    """The penalty shrinks the weights while the loss of the data grows."""
    loss = {"name": "cross_entropy", "reduction": reduction}
    penalty = {"l2": 0.3 if reduction == "mean" else 30.0}
    more = {"optimizer": optimizer, "loss": loss, "training.penalty": penalty}
    *_, done = fit_events(iris, SETTINGS | more)
    assert isinstance(done, Done)
    best, final = done.result["best"], done.result["final"]
    rows = 1 if reduction == "mean" else 128

    def objective(figures: dict[str, dict[str, float]]) -> float:
        return figures["loss"]["train"] + float(str(figures["penalty"])) / rows

    assert best["penalty"] > 0
    assert objective(best) <= objective(final) * 1.001  # the loss after a rule's last update is not known
    assert best["epoch"] > 10


def test_a_plateau_is_one_of_the_objective(iris: Path) -> None:
    """The rate is not lowered while the objective still falls, though the loss of the data rises."""
    schedule = {"name": "reduce_on_plateau", "patience": 2}
    overrides = SETTINGS | {
        "schedule": schedule,
        "training.penalty": {"l2": 1.0},
        "optimizer": {"name": "gradient_descent", "learning_rate": 0.05},
    }
    ends = [event for event in fit_events(iris, overrides) if isinstance(event, EpochEnd)]
    assert any(after.train_loss > before.train_loss for before, after in itertools.pairwise(ends))
    assert all(after.train_objective < before.train_objective for before, after in itertools.pairwise(ends))
    assert {end.learning_rate_factor for end in ends} == {1.0}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_penalty_is_in_the_objective_once_for_each_batch(reduction: str, iris: Path) -> None:
    """In addition to the mean loss per row: of a sum over 128 rows in 4 batches it is 4/128 of the penalty."""
    overrides = {
        "loss": {"name": "cross_entropy", "reduction": reduction},
        "training.penalty": {"l1": 0.01, "l2": 0.02},
        "data.split.validation": 0.0,
        "optimizer.learning_rate": 0.01,
        "training.epochs": 2,
    }
    ends = [event for event in fit_events(iris, overrides) if isinstance(event, EpochEnd)]
    assert ends[0].steps == 4
    for end in ends:
        share = end.penalty if reduction == "mean" else end.penalty * 4 / 128
        assert end.penalty > 0
        assert end.train_objective == pytest.approx(end.train_loss + share, rel=1e-12)
