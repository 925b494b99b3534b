"""One table, one meaning: the same matrix bit for bit, whatever held the cells."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bptrain.data.memory import in_memory
from bptrain.data.prepare import encode_columns
from bptrain.errors import DataError
from data.doors import check_doors
from data.helpers import CROSS, prepared, whole

numbers = st.floats(-1e6, 1e6).map(lambda number: number + 0.0) | st.sampled_from([1.0, 0.0, 2.0])
CELLS = {
    "float": numbers,
    "int": st.integers(-5, 10**6) | st.sampled_from([0, 1]),
    "long": st.integers(2**53, 2**53 + 3),
    "flag": st.booleans(),
    "word": st.sampled_from(["TRUE", "false", "True", "FALSE"]),
    "text": st.text("abNA10.-é\u0301 ", min_size=0, max_size=3),
    "code": st.sampled_from(["01", "1", "1.0", "02", "2"]),
    "day": st.dates(date(1999, 1, 1), date(2030, 1, 1)),
    "time": st.datetimes(datetime(1999, 1, 1), datetime(2030, 1, 1)).map(lambda t: t.replace(microsecond=0)),
}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Some columns of some kinds, in which cells may be missing."""
    n = draw(st.integers(2, 7))
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=4))
    columns: dict[str, list[Any]] = {}
    for k, kind in enumerate(kinds):
        cell = CELLS[kind] if draw(st.booleans()) else st.none() | CELLS[kind]
        columns[f"{kind}{k}"] = draw(st.lists(cell, min_size=n, max_size=n))
    columns["y"] = [float(k) for k in range(n)]
    return columns


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_every_door(tmp_path: Path, columns: dict[str, list[Any]]) -> None:
    check_doors(columns, tmp_path)


def test_a_marker_among_numbers_is_one_in_a_row_by_itself(tmp_path: Path) -> None:
    """A model knows that the column is numbers, though no cell of the row shows it."""
    check_doors({"text0": ["0 ", ".", None, "", "-1"], "y": [0.0, 1.0, 2.0, 3.0, 4.0]}, tmp_path)


def test_a_table_of_every_kind(tmp_path: Path) -> None:
    """One that surely is no error."""
    columns: dict[str, list[Any]] = {
        "f": [0.5, None, 2.0, 1e-7, 1e22, 3.0],
        "i": [1, 2, 3, 4, 5, 6],
        "gap": [1, None, 3, 4, 5, 6],
        "long": [2**53 + k % 3 for k in range(6)],
        "flag": [True, False, None, True, False, True],
        "word": ["TRUE", "false", "", "True", "FALSE", "true"],
        "text": ["caf\u00e9", "cafe\u0301", "NA", None, "b", "é"],
        "code": ["01", "1", "02", "01", "1", "1"],
        "day": [date(2021, 1, k + 1) for k in range(6)],
        "time": [datetime(2021, 1, 1, k, 30) for k in range(6)],
        "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    }
    check_doors(columns, tmp_path)


def test_labels_of_every_kind(tmp_path: Path) -> None:
    for cells, labels in (
        (["TRUE", "false", "True"], "(False, True)"),
        ([True, False, True], "(False, True)"),
        ([1.0, 2.0, 1.0], "(1, 2)"),
        (["1.0", "2", "1"], "(1, 2)"),
        (["01", "1", "02"], "('01', '02', '1')"),
        (["caf\u00e9", "caf\u00e9", "cafe\u0301", "x"], "('caf\u00e9', 'x')"),
    ):
        p = prepared(whole(in_memory({"x": list(range(len(cells))), "y": cells}, "data")), CROSS)
        assert repr(p.schema.labels) == labels


def test_a_frame_and_its_targets() -> None:
    """(X, y) of named columns keeps their names, in whatever form the targets come."""
    X = {"size": [1.0, 2.0, 3.0], "color": ["red", "blue", "red"]}
    for y in ([1, 2, 3], np.array([1, 2, 3]), {"y": [1, 2, 3]}, np.array([[1], [2], [3]])):
        source = in_memory((X, y), "data")
        p = prepared(whole(source, None))
        assert [feature.name for feature in p.schema.features] == ["size", "color"]
        assert p.schema.target.names == ("y",)
        assert p.splits["train"].y_true.tolist() == [[1], [2], [3]]
        np.testing.assert_array_equal(encode_columns(X, p.schema, np.float64), p.splits["train"].X)
    assert source.shape == "3 x 3"
    named = prepared(whole(source, "price", features=("size",)))
    assert (named.schema.target.names, len(named.schema.features)) == (("price",), 1)
    two = prepared(whole(in_memory((X, np.ones((3, 2)) * [[1], [2], [3]]), "data"), None))
    assert two.schema.target.names == ("y1", "y2")
    labels = prepared(whole(in_memory((X, ["TRUE", "false", "true"]), "data"), None), CROSS)
    assert repr(labels.schema.labels) == "(False, True)"
    again = in_memory((dict(reversed(X.items())), [1, 2, 3]), "validation")
    p = prepared(whole(source, None, validation=again))
    np.testing.assert_array_equal(p.splits["validation"].X, p.splits["train"].X)


@pytest.mark.parametrize(
    ("pair", "options", "words"),
    [
        (({"a": [1, 2], "y": [1, 2]}, [1, 2]), {}, "X has a column y, which is the name of a target"),
        (({"a": [1, 2]}, [1, 2, 3]), {}, "3 targets, but 2 rows of features"),
        (({"a": [1, 2]}, [1, 2]), {"target": ("p", "q")}, "y is 1 column, but data.target has 2 names"),
        (({"a": [1, 2]}, [1, 2]), {"weight": "a"}, "X and y come without a"),
        (({"a": [1, 2]}, [1, 2]), {"exclude": ("b",)}, "there is no column 'b'; the data has a"),
    ],
)
def test_a_frame_and_targets_that_do_not_fit(pair: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as caught:
        prepared(whole(in_memory(pair, "data"), **{"target": None, **options}))
    assert words in str(caught.value)


def test_arrays_of_more_axes_are_flattened_as_in_training() -> None:
    images = np.arange(24.0).reshape(4, 2, 3)
    p = prepared(whole(in_memory((images, [1, 2, 3, 4]), "data"), None))
    X = p.splits["train"].X
    assert X.shape == (4, 6)
    for cells in (images, images.tolist(), images.reshape(4, 6)):
        np.testing.assert_array_equal(encode_columns(cells, p.schema, np.float64), X)
    one = prepared(whole(in_memory((np.arange(4.0), [1, 2, 3, 4]), "data"), None))
    for column in (np.arange(4.0), [0.0, 1.0, 2.0, 3.0]):
        np.testing.assert_array_equal(encode_columns(column, one.schema, np.float64), np.arange(4.0)[:, None])
    with pytest.raises(DataError, match="X must have 6 columns"):
        encode_columns(images[:, :, :2], p.schema, np.float64)
    with pytest.raises(DataError, match="X must have 6 columns"):
        encode_columns(np.arange(6.0), p.schema, np.float64)  # one row, or one column?
    assert encode_columns(tuple(range(6)), p.schema, np.float64).shape == (1, 6)
