"""Intervals: published numbers, what must not matter, what rows do not tell, and how often they hold the truth."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain import mapped_rows
from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.data.storage import MappedFiles
from bptrain.data.targets import Kind, Target
from bptrain.parts.metrics import Metric, Summed, Units, metrics
from bptrain.parts.random import stream
from bptrain.parts.types import Array
from bptrain.training import bootstrap
from bptrain.training.bootstrap import (
    NORMAL,
    Sampling,
    corrections,
    ends_of,
    expanded,
    interval,
    resampled_sums,
    wilson,
)
from bptrain.training.evaluation import Seen
from bptrain.training.intervals import Intervals, intervals_of

# The spatial test of 26 children, test A (Efron & Tibshirani 1993, table 14.1).
SPATIAL = np.array(
    [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41],
    np.float64,
)  # fmt: skip


def schema(kind: Kind, *labels: str) -> Schema:
    task: Any = "regression" if kind == "values" else "classification"
    return Schema(
        task, (), Target(labels if kind == "values" else ("y",), kind, () if kind == "values" else labels)
    )


def found(
    seen: Array,
    true: Array,
    *names: str,
    weight: Array | None = None,
    groups: Array | None = None,
    seed: int = 0,
) -> Intervals:
    """The intervals of metrics of values, or of classes a and b."""
    of_values = true.ndim > 1
    rows = Rows(np.empty((len(true), 0)), true, true, np.arange(len(true)), weight, weight)
    known = schema("values", "y") if of_values else schema("classes", "a", "b")
    chosen: dict[str, Metric] = {name: metrics.get(name)() for name in names}
    losses = ((seen - true) ** 2).reshape(len(true), -1).sum(axis=1)
    sampling = Sampling(len(true), seed, groups)
    return intervals_of(Seen(losses, seen, None), known, rows, chosen, sampling, per_target=True)


def variance(values: Array) -> Summed:
    """Σ (v − v̄)² / N."""
    units = Units(np.arange(len(values)), len(values))

    def value(sums: Array) -> Array:
        first, second, N = np.moveaxis(sums, -1, 0)
        return np.asarray(second / N - (first / N) ** 2)

    return Summed(units.sums(values, values * values, 1.0), value)


def test_the_spatial_test() -> None:
    """θ̂ = 171.5, a = 0.061, z_0 = 0.146; of 90 %: BCa 115.8 to 259.6, percentiles 100.8 to 233.9 (tables 14.2, 14.3).

    Theirs are of 2,000 replicates, ours the means over five times 1,000.
    """
    z, found = NORMAL.inv_cdf(0.95), []
    for seed in range(5):
        drawn = resampled_sums([variance(SPATIAL)], seed)[0]
        assert float(drawn.value) == pytest.approx(171.534, abs=1e-3)
        assert drawn.left_out is not None
        bias, acceleration = corrections(float(drawn.value), drawn.replicates, drawn.left_out)
        assert acceleration == pytest.approx(0.061, abs=5e-4)
        bca, percentiles = (ends_of(171.534, drawn.replicates, by, z) for by in (drawn.left_out, None))
        assert bca is not None
        assert percentiles is not None
        found.append([bias, *bca, *percentiles])
    assert np.mean(found, axis=0) == pytest.approx([0.146, 115.8, 259.6, 100.8, 233.9], abs=4.0)
    assert np.mean(found, axis=0)[0] == pytest.approx(0.146, abs=0.06)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson(right: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, table I, method 3."""
    assert wilson(right / n, n) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson(1 - right / n, n)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_students_t() -> None:
    """2.262 of 9 degrees of freedom, 2.776 of 4, 1.960 of very many; times √(n/(n − 1))."""
    for n, t in ((10, 2.262), (5, 2.776), (10**9, 1.960)):
        assert expanded(n, 0.95) == pytest.approx(t * math.sqrt(n / (n - 1)), rel=5e-3)


def errors(n: int, seed: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n, 1))
    return true + 0.5 * rng.normal(size=(n, 1)), true


def test_a_seed_has_its_interval() -> None:
    seen, true = errors(30)
    names = ("mae", "median_absolute_error")
    assert found(seen, true, *names) == found(seen, true, *names)
    assert found(seen, true, *names).metrics["mae"] != found(seen, true, *names, seed=1).metrics["mae"]


def test_rows_in_mapped_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, true = errors(30)
    weight, names = np.random.default_rng(0).gamma(1.0, size=30), ("rmse", "mae", "median_absolute_error")
    in_memory = [found(seen, true, *names), found(seen, true, *names, weight=weight)]
    monkeypatch.setattr(mapped_rows, "LEAST", 1)
    monkeypatch.setattr(mapped_rows, "PIECE_NUMBERS", 7)
    seen, true, weight = map(MappedFiles(tmp_path).kept, (seen, true, weight))
    assert [found(seen, true, *names), found(seen, true, *names, weight=weight)] == in_memory


@pytest.mark.parametrize("name", ["rmse", "mae", "r2", "median_absolute_error"])
def test_rows_of_a_group_are_drawn_together(name: str) -> None:
    """Three copies of each row tell no more than one."""
    seen, true = errors(30)
    alone = found(seen, true, name)
    copies = found(np.repeat(seen, 3, 0), np.repeat(true, 3, 0), name, groups=np.repeat(np.arange(30) + 7, 3))
    for figure in ("loss", name):
        assert copies.metrics[figure] == pytest.approx(alone.metrics[figure], rel=1e-9)
    as_if_separate = found(np.repeat(seen, 3, 0), np.repeat(true, 3, 0), name).metrics[name]
    assert np.ptp(as_if_separate) < 0.8 * np.ptp(alone.metrics[name])


def test_the_unit_of_weights_does_not_matter() -> None:
    seen, true = errors(30)
    weight = np.random.default_rng(0).gamma(1.0, size=30)
    names = ("rmse", "r2", "median_absolute_error")
    one, other = (found(seen, true, *names, weight=weight * by) for by in (1.0, 50.0))
    assert {n: pytest.approx(ends) for n, ends in one.metrics.items()} == other.metrics
    assert one.metrics["rmse"] != found(seen, true, "rmse").metrics["rmse"]


@pytest.mark.parametrize("name", ["mae", "median_absolute_error"])
def test_many_rows_are_pooled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The width is that of rows by themselves, within what chance leaves of 1,000 replicates of 500 units."""
    seen, true = errors(3000)
    whole = np.ptp(found(seen, true, name).metrics[name])
    monkeypatch.setattr(bootstrap, "UNITS", 500)
    pooled = np.ptp(found(seen, true, name).metrics[name])
    assert pooled == pytest.approx(whole, rel=0.15)
    assert Sampling(3000, 0).units().total == 500


@pytest.mark.parametrize("groups", [None, np.arange(3000) // 2])
def test_pools_are_of_equal_size(groups: Array | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "UNITS", 500)
    units = Sampling(3000, 0, groups).units()
    assert np.bincount(units.of_row).tolist() == [6] * 500
    if groups is not None:
        assert (units.of_row[::2] == units.of_row[1::2]).all()


def test_rows_of_groups_are_those_of_the_units_drawn() -> None:
    groups = np.array([7, 3, 7, 7, 9, 3, 1])
    draws = Sampling(len(groups), 5, groups).draws()
    members = [np.flatnonzero(groups == name) for name in (1, 3, 7, 9)]
    for k in range(5):
        units = stream(5, "bootstrap", epoch=1, step=k).integers(0, 4, 4)
        np.testing.assert_array_equal(draws.rows(k), np.concatenate([members[unit] for unit in units]))


def test_memory_is_bounded_for_many_classes() -> None:
    assert Sampling(50_000, 0).units(width=12).total == bootstrap.UNITS
    assert Sampling(50_000, 0).units(width=12_000).total * 12_000 <= bootstrap.TABLE


def test_all_right_is_not_certain() -> None:
    """52 of 52: Wilson's interval begins at 52/(52 + 1.96²); what the rows do not tell is None."""
    true = np.arange(52) % 2
    ends = found(true, true, "accuracy", "error_rate", "balanced_accuracy", "f1").metrics
    assert ends["accuracy"] == pytest.approx((52 / (52 + 1.959964**2), 1.0))
    assert ends["error_rate"] == pytest.approx((0.0, 1 - 52 / (52 + 1.959964**2)), abs=1e-8)
    assert ends["balanced_accuracy"] is None
    assert ends["f1"] is None
    assert ends["loss"] is None
    grouped = found(true, true, "accuracy", groups=np.arange(52) // 4)
    assert grouped.metrics["accuracy"] is None


def test_a_class_that_is_all_right() -> None:
    true = np.arange(52) % 2
    said = true.copy()
    said[:6:2] = 1
    rows = Rows(np.empty((52, 0)), true, true, np.arange(52))
    chosen = {"recall": metrics.get("recall")(average="per_class")}
    known = schema("classes", "a", "b")
    ends = intervals_of(Seen(np.zeros(52), said, None), known, rows, chosen, Sampling(52, 0)).metrics[
        "recall"
    ]
    assert ends["b"] == pytest.approx((26 / (26 + 1.959964**2), 1.0))
    assert ends["a"] == pytest.approx(wilson(23 / 26, 26))


def test_drawings_that_hardly_ever_differ() -> None:
    """All of one class are predicted: balanced accuracy is 1/2 but where a drawing lacks the other class."""
    true = np.repeat([0, 1], [5, 23])
    assert found(np.ones_like(true), true, "balanced_accuracy").metrics["balanced_accuracy"] is None


@pytest.mark.parametrize("name", ["roc_auc", "expected_calibration_error"])
def test_no_end_is_beyond_what_a_figure_can_be(name: str) -> None:
    """Both are linear in the rows drawn, and a line goes on."""
    rng, true = np.random.default_rng(2), np.arange(24) % 2
    area, right = true + rng.normal(size=24) / 3, rng.uniform(size=24) < 0.8
    p = area if name == "roc_auc" else 0.2 + 0.6 * np.where(right, true, 1 - true)
    metric = metrics.get(name)()
    assert metric.by_sums is not None
    figure = metric.by_sums(np.stack([1 - p, p], axis=1), true, 2, Sampling(24, 0).units())
    (ends,) = interval(resampled_sums([figure], 0)[0])
    assert ends is not None
    assert 0 <= ends[0] < ends[1] <= 1
    assert not 0 < ends[0] < ends[1] < 1  # one of them would have been


def test_one_row() -> None:
    ends = found(np.array([1]), np.array([1]), "accuracy", "f1").metrics
    assert ends == {"accuracy": pytest.approx((1 / (1 + 1.959964**2), 1.0)), "f1": None, "loss": None}
    assert set(found(np.ones((1, 1)), np.zeros((1, 1)), "rmse", "r2", "mae").metrics.values()) == {None}


def test_figures_that_are_undefined_or_not_finite() -> None:
    """r2 of two rows is undefined in half of the drawings."""
    seen, true = errors(2)
    assert found(seen, true, "r2").metrics["r2"] is None
    seen, true = errors(20)
    seen[3] = np.inf
    assert set(found(seen, true, "r2", "mae", "median_absolute_error").metrics.values()) != {None}
    assert found(seen, true, "mae").metrics == {"mae": None, "loss": None}


def test_the_largest_error_has_no_upper_end() -> None:
    seen, true = errors(20)
    largest = float(np.abs(seen - true).max())
    assert found(seen, true, "max_error").metrics["max_error"] == (largest, math.inf)


def test_several_targets() -> None:
    (seen, true), (more, truth) = errors(30), errors(30, seed=6)
    rows = Rows(np.empty((30, 0)), true, np.hstack([true, truth]), np.arange(30))
    known = schema("values", "p", "q")
    chosen = {"mae": metrics.get("mae")(), "max_error": metrics.get("max_error")()}
    both = intervals_of(
        Seen(np.ones(30), np.hstack([seen, more]), None), known, rows, chosen, Sampling(30, 0), True
    )
    assert both.per_target is not None
    assert both.per_target["mae"]["p"] == pytest.approx(found(seen, true, "mae").metrics["mae"])
    assert both.per_target["mae"]["q"] == pytest.approx(found(more, truth, "mae").metrics["mae"])
    assert set(both.per_target["max_error"]) == {"p", "q"}


def test_a_metric_of_a_users_own() -> None:
    """Without sums it is worked out on rows drawn."""
    seen, true = errors(40)
    own = Metric(lambda s, t, K: float(np.abs(s - t).mean()), "regression", "lower")
    rows = Rows(np.empty((40, 0)), true, true, np.arange(40))
    ends = intervals_of(
        Seen(np.ones(40), seen, None), schema("values", "y"), rows, {"own": own}, Sampling(40, 0)
    ).metrics["own"]
    assert ends == pytest.approx(found(seen, true, "mae").metrics["mae"], rel=0.1)


def test_a_metric_that_raises_where_it_is_undefined() -> None:
    """On rows drawn: in a third of the drawings the one row of class b is missing, so there is no interval."""
    true = np.array([0] * 30 + [1])

    def share(said: Array, right: Array, classes: int) -> float:
        if 1 not in right:
            raise ZeroDivisionError
        return float((said == right).sum() / (right == 1).sum())

    rows = Rows(np.empty((31, 0)), true, true, np.arange(31))
    chosen = {"own": Metric(share, "classification", "higher")}
    known = schema("classes", "a", "b")
    found = intervals_of(Seen(np.arange(31.0), true, None), known, rows, chosen, Sampling(31, 0)).metrics
    assert found["own"] is None
    assert found["loss"] is not None
    assert [*found] == ["loss", "own"]


def test_the_difference_of_two() -> None:
    """Of a figure and itself plus a constant it is that constant; of equal spreads it is not the sum of them."""
    one, other = resampled_sums([variance(SPATIAL), variance(SPATIAL * 2)], seed=0)
    gap = other.minus(one)
    assert float(gap.value) == pytest.approx(3 * 171.534, abs=1e-2)
    assert interval(gap)[0] == pytest.approx([3 * end for end in interval(one)[0] or ()])


def test_coverage() -> None:
    """Of 300 samples of 50 rows, about 95 % of the intervals of a mean hold the true one, ½ √(2/π)."""
    held = 0
    for seed in range(300):
        low, high = found(*errors(50, seed), "mae", seed=seed).metrics["mae"]
        held += low <= 0.5 * math.sqrt(2 / math.pi) <= high
    assert 0.95 - 3 * math.sqrt(0.95 * 0.05 / 300) <= held / 300 <= 0.99
