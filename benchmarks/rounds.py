"""Round after round, each contestant once a round; medians, ratios of the same round, and a table of them."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from machine import in_words, machine

PAUSE = 0.2  # before each pass: idle threads of the one before still spin for a while


def interleaved(passes: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """What each pass returned, in each round."""
    results: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(repeats):
        for name, one in passes.items():
            time.sleep(PAUSE)
            results[name].append(one())
    return results


def timed(call: Callable[[], object]) -> float:
    """The seconds that a call takes."""
    clock = time.perf_counter()
    call()
    return time.perf_counter() - clock


def ratio(theirs: list[float], ours: list[float]) -> float:
    """The median over the rounds of theirs / ours."""
    return statistics.median(one / other for one, other in zip(theirs, ours, strict=True))


def short(number: float) -> str:
    """Three digits, or all before the point."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


class Table(NamedTuple):
    """The result of one benchmark: figures in one unit, round by round."""

    title: str
    unit: str
    ours: str  # the contestant that the ratios are to
    rounds: dict[str, list[float]]
    targets: tuple[tuple[str, float], ...] = ()  # (beginning of contestants' names, times ours)

    def __str__(self) -> str:
        """In Markdown, with a line for each target."""
        lines = [
            f"### {self.title}",
            "",
            f"| program | {self.unit} | ÷ {self.ours} |",
            "| --- | ---: | ---: |",
        ]
        for name, figures in self.rounds.items():
            against = ratio(figures, self.rounds[self.ours])
            lines.append(f"| {name} | {short(statistics.median(figures))} | {short(against)} |")
        return "\n".join([*lines, "", *(self._verdict(*target) for target in self.targets), ""])

    def _verdict(self, family: str, wanted: float) -> str:
        named = {name: figures for name, figures in self.rounds.items() if name.startswith(family)}
        if not named:
            return f"* target ≥ {wanted:g}× {family}: cannot be said, nobody of that name ran"
        reached, by = min((ratio(figures, self.rounds[self.ours]), name) for name, figures in named.items())
        said = "met" if reached >= wanted else "MISSED"
        return f"* target ≥ {wanted:g}× {family}: {self.ours} reaches {short(reached)}× ({by}): {said}"


def write_json(file: Path | None, tables: list[Table]) -> None:
    """The tables with all their rounds, and the machine, if a file is asked for."""
    print(f"Machine: {in_words(facts := machine())}")
    if file is not None:
        report = {"machine": facts, "tables": [table._asdict() for table in tables]}
        file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
