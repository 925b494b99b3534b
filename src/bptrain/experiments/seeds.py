"""The same config with several seeds, and the mean of its results."""

import statistics
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.fit.run import FitEvent, fit_events
from bptrain.config import load_config
from bptrain.errors import UsageError


class SeedsSummary(NamedTuple):
    """Mean and standard deviation (dividing by N − 1) of the best models' metrics."""

    runs: list[dict[str, Any]]  # the fields of fit's JSON, each with "seed"
    mean: dict[str, dict[str, Any]]  # split -> metric -> value, or label -> value
    sd: dict[str, dict[str, Any]]

    def record(self) -> dict[str, Any]:
        """The fields of the JSON of `fit --seeds`."""
        return self._asdict()


def seeded_fits(
    config: Path, overrides: Sequence[str], seeds: int, out: Path | None, overwrite: bool
) -> Iterator[tuple[int, Generator[FitEvent, None, None]]]:
    """The fits of seed, seed + 1, …, each as its events, in a run directory of its own. Raises UsageError."""
    if seeds < 2:
        raise UsageError(f"--seeds {seeds}: give 2 or more, since one seed has no standard deviation")
    first = load_config(config, overrides).config.seed
    for seed in range(first, first + seeds):
        directory = None if out is None else out / f"seed-{seed}"
        yield seed, fit_events(config, [*overrides, f"seed={seed}"], directory, None, overwrite)


def summarize_seeds(results: Sequence[tuple[int, Mapping[str, Any]]]) -> SeedsSummary:
    """The summary of (seed, fields of fit's JSON)."""
    runs = [{"seed": seed, **result} for seed, result in results]
    mean: dict[str, dict[str, Any]] = {}
    sd: dict[str, dict[str, Any]] = {}
    for split, metrics in runs[0]["best"]["metrics"].items():
        for name, value in metrics.items():
            if not isinstance(value, list):  # a matrix has no mean here
                values = [run["best"]["metrics"][split][name] for run in runs]
                mean.setdefault(split, {})[name] = _over_runs(statistics.fmean, values)
                sd.setdefault(split, {})[name] = _over_runs(statistics.stdev, values)
    return SeedsSummary(runs, mean, sd)


def _over_runs(statistic: Callable[[list[float]], float], values: list[Any]) -> Any:
    """A statistic of a metric's values, or of each class's if it has one per class; None if a value is not finite."""
    if isinstance(values[0], Mapping):
        return {label: _over_runs(statistic, [value.get(label) for value in values]) for label in values[0]}
    return None if None in values else statistic(values)
