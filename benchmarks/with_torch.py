"""PyTorch as a contestant: Sequential, autograd, an optimizer of torch.optim; three forms of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bptrain.core.network import views
from bptrain.parts.types import Array
from cases import Problem
from contestants import Pass, Trainer

LAYERS = {"sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU}


def sequential(problem: Problem) -> Any:
    """The network with our start weights. With softmax it ends in the logits, as cross_entropy wants them."""
    case, start = problem.case, views(problem.network, problem.w.copy())
    layers: list[Any] = []
    for i, name in enumerate(case.names, start=1):
        linear = torch.nn.Linear(case.sizes[i - 1], case.sizes[i], bias=case.bias)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(start.W[i]))
            if (b := start.b[i]) is not None:
                linear.bias.copy_(torch.from_numpy(b))
        layers.append(linear)
        if name in LAYERS:
            layers.append(LAYERS[name]())
    return torch.nn.Sequential(*layers)


def optimizer(problem: Problem, parameters: Any, fused: bool | None) -> Any:
    """The optimizer of a case; `fused` None leaves the choice to PyTorch."""
    make = torch.optim.Adam if problem.case.optimizer == "adam" else torch.optim.SGD
    return make(parameters, lr=problem.case.rate, fused=fused)


class TorchTrainer:
    """The loop of PyTorch's own tutorials, on batches that are views made beforehand."""

    def __init__(self, problem: Problem, threads: int, fused: bool | None, compiled: bool = False) -> None:
        torch.set_num_threads(threads)
        self.problem, self.model = problem, sequential(problem)
        self.optimizer = optimizer(problem, self.model.parameters(), fused)
        self.X: Any = torch.from_numpy(problem.X)
        self.T: Any = torch.from_numpy(problem.labels if problem.case.classifies else problem.T)
        self.objective: Callable[[Any, Any], Any] = self._objective
        if compiled:
            self.objective = torch.compile(self._objective)

    def _objective(self, x: Any, t: Any) -> Any:
        if self.problem.case.classifies:
            return functional.cross_entropy(self.model(x), t)
        return functional.mse_loss(self.model(x), t, reduction="sum") * (0.5 / len(x))

    def load(self, rows: int) -> None:
        """See `Trainer.load`."""
        batch = self.problem.case.batch
        self.batches = list(zip(self.X[:rows].split(batch), self.T[:rows].split(batch), strict=True))

    def run(self) -> Pass:
        """See `Trainer.run`."""
        losses = []
        for x, t in self.batches:
            self.optimizer.zero_grad()
            loss = self.objective(x, t)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return Pass(float(torch.stack(losses).mean()))  # batches of equal size

    def weights(self) -> Array:
        """See `Trainer.weights`."""
        return np.concatenate([block.detach().numpy().ravel() for block in self.model.parameters()])


def eager(problem: Problem, threads: int) -> Trainer:
    """Eager, with the optimizer's default form."""
    return TorchTrainer(problem, threads, None)


def fused(problem: Problem, threads: int) -> Trainer:
    """Eager, with the optimizer in one fused kernel."""
    return TorchTrainer(problem, threads, True)


def compiled(problem: Problem, threads: int) -> Trainer:
    """Network and loss by torch.compile, with the fused optimizer."""
    return TorchTrainer(problem, threads, True, compiled=True)
