"""How often prediction intervals hold the truth, over the regression sets of a directory.

    python benchmarks/conformal_coverage.py DIRECTORY [LEVEL …]
    python benchmarks/conformal_coverage.py --generated N [LEVEL …]

DIRECTORY has a folder for each set, with a SOURCE.md that names its target (`all_sets.py`); sets of classes are left
out. Each set is trained on SPLITS random splits: half of the rows train, a quarter each validate and test, of at most
ROWS rows. The mean coverage over the splits is compared with the level L: of one split its variance is about
L (1 − L) (1 / n_validation + 1 / n_test), whence its standard error. --generated draws N sets. Exit code 1 where fewer
than nine of ten means lie within two standard errors, of which chance leaves 95 %.
"""

import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import bptrain
from all_sets import described
from bptrain.data.sheet_columns import plain_numbers, texts_of
from bptrain.data.sources import read_table
from bptrain.errors import BptrainError
from bptrain.formats.conventions import RECOGNIZED
from bptrain.formats.recognition import known_format

SPLITS = 5
ROWS = 4000
EPOCHS = 40
VALUES = 20  # different numbers, from which on a target is one
WITHIN = 0.9  # of the means
LEVELS = (0.5, 0.8, 0.9, 0.95)


class Set(NamedTuple):
    """Rows and what is to be predicted of them."""

    name: str
    columns: dict[str, list[Any]]
    target: str


def generated(count: int) -> Iterator[Set]:
    """Sets with noise of many kinds: normal, heavy tails, skewed, growing with x, of whole numbers."""
    for k in range(count):
        rng = np.random.default_rng(k)
        n, m = int(rng.integers(200, 3000)), int(rng.integers(1, 8))
        X = rng.normal(size=(n, m))
        signal = np.sin(X @ rng.normal(size=m)) * rng.choice([1.0, 100.0]) + X[:, 0]
        noise = (
            rng.normal(size=n),
            rng.standard_t(2, n),
            rng.gamma(0.5, 1.0, n),
            rng.normal(size=n) * np.exp(X[:, 0]),
            rng.poisson(1.0, n),
        )[k % 5]
        columns: dict[str, list[Any]] = {f"x{i}": X[:, i].tolist() for i in range(m)}
        yield Set(f"generated {k + 1}", {**columns, "y": (signal + noise).tolist()}, "y")


def found(directory: Path) -> Iterator[Set]:
    """The sets of a directory whose target is one column of more than VALUES different numbers."""
    for folder in sorted(path for path in directory.iterdir() if (path / "SOURCE.md").is_file()):
        known = described(folder)
        if len(known.targets) != 1 or known.train.name.endswith("ubyte.gz"):
            continue
        sheet = read_table(known_format(known.train, ""), known.train, "", RECOGNIZED)
        target = known.targets[0]
        numbers = plain_numbers(sheet.cells[target])
        if numbers is not None and not np.isnan(numbers).any() and len(np.unique(numbers)) > VALUES:
            inputs: dict[str, list[Any]] = {n: texts_of(sheet.cells[n]) for n in sheet.names if n != target}
            yield Set(folder.name, {**inputs, target: numbers.tolist()}, target)


def coverage(one: Set, seed: int, levels: tuple[float, ...], out: str) -> list[tuple[float, float]]:
    """Of each level the coverage on the test rows, and its variance by chance."""
    rows = len(one.columns[one.target])
    kept = np.random.default_rng(seed).permutation(rows)[:ROWS]
    data = {name: [cells[k] for k in kept] for name, cells in one.columns.items()}
    n = len(kept)
    validation, test = n // 4, n // 4
    to_test, to_validate, to_train = (
        {name: cells[a:b] for name, cells in data.items()}
        for a, b in ((0, test), (test, test + validation), (test + validation, n))
    )
    config = {
        "seed": seed,
        "data": {"target": one.target, "missing": "most_frequent"},
        "task": "regression",
        "network": {"sizes": ["auto", 16, "auto"]},
        "loss": "half_squared_error",
        "optimizer": "adam",
        "training": {"epochs": EPOCHS, "engine": "numpy"},
        "silence": ["identical_rows", "small_split"],
    }
    run = bptrain.fit(config, out=out, overwrite=True, data=to_train, validation=to_validate, test=to_test)
    model = bptrain.load(run.path)
    result = []
    for level in levels:
        share = model.evaluate(to_test, interval=level)["interval"]["coverage"]
        result.append((share, level * (1 - level) * (1 / validation + 1 / test)))
    return result


def main(arguments: list[str]) -> int:
    """One line for each set."""
    if arguments[0] == "--generated":
        sets, rest = generated(int(arguments[1])), arguments[2:]
    else:
        sets, rest = found(Path(arguments[0])), arguments[1:]
    levels = tuple(map(float, rest)) or LEVELS
    print(f"{'set':24}{'rows':>8}" + "".join(f"{level:>18}" for level in levels))
    far, counted, deviations = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for one in sets:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    splits = [coverage(one, seed, levels, f"{folder}/run") for seed in range(SPLITS)]
            except BptrainError as error:
                print(f"{one.name:24}{'':8}  left out: {error.problems[0].message[:80]}", flush=True)
                continue
            line = f"{one.name:24}{len(one.columns[one.target]):>8}"
            for k, level in enumerate(levels):
                mean = float(np.mean([split[k][0] for split in splits]))
                error_of_mean = float(np.sqrt(np.mean([split[k][1] for split in splits]) / SPLITS))
                z = (mean - level) / error_of_mean
                deviations.append(z)
                far, counted = far + (abs(z) > 2), counted + 1
                line += f"{mean:>10.3f} ({z:+.1f})"
            print(line, flush=True)
    mean_z = float(np.mean(deviations))
    print(
        f"{counted - far} of {counted} within two standard errors; their mean deviation is {mean_z:+.2f} of them"
    )
    return int(counted - far < WITHIN * counted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
