"""scikit-learn as a contestant: MLPClassifier, or MLPRegressor, which is the nearest it has to sigmoid outputs."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bptrain.core.network import views
from bptrain.parts.types import Array
from cases import Problem
from contestants import Pass, Trainer


class SklearnTrainer:
    """One call of fit is one pass: max_iter=1, and warm_start keeps the weights."""

    def __init__(self, problem: Problem) -> None:
        case = problem.case
        self.problem = problem
        self.y = problem.labels if case.classifies else problem.T
        options: dict[str, Any] = {
            "hidden_layer_sizes": case.sizes[1:-1],
            "activation": "relu" if case.hidden == "relu" else "logistic",
            "solver": "adam" if case.optimizer == "adam" else "sgd",
            "alpha": 0.0,
            "batch_size": case.batch,
            "learning_rate_init": case.rate if case.classifies else case.rate / 10,
            "momentum": 0.0,
            "nesterovs_momentum": False,
            "shuffle": False,
            "max_iter": 1,
            "warm_start": True,
        }
        self.model = MLPClassifier(**options) if case.classifies else MLPRegressor(**options)
        self.load(case.check_rows)
        self.run()  # fit makes the weight matrices, which then get our start weights
        if self.same_network:
            start = views(problem.network, problem.w)
            for i in range(1, problem.network.L + 1):
                self.model.coefs_[i - 1][...] = start.W[i].T
                self.model.intercepts_[i - 1][...] = start.b[i]

    @property
    def same_network(self) -> bool:
        """Softmax on more than two classes: the one output that it shares with bptrain."""
        return self.problem.case.classifies and self.problem.case.sizes[-1] > 2

    def load(self, rows: int) -> None:
        """See `Trainer.load`."""
        self.rows = rows

    def run(self) -> Pass:
        """See `Trainer.run`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(self.problem.X[: self.rows], self.y[: self.rows])
        return Pass(self.model.loss_ if self.same_network else None)

    def weights(self) -> Array | None:
        """See `Trainer.weights`."""
        if not self.same_network:
            return None
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return np.concatenate([block.T.ravel() for pair in pairs for block in pair])


def fit(problem: Problem, threads: int) -> Trainer:
    """The threads are those of NumPy's BLAS, bounded by the environment of the process."""
    return SklearnTrainer(problem)
