"""What is printed, and what is written as JSON and Markdown, about the cases A to H."""

from typing import Any

from contestants import CONTESTANTS
from machine import in_words
from measure import Figure, Outcome, Verdict
from rounds import short

HEAD = """# Benchmarks

bptrain compared with other libraries: the same network, data, initial weights, order of rows and hyperparameters, in
float32, on synthetic data from a fixed seed. Each library runs in its fastest idiomatic form, in a process of its own,
on as many cores as it has threads. The libraries take turns, round after round. A time is the median over the rounds,
in microseconds per update. A ratio is the median over the rounds of the library's time divided by bptrain's in the same
round: above 1, bptrain is faster. Import, compilation and loading of data are not timed. "Deviation" is the distance
between a library's weights and the NumPy engine's after the first pass, divided by how far the weights had moved. If a
library must agree and does not, the benchmark stops. A slow library's pass runs over fewer rows of the same data.
"""


def lines_of(outcome: Outcome) -> list[str]:
    """One case as a Markdown table, its verdicts, and who was left out."""
    engines = [name for name in outcome.figures if name.startswith("bptrain")]
    ratios = [f"÷ {name}" for name in engines]
    lines = [
        f"### {outcome.case.key}: {outcome.case.title}; threads: {outcome.threads}",
        "",
        _row(["program", "µs per update", *ratios, "deviation"]),
        _row(["---"] + ["---:"] * (len(engines) + 2)),
    ]
    for name, figure in sorted(outcome.figures.items(), key=lambda item: item[1].microseconds):
        shown = f"**{name}**" if name == outcome.best else name
        lines.append(_row([shown, short(figure.microseconds), *_ratios(figure, engines), _deviation(figure)]))
    lines += ["", *(f"* {in_a_line(verdict, outcome.best)}" for verdict in outcome.verdicts)]
    lines += [f"* left out: {name} ({reason})" for name, reason in outcome.left_out.items()]
    return [*lines, ""]


def in_a_line(verdict: Verdict, best: str) -> str:
    """A target, and whether it is met."""
    wanted = f"target ≥ {verdict.wanted:g}× {verdict.target}"
    if verdict.reached is None:
        return f"{wanted}: cannot be said, nobody of that name ran"
    said = "met" if verdict.met else "MISSED"
    return f"{wanted}: {best} reaches {short(verdict.reached)}× ({verdict.by}): {said}"


def markdown(outcomes: list[Outcome], facts: dict[str, Any], repeats: int) -> str:
    """The whole report, for the docs."""
    lines = [HEAD, f"Machine: {in_words(facts)}", "", f"Rounds: {repeats}. To run it again:", ""]
    lines += [
        "```sh",
        "pip install -e '.[fast]' torch jax keras scikit-learn   # and Debian's libfann-dev, gcc",
    ]
    lines += [
        "python benchmarks/peers.py --markdown docs/benchmarks.md",
        "```",
        "",
        "## How each library is run",
        "",
    ]
    took_part = {name for outcome in outcomes for name in outcome.figures}
    lines += [f"* {one.name}: {one.remark}." for one in CONTESTANTS if one.name in took_part]
    lines += ["", "## Targets", "", _row(["case", "threads", "target", "reached", "by", "verdict"])]
    lines.append(_row(["---", "---:", "---:", "---:", "---", "---"]))
    lines += [line for outcome in outcomes for line in _targets(outcome)]
    lines += ["", "## Cases", ""]
    lines += [line for outcome in outcomes for line in lines_of(outcome)]
    return "\n".join(lines).rstrip() + "\n"


def plain(outcomes: list[Outcome], facts: dict[str, Any], repeats: int) -> dict[str, Any]:
    """The whole report as JSON has it."""
    return {"machine": facts, "repeats": repeats, "cases": [_plain(outcome) for outcome in outcomes]}


def _plain(outcome: Outcome) -> dict[str, Any]:
    figures = {
        name: {**figure._asdict(), "deviation": figure.deviation._asdict()}
        for name, figure in outcome.figures.items()
    }
    return {
        "case": outcome.case.key,
        "title": outcome.case.title,
        "threads": outcome.threads,
        "best": outcome.best,
        "contestants": figures,
        "left_out": outcome.left_out,
        "targets": [{**verdict._asdict(), "met": verdict.met} for verdict in outcome.verdicts],
    }


def _targets(outcome: Outcome) -> list[str]:
    rows = []
    for verdict in outcome.verdicts:
        reached = "–" if verdict.reached is None else f"{short(verdict.reached)}×"
        said = {True: "met", False: "missed", None: "unknown"}[verdict.met]
        target = f"≥ {verdict.wanted:g}× {verdict.target}"
        rows.append(_row([outcome.case.key, str(outcome.threads), target, reached, verdict.by, said]))
    return rows


def _ratios(figure: Figure, engines: list[str]) -> list[str]:
    return [short(figure.ratios[engine]) for engine in engines]


def _deviation(figure: Figure) -> str:
    return "–" if figure.deviation.weights is None else f"{figure.deviation.weights:.0e}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
