"""What a contestant is, and the list of them. Each runs in a process of its own, see worker.py."""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, Protocol

from bptrain.parts.types import Array
from cases import Problem


class Pass(NamedTuple):
    """What one pass over the rows gave."""

    loss: float | None  # mean over the rows, each before its own update; None if it cannot be had
    seconds: float | None = None  # None: the worker's own clock counts


class Trainer(Protocol):
    """One program, with its weights and the rows it trains on."""

    def load(self, rows: int) -> None:
        """Takes the first rows of the data for the passes to come; not timed."""
        ...

    def run(self) -> Pass:
        """Trains for one pass over the rows, to the end of the last update."""
        ...

    def weights(self) -> Array | None:
        """The flat weights in bptrain's order, or None where they are of another network."""
        ...


class UnsuitableError(Exception):
    """This contestant has no such way of training. The message says why."""


class Contestant(NamedTuple):
    """One contestant, and where it is made. `family` is what the targets of a case call it."""

    name: str
    family: str
    module: str
    factory: str
    must_agree: bool = True  # in losses and weights, after the first pass
    remark: str = ""  # its form, or what differs
    other_epsilon: bool = (
        False  # adam as m / (√v + ε) first, the bias undone after: a larger ε in early steps
    )

    def make(self, problem: Problem, threads: int) -> Trainer:
        """The trainer. Raises ImportError where the library is missing, UnsuitableError where it does not fit."""
        make: Callable[[Problem, int], Trainer] = getattr(import_module(self.module), self.factory)
        return make(problem, threads)


OURS = "bptrain"
PRODUCTS = "products"
FIRST = "bptrain numpy"  # what the others are compared with

SKLEARN_REMARK = (
    "fit with warm_start and max_iter=1. Intercepts always; the regressor's output is the identity (at a tenth of the "
    "rate, or it would diverge), the classifier's of two classes is one logistic unit; adam adds its epsilon "
    "at another place, and its slots start at zero in each pass"
)
FANN_REMARK = (
    "its own epoch function in a C program, one thread. Biases always; the sigmoid's derivative is taken at outputs "
    "clipped to 0.01 … 0.99; no mini-batches, no softmax"
)
KERAS_REMARK = "adam adds its epsilon at another place"

CONTESTANTS = [
    Contestant(FIRST, OURS, "with_bptrain", "numpy_engine", remark="slice by slice, as `fit` drives it"),
    Contestant("bptrain numba", OURS, "with_bptrain", "numba_engine", remark="slice by slice, likewise"),
    Contestant(
        "PyTorch eager", "PyTorch", "with_torch", "eager", remark="autograd, the optimizer's default form"
    ),
    Contestant(
        "PyTorch fused", "PyTorch", "with_torch", "fused", remark="autograd, optimizer with fused=True"
    ),
    Contestant(
        "PyTorch compiled",
        "PyTorch",
        "with_torch",
        "compiled",
        remark="torch.compile of network and loss, optimizer with fused=True",
    ),
    Contestant(
        "JAX", "JAX", "with_jax", "scan", remark="jit of a lax.scan over the updates of a pass, donated"
    ),
    Contestant(
        "Keras on JAX",
        "Keras",
        "with_keras",
        "on_jax",
        remark=f"fit, jit_compile, steps_per_execution; {KERAS_REMARK}",
        other_epsilon=True,
    ),
    Contestant(
        "Keras on PyTorch",
        "Keras",
        "with_keras",
        "on_torch",
        remark=f"fit, not compiled; {KERAS_REMARK}",
        other_epsilon=True,
    ),
    Contestant(
        "scikit-learn", "scikit-learn", "with_sklearn", "fit", must_agree=False, remark=SKLEARN_REMARK
    ),
    Contestant("FANN", "FANN", "with_fann", "epochs", must_agree=False, remark=FANN_REMARK),
    Contestant(
        "matrix products alone",
        PRODUCTS,
        "with_bptrain",
        "products",
        must_agree=False,
        remark="no training: the products of one update by NumPy, as a limit",
    ),
]
