"""What `bptrain init` chooses from counts: the limit of epochs, the network of each effort, which class is rare."""

from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest

from bptrain.commands.init.choices import rare_class
from bptrain.commands.init.recipes import Effort, most_epochs, recipe_of
from bptrain.config import load_config
from bptrain.data.profile import Column
from command import bptrain

EFFORTS: tuple[Effort, ...] = get_args(Effort)
ROWS = sorted({round(1.02**k) for k in range(800)} - {0})  # 1 to some million


def fitted(rows: int, classes: int = 2, effort: str = "standard", *options: object) -> dict[str, Any]:
    """The JSON of a fit from the page that init writes for a table of so many rows."""
    lines = [
        f"{(x := k * 37 % 101 / 10)},{k * 7 % 13},{'abcdefghij'[int(x * classes / 10.1)]}"
        for k in range(rows)
    ]
    Path("t.csv").write_text("\n".join(["x,z,y", *lines]) + "\n")
    made = bptrain("init", "--data", "t.csv", "--target", "y", "--effort", effort, "--force", *options)
    assert made.code == 0, made.err
    fit = bptrain("fit", "config.yaml", "--set", "training.engine=numpy", "--json")
    assert fit.code == 0, fit.err
    return fit.json


def test_the_limit_of_epochs_falls_evenly() -> None:
    """No row more takes off a large part; and never more than once was written: 500, 200 and 50."""
    limits = [most_epochs(rows) for rows in ROWS]
    for rows, (limit, less) in zip(ROWS, pairwise(limits), strict=False):
        assert 0.97 * limit - 1 <= less <= limit, rows
    assert all(
        limit <= (500 if rows < 5_000 else 200 if rows < 50_000 else 50)
        for rows, limit in zip(ROWS, limits, strict=True)
    )
    assert (limits[0], limits[-1]) == (500, 50)


@pytest.mark.parametrize("effort", EFFORTS)
def test_efforts_come_from_counts(effort: Effort) -> None:
    for rows in ROWS:
        recipe = recipe_of(effort, rows, 10, True, rows >= 134)
        assert recipe == recipe_of(effort, rows, 10, True, rows >= 134)
        assert (recipe.patience is None) == (rows < 134)
        assert recipe_of(effort, rows, 10, False, False).smoothing == 0  # numbers have no labels


@pytest.mark.parametrize("effort", EFFORTS)
def test_each_effort_writes_what_it_does(effort: str, workplace: Path) -> None:
    """Every value is an ordinary key of the page; the effort itself is none."""
    fit = fitted(150, effort=effort)
    assert fit["stopped"] == "early_stopping"
    text = Path("config.yaml").read_text()
    keys = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert "effort" not in keys
    assert ("--effort" in text.partition("task:")[0]) == (effort != "standard")  # the command that wrote it
    config = load_config("config.yaml").config
    assert config.training.early_stopping is not None
    assert config.training.early_stopping.min_delta == 0
    assert (config.training.average is None) == (effort == "quick")
    assert (config.loss.options["label_smoothing"] == 0) == (effort == "quick")


@pytest.mark.parametrize(("rows", "splits"), [(20, {"train"}), (60, {"train", "validation", "test"})])
def test_tables_without_enough_validation_rows(rows: int, splits: set[str], workplace: Path) -> None:
    """They are trained to the last epoch, and come to something."""
    fit = fitted(rows)
    assert fit["stopped"] == "epochs"
    assert fit["best"]["metrics"].keys() == splits
    assert fit["best"]["metrics"]["train"]["accuracy"] > 0.9


def test_a_file_of_validation_rows_is_enough_to_stop_by(workplace: Path) -> None:
    fitted(60)
    Path("v.csv").write_bytes(Path("t.csv").read_bytes())
    assert fitted(60, 2, "quick", "--validation", "v.csv")["stopped"] == "early_stopping"


def test_an_effort_of_a_template_is_refused(workplace: Path) -> None:
    refused = bptrain("init", "--template", "xor", "--effort", "quick")
    assert refused.code == 2
    assert "--effort" in refused.err
    assert "quick, standard, best" in bptrain("init", "--effort", "fast").err.replace("'", "")


@pytest.mark.parametrize(
    ("counts", "rare"),
    [
        ({"good": 91, "bad": 9}, "bad"),
        ({"good": 90, "bad": 10}, None),
        ({str(k): 100 for k in range(9)} | {"8": 70}, None),  # of ten digits 7 % is nearly as many as of each
        ({str(k): 100 for k in range(9)} | {"9": 18}, "9"),
        ({"a": 500, "b": 470, "c": 30}, "c"),
    ],
)
def test_rare_is_far_below_an_equal_share(counts: dict[str, int], rare: str | None) -> None:
    ordered = tuple(sorted(counts.items(), key=lambda pair: -pair[1]))
    column = Column("y", "texts", sum(counts.values()), distinct=len(counts), counts=ordered)
    assert rare_class(column) == rare
