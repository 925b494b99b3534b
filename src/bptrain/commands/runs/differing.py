"""The settings in which runs differ."""

from collections.abc import Iterable, Mapping
from typing import Any

from bptrain.store.run_index import RunSettings

NOT_THERE = object()


def differing(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The keys that not all settings have alike, those with the most different values first."""
    every = [settings for settings in found if settings]
    if not every:
        return []
    first = every[0]
    places = {key: place for place, key in enumerate(first)}
    candidates: set[str] = set()
    for settings in every:
        candidates |= RunSettings.of(settings, RunSettings.base_of(first)).changed
    values: dict[str, set[str]] = {}
    for key in candidates:
        found_values = {str(settings.get(key, NOT_THERE)) for settings in every}
        if len(found_values) > 1:
            values[key] = found_values - {str(NOT_THERE)}
    return sorted(values, key=lambda key: (-len(values[key]), places.get(key, len(places)), key))
