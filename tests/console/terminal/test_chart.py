"""The chart of plain characters."""

import math

import pytest

from bptrain.console.terminal.chart import chart


def test_a_falling_line() -> None:
    head, *lines = chart("loss", [1, 2, 3, 4], {"train": [4.0, 3.0, 2.0, 1.0]}, 30)
    assert head == "loss: * train"
    assert lines[0].startswith("  4.0000 |*")
    assert lines[9].startswith("  1.0000 |")
    assert [line.index("*") for line in lines if "*" in line] == sorted(
        line.index("*") for line in lines if "*" in line
    )
    assert sum(line.count("*") for line in lines) == 4
    assert max(map(len, [head, *lines])) <= 30
    assert lines[-1].split() == ["1", "4"]


def test_a_wide_range_is_logarithmic() -> None:
    head, *lines = chart("loss", list(range(1, 41)), {"train": [10.0**-k for k in range(40)]}, 60)
    assert "logarithmic" in head
    rows = [k for k, line in enumerate(lines) if "*" in line]
    assert rows == list(range(10))  # a straight line


def test_many_epochs_share_a_column() -> None:
    lines = chart("loss", list(range(1, 10_001)), {"train": [1.0, 3.0] * 5000}, 60)[1:-2]
    assert all(k in (4, 5) for k, line in enumerate(lines) if "*" in line)  # their mean, 2


def test_two_series_and_gaps() -> None:
    text = "\n".join(
        chart("loss", [1, 2, 3], {"train": [3.0, 2.0, 1.0], "validation": [None, 2.5, math.inf]}, 40)
    )
    assert (
        text.count("o") - "validation".count("o") - "loss".count("o") == 1 + 1
    )  # in the chart and the legend


@pytest.mark.parametrize("values", [[0.5], [0.0], [2.0, 2.0], [-1.0, 1.0], [1e-300, 1e300]])
def test_odd_values(values: list[float]) -> None:
    lines = chart("loss", list(range(1, len(values) + 1)), {"train": values}, 40)
    assert sum(line.count("*") for line in lines[1:]) >= 1


def test_nothing_to_draw() -> None:
    assert chart("loss", [1], {"train": [None]}, 40) == ["loss: nothing to draw"]
