"""How often the 95 % intervals of metrics hold the true value, on simulated rows.

    python dev/interval_coverage.py [SAMPLES]

For each metric and number of rows, SAMPLES sets of rows are drawn from one population, and the interval of each is
worked out; the true value is that of a million rows. BCa and plain percentiles are compared.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptrain.parts.metrics import Units, metrics
from bptrain.parts.types import Array, Generator
from bptrain.training.bootstrap import Drawn, Sampling, interval, resampled_rows, resampled_sums, wilson

MANY = 1_000_000
SIZES = (20, 50, 200)


class Drawing(NamedTuple):
    """Rows drawn from a population."""

    seen: Array
    true: Array
    classes: int
    groups: Array | None = None
    weight: Array | None = None


def values(rng: Generator, n: int) -> Drawing:
    """y = 3 x + a skewed error."""
    x = rng.normal(size=(n, 1))
    return Drawing(3 * x, 3 * x + rng.gamma(2.0, 1.0, (n, 1)) - 1.8, 0)


def grouped(rng: Generator, n: int) -> Drawing:
    """Five rows to a subject, whose errors have a part in common."""
    subjects = np.arange(n) // 5
    x, common = rng.normal(size=(n, 1)), rng.normal(size=(n, 1))[subjects]
    return Drawing(3 * x, 3 * x + common + 0.5 * rng.normal(size=(n, 1)), 0, groups=subjects)


def weighted(rng: Generator, n: int) -> Drawing:
    """Rows that weigh 1, 2 or 4."""
    return values(rng, n)._replace(weight=2.0 ** rng.integers(0, 3, n))


def classes(rng: Generator, n: int) -> Drawing:
    """Three classes of unequal size, four of five rows right."""
    true = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    return Drawing(np.where(rng.random(n) < 0.8, true, rng.integers(0, 3, n)), true, 3)


def scores(rng: Generator, n: int) -> Drawing:
    """Calibrated probabilities of two classes."""
    z = 1.5 * rng.normal(size=n)
    p = 1 / (1 + np.exp(-z))
    return Drawing(np.stack([1 - p, p], axis=1), (rng.random(n) < p).astype(int), 2)


CASES: dict[Callable[[Generator, int], Drawing], tuple[str, ...]] = {
    values: ("rmse", "mae", "r2", "explained_variance", "median_absolute_error"),
    grouped: ("rmse", "r2"),
    weighted: ("mae", "r2"),
    classes: (
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "matthews_corrcoef",
        "cohen_kappa",
    ),
    scores: ("roc_auc", "log_loss", "brier", "top_k_accuracy"),
}


def drawn_of(name: str, rows: Drawing, seed: int) -> tuple[Drawn, bool]:
    """A metric on resampled rows, and whether it is a share."""
    metric = metrics.get(name)() if name != "top_k_accuracy" else metrics.get(name)(k=1)
    sampling = Sampling(len(rows.true), seed, rows.groups)
    if metric.by_sums is None:

        def value(drawn: Array) -> Array:
            return np.asarray(metric.value(rows.seen[drawn], rows.true[drawn], rows.classes))

        return resampled_rows({name: value}, sampling)[name], False
    units: Units = sampling.units(rows.weight)
    summed = metric.by_sums(rows.seen, rows.true, rows.classes, units)
    return resampled_sums([summed], seed)[0], summed.share_of is not None


def main(samples: int) -> None:
    """One line for each metric: the coverage by the number of rows."""
    rng = np.random.default_rng(1)
    print(f"{'rows drawn, metric':34}{'n':>5}{'bptrain':>9}{'percentile':>12}{'none':>6}")
    for draw, names in CASES.items():
        for name in names:
            many = draw(rng, MANY)
            metric = metrics.get(name)() if name != "top_k_accuracy" else metrics.get(name)(k=1)
            truth = float(metric.value(many.seen, many.true, many.classes, many.weight))
            for n in SIZES:
                held, by_percentile, none = 0, 0, 0
                for seed in range(samples):
                    drawn, share = drawn_of(name, draw(rng, n), seed)
                    ends = wilson(float(drawn.value), n) if share else interval(drawn)[0]
                    plain = interval(drawn._replace(left_out=None))[0]
                    none += ends is None
                    held += ends is not None and ends[0] <= truth <= ends[1]
                    by_percentile += plain is not None and plain[0] <= truth <= plain[1]
                print(
                    f"{draw.__name__ + ', ' + name:34}{n:5}{held / samples:9.3f}{by_percentile / samples:12.3f}"
                    f"{none:6}",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
