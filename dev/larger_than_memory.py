"""Trains under data.memory and without, and compares memory and bits: `python dev/larger_than_memory.py CONFIG MEMORY`.

RssAnon, the anonymous memory of a process, is read from /proc while each command runs. The bound is above that of the
same fit on the first 1,000 rows of the table. `--set KEY=VALUE` changes the config of all of them, `--converted` runs
once more with the data that is converted already, and `--timeline` prints memory over time.
"""

import argparse
import csv
import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import yaml
from safetensors.numpy import load_file

SMALL = 1000  # rows
BLOCK = 100_000  # rows of a generated table that differ
EVERY = 0.005  # seconds between two looks


class Ran(NamedTuple):
    """A command that has run."""

    peak: int  # bytes of anonymous memory
    seconds: float
    output: str
    timeline: list[tuple[float, int]]


def ran(arguments: list[str], directory: Path) -> Ran:
    """Runs bptrain, and looks at its memory. Ends this script where it fails."""
    command = [sys.executable, "-m", "bptrain", *arguments]
    clock, timeline = time.perf_counter(), [(0.0, 0)]
    with open(directory / "said.txt", "w+", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=directory, stdout=said, stderr=subprocess.STDOUT)
        while process.poll() is None:
            timeline.append((time.perf_counter() - clock, anonymous(process.pid)))
            time.sleep(EVERY)
        said.seek(0)
        output = said.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{output}")
    return Ran(max(memory for _, memory in timeline), time.perf_counter() - clock, output, timeline)


def anonymous(pid: int) -> int:
    """Bytes of a process that lie in no file; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(status.split("RssAnon:")[1].split()[0]) << 10 if "RssAnon:" in status else 0


def found_in(run: Path) -> dict[str, object]:
    """What is compared: the weights, and the figures of each epoch and of the end, without times."""
    weights = {
        name: hashlib.sha256(tensor.tobytes()).hexdigest()
        for name, tensor in load_file(run / "best.safetensors").items()
    }
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    epochs = [
        {key: value for key, value in json.loads(line).items() if "seconds" not in key and key != "time"}
        for line in lines
    ]
    result = json.loads((run / "run.json").read_text(encoding="utf-8"))["result"]
    return {"weights": weights, "epochs": epochs, "best": result["best"], "final": result["final"]}


def opened(path: Path) -> IO[str]:
    """A table as text."""
    return gzip.open(path, "rt", newline="") if path.suffix == ".gz" else open(path, newline="")


def first_rows(table: Path, into: Path) -> Path:
    """The first rows of a table, in a file of the same form."""
    if table.suffix == ".npy":
        np.save(into / "small.npy", np.load(table, mmap_mode="r")[:SMALL])
        return into / "small.npy"
    with opened(table) as whole, open(into / "small.csv", "w", newline="") as part:
        writer = csv.writer(part)
        for _, row in zip(range(SMALL + 1), csv.reader(whole), strict=False):
            writer.writerow(row)
    return into / "small.csv"


def generated(rows: int, columns: int, path: Path) -> Path:
    """A table of numbers whose last column is a function of the others; blocks of rows come again and again."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(min(rows, BLOCK), columns - 1)).round(3)
    y = np.tanh(X[:, :3].sum(axis=1)) + 0.1 * rng.normal(size=len(X))
    lines = [",".join(map(str, row)) + "\n" for row in np.column_stack([X, y.round(4)]).tolist()]
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(f"x{k}" for k in range(1, columns)) + ",y\n")
        for a in range(0, rows, BLOCK):
            file.writelines(lines[: rows - a])
    return path


def main() -> int:
    """Runs all of it, prints a table, and returns 1 where the bits differ or the bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path, help="a config, or ROWSxCOLUMNS for a table that is generated")
    parser.add_argument("memory", help="such as 200MB")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--directory", type=Path, default=Path("larger_than_memory"))
    parser.add_argument("--converted", action="store_true")
    parser.add_argument("--alone", action="store_true", help="nothing is compared with a fit in memory")
    parser.add_argument("--timeline", action="store_true")
    given = parser.parse_args()
    place = given.directory.resolve()
    place.mkdir(exist_ok=True)
    if given.config.suffix in (".yaml", ".yml"):
        table = Path(yaml.safe_load(given.config.read_text())["data"]["train"])
        table, config = (given.config.resolve().parent / table).resolve(), given.config.resolve()
    else:
        rows, columns = map(int, str(given.config).split("x"))
        table, config = place / f"{rows}x{columns}.csv", place / "generated.yaml"
        if not table.exists():
            generated(rows, columns, table)
        config.write_text(
            f"data: {{train: {table}, target: y}}\n"
            "network: {sizes: [auto, 32, auto], activations: [tanh, identity]}\n"
            "loss: half_squared_error\ntraining: {epochs: 2, batch_size: 256}\n"
        )
    changes = [word for change in given.set for word in ("--set", change)]
    small = first_rows(table, place)
    bounded = ["--set", f"data.memory={given.memory}", "--set", f"data.cache={place / 'cache'}"]
    runs = {"1,000 rows": ["--set", f"data.train={small}"], "data.memory": bounded}
    if given.converted:
        runs["converted"] = bounded
    if not given.alone:
        runs["in memory"] = []
    done = {}
    for name, more in runs.items():
        out = place / name.replace(" ", "_").replace(",", "")
        done[name] = ran(["fit", str(config), *changes, *more, "--out", str(out), "--overwrite"], place)
        above = (done[name].peak - done["1,000 rows"].peak) / 1e6
        print(
            f"{name:12} {done[name].peak / 1e6:7.1f} MB  {above:+8.1f} MB  {done[name].seconds:7.1f} s",
            flush=True,
        )
        if given.timeline:
            last = -np.inf
            for seconds, memory in done[name].timeline:
                if seconds - last >= max(0.05, done[name].seconds / 100):
                    print(f"    {seconds:8.2f} s {memory / 1e6:8.1f} MB")
                    last = seconds
    from bptrain.config.memory_size import bytes_of

    holds = done["data.memory"].peak - done["1,000 rows"].peak <= bytes_of(given.memory)
    same = given.alone or found_in(place / "data.memory") == found_in(place / "in_memory")
    print(f"the bound of {given.memory} {'holds' if holds else 'DOES NOT HOLD'}")
    if not given.alone:
        print("the bits are the same" if same else "the bits DIFFER")
    return 0 if holds and same else 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
