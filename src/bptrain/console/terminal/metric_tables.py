"""Metrics that have one value per class, or per target, as tables."""

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


def show_targets(screen: Screen, splits: Mapping[str, Mapping[str, Mapping[str, Any]] | None]) -> None:
    """The metrics of each of several targets: one row per target, for each split; nothing where there is one target."""
    found = {split: metrics for split, metrics in splits.items() if metrics}
    if not found:
        return
    names = {name: by_target for metrics in found.values() for name, by_target in metrics.items()}
    rows = [
        [split, target, *(figure(metrics[name][target]) for name in names)]
        for split, metrics in found.items()
        for target in next(iter(names.values()))
    ]
    screen.table("per target", ["split", "target", *names], rows)
