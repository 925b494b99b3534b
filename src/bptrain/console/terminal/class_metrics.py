"""Metrics that have one value per class, as a table."""

from collections.abc import Mapping
from typing import Any

from bptrain.console.terminal.screen import Screen, figure
from bptrain.errors import short


def show_classes(screen: Screen, splits: Mapping[str, Mapping[str, Any]]) -> None:
    """The metrics that have one value per class: one row per class, for each split."""
    names = [name for name, value in next(iter(splits.values())).items() if isinstance(value, Mapping)]
    if names:
        rows = [
            [split, short(label), *(figure(metrics[name][label]) for name in names)]
            for split, metrics in splits.items()
            for label in metrics[names[0]]
        ]
        screen.table("per class", ["split", "class", *names], rows)
