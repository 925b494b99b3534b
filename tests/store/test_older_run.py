"""A run that an earlier commit wrote still loads, evaluates and resumes.

`run_of_0.1.0` was written by commit 45f0ecd: iris, three epochs of adamw with dropout, a penalty and class weights. Its
config says DATA in place of the path of its data.
"""

from pathlib import Path

import numpy as np
import pytest

import bptrain
from bptrain.store.run_directory import RunDirectory
from command import bptrain as command
from conftest import ROOT
from older_runs import copy_of, evaluates_as_it_ended

OLDER = Path(__file__).parent / "run_of_0.1.0"


@pytest.fixture
def older(workplace: Path) -> Path:
    """A copy of the run, with its data."""
    return copy_of(OLDER, ROOT / "data" / "iris.csv", workplace)


def test_it_evaluates_to_the_figures_that_it_ended_with(older: Path) -> None:
    evaluates_as_it_ended(older)


def test_it_is_listed_inspected_and_checked(older: Path) -> None:
    assert [(row["state"], row["epochs"]) for row in command("runs", ".", "--json").json["runs"]] == [
        ("finished", 3)
    ]
    assert command("inspect", "run", "--json").json["sizes"] == [4, 6, 3]
    assert command("gradcheck", "run", "--json").json["ok"]


def test_it_predicts_from_a_checkpoint(older: Path) -> None:
    """To what that commit printed for these two rows."""
    X = np.array([[5.1, 3.5, 1.4, 0.2], [7.9, 3.8, 6.4, 2.0]])
    x_L = [[0.7418735, 0.16381048, 0.09431598], [0.07564016, 0.47957829, 0.44478157]]
    for file in (older / "best.safetensors", *(older / "checkpoints").iterdir()):
        model = bptrain.load(file)
        assert model.predict(X).tolist() == ["setosa", "versicolor"]
        np.testing.assert_allclose(model.outputs(X), x_L, rtol=1e-6)


def test_it_resumes_to_what_an_uninterrupted_run_comes_to(older: Path) -> None:
    config = older / "config.yaml"
    longer = ["--set", "training.epochs=6"]
    went_on = command("fit", str(config), *longer, "--resume", "run")
    assert went_on.code == 0, went_on.err
    whole = command("fit", str(config), *longer, "--out", "whole", "--json").json
    resumed = RunDirectory(older).read_record()["result"]
    assert (resumed["epochs"], resumed["steps"]) == (6, 24)
    for split, loss in whole["best"]["loss"].items():
        assert resumed["best"]["loss"][split] == pytest.approx(loss, rel=1e-4)
    assert "other_bits" in went_on.err  # later versions have more digits in sigmoid and in the losses of z
    assert "bptrain: 0.1.0 -> 0.4.0" in went_on.err
