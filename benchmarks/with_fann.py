"""FANN as a contestant: its own epoch function, called and timed by a small C program."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from bptrain.core.network import views
from bptrain.parts.types import Array
from cases import Problem
from contestants import Pass, Trainer, UnsuitableError

SOURCE = Path(__file__).parent / "fann_loop.c"


class FannTrainer:
    """The C program, waiting for numbers of rows on its stdin."""

    def __init__(self, problem: Problem) -> None:
        case = problem.case
        self.problem = problem
        self.temporary = tempfile.TemporaryDirectory()
        folder = Path(self.temporary.name)
        self.file = folder / "weights"
        fann_weights(problem).tofile(self.file)
        problem.X.tofile(folder / "inputs")
        problem.T.tofile(folder / "targets")
        mode = "incremental" if case.batch == 1 else "batch"
        line = [build(folder), folder, case.rate, mode, case.rows, *case.sizes]
        pipe = subprocess.PIPE
        self.program = subprocess.Popen([str(word) for word in line], stdin=pipe, stdout=pipe, text=True)

    def _ask(self, rows: int) -> float:
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        print(rows, file=self.program.stdin, flush=True)
        return float(self.program.stdout.readline())

    def load(self, rows: int) -> None:
        """See `Trainer.load`."""
        self.rows = rows

    def run(self) -> Pass:
        """See `Trainer.run`."""
        return Pass(None, self._ask(self.rows))

    def weights(self) -> Array | None:
        """See `Trainer.weights`."""
        if not self.problem.case.bias:
            return None
        self._ask(0)
        flat, blocks, start = np.fromfile(self.file, np.float32), [], 0
        for n_in, n_out in zip(self.problem.case.sizes, self.problem.case.sizes[1:], strict=False):
            stop = start + n_out * (n_in + 1)
            both = flat[start:stop].reshape(n_out, n_in + 1)
            blocks += [both[:, :-1].ravel(), both[:, -1]]
            start = stop
        return np.concatenate(blocks)


def fann_weights(problem: Problem) -> Array:
    """Our start weights in FANN's order: unit by unit, its weights and then its bias."""
    start, units = views(problem.network, problem.w), []
    for W, b in zip(start.W[1:], start.b[1:], strict=True):
        bias = np.zeros(len(W), W.dtype) if b is None else b
        units.append(np.column_stack([W, bias]).ravel())
    return np.concatenate(units)


def build(folder: Path) -> Path:
    """The compiled program. Raises ImportError where there is no compiler or no FANN."""
    if shutil.which("gcc") is None:
        raise ImportError("there is no gcc")
    program = folder / "fann_loop"
    line = ["gcc", "-O3", "-march=native", str(SOURCE), "-o", str(program), "-lfloatfann", "-lm"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImportError(f"fann_loop.c does not compile (Debian: libfann-dev): {done.stderr.strip()}")
    return program


def epochs(problem: Problem, threads: int) -> Trainer:
    """One epoch a pass; FANN has one thread."""
    if problem.case.batch not in (1, problem.case.rows):
        raise UnsuitableError("FANN has no mini-batches")
    if problem.case.classifies:
        raise UnsuitableError("FANN has no softmax")
    return FannTrainer(problem)
