"""`init`, `validate` and `fit` on odd cells: they agree, and say what they took a cell for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from command import bptrain


def rows(n: int, line: Any) -> str:
    return "".join(f"{line(i)}\n" for i in range(n))


def yn(i: int) -> str:
    return "no" if i % 2 else "yes"


C3 = "a,y\n" + rows(200, lambda i: f'{i % 11},"{i % 13},5"')
C4 = "a,y\n" + rows(200, lambda i: f'{i % 11},"${1005.5 + i:,.2f}"')
C5 = "price,b,y\n" + rows(
    200, lambda i: f"{'n/a' if i % 7 == 0 else round(i * 1.37 + 0.5, 2)},{i % 5},{yn(i)}"
)
C6 = "g,b,y\n" + rows(200, lambda i: f"{'na' if i % 9 == 0 else i % 7},{i % 5},{yn(i)}")
C7 = "a,y\n" + rows(60, lambda i: f'"{i % 11},5",{yn(i)}')
C8 = "a,y\n" + rows(120, lambda i: f"{i % 13},{['NA', 'EU', 'AS'][i % 3]}")
C9 = "c,x,y\n" + rows(120, lambda i: f"{['NA', 'EU', 'AS', 'AF'][i % 4]},{i % 13},{yn(i % 4 < 2)}")
C10 = "x,y\n" + rows(300, lambda i: f"{i % 3},{['01', '1', '02'][i % 3]}")
C11 = "id,x,y\n" + rows(200, lambda i: f"{1234567890123456768 + i},{i % 7},{yn(i)}")
C16 = "x,y\n" + rows(200, lambda i: f"{i % 7},{['TRUE', 'false', 'True', 'FALSE'][i % 4]}")
DOUBT = "a,b,y\n" + rows(100, lambda i: f'"{1 + i % 50},{100 + i}",{i % 5},{yn(i)}')

# name, content, words of the page, words of validate
PAGES = [
    ("c3", C3, 'numbers with the decimal mark ",": "y"', '"0,5" is 0.5 in y (the decimal mark ","; data.decimal: ",")'),
    ("c3 target", C3, "task: regression", "loss         half_squared_error"),
    ("c4", C4, "y holds numbers from 1005.5 to 1204.5", '"$1,005.50" is 1005.5 in y (the sign $'),
    ("c4 €", C4.replace("$", "€ "), "y holds numbers from 1005.5 to 1204.5", '"€ 1,005.50" is 1005.5 in y'),
    ("c5", C5, "price  numbers from 1.87 to 273.13; 29 of 200 are missing", "29 cells of price (n/a)"),
    ("c5 <NA>", C5.replace("n/a", "<NA>"), "29 of 200 are missing", "29 cells of price (<NA>)"),
    ("c6", C6, "g: cells read as missing: 23 na", "23 cells of g (na)"),
    ("c6 -", C6.replace("na", "-"), "g: cells read as missing: 23 -", "23 cells of g (-)"),
    ("c7 decimal", C7, 'numbers with the decimal mark ",": a', '"0,5" is 0.5 in a'),
    ("c7 _", "a,y\n" + rows(60, lambda i: f"{1 + i % 50}_000,{yn(i)}"), "numbers from 1000 to 50000", "from 1 column"),
    ("c7 D", "a,y\n" + rows(60, lambda i: f"0.{1 + i % 50}D+02,{yn(i)}"), "a  numbers from 10 to 90", "from 1 column"),
    ("c8", C8, "cells read as missing: 40 NA; if they are values: missing_markers: []", "40 cells of y (NA)"),
    ("c8 ?", C8.replace("NA", "?"), "40 ?; if they are values: missing_markers: []", "40 cells of y (?)"),
    ("c8 quoted", C8.replace("NA", '"NA"'), "3 classes", "3 for y: AS, EU, NA"),
    ("c9", C9, "c: cells read as missing: 30 NA; if they are values", "30 cells of c (NA)"),
    ("c9 quoted", C9.replace("NA", '"NA"'), "c  4 categories: NA, EU, AS, AF", "inputs       5 from 2 columns"),
    ("c10", C10, "y is text: 3 classes", "3 for y: 01, 02, 1"),
    ("c11", C11, "all values are unique (looks like an id)", "from 1 column: x"),
    ("c16", C16, "y is true or false: 2 classes", "1 for y: False, True"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "page", "told"), PAGES, ids=[case[0] for case in PAGES])
def test_pages(name: str, text: str, page: str, told: str, workplace: Path) -> None:
    Path("d.csv").write_text(text)
    drafted = bptrain("init", "--data", "d.csv", "--target", "y")
    assert drafted.code == 0, drafted.err
    assert page in Path("config.yaml").read_text()
    checked = bptrain("validate", "config.yaml")
    assert checked.code == 0, checked.err
    assert told in checked.out


@pytest.mark.parametrize("text", [DOUBT, DOUBT.replace('\n"', '\n"$')])
def test_two_readings(text: str, workplace: Path) -> None:
    """init writes the likely key and why; fit, validate and eval --data stop with both keys."""
    Path("d.csv").write_text(text)
    assert bptrain("init", "--data", "d.csv", "--target", "y").code == 0
    page = Path("config.yaml").read_text()
    assert yaml.safe_load(page)["data"]["thousands"] == ","
    assert 'is 1100 with data.thousands: ",", and 1.1 with data.decimal: ","' in page
    assert bptrain("validate", "config.yaml").code == 0
    bare = "".join(line for line in page.splitlines(keepends=True) if "thousands" not in line)
    Path("bare.yaml").write_text(bare)
    for command in ("fit", "validate"):
        stopped = bptrain(command, "bare.yaml")
        assert stopped.code == 3
        assert "d.csv:2: error: column a: " in stopped.err
        assert 'data.thousands: ","' in stopped.err
        assert 'data.decimal: ","' in stopped.err


def test_a_boolean_array_of_targets(workplace: Path) -> None:
    np.save("X.npy", np.random.default_rng(0).normal(size=(60, 2)))
    np.save("y.npy", np.arange(60) % 2 == 0)
    assert bptrain("init", "--data", "X.npy", "--target", "y.npy").code == 0
    assert "y is true or false: 2 classes" in Path("config.yaml").read_text()
    told = bptrain("validate", "config.yaml").out
    assert "1 for y: False, True" in told


def test_classes_that_go_through_a_table_program(workplace: Path) -> None:
    """A file of codes comes back with decimals: the same figures, and no warning."""
    Path("d.csv").write_text("code,y\n" + rows(60, lambda i: f"{i % 3},{yn(i % 3)}"))
    assert bptrain("init", "--data", "d.csv", "--target", "y").code == 0
    options = ("--set", "data.columns={code: categorical}", "--set", "training.epochs=3")
    no_number = ("--set", "network.input=null")  # is left that init's page could embed
    assert bptrain("fit", "config.yaml", *options, *no_number).code == 0
    found = []
    for file, end in (("same.csv", ""), ("later.csv", ".0")):
        Path(file).write_text("code,y\n" + rows(60, lambda i, end=end: f"{i % 3}{end},{yn(i % 3)}"))
        done = bptrain("eval", "--data", file, "--json")
        assert (done.code, done.err) == (0, "")
        found.append({key: done.json[key] for key in ("loss", "metrics", "confusion_matrix")})
    assert found[0] == found[1]


def test_a_class_that_is_called_na_trains_as_one(workplace: Path) -> None:
    Path("d.csv").write_text(C9)
    assert bptrain("init", "--data", "d.csv", "--target", "y").code == 0
    kept = bptrain("validate", "config.yaml", "--set", "data.missing_markers=[]")
    assert kept.code == 0
    assert "inputs       5 from 2 columns: c, x" in kept.out
    fitted = bptrain("fit", "config.yaml", "--set", "training.epochs=1")
    assert "missing: read as such: 30 cells of c (NA) (data.missing_markers)" in fitted.err
