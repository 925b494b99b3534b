"""`bptrain eval` says how sure its figures are."""

from pathlib import Path

import pytest

from bptrain.console.terminal.screen import figure
from bptrain.training.bootstrap import wilson
from command import bptrain


def test_intervals_in_table_and_json(iris: Path) -> None:
    assert bptrain("fit", iris, "--set", "metrics=[accuracy,{name: recall, average: per_class}]").code == 0
    shown = bptrain("eval", "runs/iris/001").out
    assert "95 % interval" in shown
    first, second = (bptrain("eval", "runs/iris/001", "--json").json for _ in "ab")
    assert first == second
    accuracy, intervals = first["metrics"]["accuracy"], first["intervals"]
    assert intervals["accuracy"] == pytest.approx(wilson(accuracy, first["rows"]))
    assert intervals["loss"][0] < first["loss"] < intervals["loss"][1]
    assert intervals["recall"].keys() == first["metrics"]["recall"].keys()
    low, high = intervals["accuracy"]
    assert f"{accuracy:.4f}  {low:.4f} to {high:.4f}" in shown
    assert "intervals_per_target" not in first


def test_intervals_of_several_targets_and_of_the_largest_error(workplace: Path) -> None:
    rows = "\n".join(f"{k},{2 * k + k % 3},{-k + k % 5}" for k in range(40))
    (workplace / "two.csv").write_text(f"x,y,z\n{rows}\n")
    (workplace / "two.yaml").write_text(
        "data: {train: two.csv, target: [y, z]}\nnetwork: {sizes: [1, 2]}\nloss: half_squared_error\n"
        "metrics: [mae, max_error]\ntraining: {epochs: 3}\n"
    )
    assert bptrain("fit", "two.yaml").code == 0
    found = bptrain("eval", "--split", "train", "--json").json
    assert found["intervals"]["max_error"] == [found["metrics"]["max_error"], None]
    assert found["intervals_per_target"]["mae"].keys() == {"y", "z"}
    low, high = found["intervals_per_target"]["mae"]["y"]
    assert low < found["metrics_per_target"]["mae"]["y"] < high
    assert f" ({figure(low)} to {figure(high)})" in bptrain("eval", "--split", "train").out
