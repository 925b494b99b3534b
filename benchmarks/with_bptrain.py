"""bptrain's engines as contestants, and the bare matrix products of an update as a limit."""

from contextlib import ExitStack

import numpy as np

from bptrain.core.backprop import workspace
from bptrain.core.network import views
from bptrain.engines.base import Engine, TrainingPlan, aligned_copy, initial_optimizer_state
from bptrain.engines.compiled.running import NumbaEngine
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.engines.threads import limit_threads, threads_for
from bptrain.parts.optimizers import optimizers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array
from cases import Problem
from contestants import Pass, Trainer, UnsuitableError

LIMITS = ExitStack()  # of this process, until it ends


def make_engine(plan: TrainingPlan, compiled: bool) -> Engine:
    """The compiled engine in float32, or the NumPy engine, with threads as `fit` takes them. Raises ImportError."""
    threads = threads_for(plan, None)
    engine = NumbaEngine(plan, np.float32, threads) if compiled else NumpyEngine(plan, threads)
    LIMITS.enter_context(limit_threads(blas=1, openmp=threads))
    return engine


class EngineTrainer:
    """One engine, driven slice by slice."""

    def __init__(self, problem: Problem, compiled: bool) -> None:
        self.problem, self.compiled = problem, compiled
        self.rule = optimizers.get(problem.case.optimizer)(learning_rate=problem.case.rate)
        self.state = initial_optimizer_state(problem.w, self.rule).copy()

    def load(self, rows: int) -> None:
        """See `Trainer.load`."""
        case, constant = self.problem.case, schedules.get("constant")()
        plan = TrainingPlan(
            self.problem.network, self.rule, constant, case.rate, rows, min(case.batch, rows), 1
        )
        self.engine = make_engine(plan, self.compiled)
        width = plan.slice_steps(self.engine.step_work) * plan.batch_size
        X, T = (
            aligned_copy(array[:rows]) for array in (self.problem.X, self.problem.T)
        )  # as the trainer does
        self.slices = [(X[a : a + width], T[a : a + width]) for a in range(0, rows, width)]
        self.rows = rows

    def run(self) -> Pass:
        """See `Trainer.run`."""
        return Pass(sum(self.engine.run_slice(self.state, X, T) for X, T in self.slices) / self.rows)

    def weights(self) -> Array:
        """See `Trainer.weights`."""
        return self.state.w


def numpy_engine(problem: Problem, threads: int) -> Trainer:
    """The NumPy engine."""
    return EngineTrainer(problem, compiled=False)


def numba_engine(problem: Problem, threads: int) -> Trainer:
    """The compiled engine."""
    return EngineTrainer(problem, compiled=True)


class Products:
    """The matrix products of forward and backward, update after update, and nothing else."""

    def __init__(self, problem: Problem) -> None:
        case = problem.case
        self.problem, self.space = problem, workspace(problem.network, case.batch, np.float32)
        for i in range(1, problem.network.L + 1):  # some numbers of the usual size
            self.space.X[i][...], self.space.D[i][...] = 0.5, 1e-3
        self.parameters = views(problem.network, problem.w)
        self.into = views(problem.network, np.empty_like(problem.w))

    def load(self, rows: int) -> None:
        """See `Trainer.load`."""
        batch = self.problem.case.batch
        self.batches = [self.problem.X[a : a + batch] for a in range(0, rows, batch)]

    def run(self) -> Pass:
        """See `Trainer.run`."""
        X, D, L = self.space.X, self.space.D, self.problem.network.L
        W, dW = self.parameters.W, self.into.W
        Z, D_below = [np.empty_like(x) for x in X], [np.empty_like(d) for d in D]
        for x in self.batches:
            for i in range(1, L + 1):
                np.dot(x if i == 1 else X[i - 1], W[i].T, out=Z[i])
            for i in range(L, 0, -1):
                np.dot(D[i].T, x if i == 1 else X[i - 1], out=dW[i])
                if i > 1:
                    np.dot(D[i], W[i], out=D_below[i - 1])
        return Pass(None)

    def weights(self) -> None:
        """See `Trainer.weights`."""


def products(problem: Problem, threads: int) -> Trainer:
    """The limit where products are what an update consists of."""
    if problem.case.batch < 32:
        raise UnsuitableError("single instances and small batches are not bound by matrix products")
    return Products(problem)
