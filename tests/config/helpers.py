"""What the tests of the config share."""

from pathlib import Path
from typing import Any

from bptrain.config import Loaded, Source, load_config
from bptrain.errors import Problem, UsageError

GOOD = """\
data:
  train: iris.csv
  target: species
network:
  sizes: [4, 16, 3]
  activations: [tanh, softmax]
loss: cross_entropy
optimizer: {name: adam, learning_rate: 0.01}
"""


def load(tmp_path: Path, text: str, overrides: Any = ()) -> Loaded:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return load_config(path, overrides)


def problems(tmp_path: Path, text: str, overrides: Any = ()) -> list[Problem]:
    """What is wrong with a config; an empty list where nothing is."""
    try:
        load(tmp_path, text, overrides)
    except UsageError as error:
        return error.problems
    return []


def file_of(rows: object) -> Source:
    """Rows that come from a file."""
    assert isinstance(rows, Source)
    return rows
