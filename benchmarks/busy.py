"""Default threads on a machine that is not idle: beside eight busy programs, and several fits at once.

    python benchmarks/busy.py [--cases A,B] [--busy 8] [--repeats 3] [--only numba,jax] [--fits 2,4,8] [--json FILE]

The first table of a case: microseconds per update with as many threads as the program takes by itself, and limited to
one; each program in two processes, which take turns, on all cores, while `--busy` programs run an endless loop.
`--busy 0` shows what the choice of threads costs on an idle machine. The second: processor seconds of several
`bptrain fit` at once, and of the same fits one after the other with `training.threads: 1`.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cases import CASES, Case
from contestants import CONTESTANTS, OURS
from machine import in_words, machine
from rounds import Table, ratio, short, write_json
from worker import LeftOutError, Worker, surroundings

PASS_SECONDS = 0.2  # of a pass on an idle machine
LIMIT = 120.0  # seconds; whose pass takes longer is left out
FAMILIES = (OURS, "PyTorch", "JAX", "scikit-learn")
MOST = 1.5  # default ÷ one thread
FITS = (((288, 128, 1), 32), ((784, 100, 10), 10), ((784, 512, 512, 10), 128))  # sizes, and rows in a batch
ONE_BY_ONE = "one after the other, one thread"
MOST_TOGETHER = 1.15  # processor seconds at once ÷ one after the other


@contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """So many endless loops, each in a process of its own."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def table(case: Case, busy: int, repeats: int, only: list[str]) -> str:
    """A case beside busy programs, in Markdown."""
    lines = [f"### {case.title}, beside {busy} busy programs", ""]
    lines += [
        "| program | µs per update, one thread | by default | ÷ | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for one in CONTESTANTS:
        if one.family not in FAMILIES or (only and not any(word in one.name.lower() for word in only)):
            continue
        try:
            alone, default = passes(case, one.name, busy, repeats)
        except LeftOutError as error:
            lines.append(f"| {one.name} | | | | {error} |")
            continue
        against = ratio(default, alone)
        said = ("met" if against <= MOST else "MISSED") if one.family == OURS else ""
        medians = (short(statistics.median(times)) for times in (alone, default))
        lines.append(f"| {one.name} | {' | '.join(medians)} | {against:.2f} | {said} |")
    return "\n".join([*lines, ""])


def passes(case: Case, name: str, busy: int, repeats: int) -> tuple[list[float], list[float]]:
    """Microseconds per update, round by round, with one thread and by default. Raises LeftOutError."""
    workers = [Worker(case.key, name, 1, all_cores=True), Worker(case.key, name, os.cpu_count() or 1)]
    try:
        check = case.check_rows // case.batch
        start, _ = (worker.start() for worker in workers)
        updates = min(case.rows // case.batch, max(1, int(PASS_SECONDS / start.seconds * check)))
        for worker in workers:
            worker.load(updates * case.batch)
        found: tuple[list[float], list[float]] = ([], [])
        with busy_programs(busy):
            for _ in range(repeats):
                for worker, times in zip(workers, found, strict=True):
                    times.append(worker.seconds(LIMIT) / updates * 1e6)
        return found
    finally:
        for worker in workers:
            worker.stop()


def fits_at_once(counts: list[int], repeats: int) -> list[Table]:
    """Processor seconds of fits at once and one after the other."""
    tables = []
    with tempfile.TemporaryDirectory() as folder, surroundings(os.cpu_count() or 1):
        place = Path(folder)
        for sizes, batch in FITS:
            key = "-".join(map(str, sizes))
            config = write_problem(place / key, sizes, batch)
            for count in counts:
                rounds: dict[str, list[float]] = {ONE_BY_ONE: [], "at once, one thread": [], "at once": []}
                for _ in range(repeats):
                    for name, times in rounds.items():
                        times.append(processor_seconds(config, count, name != ONE_BY_ONE, "one" in name))
                title = f"{count} fits of {key}, batch {batch}"
                tables.append(Table(title, "processor seconds", ONE_BY_ONE, rounds))
                print(tables[-1], flush=True)
                against = ratio(rounds["at once"], rounds[ONE_BY_ONE])
                print(f"* at most {MOST_TOGETHER}: {'met' if against <= MOST_TOGETHER else 'MISSED'}\n")
    return tables


def write_problem(place: Path, sizes: tuple[int, ...], batch: int) -> Path:
    """A config and its data: random inputs, targets from a fixed seed."""
    place.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = 4_000
    np.savez(place / "data.npz", X=rng.normal(size=(rows, sizes[0])), y=rng.normal(size=(rows, sizes[-1])))
    config, activations = place / "config.yaml", "[" + "relu, " * (len(sizes) - 2) + "identity]"
    config.write_text(
        f"network:\n  sizes: {list(sizes)}\n  activations: {activations}\n  dtype: float32\n"
        "data:\n  train: data.npz\nloss: mean_squared_error\noptimizer: adam\n"
        f"training:\n  mode: minibatch\n  batch_size: {batch}\n  epochs: 10\n",
        encoding="utf-8",
    )
    return config


def processor_seconds(config: Path, count: int, at_once: bool, one_thread: bool) -> float:
    """What so many fits take of the processors in all."""
    line = [sys.executable, "-m", "bptrain", "fit", str(config), "--quiet", "--overwrite"]
    line += ["--set", "training.threads=1"] if one_thread else []
    lines = [[*line, "--out", str(config.parent / f"run{k}")] for k in range(count)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if at_once:
        programs = [subprocess.Popen(one, stdout=subprocess.DEVNULL) for one in lines]
        assert [program.wait() for program in programs] == [0] * count
    else:
        for one in lines:
            subprocess.run(one, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", default=",".join(case.key for case in CASES), help="'' for none")
    parser.add_argument("--busy", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--fits", default="2,4,8", help="'' for none")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    print(f"Machine: {in_words(machine())}\n")
    only = [word for word in options.only.lower().split(",") if word]
    for case in CASES:
        if case.key in options.cases.split(","):
            print(table(case, options.busy, options.repeats, only), flush=True)
    counts = [int(word) for word in options.fits.split(",") if word]
    write_json(options.json, fits_at_once(counts, options.repeats) if counts else [])


if __name__ == "__main__":
    main()
