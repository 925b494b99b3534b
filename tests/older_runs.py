"""Runs that older versions wrote, kept beside the tests: their configs say DATA in place of the path of their data."""

import json
import shutil
from pathlib import Path

import pytest

from command import bptrain


def copy_of(kept: Path, data: Path, workplace: Path) -> Path:
    """A copy of a run that is kept, with a copy of its data beside it."""
    run, beside = workplace / "run", workplace / data.name
    shutil.copytree(kept, run, ignore=shutil.ignore_patterns("*.csv"))
    shutil.copy(data, beside)
    config = run / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("DATA", str(beside)), encoding="utf-8")
    return run


def evaluates_as_it_ended(run: Path) -> None:
    """Asserts that `eval` gives the figures of each split with which the run ended."""
    best = json.loads((run / "run.json").read_text(encoding="utf-8"))["result"]["best"]
    for split in ("train", "validation", "test"):
        report = bptrain("eval", "run", "--split", split, "--json").json
        assert report["loss"] == pytest.approx(best["loss"][split], rel=1e-6)
        assert report["metrics"]["accuracy"] == best["metrics"][split]["accuracy"]
