"""How fast files are read: `python benchmarks/reading.py [ROWS]` (default 300,000): CPU seconds, peak memory.

Each contestant reads a file in a process of its own, in turn; a figure is the median over ROUNDS. What bptrain does
is all of it: the digest of the file, its cells, what each column is, and the matrix in float32. pandas and pyarrow
take part where they are installed. Figures: docs/data.md.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

ROUNDS = 3
MEGABYTE = 1 << 20


def cpu() -> float:
    """CPU seconds of this process, the system's included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> float:
    """Megabytes that this process has taken at most."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")  # ru_maxrss is at least that of the parent
    return float(status.split("VmHWM:")[1].split()[0]) * 1024 / MEGABYTE


def with_bptrain(file: str) -> None:
    """File to float32 matrix, with digest and inference."""
    from bptrain.data.sheet_columns import block_of
    from bptrain.data.sources import FileSource
    from bptrain.formats import Sheet

    source = FileSource(Path(file), Path(file) if file.endswith((".npy", ".idx")) else None)
    source.digests("train")
    found = source.read("data.train")
    if isinstance(found, Sheet):
        block_of(found, found.names, {}, infer=True).numbers.astype(np.float32)
    else:
        assert len(found.X)


def with_pandas(file: str) -> None:
    """`read_csv` alone."""
    import pandas as pd

    pd.read_csv(file)


def with_pyarrow(file: str) -> None:
    """The streamed read alone."""
    import pyarrow.csv as pc

    with pc.open_csv(file) as reader:
        for _ in reader:
            pass


def with_csv(file: str) -> None:
    """The csv module alone: rows that are thrown away."""
    import csv

    with Path(file).open(newline="", encoding="utf-8") as opened:
        for _ in csv.reader(opened):
            pass


def with_loadtxt(file: str) -> None:
    """`numpy.loadtxt` alone."""
    np.loadtxt(file, delimiter=",", skiprows=1)


def with_load(file: str) -> None:
    """`numpy.load` alone."""
    np.load(file)


READERS = {
    "bptrain": with_bptrain, "pandas": with_pandas, "pyarrow": with_pyarrow, "csv module": with_csv,
    "numpy.loadtxt": with_loadtxt, "numpy.load": with_load,
}  # fmt: skip
NEEDS = {"pandas": "pandas", "pyarrow": "pyarrow"}


def mixed(file: Path, rows: int) -> None:
    """20 columns: 10 of decimals, 5 of whole numbers, 5 of text."""
    random = np.random.default_rng(0)
    decimals = [random.normal(size=rows) * 10.0 ** random.integers(-2, 4) for _ in range(10)]
    whole = [random.integers(0, 1000, rows) for _ in range(5)]
    words = np.array(["alpha", "beta", "gamma delta", "Île", *(f"level{k}" for k in range(40))])
    texts = [random.choice(words, rows) for _ in range(4)] + [
        np.array([f"text {k % 5000}" for k in range(rows)])
    ]
    names = [f"{kind}{k}" for kind, n in (("x", 10), ("n", 5), ("t", 5)) for k in range(n)]
    with file.open("w", encoding="utf-8") as opened:
        opened.write(",".join(names) + "\n")
        for k in range(rows):
            cells = [f"{c[k]:.6g}" for c in decimals] + [str(c[k]) for c in (*whole, *texts)]
            opened.write(",".join(cells) + "\n")


def numeric(file: Path, rows: int, columns: int) -> None:
    """Decimals alone."""
    numbers = np.random.default_rng(0).normal(size=(rows, columns))
    names = ",".join(f"x{k}" for k in range(columns))
    np.savetxt(file, numbers, fmt="%.6g", delimiter=",", header=names, comments="")


def once(reader: str, file: Path) -> tuple[float, float]:
    """CPU seconds and megabytes of one reader in a process of its own."""
    command = [sys.executable, __file__, "--one", reader, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes = done.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def compare(title: str, file: Path, readers: list[str]) -> None:
    """Prints a table of the readers of one file."""
    readers = [name for name in readers if name not in NEEDS or find_spec(NEEDS[name])]
    rounds = [{name: once(name, file) for name in readers} for _ in range(ROUNDS)]
    print(f"\n{title} ({file.stat().st_size / MEGABYTE:.0f} MB)\n")
    print("| reader | CPU s | bptrain / it | peak MB |\n| --- | --- | --- | --- |")
    for name in readers:
        seconds = statistics.median(found[name][0] for found in rounds)
        ratio = statistics.median(found["bptrain"][0] / found[name][0] for found in rounds)
        megabytes = statistics.median(found[name][1] for found in rounds)
        print(f"| {name} | {seconds:.2f} | {ratio:.2f} | {megabytes:.0f} |")


def main(rows: int) -> None:
    """All tables."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        mixed(place / "mixed.csv", rows)
        compare(
            f"{rows:,} rows × 20 columns, 5 of text",
            place / "mixed.csv",
            ["bptrain", "pandas", "pyarrow", "csv module"],
        )
        numeric(place / "numbers.csv", rows, 20)
        compare(f"{rows:,} rows × 20 numbers", place / "numbers.csv", ["bptrain", "numpy.loadtxt", "pandas"])
        for width in (2_000, 20_000):
            numeric(place / "wide.csv", 500, width)
            compare(f"500 rows × {width:,} columns", place / "wide.csv", ["bptrain", "pandas"])
        np.save(place / "x.npy", np.zeros((rows, 100), np.float32))
        compare(f"NPY of {rows:,} × 100", place / "x.npy", ["bptrain", "numpy.load"])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        import bptrain.data.sheet_columns
        import bptrain.data.sources  # noqa: F401 -- what is loaded is no reading

        for module in filter(find_spec, {NEEDS.get(sys.argv[2], "csv")}):
            __import__(module)
        begun = cpu()
        READERS[sys.argv[2]](sys.argv[3])
        print(cpu() - begun, peak())
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 300_000)
