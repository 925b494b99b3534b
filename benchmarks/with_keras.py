"""Keras as a contestant: Sequential, compile, fit; on two backends."""

import os
from typing import Any

import numpy as np

from bptrain.core.network import views
from bptrain.parts.types import Array
from cases import Problem
from contestants import Pass, Trainer

STEPS_PER_EXECUTION = 200  # of the JAX backend; it saves the callbacks in between, and more gains nothing


class KerasTrainer:
    """One model on the backend that the environment names."""

    def __init__(self, problem: Problem, backend: str) -> None:
        os.environ["KERAS_BACKEND"] = (
            backend  # read when keras is imported, in this process for the first time
        )
        import keras

        case = problem.case
        self.problem, self.model = problem, sequential(keras, problem)
        steps = STEPS_PER_EXECUTION if backend == "jax" else 1  # PyTorch's backend takes no other
        optimizers = {
            "adam": keras.optimizers.Adam(case.rate, epsilon=1e-8),
            "gradient_descent": keras.optimizers.SGD(case.rate),
        }
        self.model.compile(
            optimizer=optimizers[case.optimizer],
            loss=loss(keras, problem),
            jit_compile=backend == "jax",
            steps_per_execution=steps,
        )

    def load(self, rows: int) -> None:
        """See `Trainer.load`."""
        T = self.problem.labels if self.problem.case.classifies else self.problem.T
        self.X, self.T = self.problem.X[:rows], T[:rows]

    def run(self) -> Pass:
        """See `Trainer.run`."""
        batch = self.problem.case.batch
        history = self.model.fit(self.X, self.T, batch_size=batch, epochs=1, shuffle=False, verbose=0)
        return Pass(history.history["loss"][0])

    def weights(self) -> Array:
        """See `Trainer.weights`."""
        return np.concatenate([block.T.ravel() for block in self.model.get_weights()])


def sequential(keras: Any, problem: Problem) -> Any:
    """The network with our start weights. With softmax it ends in the logits, as the loss wants them."""
    case, start = problem.case, views(problem.network, problem.w)
    model = keras.Sequential([keras.Input((case.sizes[0],))])
    for i, name in enumerate(case.names, start=1):
        activation = None if name == "softmax" else name
        layer = keras.layers.Dense(case.sizes[i], activation=activation, use_bias=case.bias)
        model.add(layer)
        b = start.b[i]
        layer.set_weights([start.W[i].T] if b is None else [start.W[i].T, b])
    return model


def loss(keras: Any, problem: Problem) -> Any:
    """The loss of each row; Keras takes the mean. Its own mean squared error is a mean over the outputs too."""
    if problem.case.classifies:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def half_squared_error(t: Any, x: Any) -> Any:
        return 0.5 * keras.ops.sum(keras.ops.square(x - t), axis=-1)

    return half_squared_error


def on_jax(problem: Problem, threads: int) -> Trainer:
    """The JAX backend, compiled."""
    return KerasTrainer(problem, "jax")


def on_torch(problem: Problem, threads: int) -> Trainer:
    """The PyTorch backend."""
    import torch

    torch.set_num_threads(threads)
    return KerasTrainer(problem, "torch")
