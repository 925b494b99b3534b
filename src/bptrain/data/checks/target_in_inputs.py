"""Inputs that are the target in another form: whoever predicts will not have them, or needs no network."""

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np

from bptrain.data.checks.base import Examined, own_columns
from bptrain.data.different_values import different_values
from bptrain.data.table import chunks
from bptrain.data.targets import values_of
from bptrain.data.text_cells import AT_A_TIME, TextCells
from bptrain.errors import Warned
from bptrain.formats.problems import some_of
from bptrain.parts.types import Array

FEWEST_VALUES = 5  # different ones that a target must have: equal numbers may be chance where there are fewer
EXACT = 1e-9  # the share of the variance that a straight line may leave
ROUNDED = 1e-4  # the same where a logarithm is taken, of numbers that may have been rounded
ROWS_OF_EACH = 5  # class, on average, for values that go with the classes not to be chance
CLOSE = 1e-6  # of the largest target: by so much a sum may differ from it
SUM_ROWS = 256  # rows that a sum must hit
PAIRS = 300  # columns up to which sums of two are tried
TRIPLES = 60  # the same of three
NUMBERS = 1 << 21  # looked at, at most: of a wide table, and for several targets, fewer rows
NAMED = 5


def target_in_inputs(seen: Examined) -> Iterator[Warned]:
    """Columns, or sums of few, that give the target exactly. With one input alone that is what is to be learned."""
    if len(seen.schema.features) < 2:
        return
    if seen.schema.target.kind == "values":
        said = [sentence for k in range(len(seen.target.names)) for sentence in of_values(seen, k)]
    else:
        said = list(of_classes(seen)) if seen.schema.target.kind in ("classes", "binary") else []
    if said:
        message = (
            f"{'; '.join(said[:NAMED])}{f'; and {len(said) - NAMED} more' if len(said) > NAMED else ''}. Is that known "
            "before the target is? If not, list it in data.exclude"
        )
        yield Warned("target_in_inputs", message)


def of_values(seen: Examined, k: int) -> Iterator[str]:
    """What gives the target with this number, the ends of sentences."""
    looked_at = len(seen.features.number_names) * len(seen.target.names)
    rows = seen.sample[: max(SUM_ROWS, NUMBERS // max(1, looked_at))]
    target, y = seen.target.names[k], values_of(seen.target, rows)[:, k]
    if len(different_values(y)) < FEWEST_VALUES or not len(seen.features.number_names):
        return
    X = own_columns(seen.features.numbers[rows])
    names = np.array(seen.features.number_names, dtype=object)
    with np.errstate(all="ignore"):
        changes = np.fmax.reduce(X, axis=1) > np.fmin.reduce(X, axis=1)
    numeric = seen.schema.numeric
    changes &= np.array([name in numeric for name in seen.features.number_names])
    X, names = X[changes], names[changes]
    if not len(X):
        return
    single: set[int] = set()
    with np.errstate(all="ignore"):
        log_y = np.log(y) if y.min() > 0 else None
        logs = np.log(X)
        for values, of_y, tolerance, words in (
            (X, y, EXACT, "gives {target} by a straight line"),
            (X, log_y, ROUNDED, "is the logarithm of {target}"),
            (logs, y, ROUNDED, "has {target} as its logarithm"),
        ):
            if of_y is None:
                continue
            for j in np.flatnonzero(unexplained(values, of_y) <= tolerance).tolist():
                if j not in single:
                    single.add(j)
                    equal = bool(np.nanmax(np.abs(X[j] - y)) <= CLOSE * np.abs(y).max())
                    what = f"is equal to {target}" if equal else words.format(target=target)
                    yield f"column {names[j]} {what}"
        whole = ~np.isnan(X[:, :SUM_ROWS]).any(axis=1)
        left = np.array([j for j in np.flatnonzero(whole).tolist() if j not in single], dtype=np.int64)
        yield from sums(X[left, :SUM_ROWS], y[:SUM_ROWS], names[left], target)


def unexplained(X: Array, y: Array) -> Array:
    """1 − r² of each row of X, k × n, with y, over the cells that are there; 1 where few are, or X is constant."""
    gaps = np.isnan(X)
    left = np.ones(len(X))
    some = gaps.any(axis=1)
    left[~some] = residual(X[~some], y)
    for j in np.flatnonzero(some).tolist():
        there = ~gaps[j]
        if there.sum() > FEWEST_VALUES:
            left[j] = residual(X[j : j + 1, there], y[there])[0]
    return np.where(np.isfinite(left), left, 1.0)


def residual(X: Array, y: Array) -> Array:
    """1 − r² of each row of X with y."""
    x, t = X - X.mean(axis=1, keepdims=True), y - y.mean()
    # x − (x·t / t·t) t: the difference is small where the squares would cancel
    rest = x - (x @ t / (t @ t))[:, None] * t
    left: Array = (rest * rest).sum(axis=1) / (x * x).sum(axis=1)
    return left


def sums(X: Array, y: Array, names: Array, target: str) -> Iterator[str]:
    """Sums and differences of two or three columns that are the target; of three only where two never are."""
    found = False
    for together, most in ((2, PAIRS), (3, TRIPLES)):
        if found or not together <= len(X) <= most:
            continue
        for columns, signs in hits(X, y, together):
            found = True
            terms = [f"{'+' if sign > 0 else '−'} {names[j]}" for j, sign in zip(columns, signs, strict=True)]
            yield f"{' '.join(terms).removeprefix('+ ')} = {target}"


def hits(X: Array, y: Array, together: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Columns with signs whose sum is y in every row: one row after the other, those are kept that fit so far."""
    close = CLOSE * np.abs(y).max()
    k = len(X)
    grids = np.meshgrid(*[np.arange(k)] * together, indexing="ij")
    increasing = np.logical_and.reduce([a < b for a, b in pairwise(grids)])
    all_columns = np.array([grid[increasing] for grid in grids])  # together × combinations
    for signs in product((1, -1), repeat=together):
        if max(signs) < 0:
            continue
        columns = all_columns
        for row in range(len(y)):
            made = sum(sign * X[columns[i], row] for i, sign in enumerate(signs))
            columns = columns[:, np.abs(made - y[row]) <= close]
            if not columns.shape[1]:
                break
        for one in columns.T.tolist():
            yield tuple(one), signs


def of_classes(seen: Examined) -> Iterator[str]:
    """Columns with a value for each class and a class for each value, the ends of sentences."""
    schema, true = seen.schema, seen.splits["train"].y_true
    K = len(schema.labels)
    rows = np.arange(len(true)) if len(true) == len(seen.train) else np.arange(0)
    if len(rows) < ROWS_OF_EACH * K:
        return
    some = np.linspace(0, len(rows) - 1, min(len(rows), SUM_ROWS)).astype(np.int64)
    alike: list[str] = []
    block = seen.features
    if block.number_names:
        X = own_columns(block.numbers[seen.train[some]])
        for j, name in enumerate(block.number_names):
            if one_to_one(X[j], true[some], K, whole=False):
                column = block.numbers[seen.train, j]
                if one_to_one(column, true, K, whole=True):
                    alike.append(name)
    for name, cells in block.texts.items():
        kept = seen.schema.statistics.levels.get(name)
        if kept is not None and len(kept.levels) + bool(kept.missing) != K:
            continue
        values = cells[seen.train]
        if one_to_one(values[some], true[some], K, whole=False) and one_to_one(values, true, K, whole=True):
            alike.append(name)
    if alike:
        one = len(alike) == 1
        what = "has a value" if one else "have values"
        yield (
            f"column{'' if one else 's'} {some_of(alike, NAMED)} {what} for each class of {schema.target.names[0]} and "
            "for no other"
        )


def one_to_one(values: Array | TextCells, classes: Array, K: int, whole: bool) -> bool:
    """Whether each value has one class and each class one value; of all rows there must be all K."""
    pairs: set[tuple[object, int]] = set()
    for part in chunks(len(classes), 1, AT_A_TIME):
        pairs |= set(zip(values[part].tolist(), classes[part].tolist(), strict=True))
    n = len(pairs)
    return (n == K if whole else n <= K) and len({v for v, _ in pairs}) == n == len({c for _, c in pairs})
