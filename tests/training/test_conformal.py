"""Split conformal intervals: their half width, what is kept of many rows, and how often they hold the truth."""

import json
import math

import numpy as np
import pytest

from bptrain.errors import DataError
from bptrain.training.conformal import PARTS, AbsoluteErrors, absolute_errors


def kept(n: int, seed: int = 0) -> AbsoluteErrors:
    errors = absolute_errors(np.random.default_rng(seed).normal(size=(n, 1)), np.zeros((n, 1)))
    assert errors is not None
    return errors


@pytest.mark.parametrize(
    ("n", "level", "width"),
    [(9, 0.9, 9.0), (9, 0.8, 8.0), (9, 0.81, 9.0), (9, 0.05, 1.0), (19, 0.95, 19.0), (99, 0.55, 55.0)],
)
def test_the_rank(n: int, level: float, width: float) -> None:
    """Errors 1 … n: the ⌈(n + 1) level⌉-th of them; 100 × 0.55 is 55, though not in floating point."""
    errors = absolute_errors(np.arange(n, 0.0, -1)[:, None], np.zeros((n, 1)))
    assert errors is not None
    assert errors.half_widths(level).tolist() == [width]


@pytest.mark.parametrize(
    ("n", "level", "needed"), [(8, 0.9, 9), (18, 0.95, 19), (9, 0.91, 11), (98, 0.99, 99)]
)
def test_too_few_rows(n: int, level: float, needed: int) -> None:
    with pytest.raises(DataError, match=f"need {needed} validation rows, and this model had {n}:"):
        kept(n).half_widths(level)
    assert kept(needed).half_widths(level).shape == (1,)


@pytest.mark.parametrize("n", [PARTS, PARTS + 1, 1999, 12_345])
def test_many_rows_are_kept_as_quantiles(n: int) -> None:
    """Every level is served: never by less than its own rank, nor by more than n/PARTS ranks beyond."""
    errors = kept(n)
    assert errors.errors.shape == (1, n if n <= PARTS else PARTS + 1)
    every = np.sort(np.abs(np.random.default_rng(0).normal(size=n)))
    for level in (0.001, 0.1, 0.5, 0.9, 0.95, 0.99, n / (n + 1)):
        rank = math.ceil((n + 1) * level - 1e-9)
        (width,) = errors.half_widths(level)
        assert every[rank - 1] <= width <= every[min(n - 1, rank - 1 + math.ceil(n / PARTS))]
    assert errors.half_widths(n / (n + 1))[0] == every[-1]


def test_json_keeps_every_bit() -> None:
    errors = kept(40)
    again = AbsoluteErrors.from_json(json.loads(json.dumps(errors.to_json())))
    assert again.rows == 40
    assert again.errors.tolist() == errors.errors.tolist()


def test_nothing_is_said_where_an_error_is_not_finite() -> None:
    assert absolute_errors(np.array([[1.0], [np.inf]]), np.zeros((2, 1))) is None


def test_each_target_has_its_own() -> None:
    errors = absolute_errors(np.array([[1.0, -20.0], [2.0, 10.0]]), np.zeros((2, 2)))
    assert errors is not None
    assert errors.half_widths(0.6).tolist() == [2.0, 20.0]


def test_coverage() -> None:
    """The mean coverage of 600 sets of 49 validation rows is 45/50 at the level 0.9, within two standard errors.

    Of one set it is a beta variable with the parameters 45 and 5, whose variance is 0.9 × 0.1 / 51.
    """
    sets = 600
    covered = []
    for seed in range(sets):
        (half,) = kept(49, seed).half_widths(0.9)
        covered.append(math.erf(half / math.sqrt(2)))  # the probability of a normal error below it
    assert np.mean(covered) == pytest.approx(0.9, abs=2 * math.sqrt(0.09 / 51 / sets))
