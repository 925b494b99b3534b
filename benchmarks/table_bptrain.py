"""bptrain in benchmarks/tables.py: the page that `init` writes, as it is, on the rows of the benchmark.

init sees the set's own file, whole, as a user's would be; the fit reads the same cells with the part of each row beside
them, one seed for the rows, the weights and the order. `today` is what init wrote at commit
45f0ecd, before it had a choice of effort: `page_before` has its rule.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

import bptrain
from table_protocol import PART

BEFORE = "today"
BYTES = {"name": "minmax", "low": 0, "high": 255}


def versions(_program: str) -> dict[str, str]:
    """What the figures depend on."""
    found = {}
    for name in ("bptrain", "numpy", "numba"):
        with suppress(PackageNotFoundError):  # Numba is an extra
            found[name] = version(name)
    return found


def prepare(task: dict[str, Any]) -> Callable[[], dict[str, float]]:
    """Writes the page; what is returned trains it and judges the test rows, and is what is timed."""
    place = Path(tempfile.mkdtemp(dir=task["place"]))
    page = place / "config.yaml"
    text, inputs = init(task["original"], task["target"], task["labels"], task["task"], task["program"])
    said = yaml.safe_load(text)
    overrides: dict[str, Any] = {"seed": task["seed"], "training.threads": 1}
    if task["labels"]:
        overrides["data.train"] = {"inputs": task["original"], "target": task["labels"]}
        overrides["data.test"] = dict(zip(("inputs", "target"), task["test"], strict=True))
        overrides["data.split"] = {"validation": 0.15}
    else:
        overrides |= {"data.train": task["file"]} | split_of(said, task)
    if task["program"] == BEFORE:
        text = json.dumps(page_before(said["data"], task, inputs))
    page.write_text(text, encoding="utf-8")

    def work() -> dict[str, float]:
        try:
            jobs = 1 if said.get("ensemble") else None
            result = bptrain.fit(page, overrides, out=place / "run", jobs=jobs).result
        finally:
            shutil.rmtree(place, ignore_errors=True)
        test = result["best"]["metrics"]["test"]
        name = "accuracy" if task["task"] == "classification" else "rmse"
        return {name: test[name]}

    return work


@cache
def init(data: str, target: str, labels: str, task: str, program: str) -> tuple[str, int]:
    """The page that the command writes, and how many inputs its network has."""
    words = ["init", "--data", data, "--target", labels or target, "--json"]
    words += [] if labels else ["--task", task]
    words += [] if program == BEFORE else ["--effort", program]
    line = [sys.executable, "-m", "bptrain", *words]
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(line, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(line)}: {done.stdout}{done.stderr}")
        sizes: list[int] = json.loads(done.stdout)["sizes"]
        return Path(place, "config.yaml").read_text(encoding="utf-8"), sizes[0]


def split_of(said: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """How a page is told the rows of the benchmark: by the column that names the part of each row.

    An ensemble by fold cuts training and validation rows itself: it is told the test rows alone.
    """
    if (said.get("ensemble") or {}).get("by") != "fold":
        return {"data.split": {"column": PART}}
    return {
        "data.split": {"index": task["test_rows"]},
        "data.exclude": [*(said["data"].get("exclude") or ()), PART],
    }


def page_before(data: dict[str, Any], task: dict[str, Any], inputs: int) -> dict[str, Any]:
    """The config that init wrote at commit 45f0ecd, from counts; `data` is the section that it writes now."""
    rows, classes = task["count"], task["classes"]
    hidden = 8 if rows < 200 else 16 if rows < 1_000 else 32 if rows < 5_000 else 64
    if rows >= 5_000 and inputs > 64:
        hidden = 128
    batch_size = 16 if rows < 500 else 32 if rows < 10_000 else 128 if rows < 100_000 else 512
    epochs = 500 if rows < 5_000 else 200 if rows < 50_000 else 50
    stops_early = rows * 0.15 >= 20
    stop = {"early_stopping": {"patience": 20, "min_delta": 0.0001}}
    loss, output = ("cross_entropy", "softmax") if classes > 2 else ("binary_cross_entropy", "sigmoid")
    if task["task"] == "regression":
        loss, output = "half_squared_error", "identity"
    of_columns = ("train", "target", "exclude", "columns", "missing")
    kept = {name: value for name, value in data.items() if name in of_columns}
    return {
        "task": task["task"],
        "data": kept | {"scale": BYTES if task["labels"] else "standard"},
        "network": {"sizes": ["auto", hidden, "auto"], "activations": ["relu", output]},
        "loss": loss,
        "optimizer": {"name": "adam", "learning_rate": 0.01 if rows < 1_000 else 0.003},
        "training": {"batch_size": batch_size, "epochs": epochs if stops_early else 200}
        | (stop if stops_early else {}),
    }
