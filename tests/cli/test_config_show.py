"""`bptrain config show`: every value that applies, and where it comes from."""

from pathlib import Path

import pytest

from bptrain.config import load_config
from bptrain.config.origins import resolved_values
from bptrain.config.resolved import to_plain
from command import bptrain
from conftest import ROOT

CONFIG = """\
data:
  train: {inputs: flowers.csv}
  target: species
  split: {test: 0.2}
network:
  sizes: [4, 6, 1]
  activations: sigmoid
  bias: [true, 0.5]
  dropout: 0.1
loss: binary_cross_entropy
optimizer:
  name: adam
  beta2: 0.99
schedule: {name: step}
training: {batch_size: null, epochs: 6}
metrics: [accuracy, {name: f1, average: macro}]
"""


@pytest.fixture
def config(workplace: Path) -> Path:
    file = workplace / "flowers.yaml"
    file.write_text(CONFIG)
    return file


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("seed", "default"),
        ("data.train", "flowers.yaml:2"),
        ("data.target", "flowers.yaml:3"),
        ("data.split.test", "flowers.yaml:4"),
        ("data.split.validation", "default"),
        ("network.sizes", "flowers.yaml:6, --set"),
        ("network.activations", "flowers.yaml:7"),
        ("network.bias", "flowers.yaml:8"),
        ("network.initializer", "default"),
        ("loss.name", "flowers.yaml:10"),
        ("loss.reduction", "default"),
        ("optimizer.name", "flowers.yaml:12"),
        ("optimizer.beta2", "flowers.yaml:13"),
        ("optimizer.beta1", "default"),
        ("optimizer.learning_rate", "--set"),
        ("schedule.name", "flowers.yaml:14"),
        ("schedule.gamma", "default"),
        ("training.batch_size", "default"),  # null stands for it
        ("training.epochs", "flowers.yaml:15"),
        ("training.engine", "--set"),
        ("metrics", "flowers.yaml:16"),
    ],
)
def test_where_values_come_from(config: Path, key: str, origin: str) -> None:
    overrides = ["network.sizes.1=20", "optimizer.learning_rate=0.5", "training.engine=numpy"]
    loaded = load_config(config.name, overrides)
    assert {value.key: value.origin for value in resolved_values(to_plain(loaded.config), loaded.document)}[
        key
    ] == origin


def test_a_short_form_that_set_makes_long(config: Path) -> None:
    """`loss: binary_cross_entropy` becomes a section for an option; its name stays where it was."""
    record = bptrain("config", "show", "flowers.yaml", "--set", "loss.class_weight=balanced", "--json").json
    assert record["command"] == "config show"
    assert record["origins"]["loss.name"] == {"from": "file", "file": "flowers.yaml", "line": 10, "column": 7}
    assert record["origins"]["loss.class_weight"] == {
        "from": "--set",
        "file": None,
        "line": None,
        "column": None,
    }
    assert record["config"]["loss"]["class_weight"] == "balanced"
    assert record["origins"]["seed"]["from"] == "default"


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda file: file.name)
def test_what_is_shown_is_the_same_config(file: Path, workplace: Path) -> None:
    shown = bptrain("config", "show", file)
    assert shown.code == 0, shown.err
    (workplace / "again.yaml").write_text(shown.out)
    assert load_config("again.yaml").config == load_config(file).absolute()
    sections = [line for line in shown.out.splitlines() if line.rstrip().endswith(":")]
    assert all("  # " in line for line in shown.out.splitlines() if line not in sections)


def test_a_wrong_config_is_told_as_ever(config: Path) -> None:
    outcome = bptrain("config", "show", config, "--set", "training.epoch=3", "--json")
    assert outcome.code == 2
    assert outcome.json["errors"][0]["suggestion"] == "epochs"
