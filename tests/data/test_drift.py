"""The population stability index, and what lies outside the range of the training rows."""

import math

import numpy as np
import pytest

from bptrain.data import drift
from bptrain.data.column_statistics import level_statistics, statistics_of
from bptrain.data.drift import (
    LEAST_SHARE,
    DriftCounts,
    by_chance,
    drift_of,
    drift_of_levels,
    drift_of_numbers,
    population_stability,
)
from bptrain.data.table import ColumnBlock
from bptrain.data.text_cells import TextCells
from bptrain.data.training_range import outside_range
from bptrain.formats.problems import Origin


def block(columns: dict[str, np.ndarray]) -> ColumnBlock:
    return ColumnBlock(
        Origin("d.csv"), tuple(columns), np.column_stack([*columns.values()]), tuple(columns), {}
    )


def test_the_equation() -> None:
    """Σ (a − e) ln(a/e) of two bins, worked by hand: e = (½, ½), a = (¼, ¾)."""
    expected = -0.25 * math.log(0.5) + 0.25 * math.log(1.5)
    assert population_stability(np.array([10, 10]), np.array([1, 3])) == pytest.approx(expected)
    empty = population_stability(np.array([1, 1]), np.array([2, 0]))
    assert empty == pytest.approx(0.5 * math.log(2) + (LEAST_SHARE - 0.5) * math.log(2 * LEAST_SHARE))


def test_equal_rows_have_none_and_its_mean_by_chance_is_as_stated() -> None:
    rng = np.random.default_rng(0)
    before = block({"x": rng.normal(size=4000)})
    kept = statistics_of(before, np.arange(4000))
    (same,) = drift_of(kept, before)
    assert (same.psi, same.outside, same.missing) == (0.0, 0, 0.0)
    found = [drift_of(kept, block({"x": rng.normal(size=500)}))[0] for _ in range(60)]
    assert np.mean([one.psi for one in found]) == pytest.approx(found[0].by_chance, rel=0.25)
    assert by_chance(np.array([5, 5, 0]), np.array([10, 10, 0])) == pytest.approx(1 / 10 + 1 / 20)


def test_missing_cells_and_shifts_are_drift() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=1000)
    kept = statistics_of(block({"x": x}), np.arange(1000))
    gaps = np.where(np.arange(1000) % 2 == 0, np.nan, x)
    (half,) = drift_of(kept, block({"x": gaps}))
    assert (half.missing, half.missing_before) == (0.5, 0.0)
    assert half.psi > 1
    (shifted,) = drift_of(kept, block({"x": x + 1}))
    assert shifted.psi > 0.25 > drift_of(kept, block({"x": x + 0.02}))[0].psi
    again = statistics_of(block({"x": gaps}), np.arange(1000))
    assert drift_of(again, block({"x": gaps}))[0].psi < 1e-3


def test_the_largest_comes_first_and_levels_are_counted() -> None:
    cells = TextCells.of(["red"] * 60 + ["blue"] * 40)
    kept = level_statistics(cells)
    assert drift_of_levels("c", kept, cells).psi == 0
    odd = drift_of_levels("c", kept, TextCells.of(["red", "green", "green", None]))
    assert (odd.unknown, odd.unknown_levels, odd.missing) == (2, ("green",), 0.25)
    x, z = np.arange(100.0), np.arange(100.0)
    both = statistics_of(block({"x": x, "z": z}), np.arange(100))
    assert [one.name for one in drift_of(both, block({"x": x, "z": z + 90}))] == ["z", "x"]


def test_a_column_that_was_never_there() -> None:
    kept = statistics_of(block({"x": np.full(5, np.nan)}), np.arange(5)).numbers["x"]
    found = drift_of_numbers("x", kept, np.array([np.nan, 1.0]), 5)
    assert found.outside == 0
    assert math.isfinite(found.psi)
    assert found.missing_before == 1


def outside(training: np.ndarray, later: np.ndarray, amounts: set[str] | None = None) -> list[str]:
    kept = statistics_of(block({"x": training}), np.arange(len(training)))
    rows = np.arange(len(later))
    found = outside_range(kept, {"x"} if amounts is None else amounts, block({"x": later}), rows, "new.csv")
    return [message for _, message in found]


def test_rows_outside_the_range() -> None:
    grams = np.linspace(2700, 6300, 240)
    (message,) = outside(grams, grams / 1000)
    assert message.startswith("240 of 240 rows of new.csv (100 %) have numbers outside the range")
    assert "x in 240 (2.7 to 6.3, in training 2700 to 6300)" in message
    assert len(outside(grams, np.array([*grams[:30], 1e9]))) == 1  # one alone, but far away
    assert outside(grams, np.array([1.0, 2.0]), set()) == []  # a date, say, which goes on
    assert outside(np.full(30, 7.0), np.array([8.0])) == []  # one row says little of a constant column


def test_what_chance_explains_is_no_warning() -> None:
    rng = np.random.default_rng(0)
    told = sum(bool(outside(rng.normal(size=100), rng.normal(size=50))) for _ in range(300))
    assert told <= 6  # 2 %: more than three standard deviations and one row


def test_memory_does_not_grow_with_unknown_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "REMEMBERED", 10)

    def texts(cells: list[str | None]) -> ColumnBlock:
        return ColumnBlock(Origin("d.csv"), ("c",), np.empty((len(cells), 0)), (), {"c": TextCells.of(cells)})

    kept = statistics_of(texts(["red", "green", "red", None]), np.arange(4))
    cells = [cell for k in range(200) for cell in ("red", "often", f"new {k}", None)]
    whole = drift_of(kept, texts(cells))
    counts = DriftCounts(kept)
    for begin in range(0, len(cells), 40):
        counts.add(texts(cells[begin : begin + 40]))
    assert len(counts._levels["c"]) <= 30
    (one,) = counts.columns()
    (all_at_once,) = whole
    assert one._replace(unknown_levels=()) == all_at_once._replace(unknown_levels=())
    assert one.unknown_levels[0] == all_at_once.unknown_levels[0] == "often"
    assert all(one.unknown_levels)
