"""`bptrain data compare`, and what `eval --data` says of rows that are not like those of training."""

import json
import shutil
from pathlib import Path

import pytest

import bptrain as package
from bptrain.errors import WARNINGS
from command import bptrain

PENGUINS = Path(package.__file__).parent / "commands" / "init" / "templates" / "penguins.csv"
CONFIG = (
    "data: {train: penguins.csv, target: species, missing: median}\nnetwork: {sizes: [auto, 4, auto]}\n"
    "loss: cross_entropy\ntraining: {epochs: 3}\nsilence: []\n"
)


@pytest.fixture
def run(workplace: Path) -> Path:
    shutil.copy(PENGUINS, "penguins.csv")
    Path("c.yaml").write_text(CONFIG)
    assert bptrain("fit", "c.yaml", "--out", "run", "--quiet").code == 0
    return workplace


def changed(name: str, column: str, of: str, drop: str = "") -> Path:
    """The penguins with other cells in a column, or without one."""
    head, *rows = [line.split(",") for line in PENGUINS.read_text().splitlines()]
    k = head.index(column)
    for row in rows:
        if row[k] not in ("", "NA"):
            row[k] = str(float(row[k]) / 1000) if of == "/1000" else of
    kept = [j for j, title in enumerate(head) if title != drop]
    file = Path(name)
    file.write_text("".join(",".join(row[j] for j in kept) + "\n" for row in (head, *rows)))
    return file


def test_kilograms_in_place_of_grams(run: Path) -> None:
    """It gave accuracy 0.44 without a word."""
    changed("kg.csv", "body_mass_g", "/1000")
    shown = bptrain("eval", "run", "--data", "kg.csv")
    (line,) = [line for line in shown.err.splitlines() if line.endswith("[outside_training_range]")]
    assert line.startswith("warning: 342 of 344 rows of kg.csv (99 %) have numbers outside the range")
    assert "body_mass_g in 342 (2.7 to 6.3, in training 2700 to 6300)" in line
    (note,) = [line for line in shown.err.splitlines() if line.startswith("missing: ")]
    assert "cells of kg.csv filled in: sex 11" in note
    assert "outside_training_range" not in bptrain("eval", "run", "--data", "penguins.csv").err
    assert "missing: " in bptrain("eval", "run", "--split", "test").err


def test_the_table(run: Path) -> None:
    changed("kg.csv", "body_mass_g", "/1000", drop="species")  # a target is not needed
    shown = bptrain("data", "compare", "run", "kg.csv", "--json")
    assert shown.code == 0, shown.out
    first, *others = shown.json["columns"]
    assert (first["name"], first["outside"], first["kind"]) == ("body_mass_g", 342, "numeric")
    assert first["psi"] > 5 > 0.25 > others[0]["psi"]
    assert [one["psi"] for one in others] == sorted((one["psi"] for one in others), reverse=True)
    assert "species" not in [one["name"] for one in others]
    assert "species" in bptrain("data", "compare", "run", "penguins.csv").out
    table = bptrain("data", "compare", "run", "kg.csv").out.splitlines()
    assert table[2].split()[0] == "body_mass_g"


def test_unknown_levels(run: Path) -> None:
    changed("far.csv", "island", "Madeira")
    columns = bptrain("data", "compare", "run", "far.csv", "--json").json["columns"]
    island = next(one for one in columns if one["name"] == "island")
    assert (island["unknown"], island["unknown_levels"]) == (344, ["Madeira"])
    assert "344 (Madeira)" in bptrain("data", "compare", "run", "far.csv").out


def test_fail_on_drift(run: Path) -> None:
    changed("kg.csv", "body_mass_g", "/1000")
    bad = bptrain("data", "compare", "run", "kg.csv", "--fail-on-drift", "0.25", "--json")
    assert (bad.code, bad.json["ok"], bad.json["fail_on_drift"]) == (1, False, ["body_mass_g"])
    good = bptrain("data", "compare", "run", "penguins.csv", "--fail-on-drift", "0.25")
    assert good.code == 0


def test_mistakes(run: Path) -> None:
    assert bptrain("data", "compare", "none", "penguins.csv").code == 5
    assert bptrain("data", "compare", "run", "none.csv").code == 3
    Path("short.csv").write_text("species,island\nAdelie,Dream\n")
    wrong = bptrain("data", "compare", "run", "short.csv", "--json")
    assert (wrong.code, wrong.json["errors"][0]["code"]) == (3, "missing_column")


def test_a_run_of_a_version_without_statistics(workplace: Path) -> None:
    older = Path(__file__).parent.parent / "store" / "run_of_0.1.0"
    shutil.copytree(older, "run")
    shutil.copy(PENGUINS, "d.csv")
    shown = bptrain("data", "compare", "run", "d.csv", "--json")
    assert shown.code == 5
    assert "kept no statistics" in json.dumps(shown.json)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("sentinel", lambda k: f"{-9999 if k % 9 == 0 else 20 + k % 11},{k * 7 % 31},{'uv'[k % 2]}"),
        ("similar_levels", lambda k: f"{('Red', 'red', 'blue')[k % 3]},{k * 7 % 31},{'uv'[k % 2]}"),
        ("identical_rows", lambda k: ("5.1,3.5,u", "4.9,3.0,v", "4.7,3.2,u")[k % 3]),
        ("target_in_inputs", lambda k: f"{'pq'[k % 2]},{k * 7 % 31},{'uv'[k % 2]}"),
    ],
)
def test_doubtful_data_is_named_by_init_validate_and_fit_and_can_be_silenced(
    name: str, rows: "object", workplace: Path
) -> None:
    assert name in WARNINGS
    assert callable(rows)
    Path("d.csv").write_text("a,b,y\n" + "".join(f"{rows(k)}\n" for k in range(120)))
    made = bptrain("init", "--data", "d.csv", "--target", "y")
    assert f"[{name}]" in made.err
    assert f"[{name}]" in bptrain("validate", "config.yaml").err
    assert f"[{name}]" in bptrain("fit", "config.yaml", "--dry-run").err
    assert f"[{name}]" not in bptrain("validate", "config.yaml", "--set", f"silence=[{name}]").err
