"""Tables: bptrain as `init` writes it beside other programs with their defaults, on the same rows.

    python benchmarks/tables.py DATA --peers ENVIRONMENT/bin/python     # all fits that are not done, then the page
    python benchmarks/tables.py DATA --only programs=standard,today sets=iris seeds=1
    python benchmarks/tables.py --page                                  # docs/accuracy.md from what is there

The page has in its last part what was tried and not taken: benchmarks/tables/tried.md, which is written by hand.

DATA has a folder for each set of benchmarks/tables/protocol.toml, with the files named there. Every finished fit is a
line of benchmarks/tables/peers.jsonl or bptrain.jsonl: the script may be stopped at any moment and goes on where it
was, and what is there is not done again: where `init` or a fit has changed, take the lines of `quick`, `standard` and
`best` out of bptrain.jsonl first. After --hours no fit is begun.

The other programs live in an environment of their own, never in that of bptrain:

    python -m venv ENVIRONMENT
    ENVIRONMENT/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
    ENVIRONMENT/bin/pip install scikit-learn lightgbm catboost pytabkit

Without --peers only bptrain is fitted. Each program runs in a process with one thread; --jobs so many side by side.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from table_figures import Fits
from table_page import page, versions_of
from table_protocol import (
    PART,
    DataSet,
    Program,
    Protocol,
    Table,
    categories,
    digest,
    parts_of,
    protocol,
    table_of,
    write_table,
)
from table_results import Fit, Key, Results

HERE = Path(__file__).parent
FOLDER = HERE / "tables"
PAGE = HERE.parent / "docs" / "accuracy.md"
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SLOW_DOWN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
MODULES = {True: "table_bptrain", False: "table_peers"}


class Work(NamedTuple):
    """A fit to be done."""

    one: DataSet
    program: Program
    seed: int


class Files:
    """The tables of the sets, read once, and a file for each division of the rows."""

    def __init__(self, data: Path, plan: Protocol, place: Path) -> None:
        self.data, self.plan, self.place = data, plan, place
        self.tables: dict[str, Table] = {}
        self.digests: dict[tuple[str, int], str] = {}
        self.lock = threading.Lock()

    def key(self, work: Work) -> Key:
        """The fit's key."""
        if work.one.labels:
            return Key(work.one.name, work.program.name, work.seed, "official")
        division = (work.one.name, work.seed)
        if division not in self.digests:
            parts = parts_of(work.one, self.table(work.one), work.seed, self.plan.shares, self.data)
            self.digests[division] = digest(parts)
        return Key(work.one.name, work.program.name, work.seed, self.digests[division])

    def table(self, one: DataSet) -> Table:
        """The cells of a set."""
        if one.name not in self.tables:
            self.tables[one.name] = table_of(one, self.data)
        return self.tables[one.name]

    def task(self, work: Work) -> dict[str, Any]:
        """What a worker is told."""
        one, folder = work.one, self.data / work.one.name
        told: dict[str, Any] = {
            "module": MODULES[work.program.is_ours],
            "program": work.program.name,
            "original": str(folder / one.file),
            "target": one.target,
            "task": one.task,
            "exclude": list(one.exclude),
            "rows": work.program.rows,
            "seed": work.seed,
            "place": str(self.place),
            "labels": "",
            "test": [],
        }
        if one.labels:
            test = [str(folder / one.test), str(folder / one.test_labels)]
            images = {
                "count": one.row_count,
                "classes": one.classes,
                "labels": str(folder / one.labels),
                "test": test,
            }
            return told | images | {"warm_up": self.warm_up(one.task)}
        with self.lock:
            table = self.table(one)
            file = self.place / f"{one.name}-{work.seed}.csv"
            if not file.exists():
                parts = parts_of(one, table, work.seed, self.plan.shares, self.data)
                write_table(table, parts, file)
                file.with_suffix(".txt").write_text(" ".join(map(str, parts["test"])), encoding="utf-8")
        return told | {
            "file": str(file),
            "test_rows": str(file.with_suffix(".txt")),
            "count": len(table.rows) - table.of_test,
            "classes": len(set(table.column(one.target))) if one.task == "classification" else 0,
            "categories": categories(table, one),
            "warm_up": self.warm_up(one.task),
        }

    def warm_up(self, task: str) -> dict[str, Any]:
        """A task of a few made-up rows, for what is loaded at the first fit."""
        file = self.place / f"{task}.csv"
        if not file.exists():
            lines = [
                f"{n % 7},{'ab'[n % 2]},{n % 3},{('train', 'train', 'validation', 'test')[n % 4]}"
                for n in range(200)
            ]
            file.write_text("\n".join(["number,letter,target," + PART, *lines]) + "\n", encoding="utf-8")
        names = {"target": "target", "categories": ["letter"], "exclude": [], "seed": 0, "task": task}
        rows = self.place / f"{task}.txt"
        rows.write_text(" ".join(map(str, range(3, 200, 4))), encoding="utf-8")
        few = {"count": 200, "classes": 3, "labels": "", "test": [], "test_rows": str(rows)}
        return {"file": str(file), "original": str(file), **names, **few}


class Worker:
    """The process that fits one task after the other."""

    def __init__(self, python: str, is_ours: bool) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in SLOW_DOWN}
        environment |= dict.fromkeys(POOLS, "1")
        if not is_ours:
            environment.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            [python, str(HERE / "table_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process alone
        )
        self.said: list[str] = []
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said = [*self.said[-40:], line]

    def done(self, task: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a task; None where the process ended without one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(task) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def stop(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.listener.join()
        self.process.communicate()


def main() -> int:
    """Does what is not done, then writes the page."""
    options = arguments()
    plan = protocol()
    stores = {True: Results(FOLDER / "bptrain.jsonl"), False: Results(FOLDER / "peers.jsonl")}
    failed = 0
    if options.data is not None:
        pythons = {True: sys.executable, False: options.peers}
        with tempfile.TemporaryDirectory() as place:
            files = Files(options.data.resolve(), plan, Path(place))
            failed = run(to_do(plan, options, files, stores), files, stores, pythons, options)
    if options.page:
        PAGE.write_text(text_of(plan, stores.values()), encoding="utf-8")
    return int(failed > 0)


def text_of(plan: Protocol, stores: Iterable[Results]) -> str:
    """The page of all fits that are there."""
    fits = [fit for store in stores for fit in store.fits.values()]
    tried = FOLDER / "tried.md"
    return page(
        Fits(fits), plan, versions_of(fits), tried.read_text(encoding="utf-8") if tried.exists() else ""
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--peers", default="", help="the Python of the other programs' environment")
    parser.add_argument("--only", nargs="+", default=[], help="programs=… sets=… groups=… seeds=…, by commas")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--page", action="store_true", help="write docs/accuracy.md")
    return parser.parse_args()


def to_do(
    plan: Protocol, options: argparse.Namespace, files: Files, stores: dict[bool, Results]
) -> Iterator[tuple[Work, Key]]:
    """The fits that are wanted and not there: by group, then by program."""
    only = {name: set(said.split(",")) for name, _, said in (word.partition("=") for word in options.only)}
    for group in dict.fromkeys(one.group for one in plan.sets.values()):
        for program in plan.programs.values():
            for one in plan.sets.values():
                if (
                    one.group != group
                    or not (program.is_ours or options.peers)
                    or not plan.takes(program, one)
                ):
                    continue
                for seed in plan.seeds_of(one, program):
                    facts = {"programs": program.name, "sets": one.name, "groups": group, "seeds": str(seed)}
                    if any(facts[name] not in wanted for name, wanted in only.items()):
                        continue
                    work = Work(one, program, seed)
                    key = files.key(work)
                    if key not in stores[work.program.is_ours].fits:
                        yield work, key


def run(
    works: Iterator[tuple[Work, Key]],
    files: Files,
    stores: dict[bool, Results],
    pythons: dict[bool, str],
    options: argparse.Namespace,
) -> int:
    """Does the fits, some side by side; how many failed."""
    end, lock, failures = time.monotonic() + options.hours * 3600, threading.Lock(), []
    stopping = threading.Event()
    workers: list[Worker] = []

    def fit_one_after_the_other() -> None:
        mine: dict[bool, Worker] = {}
        while not stopping.is_set() and time.monotonic() < end:
            with lock:
                work, key = next(works, (None, None))
            if work is None or key is None:
                return
            if work.program.is_ours not in mine:
                mine[work.program.is_ours] = Worker(pythons[work.program.is_ours], work.program.is_ours)
                workers.append(mine[work.program.is_ours])
            worker = mine[work.program.is_ours]
            answer = worker.done(files.task(work))
            with lock:
                if stopping.is_set():
                    return
                if answer is None:
                    failures.append(key)
                    mine.pop(work.program.is_ours).stop()
                    print(
                        f"{' '.join(map(str, key))} failed:", *worker.said[-5:], file=sys.stderr, flush=True
                    )
                else:
                    stores[work.program.is_ours].add(Fit(key, **answer))
                    print(
                        time.strftime("%H:%M:%S"), *key, answer["figures"], answer["cpu_seconds"], flush=True
                    )

    threads = [threading.Thread(target=fit_one_after_the_other) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        print("stopped: the same command goes on", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        stopping.set()
        for worker in workers:
            worker.stop()
    return len(failures)


if __name__ == "__main__":
    sys.exit(main())
