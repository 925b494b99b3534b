"""What is worked out of fits: ratios of means, paired differences with their standard error, geometric means."""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from table_results import Fit


class Pair(NamedTuple):
    """Two programs on one set, over the seeds, and the very rows, that both have."""

    set: str
    seeds: int
    ratio: float  # of the mean errors
    difference: float  # mean of the first's error − the second's
    spread: float | None  # its standard error; None with one seed
    cpu_ratio: float  # of the mean CPU seconds

    @property
    def is_worse(self) -> bool:
        """Worse beyond noise: the mean difference is above twice its standard error."""
        return self.spread is not None and self.difference > 2 * self.spread

    @property
    def is_better(self) -> bool:
        """Better beyond noise."""
        return self.spread is not None and -self.difference > 2 * self.spread


class Summary(NamedTuple):
    """Two programs over several sets."""

    pairs: tuple[Pair, ...]

    @property
    def ratio(self) -> float:
        """The geometric mean of the ratios."""
        return geometric(pair.ratio for pair in self.pairs)

    @property
    def cpu_ratio(self) -> float:
        """The geometric mean of the ratios of CPU seconds."""
        return geometric(pair.cpu_ratio for pair in self.pairs)

    @property
    def most_cpu(self) -> float:
        """The largest ratio of CPU seconds on a set."""
        return max(pair.cpu_ratio for pair in self.pairs)

    @property
    def worse(self) -> tuple[str, ...]:
        """The sets on which the first is worse beyond noise."""
        return tuple(pair.set for pair in self.pairs if pair.is_worse)

    @property
    def better(self) -> tuple[str, ...]:
        """The sets on which it is better beyond noise."""
        return tuple(pair.set for pair in self.pairs if pair.is_better)


class Fits:
    """All fits of the programs, by set and program."""

    def __init__(self, fits: Iterable[Fit]) -> None:
        self.by: dict[tuple[str, str], dict[tuple[int, str], Fit]] = {}
        for fit in fits:
            of_program = self.by.setdefault((fit.key.set, fit.key.program), {})
            of_program[fit.key.seed, fit.key.rows] = fit

    def of(self, name: str, program: str) -> list[Fit]:
        """The fits of a program to a set."""
        return list(self.by.get((name, program), {}).values())

    def pair(self, name: str, first: str, second: str) -> Pair | None:
        """Two programs on a set; None where no rows are common to both."""
        a, b = self.by.get((name, first), {}), self.by.get((name, second), {})
        common = sorted(a.keys() & b.keys())
        if not common:
            return None
        errors = [(a[key].error, b[key].error) for key in common]
        differences = [ours - theirs for ours, theirs in errors]
        return Pair(
            name,
            len(common),
            sum(ours for ours, _ in errors) / sum(theirs for _, theirs in errors),
            round(
                statistics.fmean(differences), 12
            ),  # what rounding leaves of accuracies that are equal is 0
            standard_error(differences),
            sum(a[key].cpu_seconds for key in common) / sum(b[key].cpu_seconds for key in common),
        )

    def summary(self, names: Iterable[str], first: str, second: str) -> Summary | None:
        """Two programs over sets; None where no set has both."""
        pairs = tuple(pair for name in names if (pair := self.pair(name, first, second)) is not None)
        return Summary(pairs) if pairs else None

    def mean(self, name: str, program: str, figure: str) -> tuple[float, int] | None:
        """The mean of a figure of the test rows, and over how many seeds; None where there is none."""
        found = [fit.figures[figure] for fit in self.of(name, program) if figure in fit.figures]
        return (statistics.fmean(found), len(found)) if found else None


def standard_error(differences: Sequence[float]) -> float | None:
    """s / √n, with s of n − 1."""
    if len(differences) < 2:
        return None
    return statistics.stdev(differences) / math.sqrt(len(differences))


def geometric(ratios: Iterable[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
