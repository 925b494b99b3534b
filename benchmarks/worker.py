"""One contestant in a process of its own: what the parent asks for, and what the process does.

A process each, so that thread pools do not meet, Keras can have two backends, and whoever crashes does so alone. The
environment and the cores are set before the process starts, since BLAS, OpenMP and XLA look at them only once.
"""

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from bptrain.cli.entry import OPENBLAS, OPENMP
from bptrain.parts.types import Array
from cases import CASES, problem
from contestants import CONTESTANTS, OURS, Pass, UnsuitableError

START_SECONDS = 300  # whoever takes longer for import, compilation and the first pass is left out
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# slow NumPy down; and keep Python from storing the bytecode of a package that runs from its source tree, while that of
# installed packages is there
SLOW_DOWN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")


T = TypeVar("T")


class LeftOutError(Exception):
    """A contestant that cannot take part, and why."""


class Start(NamedTuple):
    """What the first pass gave, and how long a later one takes."""

    loss: float | None
    weights: Array | None
    seconds: float


@contextmanager
def surroundings(
    threads: int, more: Mapping[str, str] = MappingProxyType({}), all_cores: bool = False
) -> Iterator[None]:
    """The environment and cores that a child inherits. Where cores cannot be set, the variables must do.

    `more` is what a program's own command line sets before it loads a library. With `all_cores` its threads may move.
    """
    before = dict(os.environ)
    os.environ.update(more)
    for name in SLOW_DOWN:
        os.environ.pop(name, None)
    os.environ.update(dict.fromkeys(POOLS, str(threads)))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if cores is not None and not all_cores:
        os.sched_setaffinity(0, sorted(cores)[:threads])
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        if cores is not None:
            os.sched_setaffinity(0, cores)


def in_a_process(threads: int, function: Callable[..., T], *arguments: object) -> T:
    """What a function returns, called in a new process with so many threads."""
    context = multiprocessing.get_context("spawn")
    with surroundings(threads), ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


class Worker:
    """The parent's end of one contestant's process."""

    def __init__(self, case: str, name: str, threads: int, all_cores: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        (chosen,) = (one for one in CONTESTANTS if one.name == name)
        with surroundings(threads, {**OPENMP, **OPENBLAS} if chosen.family == OURS else {}, all_cores):
            self.process = context.Process(target=serve, args=(theirs, case, name, threads), daemon=True)
            self.process.start()
        theirs.close()

    def start(self) -> Start:
        """Waits for the first pass. Raises LeftOutError."""
        if not self.pipe.poll(START_SECONDS):
            raise LeftOutError(f"not ready after {START_SECONDS} seconds")
        answer: Start = self._answer()
        return answer

    def load(self, rows: int) -> None:
        """Has the next passes run over so many rows, after one that warms up."""
        self.pipe.send(rows)
        self._answer()

    def seconds(self, limit: float | None = None) -> float:
        """Runs a pass. Raises LeftOutError where it takes longer than the limit."""
        self.pipe.send(None)
        if not self.pipe.poll(limit):
            raise LeftOutError(f"a pass takes longer than {limit} seconds")
        return float(self._answer())

    def _answer(self) -> Any:
        try:
            answer = self.pipe.recv()
        except EOFError as error:
            raise LeftOutError("the process died") from error
        if isinstance(answer, LeftOutError):
            raise answer
        return answer

    def stop(self) -> None:
        """Ends the process."""
        self.pipe.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()


def serve(pipe: Connection, case: str, name: str, threads: int) -> None:
    """The child's side: makes the contestant, runs the first pass, then whatever is asked for until the pipe closes."""
    try:
        _serve(pipe, case, name, threads)
    except EOFError:
        return  # the parent is done
    except UnsuitableError as error:
        pipe.send(LeftOutError(str(error)))
    except ImportError as error:
        pipe.send(LeftOutError(f"not installed: {error}"))
    except Exception as error:
        traceback.print_exc()
        pipe.send(LeftOutError(f"failed with {type(error).__name__}, see its traceback"))


def _serve(pipe: Connection, case: str, name: str, threads: int) -> None:
    (chosen,) = (one for one in CASES if one.key == case)
    (contestant,) = (one for one in CONTESTANTS if one.name == name)
    trainer = contestant.make(problem(chosen), threads)

    def timed() -> tuple[Pass, float]:
        clock = time.perf_counter()
        result = trainer.run()
        elapsed = time.perf_counter() - clock
        return result, elapsed if result.seconds is None else result.seconds

    trainer.load(chosen.check_rows)
    first, _ = timed()
    weights = trainer.weights()
    kept = None if weights is None else weights.copy()
    pipe.send(Start(first.loss, kept, timed()[1]))
    while True:
        rows = pipe.recv()
        if rows is not None:
            trainer.load(rows)
        pipe.send(timed()[1])
