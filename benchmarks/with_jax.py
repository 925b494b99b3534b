"""JAX as a contestant: all updates of a pass are one jit-compiled lax.scan, with data on the device."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bptrain.core.network import views
from bptrain.parts.types import Array
from cases import Problem
from contestants import Pass, Trainer

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "softmax": lambda z: z,  # the loss takes the logits
}
UNROLL = {"A": 8, "C": 2, "D": 2, "E": 2}  # by case, the fastest of 1, 2, 4, 8 and 16; else 1
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class JaxTrainer:
    """State: the parameters, and adam's t, m and v."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        start = views(problem.network, problem.w)
        layers = range(1, problem.network.L + 1)
        parameters = [
            (jnp.array(start.W[i].T), None if (b := start.b[i]) is None else jnp.array(b)) for i in layers
        ]
        m, v = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
        self.state: Any = (
            (parameters, jnp.float32(0), m, v) if problem.case.optimizer == "adam" else (parameters,)
        )
        update = adam if problem.case.optimizer == "adam" else descent

        def step(state: Any, batch: Any) -> Any:
            loss, gradient = jax.value_and_grad(partial(objective, problem))(state[0], *batch)
            return update(problem.case.rate, state, gradient), loss

        self.train = jax.jit(
            lambda state, X, T: jax.lax.scan(step, state, (X, T), unroll=UNROLL.get(problem.case.key, 1)),
            donate_argnums=0,
        )

    def load(self, rows: int) -> None:
        """See `Trainer.load`."""
        case = self.problem.case
        shape = (rows // case.batch, case.batch, -1)
        self.X = jax.device_put(self.problem.X[:rows].reshape(shape))
        self.T = jax.device_put(self.problem.T[:rows].reshape(shape))

    def run(self) -> Pass:
        """See `Trainer.run`."""
        self.state, losses = self.train(self.state, self.X, self.T)
        losses.block_until_ready()  # and with them everything that the same call computes
        return Pass(float(losses.mean()))

    def weights(self) -> Array:
        """See `Trainer.weights`."""
        blocks = [block for W, b in self.state[0] for block in (W.T, b) if block is not None]
        return np.concatenate([np.asarray(block).ravel() for block in blocks])


def objective(problem: Problem, parameters: Any, x: Any, t: Any) -> Any:
    """The mean over the rows of the loss."""
    for (W, b), name in zip(parameters, problem.case.names, strict=True):
        z = x @ W if b is None else x @ W + b
        x = ACTIVATIONS[name](z)
    if problem.case.classifies:
        return -(t * jax.nn.log_softmax(x)).sum() / len(x)
    return 0.5 * ((x - t) ** 2).sum() / len(x)


def descent(rate: float, state: Any, gradient: Any) -> Any:
    """w ← w − α g."""
    return (jax.tree.map(lambda w, g: w - rate * g, state[0], gradient),)


def adam(rate: float, state: Any, gradient: Any) -> Any:
    """The rule of `parts/optimizers/moments.py`."""
    w, t, m, v = state
    t = t + 1
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradient)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradient)
    c1, c2 = 1 - BETA1**t, 1 - BETA2**t
    w = jax.tree.map(lambda w, m, v: w - rate * (m / c1) / (jnp.sqrt(v / c2) + EPSILON), w, m, v)
    return w, t, m, v


def scan(problem: Problem, threads: int) -> Trainer:
    """The threads are XLA's own, bounded by the environment of the process."""
    return JaxTrainer(problem)
