"""`bptrain inspect`: layers, units, columns, history, provenance; of damaged runs a message."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import bptrain as package
from bptrain.model.load import load_run
from bptrain.store.run_directory import RunDirectory
from command import bptrain

LINE = """
data: {train: line.csv, target: y}
network: {sizes: [1, 4, 1], activations: [relu, identity]}
loss: half_squared_error
"""


@pytest.fixture
def run(iris: Path) -> str:
    """A trained run."""
    path: str = bptrain("fit", iris, "--json").json["run"]
    return path


def test_layers_and_norms(run: str) -> None:
    record = bptrain("inspect", run, "--json").json
    model = package.load(run)
    W = model.w[:24].reshape(6, 4).astype(np.float64)
    b = model.w[24:30].astype(np.float64)
    first, last = record["layers"]
    assert first["shape"] == [6, 4]
    assert first["activation"] == "tanh"
    assert first["parameters"] == 30
    assert first["weight_norm"] == pytest.approx(np.sqrt((W**2).sum()), rel=1e-14)
    assert first["bias_norm"] == pytest.approx(np.sqrt((b**2).sum()), rel=1e-14)
    assert last["activation"] == "softmax"
    assert last["dead"] is None  # softmax has no units of its own
    assert record["parameters"] == 51
    assert record["epoch"] == 6
    assert record["updates"] == 24
    assert record["units"] == {"rows": 106, "left_out": None}
    assert [line["epoch"] for line in record["history"]] == [1, 2, 3, 4, 5, 6]
    assert record["schema"]["target"]["labels"] == ["setosa", "versicolor", "virginica"]
    assert record["provenance"]["numpy"] == np.__version__


def test_dead_and_saturated_units(line: Path) -> None:
    """Biases far below and above zero: two relu units are dead, and tanh units at ±1 are saturated."""
    line.write_text(LINE)
    bptrain("fit", line, "--set", "training.epochs=1", "--out", "r")
    model = load_run(RunDirectory(Path("r")), "best")
    weights = model.w.copy()
    weights[4:8] = [-50, 1, -50, 1]  # b_1
    spoil(Path("r"), weights)
    record = bptrain("inspect", "r", "--json").json
    assert record["layers"][0]["dead"] == [0, 2]
    assert record["layers"][0]["saturated"] == []
    assert record["layers"][1]["dead"] == []
    shown = bptrain("inspect", "r").out
    assert "layer 1: dead units 0, 2" in shown
    assert bptrain(
        "fit",
        line,
        "--set",
        "network.activations=[tanh, identity]",
        "--set",
        "training.epochs=1",
        "--out",
        "s",
    )
    weights[4:8] = [-50, 0, 0, 50]
    weights[:4] = 0.1
    spoil(Path("s"), weights)
    assert bptrain("inspect", "s", "--json").json["layers"][0]["saturated"] == [0, 3]


def spoil(run: Path, w: np.ndarray) -> None:
    """Puts other weights into a run's best checkpoint."""
    from bptrain.store import checkpoint
    from bptrain.training.state import Best

    model = load_run(RunDirectory(run), "best")
    checkpoint.write_best(run / "best.safetensors", model.network, model.stored.facts, Best(1, 1, 0.0, w))


def test_in_words(run: str) -> None:
    shown = bptrain("inspect", run)
    assert shown.code == 0
    for words in (
        "epoch 6, 24 updates", "4 -> 6 -> 3, 51 parameters", "softmax", "sepal_length_cm", "target: species",
        "loss by epoch", "* train   o validation", "provenance", "data, train: sha256",
    ):  # fmt: skip
        assert words in shown.out
    assert "\x1b" not in shown.out


def test_a_checkpoint_file(run: str, workplace: Path) -> None:
    (last,) = sorted(Path(run, "checkpoints").glob("*"))[-1:]
    record = bptrain("inspect", last, "--json").json
    assert record["run"] == run
    assert record["checkpoint"] == str(last)
    shutil.copy(last, workplace / "alone.safetensors")
    alone = bptrain("inspect", "alone.safetensors", "--json").json
    assert alone["run"] is None
    assert "no run" in alone["units"]["left_out"]
    assert alone["history"] == []
    assert alone["layers"][0]["weight_norm"] == record["layers"][0]["weight_norm"]
    assert alone["provenance"]["engine"] == "numpy"


def test_without_its_data(line: Path) -> None:
    bptrain("fit", line, "--set", "training.epochs=2", "--out", "r")
    Path("line.csv").unlink()
    record = bptrain("inspect", "r", "--json")
    assert record.code == 0
    assert "line.csv" in record.json["units"]["left_out"]
    assert record.json["layers"][0]["dead"] is None
    assert "not measured" in bptrain("inspect", "r").out


def test_without_best_weights_those_of_the_last_checkpoint(run: str) -> None:
    before = bptrain("inspect", run, "--json").json
    Path(run, "best.safetensors").unlink()
    after = bptrain("inspect", run, "--json").json
    assert after["layers"] == before["layers"]
    assert (after["epoch"], after["updates"]) == (before["epoch"], before["updates"])


def test_a_history_that_was_cut(run: str) -> None:
    metrics = Path(run, "metrics.jsonl")
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join(lines[:3]) + lines[3][:20])
    assert len(bptrain("inspect", run, "--json").json["history"]) == 3
    metrics.unlink()
    assert "no epoch has ended" in bptrain("inspect", run).out


@pytest.mark.parametrize("path", ["nowhere", ".", "iris.yaml", "RUN/metrics.jsonl"])
def test_what_is_no_model(run: str, path: str) -> None:
    outcome = bptrain("inspect", path.replace("RUN", run), "--json")
    assert outcome.code == 5
    assert outcome.json["errors"]


def test_many_columns(workplace: Path) -> None:
    names = [f"c{k}" for k in range(40)]
    rows = [",".join(str((k * j) % 7) for k in range(1, 41)) + f",{j}" for j in range(30)]
    Path("wide.csv").write_text(",".join([*names, "y"]) + "\n" + "\n".join(rows))
    Path("wide.yaml").write_text(
        "data: {train: wide.csv, target: y}\nnetwork: {sizes: [auto, 2, auto]}\nloss: half_squared_error\n"
    )
    bptrain("fit", "wide.yaml", "--set", "training.epochs=1", "--out", "r")
    assert "and 30 more" in bptrain("inspect", "r").out
