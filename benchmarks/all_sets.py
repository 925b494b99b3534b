"""Every data set of a folder, trained from the page that `bptrain init` writes for it.

    python benchmarks/all_sets.py FOLDER [--only NAME,NAME] [--validate] [--table docs/all_sets.md]

FOLDER has a folder for each set: its files and a SOURCE.md, which names the target as "target column: `NAME`" (or
"3 targets: A, B, C"). Files named …_train and …_test are the two parts of a published split: init sees the
first, and the second is given as `data.test`. A set of IDX files has its labels in a file of their own.

Each set is `bptrain init --data FILE --target NAME` and `bptrain fit` of what that wrote, in processes of their own,
without an edit. The table has the metric on the test rows beside that of a baseline (majority class, mean). With
--validate the pages are written and validated, and all warnings printed. Exit code 1 where a set does not train.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from machine import in_words, machine

TARGET = re.compile(r"target column: `([^`]+)`")
SEVERAL = re.compile(r"\d+ targets: ([^;]+);")
COLUMNS = ("set", "rows", "inputs", "task", "metric", "test", "baseline", "seconds")


class DataSet(NamedTuple):
    """One set of the folder."""

    name: str
    train: Path
    targets: tuple[str, ...]
    test: dict[str, str]  # overrides that name the test file


class Outcome(NamedTuple):
    """What became of a set."""

    cells: dict[str, str]
    warnings: list[str]
    error: str = ""


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    found = [path for path in sorted(options.folder.iterdir()) if (path / "SOURCE.md").is_file()]
    outcomes: dict[str, Outcome] = {}
    for folder in found:
        if wanted and folder.name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as workplace:
            outcomes[folder.name] = tried(described(folder), Path(workplace), options.validate)
        done = outcomes[folder.name]
        print("  ".join(done.cells.values()) or f"{folder.name}: {done.error}", flush=True)
        for warning in done.warnings:
            print(f"    {warning}", flush=True)
    if options.table is not None:
        options.table.write_text(page(outcomes), encoding="utf-8")
    return int(any(outcome.error for outcome in outcomes.values()))


def described(folder: Path) -> DataSet:
    """The files of a set and its target, by its SOURCE.md."""
    text = (folder / "SOURCE.md").read_text(encoding="utf-8")
    files = [path for path in sorted(folder.iterdir()) if path.suffix not in (".md", ".txt")]
    several, one = SEVERAL.search(text), TARGET.search(text)
    if len(files) == 4:  # images and labels, to train and to test
        test_images, test_labels, images, labels = files
        test = {"data.test": f"{{inputs: {test_images}, target: {test_labels}}}"}
        return DataSet(folder.name, images, (str(labels),), test)
    assert one is not None, f"{folder}/SOURCE.md names no target"
    targets = tuple(several.group(1).split(", ")) if several is not None else (one.group(1),)
    train = next((path for path in files if "_train" in path.name), files[0])
    parts = [path for path in files if "_test" in path.name]
    test = {"data.test": str(parts[0])} if parts else {}
    return DataSet(folder.name, train, targets, test)


def tried(one: DataSet, workplace: Path, validate: bool) -> Outcome:
    """Writes the page of a set, and trains or validates it."""
    start = time.monotonic()
    named = [word for target in one.targets for word in ("--target", target)]
    made = command(workplace, "init", "--data", str(one.train), *named)
    if made.returncode:
        return Outcome({}, [], f"init: {made.stderr.strip() or errors(made.stdout)}")
    overrides = [word for key, value in one.test.items() for word in ("--set", f"{key}={value}")]
    what = "validate" if validate else "fit"
    done = command(workplace, what, "config.yaml", *overrides)
    said = [line for line in done.stderr.splitlines() if line.startswith("warning:")]
    if done.returncode:
        return Outcome({}, said, f"{what}: {errors(done.stdout)}")
    record = json.loads(done.stdout)
    checked = json.loads(command(workplace, "validate", "config.yaml", *overrides).stdout)
    cells = {
        "set": one.name,
        "rows": f"{sum(checked['rows'].values()):,}",
        "inputs": f"{checked['sizes'][0]:,}",
        "task": checked["task"] + (f", {len(checked['labels'])} classes" if checked["labels"] else ""),
    }
    if not validate:
        cells |= figures(record, workplace) | {"seconds": f"{time.monotonic() - start:.0f}"}
    return Outcome(cells, said)


def figures(record: dict[str, Any], workplace: Path) -> dict[str, str]:
    """The metric on the test rows, or on the training rows of a set too small for others, and the baseline's."""
    judged = json.loads(command(workplace, "eval", record["run"]).stdout)
    name = "accuracy" if "accuracy" in judged["metrics"] else "rmse"
    where = "" if judged["split"] == "test" else f" ({judged['split']})"
    value, guess = judged["metrics"][name], judged["baseline"][name]
    return {"metric": name + where, "test": f"{value:.4g}", "baseline": f"{guess:.4g}"}


def command(workplace: Path, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command in a folder of its own."""
    line = [sys.executable, "-m", "bptrain", name, *arguments, "--json"]
    return subprocess.run(line, cwd=workplace, capture_output=True, text=True, check=False)


def errors(stdout: str) -> str:
    """The messages of an error, in one line."""
    try:
        return "; ".join(str(one["message"]) for one in json.loads(stdout)["errors"])
    except (ValueError, KeyError):
        return "no JSON"


def page(outcomes: dict[str, Outcome]) -> str:
    """The table as a page."""
    lines = [
        "# Every set, from the page that init writes",
        "",
        "Written by `python benchmarks/all_sets.py FOLDER --table docs/all_sets.md`: each set of a folder of public",
        "data sets is trained from the page that `bptrain init` writes, as it is. The metric is that on the test",
        "rows (the published test file where there is one, else 15 % of the rows), beside a baseline that ignores the",
        "inputs: the majority class, or the mean. Seconds are of init, fit and evaluation together.",
        "",
        in_words(machine()),
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"| {' | '.join('---' for _ in COLUMNS)} |",
    ]
    for name, outcome in outcomes.items():
        cells = [outcome.cells.get(column, "") for column in COLUMNS]
        lines.append(
            f"| {' | '.join(cells)} |" if not outcome.error else f"| {name} | {outcome.error} |" + " |" * 6
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
