"""How fast shuffled rows come from a mapped file: `python benchmarks/mapped_rows.py DIRECTORY [GIGABYTES]`.

Rows of 20 float32 are asked for in the order of an epoch, in slices of 2,048, as the trainer does: by NumPy's take of
each slice; by each slice in ascending order; and by some megabytes of slices at once in ascending order. Each way is
measured cold and warm, in rounds, and the median is printed. Warm: the file was read before. Cold: nothing that was
read stays, as of a file much larger than memory, so its pages are dropped before each read.
"""

import mmap
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from bptrain.data.prepared import Rows
from bptrain.data.storage import MappedFiles
from bptrain.mapped_rows import Mapping
from bptrain.training.rows import EpochRows, RowsOfArrays

COLUMNS, SLICE, SECONDS, ROUNDS = 20, 2048, 1.0, 3
AHEAD = (8, 32)  # megabytes


def main(directory: Path, gigabytes: float) -> None:
    """Measures and prints."""
    path, rows = directory / "rows.f32", int(gigabytes * 1e9) // (4 * COLUMNS)
    if not path.exists() or path.stat().st_size != rows * 4 * COLUMNS:
        block = np.random.default_rng(0).random((100_000, COLUMNS), np.float32)
        with open(path, "wb") as file:
            for a in range(0, rows, len(block)):
                file.write(block[: rows - a].data)
            os.fsync(file.fileno())
    order = np.random.default_rng(1).permutation(rows)
    handle = os.open(path, os.O_RDONLY)
    mapped = Mapping(handle, 0, access=mmap.ACCESS_COPY)
    mapped.room = MappedFiles(directory)
    X = np.frombuffer(mapped, np.float32).reshape(rows, COLUMNS)
    T = np.zeros((rows, 1), np.float32)
    source = RowsOfArrays(Rows(X, T, T, order), 10**9)

    def naive(part: slice) -> object:
        return np.take(X, order[part], axis=0)

    def in_order(ahead: int = 0) -> Callable[[slice], object]:
        return EpochRows(source, order, ahead).take

    ways: dict[str, tuple[Callable[[], Callable[[slice], object]], int]] = {
        "take": (lambda: naive, SLICE),
        "ascending": (in_order, SLICE),
    }
    for megabytes in AHEAD:
        ahead = megabytes * 10**6 // (4 * (COLUMNS + 1)) // SLICE * SLICE
        ways[f"ascending, {megabytes} MB ahead"] = (partial(in_order, ahead), ahead)
    print(f"{rows:,} rows x {COLUMNS} float32, {gigabytes:g} GB; thousand rows/s")

    def drop() -> None:
        mapped.madvise(mmap.MADV_DONTNEED)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)

    for cold in (True, False):
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, (way, at_once) in ways.items():
                drop()
                if not cold:
                    _read(path)
                found[name].append(_rows_per_second(way(), rows, at_once, drop if cold else None))
        for name, rates in found.items():
            print(
                f"  {'cold' if cold else 'warm'}  {name:24} {statistics.median(rates) / 1e3:10,.0f}",
                flush=True,
            )
    os.close(handle)


def _read(path: Path) -> None:
    """Brings a file into memory."""
    with open(path, "rb", buffering=0) as file:
        while file.read(2**24):
            pass


def _rows_per_second(
    take: Callable[[slice], object], rows: int, at_once: int, drop: Callable[[], None] | None
) -> float:
    """The rate of slices, one after the other; of whole reads of rows `at_once`."""
    seconds, a = 0.0, 0
    while seconds < SECONDS and a + at_once <= rows:
        if drop is not None:
            drop()
        clock = time.perf_counter()
        for b in range(a, a + at_once, SLICE):
            take(slice(b, b + SLICE))
        seconds += time.perf_counter() - clock
        a += at_once
    return a / seconds


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 2.0)
