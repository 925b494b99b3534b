"""Metrics that have one value per class, or per target, as tables."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bptrain.console.terminal.screen import Screen, figure
from bptrain.errors import short

NOTHING: Mapping[str, Any] = MappingProxyType({})


def ends(interval: tuple[float, float] | None) -> str:
    """An interval as a table shows it."""
    return "-" if interval is None else f"{figure(interval[0])} to {figure(interval[1])}"


def with_ends(value: Any, interval: tuple[float, float] | None) -> str:
    """A figure, and its interval where it is known."""
    return figure(value) if interval is None else f"{figure(value)} ({ends(interval)})"


def show_classes(
    screen: Screen, splits: Mapping[str, Mapping[str, Any]], intervals: Mapping[str, Any] = NOTHING
) -> None:
    """The metrics that have one value per class: one row per class, for each split; `intervals` are of a single one."""
    names = [name for name, value in next(iter(splits.values())).items() if isinstance(value, Mapping)]

    def of(name: str, label: str) -> tuple[float, float] | None:
        ends: tuple[float, float] | None = intervals.get(name, NOTHING).get(label)
        return ends

    if names:
        rows = [
            [split, short(label), *(with_ends(metrics[name][label], of(name, label)) for name in names)]
            for split, metrics in splits.items()
            for label in metrics[names[0]]
        ]
        screen.table("per class", ["split", "class", *names], rows)


def show_targets(
    screen: Screen,
    splits: Mapping[str, Mapping[str, Mapping[str, Any]] | None],
    intervals: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """The metrics of each of several targets: one row per target, for each split; nothing where there is one target."""
    found = {split: metrics for split, metrics in splits.items() if metrics}
    if not found:
        return
    names = {name: by_target for metrics in found.values() for name, by_target in metrics.items()}
    known = intervals or NOTHING
    rows = [
        [
            split,
            target,
            *(with_ends(metrics[name][target], known.get(name, NOTHING).get(target)) for name in names),
        ]
        for split, metrics in found.items()
        for target in next(iter(names.values()))
    ]
    screen.table("per target", ["split", "target", *names], rows)
