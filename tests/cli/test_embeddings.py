"""Steps before the first layer (`network.input`) through the command line."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import bptrain as package
from bptrain.config import from_plain, load_config, to_plain
from command import bptrain
from engines.installed import ENGINES
from submission_files import RIGHT, written

CONFIG = """
data: {train: mixed.csv, target: y}
network:
  sizes: [auto, 6, auto]
  activations: [tanh, identity]
  input:
    embed: {name: periodic, frequencies: 5, size: 3}
loss: half_squared_error
optimizer: {name: adam, learning_rate: 0.01}
training: {epochs: 4}
"""
DEFAULTS = {"frequencies": 16, "size": 4, "sigma": 0.1, "rate": 1.0}
NAMES = ["input.embed.bias", "input.embed.frequencies", "input.embed.phases", "input.embed.weight"]


@pytest.fixture
def mixed(workplace: Path) -> Path:
    """Two numbers, a category of three and one of two: 2 + 3 + 2 inputs, of which the numbers are embedded."""
    rng = np.random.default_rng(0)
    rows = ["a,kind,b,yes,y"]
    for k in range(60):
        a, b = rng.normal(size=2)
        rows.append(f"{a:.4f},{'rgb'[k % 3]},{b:.4f},{'true' if k % 2 else 'false'},{np.sin(3 * a) + b:.4f}")
    (workplace / "mixed.csv").write_text("\n".join(rows) + "\n")
    config = workplace / "mixed.yaml"
    config.write_text(CONFIG)
    return config


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_is_whole(engine: str, mixed: Path) -> None:
    """Names in the checkpoint; a run of 2 epochs that goes on is a run of 4; what was moved predicts the same."""
    chosen = ("--set", f"training.engine={engine}")
    assert bptrain("fit", mixed, *chosen, "--out", "whole").code == 0
    assert bptrain("fit", mixed, *chosen, "--set", "training.epochs=2", "--out", "parts").code == 0
    assert bptrain("fit", mixed, *chosen, "--resume", "parts").code == 0
    whole, parts = (load_file(f"{run}/best.safetensors") for run in ("whole", "parts"))
    assert sorted(name for name in whole if name.startswith("input.")) == NAMES
    assert {name: array.shape for name, array in whole.items() if name in NAMES} == {
        "input.embed.frequencies": (2, 5), "input.embed.phases": (2, 5), "input.embed.weight": (2, 2, 5),
        "input.embed.bias": (2, 2),
    }  # fmt: skip
    assert whole["layers.1.weight"].shape == (6, 11)
    for name, array in whole.items():
        assert np.array_equal(array, parts[name]), name
    shutil.move("whole/best.safetensors", "elsewhere.safetensors")
    there = bptrain("predict", "elsewhere.safetensors", "mixed.csv")
    assert there.code == 0
    assert there.out == bptrain("predict", "parts", "mixed.csv").out
    report = bptrain("eval", "parts", "--json").json
    assert report["loss"] < 1.0
    assert package.load("parts").network.inputs == 7


def test_inspect_shows_what_they_have_learned(mixed: Path) -> None:
    assert bptrain("fit", mixed, "--out", "run").code == 0
    step, *_ = bptrain("inspect", "run", "--json").json["input_steps"]
    frequencies = load_file("run/best.safetensors")["input.embed.frequencies"]
    assert (step["parameter"], step["shape"]) == ("input.embed.frequencies", [2, 5])
    assert (step["least"], step["largest"]) == (float(frequencies.min()), float(frequencies.max()))
    assert "steps before layer 1" in bptrain("inspect", "run").out


def test_gradcheck_of_every_engine(mixed: Path) -> None:
    done = bptrain("gradcheck", mixed, "--engine", "all", "--json")
    assert done.code == 0
    assert done.json["max_relative_error"] <= 1e-12
    assert done.json["layers"][0]["parameter"] == "embed.frequencies"


@pytest.mark.parametrize(
    ("inputs", "plainly"),
    [
        ("{}", None),
        ("null", None),
        ("{embed: null}", None),
        ("{embed: periodic}", {"embed": {"name": "periodic", **DEFAULTS}}),
        ("{embed: {sigma: 1}}", {"embed": {"name": "periodic", **DEFAULTS, "sigma": 1.0}}),
    ],
)
def test_forms(inputs: str, plainly: object, mixed: Path) -> None:
    plain = to_plain(load_config(mixed, [f"network.input={inputs}"]).config)
    assert plain["network"].get("input") == plainly
    assert to_plain(from_plain(plain, "again")) == plain


def test_what_is_refused(mixed: Path) -> None:
    solver = bptrain(
        "validate", mixed, "--set", "optimizer=lbfgs", "--set", "training={mode: batch}",
        "--set", "network.input={embed: {rate: 2}}",
    )  # fmt: skip
    assert solver.code == 2
    assert "network.input.embed.rate" in solver.err
    assert "lbfgs chooses its step lengths itself, so a rate has no effect: leave it out" in solver.err
    mixed.write_text(CONFIG.replace("target: y", "target: y, features: [kind, yes]"))
    for command in (["validate"], ["explain"], ["explain", "--kernel"], ["gradcheck"]):
        numbers = bptrain(*command, mixed)
        assert numbers.code == 2
        assert f"{mixed}:7:12: error: network.input.embed: there is no number among the inputs" in numbers.err
    mixed.write_text(CONFIG)
    for option in ("frequencies", "size"):  # refused before anything of that length is made
        many = bptrain("validate", mixed, "--set", f"network.input.embed={{{option}: 10001}}")
        assert many.code == 2
        assert f"network.input.embed.{option}: must be at most 10000, but is 10001" in many.err


@pytest.mark.parametrize("solver", ["lbfgs", "levenberg_marquardt"])
def test_solvers_train_them(solver: str, mixed: Path) -> None:
    options = ("--set", f"optimizer={solver}", "--set", "training={mode: batch, epochs: 5}")
    assert bptrain("fit", mixed, *options, "--out", "run").code == 0
    assert bptrain("eval", "run", "--json").json["loss"] < 0.5


def test_backward_passes_are_graded_from_x_0_on(mixed: Path) -> None:
    done = bptrain("check-backward", written(mixed.parent, RIGHT), mixed)
    assert done.code == 0, done.out
    assert "x_0 is what W_1 takes: the steps before it (network.input) are not graded" in done.err
