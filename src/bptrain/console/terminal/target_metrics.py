"""The metrics of each of several targets, as a table."""

from collections.abc import Mapping
from typing import Any

from bptrain.console.terminal.screen import Screen, figure


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
