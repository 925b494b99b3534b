"""Configs that train as they are, with the data they need.

`derivation`, `xor`, `penguins` and `linnerud` are those of configs/, which a test compares; `minimal` and `full` are
written here.
"""

from importlib.resources import files
from typing import NamedTuple

from bptrain.commands.init.full_config import full_config

MINIMAL = """\
# The least that is a config; everything else has a default.
data:
  train: iris.csv
  target: species
network:
  sizes: [auto, 8, auto]
loss: cross_entropy
"""
TEMPLATES = {  # name -> its data
    "minimal": "iris.csv",
    "full": "iris.csv",
    "derivation": "linnerud.csv",
    "xor": "xor.csv",
    "penguins": "penguins.csv",
    "linnerud": "linnerud.csv",
}


class Template(NamedTuple):
    """A config, and the data file that it needs next to it."""

    text: str
    data: dict[str, bytes]


def template(name: str) -> Template:
    """A template by name, a key of TEMPLATES."""
    here, data = files(__package__), TEMPLATES[name]
    made = {"minimal": lambda: MINIMAL, "full": lambda: full_config(data, "species")}
    text = made[name]() if name in made else (here / f"{name}.yaml").read_text(encoding="utf-8")
    return Template(text, {data: (here / data).read_bytes()})
