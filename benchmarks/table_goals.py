"""The goals of benchmarks/tables.py, and what was measured for each."""

from collections.abc import Sequence
from typing import NamedTuple

from table_figures import Fits, Summary

NOT_MEASURED = "not measured"


class Goal(NamedTuple):
    """A goal and what was measured."""

    what: str
    wanted: str
    measured: str
    met: bool | None  # None: not measured, or not in full

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.met is None:
            return "" if self.measured == NOT_MEASURED else "in part"
        return "met" if self.met else "missed"


class Extent(NamedTuple):
    """How much has to be measured for a verdict."""

    sets: int
    seeds: int  # of each

    def covers(self, summary: Summary) -> bool:
        """Whether so much was measured."""
        return len(summary.pairs) >= self.sets and all(pair.seeds >= self.seeds for pair in summary.pairs)


WITH_REALMLP = Extent(12, 3)


def goals(fits: Fits, reporting: Sequence[str]) -> list[Goal]:
    """All of them."""
    before = fits.summary(reporting, "standard", "today")
    peer = fits.summary(reporting, "standard", "realmlp_td")
    effort = fits.summary(reporting, "best", "standard")
    fast = fits.summary(reporting, "quick", "today")
    all_sets = Extent(len(reporting), 5)
    found = [
        most_cpu("quick ÷ init before", fast, 1, all_sets),
        ratio("standard ÷ init before", before, 0.85, all_sets),
        worse_on("standard ÷ init before", before, 2, all_sets),
        most_cpu("standard ÷ init before", before, 10, all_sets),
        ratio("standard ÷ RealMLP-TD", peer, 1.00, WITH_REALMLP),
        most_cpu("standard ÷ RealMLP-TD", peer, 0.25, WITH_REALMLP),
        most_cpu("best ÷ standard", effort, 10, all_sets),
    ]
    for program, title, most in (
        ("today", "init before", 0.79),
        ("sklearn_mlp", "scikit-learn's MLP", 0.80),
        ("hgb", "HGB", 0.92),
        ("catboost", "CatBoost", 1.00),
    ):
        found.append(ratio(f"best ÷ {title}", fits.summary(reporting, "best", program), most, all_sets))
    for program, most in (("standard", 0.97), ("best", 0.92)):
        homes = fits.summary(["california_housing"], program, "hgb")
        found.append(ratio(f"california_housing: {program} ÷ HGB", homes, most, Extent(1, 5)))
    for name, wanted in (("concrete", (4.7, 4.4)), ("energy", (0.45, 0.40))):
        for program, most in zip(("standard", "best"), wanted, strict=True):
            found.append(figure(fits, name, program, "rmse", most, 20))
    found.append(figure(fits, "adult", "standard", "accuracy", 0.866, 1))
    found.append(figure(fits, "adult", "best", "accuracy", 0.866, 1))
    found.append(figure(fits, "mnist", "standard", "accuracy", 0.985, 1))
    found.append(figure(fits, "fann_two_spirals", "best", "accuracy", 0.95, 1))
    return found


def ratio(what: str, summary: Summary | None, most: float, extent: Extent) -> Goal:
    """A geometric mean of ratios of errors."""
    wanted = f"error ≤ {most:.2f}"
    if summary is None:
        return Goal(what, wanted, NOT_MEASURED, None)
    measured = f"{summary.ratio:.3f} over {sets(summary)}"
    return Goal(what, wanted, measured, summary.ratio <= most if extent.covers(summary) else None)


def worse_on(what: str, summary: Summary | None, most: int, extent: Extent) -> Goal:
    """The number of sets that became worse beyond noise."""
    wanted = f"worse beyond noise on ≤ {most} sets"
    if summary is None:
        return Goal(what, wanted, NOT_MEASURED, None)
    named = f": {', '.join(summary.worse)}" if summary.worse else ""
    met = len(summary.worse) <= most if extent.covers(summary) else None
    return Goal(what, wanted, f"{len(summary.worse)} of {sets(summary)}{named}", met)


def most_cpu(what: str, summary: Summary | None, most: float, extent: Extent) -> Goal:
    """The ratio of CPU seconds, on each set."""
    wanted = f"CPU seconds ≤ {most:g} × on each set"
    if summary is None:
        return Goal(what, wanted, NOT_MEASURED, None)
    largest = max(summary.pairs, key=lambda pair: pair.cpu_ratio)
    above = sum(pair.cpu_ratio > most for pair in summary.pairs)
    measured = (
        f"{summary.cpu_ratio:.2f} × (geometric mean); at most {largest.cpu_ratio:.2f} × ({largest.set})"
    )
    measured += f"; above on {above}" if above else ""
    return Goal(what, wanted, measured, above == 0 if extent.covers(summary) else None)


def figure(fits: Fits, name: str, program: str, what: str, bound: float, seeds: int) -> Goal:
    """The mean of a metric, by at least so many seeds."""
    least = what == "accuracy"
    title = f"{name}: {program}, {'accuracy' if least else 'RMSE'}"
    wanted = f"{'≥' if least else '≤'} {bound:g}"
    found = fits.mean(name, program, what)
    if found is None:
        return Goal(title, wanted, NOT_MEASURED, None)
    mean, count = found
    measured = f"{mean:.4f}" if least else f"{mean:.3f}"
    measured += f" over {count} {'seeds' if seeds == 1 else 'splits'}" if count > 1 else ""
    met = mean >= bound if least else mean <= bound
    return Goal(title, wanted, measured, met if count >= seeds else None)


def sets(summary: Summary) -> str:
    """How many."""
    count = len(summary.pairs)
    seeds = min(pair.seeds for pair in summary.pairs)
    return f"{count} {'set' if count == 1 else 'sets'}, {seeds} {'seed' if seeds == 1 else 'seeds'} or more"
