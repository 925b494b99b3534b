"""A run of 0.3.0 is evaluated and goes on: its schema has a version, dates and columns of true and false.

`run_of_0.3.0` was written by commit d1f3b9a from `goods.csv`, which lies in it; its config says DATA in place of the
path of its data.
"""

from pathlib import Path

import pytest

from bptrain.store import checkpoint
from bptrain.store.run_directory import RunDirectory
from command import bptrain as command
from older_runs import copy_of, evaluates_as_it_ended

OLDER = Path(__file__).parent / "run_of_0.3.0"


@pytest.fixture
def older(workplace: Path) -> Path:
    """A copy of the run, with its data beside it."""
    return copy_of(OLDER, OLDER / "goods.csv", workplace)


def test_it_evaluates_to_the_figures_that_it_ended_with(older: Path) -> None:
    evaluates_as_it_ended(older)
    assert command("gradcheck", "run", "--json").json["ok"]


def test_it_goes_on_to_where_a_run_anew_ends(older: Path) -> None:
    config, longer = older / "config.yaml", ["--set", "training.epochs=6"]
    went_on = command("fit", str(config), *longer, "--resume", "run")
    assert went_on.code == 0, went_on.err
    assert "other_bits" in went_on.err  # since networks with large layers and small batches have them
    assert "bptrain: 0.3.0 -> 0.4.0" in went_on.err
    command("fit", str(config), *longer, "--out", "whole")
    name = "checkpoints/step-000000000012.safetensors"
    resumed, whole = (checkpoint.read(Path(run) / name).tensors for run in ("run", "whole"))
    assert RunDirectory(older).read_record()["result"]["steps"] == 12
    for key in whole:
        assert resumed[key] == pytest.approx(whole[key], rel=1e-5, abs=1e-7), key
