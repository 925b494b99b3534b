"""Metrics of each of several targets, beside their mean, which a target of large numbers rules."""

from pathlib import Path

import numpy as np
import pytest

from command import bptrain

NAMES = ["large", "small"]


@pytest.fixture
def run(workplace: Path) -> Path:
    """A run on a target of ±100 that is easy, and one of ±0.01 that is noise."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 60)
    rows = [f"{a:.6f},{100 * a:.6f},{b:.8f}" for a, b in zip(x, 0.01 * rng.normal(size=60), strict=True)]
    (workplace / "rows.csv").write_text("x,large,small\n" + "\n".join(rows) + "\n")
    (workplace / "rows.yaml").write_text(
        """
data: {train: rows.csv, target: [large, small]}
network: {sizes: [1, 4, 2]}
loss: half_squared_error
metrics: [rmse, mae, r2, max_error]
training: {epochs: 30}
"""
    )
    fitted = bptrain("fit", "rows.yaml", "--out", "run")
    assert fitted.code == 0, fitted.err
    return workplace / "run"


def test_in_json(run: Path) -> None:
    found = bptrain("eval", run, "--json").json
    each = found["metrics_per_target"]
    assert each.keys() == found["metrics"].keys()
    for name, by_target in each.items():
        assert [*by_target] == NAMES
        total = max(by_target.values()) if name == "max_error" else np.mean([*by_target.values()])
        assert found["metrics"][name] == pytest.approx(total, rel=1e-12)
    assert each["r2"]["large"] > 0.9
    assert each["r2"]["small"] < 0.2
    assert each["rmse"]["small"] < 0.05 < each["rmse"]["large"]
    fitted = bptrain("fit", "rows.yaml", "--out", "again", "--json").json
    assert fitted["best"]["metrics_per_target"]["test"] == each
    assert bptrain("inspect", run, "--json").json["metrics_per_target"]["test"] == each


@pytest.mark.parametrize(
    ("command", "splits"),
    [
        (("eval", "run", "--split", "validation"), ["validation"]),
        (("inspect", "run"), ["train", "validation", "test"]),
        (("fit", "rows.yaml", "--resume", "run"), ["train", "validation", "test"]),
    ],
)
def test_on_the_screen(command: tuple[str, ...], splits: list[str], run: Path) -> None:
    lines = bptrain(*command).out.splitlines()
    table = [line.split() for line in lines[lines.index("per target") + 1 :]]
    assert table[0] == ["split", "target", "rmse", "mae", "r2", "max_error"]
    n = 2 * len(splits)
    assert [row[:2] for row in table[1 : n + 1]] == [[split, name] for split in splits for name in NAMES]


def test_of_yes_and_no(workplace: Path) -> None:
    """Accuracy of all outputs at once is low, that of one of them is not; what is per class stays where it is."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 80)
    rows = [f"{a:.6f},{int(a > 0)},{int(b)}" for a, b in zip(x, rng.random(80) < 0.5, strict=True)]
    (workplace / "rows.csv").write_text("x,sign,coin\n" + "\n".join(rows) + "\n")
    (workplace / "rows.yaml").write_text(
        """
data: {train: rows.csv, target: [sign, coin]}
network: {sizes: [1, 4, 2]}
loss: binary_cross_entropy
metrics: [accuracy, roc_auc, {name: recall, average: per_class}]
training: {epochs: 60}
"""
    )
    bptrain("fit", "rows.yaml", "--out", "run")
    found = bptrain("eval", "run", "--split", "train", "--json").json
    each = found["metrics_per_target"]
    assert [*each] == ["accuracy", "roc_auc"]
    assert each["accuracy"]["sign"] > 0.85 > found["metrics"]["accuracy"]
    assert found["metrics"]["roc_auc"] == pytest.approx(np.mean([*each["roc_auc"].values()]))
    assert [*found["metrics"]["recall"]] == ["sign", "coin"]


def test_one_target_has_no_sibling(iris: Path) -> None:
    bptrain("fit", iris, "--out", "run")
    for command in ("eval", "inspect"):
        assert "metrics_per_target" not in bptrain(command, "run", "--json").json
        assert "per target" not in bptrain(command, "run").out
