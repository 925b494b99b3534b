"""Levels are texts; spellings that mean the same are one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.levels import MOMENT, Levels, level_key, lone_key, moment
from bptrain.data.prepare import encode_columns, encode_file
from bptrain.errors import DataError
from data.helpers import CROSS, prepared, problems, whole, write

CAFE = ("caf\u00e9", "cafe\u0301")  # NFC and NFD


@pytest.mark.parametrize(
    ("one", "other"),
    [
        CAFE,
        ("New York", "New\u00a0York"),
        ("red", " red\u202f"),
        ("red", "\ufeffred"),
        ("TRUE", "true"),
        ("False", "FALSE"),
        ("2021-01-15", "2021-01-15T00:00:00"),
        ("2021-01-15", "2021-01-15 00:00:00.000000000"),
        ("2021-01-15 10:30", "2021-01-15T10:30:00"),
        ("2021-01-15 10:30:00.5", "2021-01-15T10:30:00.500"),
        ("2021-01-15T10:30:00Z", "2021-01-15 10:30:00+00:00"),
    ],
)
def test_spellings_of_one_level(one: str, other: str) -> None:
    assert level_key(one) == level_key(other) == lone_key(one)
    assert Levels([one, "x"])[other] == Levels([other, "x"])[one] == 0


@pytest.mark.parametrize(
    ("one", "other"), [("01", "1"), ("Red", "red"), ("1.10", "1.1"), ("a b", "ab"), ("t", "true"), ("+", "-")]
)
def test_levels_that_differ(one: str, other: str) -> None:
    assert Levels([one, "x"])[other] == -1
    assert lone_key(one) != lone_key(other)


def test_moments() -> None:
    assert moment("2021-01-15T00:00:00+02:00") == "2021-01-15 00:00:00+02:00"
    assert moment("2021-01-15abc") == "2021-01-15abc"


@given(
    st.one_of(
        st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")),
        st.datetimes().map(lambda moment: moment.isoformat("T", "seconds")),
        st.dates().map(lambda day: f"{day} 00:00:00"),
        st.dates().map(str),
        st.text("0123456789- :T", min_size=9, max_size=20),
    )
)
def test_the_quick_way_to_a_moment_is_the_slow_one(text: str) -> None:
    """The same moment written longer goes the slow way."""
    if MOMENT.fullmatch(text) is None:
        assert moment(text) == text
    else:
        longer = (
            text + {10: " 00:00:00.0", 16: ":00.0", 19: ".0"}[len(text)]
            if len(text) in (10, 16, 19)
            else text
        )
        assert moment(text) == moment(longer)


def test_whole_numbers() -> None:
    levels = Levels(["1", "2", "10"])
    assert [levels[cell] for cell in ("1", "1.0", " 2.00", "1e1", "01", "1.5", "one")] == [
        0,
        0,
        1,
        2,
        -1,
        -1,
        -1,
    ]
    assert Levels(["1", "two"])["1.0"] == -1
    assert Levels(["01", "2"])["2.0"] == -1


@pytest.mark.parametrize("labels", [("01", "1", "02"), ("007", "7", "0"), ("-01", "1", "2")])
def test_a_leading_zero_makes_a_name(labels: tuple[str, ...], tmp_path: Path) -> None:
    text = "x,y\n" + "".join(f"{i % 3},{labels[i % 3]}\n" for i in range(30))
    p = prepared(whole(write(tmp_path, text)), CROSS)
    assert p.schema.labels == tuple(sorted(labels))
    assert [len(labels)] == p.splits["train"].T.sum(axis=0).astype(bool).sum(keepdims=True).tolist()
    as_input = prepared(whole(write(tmp_path, text.replace("x,y", "y,x"))), CROSS)
    assert as_input.schema.features[0].categories == tuple(sorted(labels))
    declared = prepared(whole(write(tmp_path, text.replace("x,y", "y,x")), columns={"x": "numeric"}), CROSS)
    assert declared.schema.features[0].kind == "numeric"
    fractions = prepared(whole(write(tmp_path, "x,y\n01,1\n1.5,2\n")))
    assert fractions.splits["train"].X.tolist() == [[1], [1.5]]


@pytest.mark.parametrize("first", [1234567890123456768, 2**53, 10**15])
def test_more_digits_than_a_float_keeps_make_a_name(first: int, tmp_path: Path) -> None:
    ids = [first + k for k in range(4)]
    text = "x,y\n" + "".join(f"{one},{k}\n" for k, one in enumerate(ids))
    source = write(tmp_path, text)
    p = prepared(whole(source))
    assert p.schema.features[0].categories == tuple(map(str, ids))
    for door in (ids, np.array(ids), list(map(str, ids))):
        assert encode_columns({"x": door}, p.schema, np.float64).tolist() == np.eye(4).tolist()
    labels = prepared(whole(source, "x"), CROSS)
    assert labels.schema.labels == tuple(map(str, ids))


def test_long_labels_of_an_array_stay_apart(tmp_path: Path) -> None:
    ids = np.array([2**60, 2**60 + 1, 2**60 + 2])
    np.savez(tmp_path / "d.npz", X=np.eye(3), y=ids)
    source = write(tmp_path, "", "unused.csv")._replace(inputs=tmp_path / "d.npz")
    p = prepared(whole(source, None), CROSS)
    assert p.schema.labels == tuple(ids.tolist())
    later = write(tmp_path, "x1,x2,x3,y\n" + f"1,0,0,{2**60 + 1}\n", "later.csv")
    assert encode_file(later, p.schema, np.float64)[0].y_true.tolist() == [1]


CODES = "code,y\n" + "".join(f"{i % 3},{i % 2}\n" for i in range(12))


@pytest.mark.parametrize(
    "cells",
    [["1.0", "2.0", "0.0"], [1.0, 2.0, 0.0], [1, 2, 0], np.array([1, 2, 0], np.float32), ["1", 2.0, " 0 "]],
)
def test_codes_that_come_back_as_decimals(cells: Any, tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, CODES), columns={"code": "categorical"}))
    expected = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert encode_columns({"code": cells}, p.schema, np.float64).tolist() == expected
    later = write(tmp_path, "code,y\n" + "".join(f"{cell},1\n" for cell in cells), "later.csv")
    rows, warnings = encode_file(later, p.schema, np.float64)
    assert (rows.X.tolist(), warnings) == (expected, ())


def test_codes_of_a_training_file_that_are_decimals(tmp_path: Path) -> None:
    """Some cells 1, some 1.0, as where files were joined; of a target, whole numbers."""
    text = CODES.replace("1,", "1.0,", 2)
    p = prepared(whole(write(tmp_path, text), columns={"code": "categorical"}))
    assert p.schema.features[0].categories == ("0", "1", "2")
    assert "levels: one in several spellings: code: '1' = '1.0'" in p.notes
    p = prepared(whole(write(tmp_path, text), "code", columns={"code": "categorical"}), CROSS)
    assert repr(p.schema.labels) == "(0, 1, 2)"


def test_one_word_in_two_forms_of_unicode(tmp_path: Path) -> None:
    """Inputs, labels and names of columns; printed as most cells have it."""
    a, b = CAFE
    text = "x,y\n" + f"{a},1\n{b},1\n{b},1\nbar,0\n"
    p = prepared(whole(write(tmp_path, text)))
    assert p.schema.features[0].categories == ("bar", b)
    assert p.splits["train"].X.tolist() == [[0, 1], [0, 1], [0, 1], [1, 0]]
    assert [note for note in p.notes if note.startswith("levels: ")] == [
        f"levels: one in several spellings: x: '{b}' = '{a}'"
    ]
    p = prepared(whole(write(tmp_path, text), "x"), CROSS)
    assert p.schema.labels == ("bar", b)
    later = write(tmp_path, text.replace(b, a), "later.csv")
    assert encode_file(later, p.schema, np.float64)[0].y_true.tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("key", ["features", "exclude", "columns", "missing", "target"])
def test_names_of_columns_in_two_forms_of_unicode(key: str, tmp_path: Path) -> None:
    a, b = CAFE
    source = write(tmp_path, f"{a},x,y\n1,2,3\n2,2,4\n,3,5\n")
    chosen: dict[str, dict[str, Any]] = {
        "features": {"features": (b, "x"), "missing": "median"},
        "exclude": {"exclude": (b,)},
        "columns": {"columns": {b: "categorical"}, "missing": "median"},
        "missing": {"missing": {b: "median"}},
        "target": {"missing": "drop"},
    }
    p = prepared(whole(source, b if key == "target" else "y", **chosen[key]))
    names = [feature.name for feature in p.schema.features]
    assert names == (["x"] if key == "exclude" else ["x", "y"] if key == "target" else [a, "x"])
    assert p.schema.target.names == ((a,) if key == "target" else ("y",))
    assert p.schema.features[0].kind == ("categorical" if key == "columns" else "numeric")
    rows, _ = encode_file(write(tmp_path, f"{b},x,y\n1,2,3\n", "later.csv"), p.schema, np.float64)
    np.testing.assert_array_equal(rows.X[0], p.splits["train"].X[0])
    if key != "target":
        columns = {b: [1], "x": [2]}
        np.testing.assert_array_equal(encode_columns(columns, p.schema, np.float64), rows.X)


def test_two_columns_with_one_name_from_python() -> None:
    from bptrain.data.memory import table_in_memory

    with pytest.raises(DataError, match="two columns are named"):
        table_in_memory({CAFE[0]: [1], CAFE[1]: [2]}, "data")


BOOLEANS = "f,y\n" + "".join(f"{('TRUE', 'false', 'True', 'FALSE')[i % 4]},{i % 2}\n" for i in range(16))


def test_booleans_in_every_spelling(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, BOOLEANS)))
    expected = p.splits["train"].X[:2]
    assert expected.shape[1] == p.schema.n_inputs == len(p.schema.features[0].categories or "x")
    for cells in (
        [True, False],
        np.array([True, False]),
        ["true", "FALSE"],
        [np.True_, np.False_],
        ["True", False],
    ):
        np.testing.assert_array_equal(encode_columns({"f": cells}, p.schema, np.float64), expected)
        np.testing.assert_array_equal(encode_columns([[c] for c in cells], p.schema, np.float64), expected)
    labels = prepared(whole(write(tmp_path, BOOLEANS), "f"), CROSS)
    assert repr(labels.schema.labels) == "(False, True)"


def test_numbers_that_come_back_as_true_and_false(tmp_path: Path) -> None:
    """To a model whose column is numeric, true is 1 and false 0, alone as among numbers; where it is trained, no."""
    p = prepared(whole(write(tmp_path, "f,y\n0,1\n1,2\n")))
    assert encode_columns({"f": [True, False]}, p.schema, np.float64).tolist() == [[1], [0]]
    rows, _ = encode_file(write(tmp_path, "f,y\nTRUE,1\nfalse,2\n", "l.csv"), p.schema, np.float64)
    assert rows.X.tolist() == [[1], [0]]
    assert encode_columns({"f": [0.5, True]}, p.schema, np.float64).tolist() == [[0.5], [1]]
    assert problems(whole(write(tmp_path, "f,y\n" + "1,1\n" * 9 + "true,2\n")))[0].line == 11
