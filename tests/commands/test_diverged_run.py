"""What is said of a model whose training diverged: its weights are those from before, or untrained ones."""

import json
import warnings
from pathlib import Path

import pytest

import bptrain as package
from bptrain.errors import WARNINGS
from command import bptrain
from conftest import ROOT

REGRESSION = f"""
data: {{train: {ROOT}/data/linnerud.csv, features: [Chins, Situps, Jumps], target: [Weight, Waist, Pulse]}}
network: {{sizes: [3, 4, 3]}}
loss: half_squared_error
optimizer: {{name: gradient_descent, learning_rate: 1.0e+10}}
"""


@pytest.fixture
def diverged(workplace: Path) -> Path:
    """A run that diverged before its first epoch ended, so that no update is in its checkpoints."""
    (workplace / "c.yaml").write_text(REGRESSION)
    assert bptrain("fit", "c.yaml", "--out", "run", "--set", "optimizer.learning_rate=1e38").code == 4
    assert json.loads(Path("run/run.json").read_text())["status"] == "diverged"
    return workplace / "run"


@pytest.mark.parametrize("command", ["eval", "inspect"])
def test_an_untrained_network_is_called_so(command: str, diverged: Path) -> None:
    shown = bptrain(command, "run")
    assert shown.code == 0
    said = shown.err.replace("\n", " ")
    assert "warning: the training of run diverged; its last sound weights are those before" in said
    assert "update: the network is untrained. Train it again, with a smaller optimizer.learning_rate" in said
    assert "[diverged_run]" in said


def test_weights_from_before_are_called_so(workplace: Path) -> None:
    """The first epoch is sound: these weights have learned something."""
    (workplace / "c.yaml").write_text(REGRESSION + "training: {mode: batch, epochs: 400}\n")
    assert bptrain("fit", "c.yaml", "--out", "run").code == 4
    lines = Path("run/metrics.jsonl").read_text().splitlines()
    said = bptrain("eval", "run").err.replace("\n", " ")
    assert lines
    assert (
        "the training of run diverged; these are its weights after 1 update (1 whole epoch), before it did. "
        "Train it again, with" in said
    )
    assert "[diverged_run]" in bptrain("inspect", "run/best.safetensors").err
    assert "[diverged_run]" in bptrain("eval", "run", "--checkpoint", "last").err


def test_python_is_told_too(diverged: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = package.load(diverged)
    assert [warning.name for warning in model.warnings] == ["diverged_run"]


def test_it_is_silenced_by_its_name(workplace: Path) -> None:
    assert "diverged_run" in WARNINGS
    (workplace / "c.yaml").write_text(REGRESSION + "silence: [diverged_run]\n")
    bptrain("fit", "c.yaml", "--out", "run", "--set", "optimizer.learning_rate=1e38")
    assert bptrain("eval", "run").err == ""
    assert bptrain("inspect", "run").err == ""


def test_a_run_that_did_not_diverge_is_not_called_so(iris: Path) -> None:
    run = bptrain("fit", iris, "--json").json["run"]
    assert bptrain("eval", run).err == ""
    assert bptrain("inspect", run).err == ""


def test_a_checkpoint_beside_a_damaged_record_is_read(diverged: Path) -> None:
    (diverged / "run.json").write_text("{")
    (checkpoint,) = (diverged / "checkpoints").glob("*.safetensors")
    assert bptrain("eval", "--checkpoint", checkpoint, "--data", ROOT / "data" / "linnerud.csv").code == 0
