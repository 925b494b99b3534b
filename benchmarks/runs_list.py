"""How long `bptrain runs` takes to list many runs: whole processes by wall clock.

    python benchmarks/runs_list.py [--runs 10000] [--repeats 5] [--json FILE]

The runs are those of a random search: copies of one trained run, each with a learning rate, a seed and figures of its
own, in its `run.json` and in its checkpoints. The first listing opens every run; later ones read the index that it has
left beside the runs. The file cache is warm both times, as after the search itself.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import bptrain
from bptrain.store.run_index import NAME
from bptrain.store.tensors import content
from rounds import Table, interleaved, timed, write_json

ROWS = 200
CONFIG = {
    "data": {"train": "rows.csv", "target": "y"},
    "network": {"sizes": [4, 16, 1]},
    "loss": "half_squared_error",
    "optimizer": {"name": "adam", "learning_rate": 0.01},
    "training": {"epochs": 5, "engine": "numpy"},
}
FIRST, LATER = "the first time", "later"


def trained(folder: Path) -> Path:
    """One run."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, 4))
    table = np.column_stack([X, X @ [1.0, -2.0, 0.5, 0.0]])
    np.savetxt(folder / "rows.csv", table, delimiter=",", header="a,b,c,d,y", comments="")
    (folder / "config.yaml").write_text(json.dumps(CONFIG), encoding="utf-8")
    return bptrain.fit(folder / "config.yaml", out=folder / "one").path


def with_rate(file: Path, rate: float, seed: int) -> list[bytes | memoryview]:
    """The content of a checkpoint whose config says another learning rate and seed."""
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as opened:
        record = json.loads(opened.metadata()["bptrain"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  (not a dict)
    record["config"]["optimizer"]["learning_rate"] = rate
    record["config"]["seed"] = seed
    return list(content(tensors, {"bptrain": json.dumps(record, sort_keys=True)}))


def copies(one: Path, into: Path, runs: int) -> None:
    """A random search."""
    rng = np.random.default_rng(1)
    record = json.loads((one / "run.json").read_text(encoding="utf-8"))
    files = [file.relative_to(one) for file in one.rglob("*.safetensors")]
    variants = []
    for seed in range(20):  # contents of checkpoints, which take the longest to make
        rate = float(10 ** rng.uniform(-4, -1))
        variants.append([(file, with_rate(one / file, rate, seed)) for file in files])
    for number in range(runs):
        run = into / f"{number + 1:05d}"
        (run / "checkpoints").mkdir(parents=True)
        for name in ("config.yaml", "metrics.jsonl", ".lock"):
            shutil.copyfile(one / name, run / name)
        record["started"] = f"2026-01-{1 + number % 28:02d}T12:00:00.{number:06d}+00:00"
        record["result"]["best"]["loss"]["validation"] = float(rng.uniform())
        (run / "run.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
        for file, parts in variants[number % len(variants)]:
            with (run / file).open("wb") as opened:
                opened.writelines(parts)


def main() -> None:
    """Prints the seconds of the first listing and of later ones."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copies(trained(folder), folder / "runs" / "search", options.runs)
        index = folder / "runs" / NAME
        line = [sys.executable, "-m", "bptrain", "runs", str(folder / "runs")]

        def listed(anew: bool) -> float:
            if anew:
                index.unlink(missing_ok=True)
            return timed(lambda: subprocess.run(line, capture_output=True, check=True))

        passes = {FIRST: lambda: listed(True), LATER: lambda: listed(False)}
        rounds = interleaved(passes, options.repeats)
    table = Table(f"R: `bptrain runs`, {options.runs:,} runs", "s", LATER, rounds)
    print(table)
    write_json(options.json, [table])


if __name__ == "__main__":
    main()
