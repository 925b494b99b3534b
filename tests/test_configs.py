"""Every config that ships runs, and its gradient is right."""

import gzip
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from command import bptrain
from conftest import ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


def idx(path: Path, array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    """Writes an array in the format of MNIST's files."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def configs(workplace: Path) -> Path:
    """A copy of configs/ beside data/, with a little stand-in for MNIST's files, which do not ship."""
    shutil.copytree(ROOT / "configs", workplace / "configs")
    shutil.copytree(ROOT / "data", workplace / "data")
    mnist = workplace / "data" / "mnist"
    mnist.mkdir()
    rng = np.random.default_rng(0)
    for part, rows in (("train", 300), ("t10k", 40)):
        idx(mnist / f"{part}-images-idx3-ubyte.gz", rng.integers(0, 256, (rows, 28, 28), np.uint8))
        idx(mnist / f"{part}-labels-idx1-ubyte.gz", (np.arange(rows) % 10).astype(np.uint8))
    return workplace / "configs"


@pytest.mark.parametrize("name", [config.name for config in CONFIGS])
def test_config_runs(name: str, configs: Path) -> None:
    fit = bptrain("fit", configs / name, "--set", "training.epochs=2", "--json")
    assert fit.code == 0, fit.err
    assert fit.json["epochs"] == 2
    run = fit.json["run"]
    assert bptrain("eval", run).code == 0
    check = bptrain("gradcheck", configs / name, "--json")
    assert check.code == 0
    assert check.json["max_relative_error"] < 1e-12
    assert bptrain("gradcheck", run).code == 0
    assert bptrain("explain", configs / name).code == 0


def test_the_configs_the_readme_promises() -> None:
    wanted = {"derivation", "xor", "iris", "penguins", "wine", "digits", "linnerud", "mnist"}
    assert wanted <= {config.stem for config in CONFIGS}


def test_configs_use_the_seed_that_was_not_chosen() -> None:
    for config in CONFIGS:
        assert "seed" not in config.read_text()


def test_the_resolved_config_runs_again_as_it_is(configs: Path) -> None:
    first = bptrain("fit", configs / "penguins.yaml", "--set", "training.epochs=2", "--json")
    again = bptrain("fit", Path(first.json["run"], "config.yaml"), "--json")
    assert again.code == 0, again.err
    assert again.json["final"] == first.json["final"]


@pytest.mark.parametrize("name", [config.name for config in CONFIGS if config.stem != "mnist"])
def test_a_config_at_full_length_learns(name: str, configs: Path) -> None:
    """No warning says that it has not; MNIST's stand-in has nothing to learn."""
    fit = bptrain("fit", configs / name, "--set", "training.engine=numpy", "--json").json
    found = bptrain("eval", fit["run"], "--json").json
    names = {one["name"] for one in (*fit["warnings"], *found["warnings"])}
    assert names <= {"constant_columns"}, names


def test_the_derivation_at_full_length(configs: Path) -> None:
    """The post's own network learns: the training loss falls below half of what it began with."""
    fit = bptrain("fit", configs / "derivation.yaml", "--json")
    assert fit.code == 0
    lines = Path(fit.json["run"], "metrics.jsonl").read_text().splitlines()
    import json

    assert json.loads(lines[-1])["train"]["loss"] < 0.5 * json.loads(lines[0])["train"]["loss"]


def test_xor_is_learned(configs: Path) -> None:
    fit = bptrain("fit", configs / "xor.yaml", "--json")
    assert fit.json["final"]["metrics"]["train"]["accuracy"] == 1.0
