"""`bptrain.cross_validate` and `bptrain.seeds`."""

from pathlib import Path

import numpy as np
import pytest

import bptrain
from bptrain.errors import Interrupted, UsageError
from bptrain.experiments import groups
from bptrain.experiments.planned import PlannedFit
from bptrain.parts.activations import activations
from bptrain.parts.activations.base import Activation
from conftest import ROOT

SMALL = {"training.epochs": 2, "training.engine": "numpy"}


def test_cross_validation_of_a_config_file(iris: Path) -> None:
    done = bptrain.cross_validate(iris, SMALL, folds=3, jobs=1)
    assert done.path == Path("runs/iris/001")
    assert [(run.path, run.result["fold"]) for run in done.runs] == [
        (done.path / f"fold-{k}", k) for k in (1, 2, 3)
    ]
    columns = done.out_of_fold
    assert columns["row"].tolist() == list(range(150))
    right = columns["species"] == columns["prediction"]
    by_fold = [right[columns["fold"] == k].mean() for k in (1, 2, 3)]
    assert done.mean["test"]["accuracy"] == pytest.approx(np.mean(by_fold))
    assert done.sd["test"]["accuracy"] == pytest.approx(np.std(by_fold, ddof=1))
    np.testing.assert_allclose(sum(columns[name] for name in columns if name.startswith("p_")), 1, rtol=1e-5)


def test_rows_in_memory_stay_in_this_process(workplace: Path) -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = X @ [1.0, 2.0]
    config = {"network": {"sizes": ["auto", "auto"]}, "loss": "half_squared_error"}
    done = bptrain.cross_validate(config, SMALL, folds=4, data=(X, y), out="cv")
    np.testing.assert_allclose(done.out_of_fold["y"], y)
    again = bptrain.cross_validate(config, SMALL, folds=4, data=(X, y), resume="cv")
    assert (again.mean, again.sd) == (done.mean, done.sd)
    with pytest.raises(UsageError, match="other processes do not have the rows that are in this one"):
        bptrain.cross_validate(config, SMALL, folds=4, data=(X, y), jobs=2)


def test_parts_of_this_script_stay_in_this_process(iris: Path) -> None:
    @activations.add("mine_alone")
    def mine_alone() -> Activation:
        """z."""
        return Activation(lambda z: z, lambda z, x: np.ones_like(z))

    try:
        changes = {**SMALL, "network.activations": ["mine_alone", "softmax"]}
        assert len(bptrain.seeds(iris, changes, seeds=2).runs) == 2
        with pytest.raises(UsageError, match="other processes do not have the parts"):
            bptrain.seeds(iris, changes, seeds=2, jobs=2)
    finally:
        activations.remove("mine_alone")


def test_seeds_that_are_stopped_say_how_one_goes_on(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(shared: object, fits: list[PlannedFit], jobs: int, show: object) -> None:
        bptrain.fit(iris, SMALL, out=fits[0].out)
        raise Interrupted("stopped", 2)

    with monkeypatch.context() as patch:
        patch.setattr(groups, "run_many", stopped)
        with pytest.raises(
            Interrupted, match="the runs are runs/iris/001; one that is not finished goes on with"
        ):
            bptrain.seeds(iris, SMALL, seeds=3)
    assert [path.name for path in Path("runs/iris").iterdir()] == [
        "001"
    ]  # the numbers of the others are free again


def test_seeds(iris: Path) -> None:
    done = bptrain.seeds(iris, {**SMALL, "seed": 4}, seeds=2, jobs=1)
    assert [run.result["seed"] for run in done.runs] == [4, 5]
    values = [run.result["best"]["metrics"]["test"]["accuracy"] for run in done.runs]
    assert done.mean["test"]["accuracy"] == pytest.approx(np.mean(values))


@pytest.mark.slow
def test_a_dict_and_numpy_values_go_to_other_processes(iris: Path) -> None:
    sections = {
        "data": {"train": ROOT / "data" / "iris.csv", "target": "species"},
        "network": {"sizes": [4, np.int64(6), 3]},
        "loss": "cross_entropy",
    }
    changes = {**SMALL, "optimizer.learning_rate": np.float32(0.25)}
    one, two = (bptrain.seeds(sections, changes, seeds=2, jobs=jobs) for jobs in (1, 2))
    assert [run.result["best"] for run in one.runs] == [run.result["best"] for run in two.runs]
