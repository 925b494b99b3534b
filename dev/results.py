"""The results that bptrain is held to, in full: `python dev/results.py [--mnist DIR]`; exit code 1 if one is missed.

Means over 10 seeds of the shipped configs (split and weights both drawn from the seed), and with MNIST's four files in
DIR the networks of Nielsen's book, Neural Networks and Deep Learning (2015): 784-30-10 and 784-100-10, sigmoid,
mini-batches of 10, 30 epochs, the last epoch on the 10,000 test images, means of 3 seeds. Some 5 minutes.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import bptrain

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
BOOK_WEIGHTS = {"name": "normal", "std": 1.0}
CROSS_ENTROPY = {"network.sizes": [784, 100, 10], "loss": "binary_cross_entropy"}


class Result(NamedTuple):
    """A config, what is changed in it, and the test accuracy that its mean over the seeds must reach."""

    title: str
    config: str
    overrides: Mapping[str, Any]
    seeds: int
    weights: str  # best | final
    bound: float


SHIPPED = [
    Result("penguins", "penguins", {}, 10, "best", 0.975),
    Result("iris", "iris", {}, 10, "best", 0.935),
    Result("digits", "digits", {}, 10, "best", 0.965),
]
MNIST = [
    Result(
        "784-30-10, half_squared_error, rate 3.0, normal std 1.0 (the book: 95.42 % at its best epoch)",
        "mnist",
        {"network.initializer": BOOK_WEIGHTS},
        3,
        "final",
        0.945,
    ),
    Result("784-30-10, half_squared_error, rate 3.0, glorot_uniform", "mnist", {}, 3, "final", 0.953),
    Result(
        "784-100-10, binary_cross_entropy, rate 0.5, normal std 1.0 (the book: 96.82 %)",
        "mnist",
        {**CROSS_ENTROPY, "optimizer.learning_rate": 0.5, "network.initializer": BOOK_WEIGHTS},
        3,
        "final",
        0.964,
    ),
    Result(
        "784-100-10, binary_cross_entropy, rate 0.1, glorot_uniform",
        "mnist",
        {**CROSS_ENTROPY, "optimizer.learning_rate": 0.1},
        3,
        "final",
        0.974,
    ),
]


def files(directory: Path) -> dict[str, Any]:
    """The overrides that point a config at MNIST's files."""
    roles = {"train": "train", "test": "t10k"}
    return {
        f"data.{role}": {
            "inputs": str(directory / f"{stem}-images-idx3-ubyte.gz"),
            "target": str(directory / f"{stem}-labels-idx1-ubyte.gz"),
        }
        for role, stem in roles.items()
    }


def reached(result: Result, overrides: Mapping[str, Any]) -> bool:
    """Trains one result and prints its line."""
    runs = [
        bptrain.fit(CONFIGS / f"{result.config}.yaml", {**overrides, **result.overrides, "seed": seed})
        for seed in range(result.seeds)
    ]
    accuracies = [run.result[result.weights]["metrics"]["test"]["accuracy"] for run in runs]
    mean = fmean(accuracies)
    each = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
    verdict = "ok    " if mean >= result.bound else "MISSED"
    print(f"{verdict} {mean:.4f} >= {result.bound}  {result.title}  ({each})", flush=True)
    return mean >= result.bound


def main(arguments: Sequence[str]) -> int:
    """Runs every result in a temporary directory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="the directory of MNIST's four files")
    options = parser.parse_args(arguments)
    mnist = None if options.mnist is None else files(options.mnist.resolve())
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        all_reached = [reached(result, {}) for result in SHIPPED]
        if mnist is not None:
            all_reached += [reached(result, mnist) for result in MNIST]
        os.chdir(CONFIGS)
    return 0 if all(all_reached) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
