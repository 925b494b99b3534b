"""Rules that join keys or sections: plain functions over the sections that they name as parameters.

A rule runs when all its sections are valid by themselves, and needs no data file. What it finds is said at
the key that the user would change.
"""

import inspect
from collections.abc import Callable
from itertools import islice
from typing import Any

from bptrain.config.rules.base import BrokenRule, Found
from bptrain.config.rules.controls import CONTROLS
from bptrain.config.rules.data import DATA
from bptrain.config.rules.losses import LOSSES, METRICS
from bptrain.config.rules.members import ENSEMBLES
from bptrain.config.rules.network import INITIALIZERS, NETWORK
from bptrain.config.rules.optimizers import OPTIMIZERS, SOLVERS
from bptrain.config.rules.splits import SPLITS
from bptrain.config.rules.training import TRAINING
from bptrain.config.yaml.places import MAX_PROBLEMS


def broken_rules(sections: dict[str, Any]) -> list[BrokenRule]:
    """What the rules find in the sections that are there, which are named as the keys of Config are."""
    found: list[BrokenRule] = []
    for rule, names in RULES:
        if all(name in sections for name in names):
            found += islice(rule(*(sections[name] for name in names)), MAX_PROBLEMS + 1)
    return found


RULES: list[tuple[Callable[..., Found], tuple[str, ...]]] = [
    (rule, tuple(inspect.signature(rule).parameters))
    for rule in (
        *NETWORK,
        *METRICS,
        *DATA,
        *SPLITS,
        *INITIALIZERS,
        *LOSSES,
        *TRAINING,
        *OPTIMIZERS,
        *CONTROLS,
        *SOLVERS,
        *ENSEMBLES,
    )
]
