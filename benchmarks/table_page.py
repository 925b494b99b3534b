"""docs/accuracy.md: the tables of benchmarks/tables.py as text."""

import statistics
from collections.abc import Iterable, Sequence

from table_figures import Fits, Pair
from table_goals import NOT_MEASURED, goals
from table_protocol import GROUPS, OURS, Protocol
from table_results import Fit

PEERS = ("sklearn_mlp", "hgb", "lightgbm", "catboost", "realmlp_td_s", "realmlp_td")
TRAINED_ALONE = ("hgb_train", "sklearn_mlp_train", "catboost_train")
COMPARED = (
    ("quick", ("today",)),
    ("standard", ("today", "quick", *PEERS, *TRAINED_ALONE)),
    ("best", ("today", "standard", *PEERS, *TRAINED_ALONE)),
    ("today", ("sklearn_mlp", "hgb")),
)
HEAD = """\
# Accuracy without tuning

What `bptrain init` writes, trained as it is, beside other programs with their defaults, on the same rows. Written by
`python benchmarks/tables.py`, which says how to repeat it; sets, seeds and programs are in
`benchmarks/tables/protocol.toml`, every fit with its versions is a line of `peers.jsonl` or `bptrain.jsonl` there.
(How exact each formula is: [rounding.md](rounding.md).)

## How it is measured

- Sets. The choices of `init` were made on the **development** sets, on rows of theirs that were drawn for that; their
  figures are kinder to bptrain than others. The **reporting** sets had no part in the choices: all goals but those of a
  named set are over these.
- Rows. Test rows are those of a published split (an index file, a test file) where the set has one, else 15 % of all
  rows; validation rows are 15 %. They are drawn once per seed, each class in proportion, and every program is given the
  same table, with a column that names the part of each row. Rows without a target are left out.
- What trains. bptrain and RealMLP fit the training rows, and choose the epoch by the validation rows; the
  networks of `best`, where it is an ensemble by fold, each do so by another part of both. The others have no use for
  validation rows; they **fit training and validation rows together**, which is the harder comparison for bptrain. Lines
  with "training rows" are the same programs on the training rows alone.
- Defaults. No option is set but the seed and one thread. Categories are given as such; a missing one is a level of its
  own. Missing numbers stay missing, but for RealMLP and scikit-learn's MLP, which get the median of the training rows;
  scikit-learn's MLP gets inputs of mean 0 and standard deviation 1, one-hot categories, and such a target.
  "init before" is what `init` wrote at commit 45f0ecd.
- Error: RMSE, or 1 − accuracy + 0.005, of the test rows. A ratio is of mean errors over the same seeds, {usual} of
  them, of RealMLP-TD at least {few}, on sets of at most 25,000 rows; several sets: the geometric mean. "Beyond noise":
  the mean of the paired differences is more than twice its standard error away from 0.
- Seconds are those of fitting and predicting the test rows: CPU time of all threads and processes (user and system),
  one thread each. Starting Python and importing libraries is not counted; reading the file is, for bptrain, and so is
  compiling the network's loop (about 12 s), which the first fit to a set has to do, and here the second as well, beside
  it. Other programs ran on the machine at the same time.
"""


def page(fits: Fits, plan: Protocol, versions: str, tried: str) -> str:
    """The whole page."""
    names = {
        group: [one.name for one in plan.sets.values() if one.group == group]
        for group in ("reporting", "development")
    }
    titles = {program.name: program.title for program in plan.programs.values()}
    seeds = plan.seeds
    head = HEAD.format(usual=len(seeds["usual"]), few=len(seeds["few"]))
    sections = [head, versions, "", "## Goals", "", *goal_table(fits, names["reporting"])]
    missing = missing_lines(fits, plan)
    if missing:
        sections += ["", "## Not measured", "", *missing]
    for group, sets in names.items():
        sections += ["", f"## {group.capitalize()} sets", "", *summary_table(fits, sets, titles)]
        for program in ("standard", "best"):
            sections += pair_table(fits, sets, titles, program)
        sections += ["", "### Mean error", "", *mean_table(fits, sets, titles)]
        sections += ["", "### CPU seconds per fit", "", *seconds_table(fits, sets, titles)]
    if tried:
        sections += ["", tried.rstrip()]
    return "\n".join(sections) + "\n"


def goal_table(fits: Fits, reporting: Sequence[str]) -> list[str]:
    """Goals and figures."""
    rows = [(goal.what, goal.wanted, goal.measured, goal.verdict) for goal in goals(fits, reporting)]
    return table(("", "goal", "measured", ""), rows)


def summary_table(fits: Fits, sets: Sequence[str], titles: dict[str, str]) -> list[str]:
    """Each comparison over all sets."""
    rows = []
    for first, others in COMPARED:
        for second in others:
            found = fits.summary(sets, first, second)
            if found is not None:
                rows.append(
                    (
                        f"{titles[first]} ÷ {titles[second]}",
                        f"{len(found.pairs)}",
                        f"{found.ratio:.3f}",
                        f"{len(found.better)}",
                        f"{len(found.worse)}" + (f": {', '.join(found.worse)}" if found.worse else ""),
                        f"{found.cpu_ratio:.2f}",
                        f"{found.most_cpu:.2f}",
                    )
                )
    columns = (
        "error of",
        "sets",
        "ratio",
        "better beyond noise",
        "worse beyond noise",
        "CPU seconds, ratio",
        "largest",
    )
    return table(columns, rows)


def pair_table(fits: Fits, sets: Sequence[str], titles: dict[str, str], first: str) -> list[str]:
    """One program against each other one, by set."""
    others = [name for name in ("today", *PEERS) if fits.summary(sets, first, name) is not None]
    if not others:
        return []
    rows = []
    for name in sets:
        pairs = [fits.pair(name, first, second) for second in others]
        if any(pairs):
            rows.append((name, *map(pair_cell, pairs)))
    said = "Ratio of mean errors; mean paired difference ± its standard error. **Bold**: worse beyond noise."
    heading = ["", f"### {titles[first].capitalize()} and each other program", "", said, ""]
    return [*heading, *table(("set", *(titles[name] for name in others)), rows)]


def pair_cell(pair: Pair | None) -> str:
    """A ratio, and the difference with its standard error."""
    if pair is None:
        return ""
    spread = "" if pair.spread is None else f" ± {short(pair.spread)}"
    text = f"{pair.ratio:.3f}; {'+' if pair.difference > 0 else '−' if pair.difference < 0 else ''}"
    text += f"{short(abs(pair.difference))}{spread}"
    return f"**{text}**" if pair.is_worse else text


def mean_table(fits: Fits, sets: Sequence[str], titles: dict[str, str]) -> list[str]:
    """The mean error of each program on each set."""
    programs = measured(fits, sets)
    rows = []
    for name in sets:
        errors = {program: [fit.error for fit in fits.of(name, program)] for program in programs}
        if any(errors.values()):
            rows.append(
                (name, *(short(statistics.fmean(found)) if found else "" for found in errors.values()))
            )
    return table(("set", *(titles[program] for program in programs)), rows)


def seconds_table(fits: Fits, sets: Sequence[str], titles: dict[str, str]) -> list[str]:
    """The mean CPU seconds of each program on each set."""
    programs = measured(fits, sets)
    rows = []
    for name in sets:
        seconds = {program: [fit.cpu_seconds for fit in fits.of(name, program)] for program in programs}
        if any(seconds.values()):
            rows.append(
                (name, *(f"{statistics.fmean(found):.2f}" if found else "" for found in seconds.values()))
            )
    return table(("set", *(titles[program] for program in programs)), rows)


def measured(fits: Fits, sets: Sequence[str]) -> list[str]:
    """The programs that have a fit to one of the sets."""
    return [name for name in (*OURS, *PEERS, *TRAINED_ALONE) if any(fits.of(one, name) for one in sets)]


def missing_lines(fits: Fits, plan: Protocol) -> list[str]:
    """What the protocol has and the results have not: a line for each program."""
    lines = []
    for program in plan.programs.values():
        said: list[str] = []
        for group in GROUPS:
            wanted = [one for one in plan.sets.values() if one.group == group and plan.takes(program, one)]
            lacking = []
            for one in wanted:
                seeds, count = len(plan.seeds_of(one, program)), len(fits.of(one.name, program.name))
                if count < seeds:
                    lacking.append(one.name if count == 0 else f"{one.name} ({count} of {seeds} seeds)")
            none = all(not fits.of(one.name, program.name) for one in wanted)
            said += [f"all {group} sets" if group != "rest" else "the rest"] if none and wanted else lacking
        if said:
            lines.append(f"- {program.title}: {', '.join(said)}.")
    return lines


def versions_of(fits: Iterable[Fit]) -> str:
    """The versions of all fits, in a line."""
    found: dict[str, set[str]] = {}
    for fit in fits:
        for name, number in fit.versions.items():
            found.setdefault(name, set()).add(number)
    said = ", ".join(f"{name} {' and '.join(sorted(found[name]))}" for name in sorted(found))
    return f"Versions: {said}." if said else ""


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    if not rows:
        return [f"{NOT_MEASURED.capitalize()}."]
    return [f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows)]


def short(number: float) -> str:
    """A number with four digits."""
    return f"{number:,.0f}" if abs(number) >= 10_000 else f"{number:.4g}"
