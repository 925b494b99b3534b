"""What one cell says: numbers in every way of writing them, and cells that stand for nothing."""

from pathlib import Path

import numpy as np
import pytest

from bptrain.data.cells import CellRules, Notation, number_of, value_of
from bptrain.data.prepare import encode_columns, encode_file
from bptrain.data.sources import FileSource
from bptrain.formats.conventions import Conventions
from bptrain.formats.markers import AMONG_NUMBERS, DEFAULT, markers_of
from data.helpers import CROSS, prepared, problems, whole, write

POINT, COMMA = Notation(), Notation(",")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("−5", -5.0),  # U+2212
        ("1e−3", 1e-3),
        ("0.5D+02", 50.0),
        ("1.D0", 1.0),
        ("1d-2", 0.01),
        ("1_000", 1000.0),
        ("-1_000_000.5", -1000000.5),
    ],
)
def test_what_no_reader_can_mistake_is_a_number(cell: str, number: float) -> None:
    assert value_of(cell) == number


@pytest.mark.parametrize(
    "cell", ["1_00", "1__000", "_1", "01_000", "12D3", "D5", "5,5", "$5", "5%", "1 000", "–5"]
)
def test_what_one_can_is_none(cell: str) -> None:
    assert value_of(cell) == cell


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("5,5", None, 5.5),
        ("5.5", 5.5, None),
        ("1,234", 1234.0, 1.234),
        ("1.234", 1.234, 1234.0),
        ("1,234.5", 1234.5, None),
        ("1.234,5", None, 1234.5),
        ("1,234,567", 1234567.0, None),
        ("1.234.567", None, 1234567.0),
        ("0,123", None, 0.123),  # nobody groups a 0
        ("1 234", 1234.0, 1234.0),
        ("1\u00a0234,5", None, 1234.5),
        ("1'234.5", 1234.5, None),
        ("−5,5e3", None, -5500.0),
        ("1,23,456", None, None),
        ("1,234 567", None, None),
    ],
)
def test_two_notations(cell: str, point: float | None, comma: float | None) -> None:
    assert (number_of(cell, POINT), number_of(cell, COMMA)) == (point, comma)


def test_a_declared_mark_is_the_only_one() -> None:
    assert number_of("1'234", Notation(".", "'")) == 1234.0
    assert number_of("1,234", Notation(".", "'")) is None
    assert number_of("1\u202f234", Notation(".", " ")) == 1234.0


@pytest.mark.parametrize("cell", ["$1,005.50", "$ 1,005.50", "1,005.50 $"])
def test_signs(cell: str) -> None:
    assert number_of(cell, Notation(sign="$")) == 1005.5
    assert number_of(cell, Notation(sign="€")) is None
    assert number_of("-$5", Notation(sign="$")) == number_of("$-5", Notation(sign="$")) == -5.0
    assert number_of("5", Notation(sign="$")) == 5.0
    assert number_of("5 %", Notation(sign="%")) == 5.0
    assert number_of("5", Notation(sign="%")) is None  # 0.05, perhaps
    assert number_of("$", Notation(sign="$")) is None


@pytest.mark.parametrize("marker", DEFAULT)
def test_markers(marker: str, tmp_path: Path) -> None:
    assert value_of(f" {marker} ") is None
    text = "x,c,y\n" + f"1,a,1\n2,b,2\n{marker},{marker},3\n"
    p = prepared(whole(write(tmp_path, text), missing={"x": "median", "c": "most_frequent"}))
    assert p.splits["train"].X.tolist() == [[1, 1, 0], [2, 0, 1], [1.5, 1, 0]]


@pytest.mark.parametrize("marker", AMONG_NUMBERS)
def test_signs_among_numbers_are_markers_and_among_texts_are_texts(marker: str, tmp_path: Path) -> None:
    """Of several data sets + and - are the classes."""
    text = "x,y\n" + f"1,+\n2,{marker}\n{marker},+\n"
    p = prepared(whole(write(tmp_path, text), missing={"x": "median"}), CROSS)
    assert p.schema.labels == tuple(sorted(("+", marker)))
    assert p.splits["train"].X.tolist() == [[1], [2], [1.5]]
    assert p.notes[-1] == f"missing: read as such: 1 cell of x ({marker}) (data.missing_markers)"


@pytest.mark.parametrize("text", ["none", "missing", "unknown", "*", "Na", "no"])
def test_what_is_no_marker(text: str) -> None:
    assert value_of(text) == text


C5 = "price,y\n" + "".join(f"{'n/a' if i % 7 == 0 else i * 1.25},{i % 2}\n" for i in range(70))
C6 = C5.replace("n/a", "na")
C5_HASH = C5.replace("n/a", "#N/A")


@pytest.mark.parametrize(("text", "marker"), [(C5, "n/a"), (C6, "na"), (C5_HASH, "#N/A")])
def test_markers_in_a_column_of_numbers(text: str, marker: str, tmp_path: Path) -> None:
    source = write(tmp_path, text)
    [first, *_] = problems(whole(source))
    assert (first.code, first.line) == ("missing_cell", 2)
    p = prepared(whole(source, missing="median"))
    assert p.schema.features[0].kind == "numeric"
    assert f"missing: read as such: 10 cells of price ({marker}) (data.missing_markers)" in p.notes


def test_declared_markers(tmp_path: Path) -> None:
    """In place of the list, or beside it; a number is one however it is written."""
    source = write(tmp_path, "x,c,y\n-9999,NA,1\n2,b,2\n-9999.0,b,3\n4,NA,4\n")
    fills = {"x": "mean", "c": "most_frequent"}
    both = whole(source, missing=fills, conventions=Conventions(missing_markers=("default", "-9999")))
    assert prepared(both).splits["train"].X.tolist() == [[3, 1], [2, 1], [3, 1], [4, 1]]
    alone = prepared(whole(source, missing=fills, conventions=Conventions(missing_markers=("-9999",))))
    assert alone.schema.features[1].categories == ("NA", "b")
    assert alone.splits["train"].X.tolist() == [[3, 1, 0], [2, 0, 1], [3, 0, 1], [4, 1, 0]]
    rows, _ = encode_file(write(tmp_path, "x,c,y\n-9999,NA,1\n", "later.csv"), alone.schema, np.float64)
    assert rows.X.tolist() == [[3, 1, 0]]  # as the model was trained, whatever a config says
    none = prepared(whole(source, conventions=Conventions(missing_markers=())))
    assert none.splits["train"].X.tolist() == [[-9999, 1, 0], [2, 0, 1], [-9999, 0, 1], [4, 1, 0]]
    assert markers_of(("default",)) == markers_of(None)


def test_a_model_that_says_nothing_of_its_markers_keeps_those_of_its_time(tmp_path: Path) -> None:
    p = prepared(
        whole(write(tmp_path, "c,y\nNone,1\nb,2\n"), conventions=Conventions(missing_markers=("NA",)))
    )
    older = {key: value for key, value in p.schema.to_json().items() if key != "cells"}
    schema = type(p.schema).from_json(older)
    rows, _ = encode_file(write(tmp_path, "c,y\nNone,1\nb,2\n", "later.csv"), schema, np.float64)
    assert rows.X.tolist() == [[1, 0], [0, 1]]
    assert "cells" not in schema.to_json()


def test_rules_survive_json() -> None:
    rules = CellRules(markers_of(("-9999", "x")), ",", ".", {"a": Notation(",", None, "€")})
    assert CellRules.from_json(rules.to_json()) == rules


def test_markers_in_arrays(tmp_path: Path) -> None:
    """In training as in prediction, and of labels."""
    X = np.array([[-9999.0, 1], [2, -9999], [4, 5]])
    np.savez(tmp_path / "d.npz", X=X, y=np.array(["NA", "b", "c"]))
    source = FileSource(tmp_path / "d.npz")
    how = Conventions(missing_markers=("-9999",))
    p = prepared(whole(source, None, missing="mean", conventions=how), CROSS)
    assert p.splits["train"].X.tolist() == [[3, 1], [2, 3], [4, 5]]
    assert p.schema.labels == ("NA", "b", "c")
    assert (
        "missing: read as such: 1 cell of x1 (-9999), 1 cell of x2 (-9999) (data.missing_markers)" in p.notes
    )
    for given in (X, X.tolist(), {"x1": X[:, 0], "x2": X[:, 1]}, X.astype(np.int64)):
        assert encode_columns(given, p.schema, np.float64).tolist() == [[3, 1], [2, 3], [4, 5]]
    assert encode_file(source, p.schema, np.float64)[0].X.tolist() == [[3, 1], [2, 3], [4, 5]]
    default = prepared(whole(source, None, missing="drop"), CROSS)
    assert default.schema.labels == ("b", "c")
