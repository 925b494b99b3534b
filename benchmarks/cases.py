"""The cases A to H: which network is trained how, on synthetic data from a fixed seed, all float32."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from bptrain.core.network import Network, initial_parameters
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.types import Array

RATES = {"gradient_descent": 0.1, "adam": 0.001}


@dataclass(frozen=True)
class Case:
    """One network and one way of training it. The loss is the mean over the rows of the sum over the outputs."""

    key: str
    sizes: tuple[int, ...]
    hidden: Literal["sigmoid", "relu"]
    batch: int  # rows in an update: 1 for single instances (sgd), all rows for batch mode
    rows: int  # in the longest pass: tens of milliseconds or more for the fastest contestant
    check_rows: int  # in the pass after which losses and weights are compared
    targets: tuple[tuple[str, float], ...]  # (family of contestants, how many times faster bptrain is to be)
    optimizer: Literal["gradient_descent", "adam"] = "gradient_descent"
    bias: bool = True

    @property
    def classifies(self) -> bool:
        """Softmax with cross_entropy on classes; otherwise sigmoid with half_squared_error on random targets."""
        return self.hidden == "relu"

    @property
    def names(self) -> list[str]:
        """The activations of layers 1 … L."""
        return [self.hidden] * (len(self.sizes) - 2) + ["softmax" if self.classifies else "sigmoid"]

    @property
    def title(self) -> str:
        """The case in one line."""
        mode = "sgd" if self.batch == 1 else "batch mode" if self.batch == self.rows else "mini-batch"
        size = f"{mode} {self.batch}" if mode == "mini-batch" else mode
        layers = "-".join(str(n) for n in self.sizes)
        names = f"{self.hidden} + softmax" if self.classifies else self.hidden
        bias = "" if self.bias else " without bias"
        return f"{layers} {names}{bias}, {size}, {self.optimizer}"

    @property
    def rate(self) -> float:
        """The learning rate."""
        return RATES[self.optimizer]

    @property
    def product_work(self) -> float:
        """Multiply-adds of one update's matrix products: Z_i and dW_i of each layer, D_{i−1} of all but the first."""
        products = [a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        return self.batch * float(3 * sum(products) - products[0])


BEST = (("best peer", 1.0),)
SMALL, IMAGE, WIDE = (4, 5, 3, 2), (784, 30, 10), (784, 512, 512, 10)

SMALL_TARGETS = (("FANN", 2.0), ("JAX", 5.0), ("PyTorch", 500.0), ("scikit-learn", 300.0))
SGD_TARGETS = (("JAX", 1.5), ("FANN", 4.0), ("PyTorch", 20.0))
BATCH_TARGETS = (("JAX", 2.0), ("PyTorch", 10.0), ("scikit-learn", 10.0))
PRODUCT_TARGETS = (*BEST, ("products", 0.9))  # 90 % of the product rate

CASES = [  # key, sizes, hidden, batch, rows, check_rows, targets
    Case("A", SMALL, "sigmoid", 1, 500_000, 500, SMALL_TARGETS, bias=False),
    Case("B", IMAGE, "sigmoid", 1, 20_000, 500, SGD_TARGETS),
    Case("C", IMAGE, "sigmoid", 10, 20_000, 2_000, BATCH_TARGETS),
    Case("D", (20, 64, 32, 2), "relu", 64, 128_000, 3_200, (("JAX", 1.5), ("PyTorch", 10.0)), "adam"),
    Case("E", (784, 128, 10), "relu", 32, 19_200, 640, (("JAX", 1.2), ("PyTorch fused", 2.5)), "adam"),
    Case("F", WIDE, "relu", 128, 12_800, 640, BEST),
    Case("F-adam", WIDE, "relu", 128, 12_800, 640, BEST, "adam"),
    Case("G", (784, 2048, 2048, 10), "relu", 1024, 2_048, 2_048, PRODUCT_TARGETS),
    Case("H", (784, 100, 10), "sigmoid", 60_000, 60_000, 60_000, BEST),
]


class Problem(NamedTuple):
    """Everything that the contestants are given."""

    case: Case
    network: Network
    w: Array  # the flat start weights
    X: Array
    T: Array

    @property
    def labels(self) -> Array:
        """The class of each row, for those who take no one-hot targets."""
        return self.T.argmax(axis=1)


def problem(case: Case) -> Problem:
    """The network, its start weights and the data of a case: the same in every process."""
    L = len(case.sizes) - 1
    loss = losses.get("cross_entropy" if case.classifies else "half_squared_error")()
    network = Network(
        sizes=case.sizes,
        activations=tuple(activations.get(name)() for name in ("identity", *case.names)),
        bias=(False, *[case.bias] * L),
        loss=loss,
        canonical=loss.canonical == case.names[-1],
    )
    draw = initializers.get("glorot_uniform")()
    w = initial_parameters(network, [draw] * (L + 1), [0.0] * (L + 1), 0, np.float32)
    rng = np.random.default_rng(0)
    X = 2 * rng.random((case.rows, case.sizes[0]), np.float32) - 1
    n_L = case.sizes[-1]
    if case.classifies:
        T = np.eye(n_L, dtype=np.float32)[rng.integers(0, n_L, case.rows)]
    else:
        T = rng.random((case.rows, n_L), np.float32)
    return Problem(case, network, w, X, T)
