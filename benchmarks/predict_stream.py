"""How fast `bptrain predict` goes through a file that it never has in memory, and how much memory it takes.

    python benchmarks/predict_stream.py [NPY_ROWS] [CSV_ROWS]     (default 10,000,000 and 1,000,000)

A network 20-16-1 predicts 20 columns of float32. Each figure is that of a process of its own, the contestants in turn,
the median over ROUNDS: of the command from its first row to its last, beside `Model.predict` of the same array in
memory, and beside the reader alone (`FileSource.read` and the numbers of its columns). CPU seconds, since they depend
less on what else the machine does; seconds stand beside them. Memory is the peak of the command above its peak for one
row. Figures: docs/predict.md.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROUNDS = 3
COLUMNS = 20
AT_A_TIME = 1 << 16  # rows that are made
CONFIG = f"""
data: {{train: train.npz, target: y}}
network: {{sizes: [{COLUMNS}, 16, 1], activations: [tanh, identity]}}
loss: half_squared_error
training: {{epochs: 1}}
"""
Figures = dict[str, float]


def make_files(folder: Path, npy_rows: int, csv_rows: int) -> None:
    """A trained run, and rows to predict: many, and one."""
    import bptrain

    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, COLUMNS), np.float32)
    np.savez(folder / "train.npz", X=X, y=X.sum(axis=1))
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    bptrain.fit(folder / "config.yaml", out=folder / "run")
    big = np.lib.format.open_memmap(folder / "many.npy", "w+", np.float32, (npy_rows, COLUMNS))
    for begin in range(0, npy_rows, AT_A_TIME):
        rows = min(AT_A_TIME, npy_rows - begin)
        big[begin : begin + rows] = rng.standard_normal((rows, COLUMNS), np.float32)
    np.save(folder / "one.npy", big[:1])
    for name, n in (("many", csv_rows), ("one", 1)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8") as file:
            file.write(",".join(f"x{k + 1}" for k in range(COLUMNS)) + "\n")
            for begin in range(0, n, AT_A_TIME):
                part = big[begin : min(begin + AT_A_TIME, n)].tolist()
                file.writelines(",".join(f"{value:.6g}" for value in row) + "\n" for row in part)


def in_memory(folder: Path) -> Figures:
    """`Model.predict` of the array."""
    import bptrain

    model, X = bptrain.load(folder / "run"), np.load(folder / "many.npy")
    model.predict(X[:AT_A_TIME])
    begun, cpu = time.perf_counter(), time.process_time()
    model.predict(X)
    return {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}


def reader(folder: Path) -> Figures:
    """The table of numbers as a whole."""
    from bptrain.data.sheet_columns import block_of
    from bptrain.data.sources import FileSource
    from bptrain.formats import Sheet

    begun, cpu = time.perf_counter(), time.process_time()
    sheet = FileSource(folder / "many.csv").read("")
    assert isinstance(sheet, Sheet)
    block_of(sheet, sheet.names, dict.fromkeys(sheet.names, "numeric"), infer=False)
    return {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}


def command(folder: Path, name: str) -> Figures:
    """The command on a file; predictions in the same format."""
    from bptrain.cli.main import run

    out = folder / f"predicted_{name}"
    run(["predict", str(folder / "run"), str(folder / name), "--out", str(out), "--overwrite"])
    used = resource.getrusage(resource.RUSAGE_SELF)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = float(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    return {"cpu": used.ru_utime + used.ru_stime, "megabytes": peak}


def measured(folder: Path, *what: str) -> Figures:
    """The figures of one contestant, in a process of its own."""
    begun = time.perf_counter()
    line = [sys.executable, __file__, "--of", str(folder), *what]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    return {"seconds": time.perf_counter() - begun, **json.loads(done.stdout.splitlines()[-1])}


def main(npy_rows: int = 10_000_000, csv_rows: int = 1_000_000) -> None:
    """Prints a line for each format."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder, npy_rows, csv_rows)
        for suffix, rows, other in (("npy", npy_rows, "in_memory"), ("csv", csv_rows, "reader")):
            rounds = [
                (
                    measured(folder, other),
                    measured(folder, f"one.{suffix}"),
                    measured(folder, f"many.{suffix}"),
                )
                for _ in range(ROUNDS)
            ]
            ratio = {
                unit: statistics.median(alone[unit] / (many[unit] - one[unit]) for alone, one, many in rounds)
                for unit in ("cpu", "seconds")
            }
            cpu = statistics.median(many["cpu"] - one["cpu"] for _, one, many in rounds)
            memory = max(many["megabytes"] - one["megabytes"] for _, one, many in rounds)
            print(
                f"{suffix}: {rows:,} rows, {rows / cpu:,.0f} rows per CPU second, {ratio['cpu']:.2f} of the rate of "
                f"{other} (by the clock {ratio['seconds']:.2f}), {memory:.0f} MB above one row",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--of"]:
        folder, what = Path(sys.argv[2]), sys.argv[3]
        found = (
            {"in_memory": in_memory, "reader": reader}[what](folder)
            if "." not in what
            else command(folder, what)
        )
        print(json.dumps(found))
    else:
        main(*map(int, sys.argv[1:]))
