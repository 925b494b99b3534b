"""`--set`, and the mapping of the Python API."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.config import PartConfig
from config.helpers import GOOD, file_of, load, problems

SHORT = GOOD.replace("{name: adam, learning_rate: 0.01}", "adam")


def test_values_are_yaml_and_sections_are_made(tmp_path: Path) -> None:
    sets = ["training.epochs=20", "data.split={validation: 0, test: 0.2}", "network.sizes.1=32", "seed = 7",
            "data.exclude=[id, no]", "training.epochs=21"]  # fmt: skip
    config = load(tmp_path, GOOD, sets).config
    assert (config.training.epochs, config.network.sizes, config.seed) == (21, (4, 32, 3), 7)
    assert (config.data.shares, config.data.exclude) == ((0.0, 0.2), ("id", "no"))


@pytest.mark.parametrize("text", [SHORT, GOOD])
def test_a_shorthand_is_walked_into(text: str, tmp_path: Path) -> None:
    config = load(tmp_path, text, ["optimizer.learning_rate=1e-3", "loss.reduction=sum"]).config
    assert (config.optimizer.name, config.optimizer.options["learning_rate"]) == ("adam", 1e-3)
    assert (config.loss.name, config.loss.reduction) == ("cross_entropy", "sum")


def test_shorthands_in_lists_and_of_files_are_walked_into(tmp_path: Path) -> None:
    text = (
        GOOD.replace("tanh,", "leaky_relu,").replace("iris.csv", "x.npy").replace("  target: species\n", "")
    )
    config = load(tmp_path, text, ["network.activations.0.slope=0.3", "data.train.target=y.npy"]).config
    assert config.network.activations is not None
    assert config.network.activations[0] == PartConfig("leaky_relu", {"slope": 0.3})
    assert file_of(config.data.train).target == "y.npy"


def test_a_default_part_takes_an_option(tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("optimizer")]
    config = load(tmp_path, text, ["optimizer.learning_rate=0.5"]).config
    assert config.optimizer == PartConfig("gradient_descent", {"learning_rate": 0.5}, {"weight_decay": 0.0})


WRONG = [
    ("epochs", "override", ""),
    ("=3", "override", ""),
    ("a..b=3", "override", ""),
    ("training.epochs=[1", "syntax", "training.epochs"),
    ("training.epochs=*x", "alias", "training.epochs"),
    ("training.epochs=@", "syntax", "training.epochs"),
    ("training.epochs=x", "wrong_type", "training.epochs"),
    ("training.epoch=3", "unknown_key", "training.epoch"),
    ("epochs=3", "unknown_key", "epochs"),
    ("network.sizes.9=3", "override", "network.sizes.9"),
    ("network.sizes.x=3", "override", "network.sizes.x"),
    ("network.sizes.1.x=3", "override", "network.sizes.1.x"),
    ("data.target.x=3", "override", "data.target.x"),
    ("network={}", "missing_key", "network.sizes"),
    ("network.activations=[tanh]", "wrong_length", "network.activations"),
    ("optimizer.name=adamm", "wrong_choice", "optimizer.name"),
    ("optimizer={name: adam, lr: 1}", "unknown_key", "optimizer.lr"),
    ("training.epochs=" + "9" * 500, "out_of_range", "training.epochs"),
]


@pytest.mark.parametrize(("text", "code", "path"), WRONG)
def test_a_wrong_override_is_located_at_set(text: str, code: str, path: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD, [text])
    assert (problem.code, problem.path) == (code, path)
    assert (problem.file, problem.line, problem.column, problem.source) == ("--set", None, None, None)
    assert str(problem).startswith("--set: error: ")


def test_all_wrong_overrides_are_said(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD, ["x", "seed=[", "y"])
    assert [problem.code for problem in found] == ["override", "syntax", "override"]


def test_an_error_in_the_file_keeps_its_line_with_overrides(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD.replace("adam", "adamm"), ["optimizer.learning_rate=1"])
    assert (problem.path, problem.line) == ("optimizer.name", 8)
    (problem,) = problems(tmp_path, SHORT.replace("adam", "adamm"), ["optimizer.learning_rate=1"])
    assert (problem.path, problem.line, problem.column) == ("optimizer.name", 8, 12)


def test_an_override_mends_the_file(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("adam", "adamm"), ["optimizer.name=adam"]) == []


def test_a_mapping_has_ready_values(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "training.epochs": np.int64(20), "network.sizes": (4, 8, 3), "data.train": Path("b.csv"),
        "optimizer": {"name": "momentum", "mu": np.float32(0.5)}, "data.target": "no",
    }  # fmt: skip
    config = load(tmp_path, GOOD, values).config
    assert (config.training.epochs, config.network.sizes) == (20, (4, 8, 3))
    assert (file_of(config.data.train).inputs, config.data.target) == (("b.csv",), ("no",))
    assert config.optimizer == PartConfig(
        "momentum", {"learning_rate": 0.1, "mu": 0.5}, {"weight_decay": 0.0}
    )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"seed": "3"}, "wrong_type"),
        ({"seed": object()}, "wrong_type"),
        ({3: 4}, "override"),
        ({"": 4}, "override"),
    ],
)
def test_a_wrong_mapping_is_a_usage_error(values: Any, code: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD, values)
    assert (problem.code, problem.file, problem.line) == (code, "overrides", None)
