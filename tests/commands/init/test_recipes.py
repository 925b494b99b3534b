"""What `bptrain init` chooses from counts: the limit of epochs, the network of each effort, which class is rare."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest

from bptrain.commands.init.choices import rare_class
from bptrain.commands.init.recipes import Effort, TableCounts, recipe_of
from bptrain.config import load_config
from bptrain.data.profile import Column
from command import bptrain

EFFORTS: tuple[Effort, ...] = get_args(Effort)
ROWS = sorted({round(1.02**k) for k in range(800)} - {0})  # 1 to some million


def fitted(
    rows: int, classes: int = 2, effort: str = "standard", *options: object, fit: Sequence[str] = ()
) -> dict[str, Any]:
    """The JSON of a fit from the page that init writes for a table of so many rows."""
    lines = [
        f"{(x := k * 37 % 101 / 10)},{k * 7 % 13},{'abcdefghij'[int(x * classes / 10.1)]}"
        for k in range(rows)
    ]
    Path("t.csv").write_text("\n".join(["x,z,y", *lines]) + "\n")
    made = bptrain("init", "--data", "t.csv", "--target", "y", "--effort", effort, "--force", *options)
    assert made.code == 0, made.err
    done = bptrain("fit", "config.yaml", "--set", "training.engine=numpy", *fit, "--json")
    assert done.code == 0, done.err
    return done.json


def counts(rows: int) -> TableCounts:
    """A table of 10 inputs, 3 of them numbers, and 3 classes."""
    return TableCounts(rows, 10, 3, 3)


@pytest.mark.parametrize("effort", EFFORTS)
def test_the_limit_of_epochs_falls_evenly(effort: Effort) -> None:
    """No row more takes off a large part, neither of the epochs nor of the patience."""
    for field, least in (("epochs", 50), ("patience", 10)):
        limits = [getattr(recipe_of(effort, counts(rows)), field) for rows in ROWS if rows >= 134]
        for rows, (limit, less) in zip(ROWS[-len(limits) :], pairwise(limits), strict=False):
            assert 0.98 * limit - 1 <= less <= limit, (field, rows)
        assert limits[-1] == least


def test_quick_has_no_more_updates_than_there_once_were() -> None:
    """500, 200 and 50 epochs were written, of at most half the rows per update; an update now costs more."""
    for rows in ROWS:
        once = 500 if rows < 5_000 else 200 if rows < 50_000 else 50
        assert recipe_of("quick", counts(rows)).epochs / 2 <= 0.65 * once, rows


@pytest.mark.parametrize("effort", EFFORTS)
def test_efforts_come_from_counts(effort: Effort) -> None:
    for rows in ROWS:
        seen = counts(rows)
        recipe = recipe_of(effort, seen)
        assert recipe == recipe_of(effort, seen)
        assert (recipe.patience is None) == (rows < 134)  # 20 validation rows
        assert recipe_of(effort, seen._replace(validation_file=True)).patience is not None
        assert recipe.smoothing == 0.1
        assert (recipe.embedding is None) == (effort == "quick")
        for classes in (0, 2):  # numbers have no labels, and a yes or no is not smoothed
            assert recipe_of(effort, seen._replace(classes=classes)).smoothing == 0
        for numbers in (0, 31):
            assert recipe_of(effort, seen._replace(numbers=numbers)).embedding is None


@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_each_effort_writes_what_it_does(effort: str, workplace: Path) -> None:
    """Every value is an ordinary key of the page; the effort itself is none."""
    fit = fitted(150, 3, effort)
    assert fit["stopped"] == "early_stopping"
    text = Path("config.yaml").read_text()
    keys = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert "effort" not in keys
    assert ("--effort" in text.partition("task:")[0]) == (effort != "standard")  # the command that wrote it
    config = load_config("config.yaml").config
    assert config.training.early_stopping is not None
    assert config.training.early_stopping.min_delta == 0
    assert config.training.average is not None
    assert config.loss.options["label_smoothing"] == 0.1


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


@pytest.mark.parametrize(
    ("rows", "validation", "by", "split"),
    [
        (200, False, "fold", "{test: 0.15}"),
        (150, False, "seed", "{validation: 0.15, test: 0.15}"),  # a fold would have 15 rows
        (200, True, "seed", "{test: 0.15}"),
        (20, False, "seed", "{validation: 0, test: 0}"),
    ],
)
def test_the_members_of_the_best(rows: int, validation: bool, by: str, split: str, workplace: Path) -> None:
    """They validate with folds where these have enough rows."""
    Path("v.csv").write_text("x,z,y\n" + "".join(f"{k / 10},{k},{'ab'[k // 51]}\n" for k in range(101)))
    options = ["--set", "training.epochs=2", "--jobs", "1"]
    fit = fitted(rows, 2, "best", *(["--validation", "v.csv"] if validation else []), fit=options)
    assert len(fit["members"]) == 8
    text = Path("config.yaml").read_text()
    assert f"ensemble: {{members: 8, by: {by}}}" in text
    assert f"  split: {split} " in text


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
