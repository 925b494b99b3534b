"""`data.split.group`: rows of a group are drawn together in the intervals of `eval`."""

from pathlib import Path

import numpy as np
import pytest

from command import bptrain

CONFIG = """
data: {train: rows.csv, target: y, split: {group: subject, validation: 0.2, test: 0.4}}
network: {sizes: [1, 1]}
loss: half_squared_error
training: {epochs: 3}
"""


@pytest.fixture
def place(workplace: Path) -> Path:
    """40 subjects, of each of which there are five copies of one row."""
    rng = np.random.default_rng(0)
    rows = [f"{k},{x:.3f},{x + e:.3f}" for k, (x, e) in enumerate(rng.normal(size=(40, 2)).tolist())]
    (workplace / "rows.csv").write_text(
        "\n".join(["subject,x,y", *(row for row in rows for _ in range(5))]) + "\n"
    )
    (workplace / "once.csv").write_text("\n".join(["subject,x,y", *rows]) + "\n")
    (workplace / "no_groups.csv").write_text(
        "\n".join(["x,y", *(row.split(",", 1)[1] for row in rows for _ in range(5))]) + "\n"
    )
    (workplace / "rows.yaml").write_text(CONFIG)
    assert bptrain("fit", "rows.yaml", "--out", "run").code == 0
    return workplace


def test_copies_tell_no_more(place: Path) -> None:
    """Of a split, of a file with the column, and of the difference of two runs; a file without it has rows alone."""
    once = bptrain("eval", "run", "--data", "once.csv", "--json").json["intervals"]
    copies = bptrain("eval", "run", "--data", "rows.csv", "--json").json["intervals"]
    assert copies["mae"] == pytest.approx(once["mae"])
    low, high = bptrain("eval", "run", "--data", "no_groups.csv", "--json").json["intervals"]["mae"]
    assert high - low < 0.6 * (once["mae"][1] - once["mae"][0])
    assert bptrain("fit", "rows.yaml", "--out", "other", "--set", "network.sizes=[1,3,1]").code == 0
    found = bptrain("eval", "run", "other", "--json").json
    assert found["rows"] == 80
    low, high = found["intervals"]["loss"]
    assert low < found["difference"]["loss"] < high
