"""Fitting and encoding: numbers worked out by hand; the schema on later files; JSON."""

import hashlib
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data import features, table
from bptrain.data.features import Feature
from bptrain.data.prepare import encode_columns, encode_file, prepare
from bptrain.data.raw_columns import Encoder
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.targets import Target
from bptrain.errors import DataError
from bptrain.parts.scalers import minmax, none, standard
from data.helpers import BINARY, CROSS, SQUARED, prepared, problems, whole, write

MIXED = "size,color,same,y\n1,red,7,10\n3,blue,7,20\n5,red,7,60\n"


def test_scaling_and_one_hot(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, MIXED), scale=standard()))
    s = math.sqrt(8 / 3)  # of 1, 3, 5 about 3
    expected = np.array([[-2 / s, 0, 1, 0], [0, 1, 0, 0], [2 / s, 0, 1, 0]])  # size, blue, red, same
    np.testing.assert_allclose(p.splits["train"].X, expected, rtol=1e-15)
    t = math.sqrt((400 + 100 + 900) / 3)  # of 10, 20, 60 about 30
    np.testing.assert_allclose(p.splits["train"].T, [[-20 / t], [-10 / t], [30 / t]], rtol=1e-15)
    assert p.splits["train"].y_true.tolist() == [[10], [20], [60]]
    np.testing.assert_allclose(p.schema.decode(p.splits["train"].T), p.splits["train"].y_true, rtol=1e-15)
    assert (p.schema.n_inputs, p.schema.n_outputs) == (4, 1)
    assert p.splits["train"].X.flags.c_contiguous


def test_fitted_on_the_training_rows_alone(tmp_path: Path) -> None:
    text = "x,c,y\n0,a,0\n2,a,1\n,b,2\n100,c,5\n"
    settings = whole(
        write(tmp_path, text), scale=minmax(), shuffle=False, test_share=0.25, missing={"x": "mean"}
    )
    p = prepared(settings)
    np.testing.assert_array_equal(p.splits["train"].X, [[0, 1, 0], [1, 1, 0], [0.5, 0, 1]])
    np.testing.assert_array_equal(p.splits["test"].X, [[50, 0, 0]])  # (100 − 0) / 2, and c was never seen
    assert p.schema.features[0] == Feature("x", "numeric", (), 1.0, 0.0, 2.0)
    [(name, message)] = p.warnings
    assert name == "unseen_category"
    assert "1 cells in test" in message
    assert (p.schema.target.center, p.schema.target.spread) == ((1.0,), (math.sqrt(2 / 3),))


@pytest.mark.parametrize(
    ("policy", "number", "text"),
    [
        ("mean", 4.0, "a"),
        ("median", 2.5, "a"),
        ("most_frequent", 2.0, "a"),
        ("drop", None, None),
        ("error", None, None),
    ],
)
def test_fills(tmp_path: Path, policy: str, number: float | None, text: str | None) -> None:
    source = write(tmp_path, "x,c,y\n3,b,1\n2,a,2\n9,b,3\n2,a,4\n")
    p = prepared(whole(source, missing=policy))
    assert [feature.fill for feature in p.schema.features] == [number, text]
    later = write(tmp_path, "x,c,y\n,,1\n5,b,2\n", "later.csv")
    if policy == "error":
        with pytest.raises(DataError) as caught:
            encode_file(later, p.schema, np.float64)
        assert [(q.code, q.line) for q in caught.value.problems] == [("missing_cell", 2)] * 2
        return
    rows, warnings = encode_file(later, p.schema, np.float64)
    if policy == "drop":
        assert (rows.X.tolist(), rows.row_index.tolist()) == ([[5, 0, 1]], [1])
        assert warnings[0][0] == "dropped_rows"
    else:
        assert rows.X.tolist() == [[number, 1, 0], [5, 0, 1]]
        assert warnings == ()


def test_dropped_rows(tmp_path: Path) -> None:
    source = write(tmp_path, "x,z,y\n1,1,1\n,2,2\n3,,3\n4,4,\n5,5,5\n")
    p = prepared(whole(source, missing="drop"))
    assert p.splits["train"].row_index.tolist() == [0, 4]
    assert "missing: 3 of 5 rows" in p.notes[1]
    p = prepared(whole(source, missing={"x": "drop", "z": "median", "y": "drop"}))
    assert p.splits["train"].X.tolist() == [[1, 1], [3, 3], [5, 5]]  # median of 1, 5: the third row's z
    assert [q.line for q in problems(whole(source, missing="mean"))] == [5]  # a target is never filled


def test_no_row_that_has_all_its_values(tmp_path: Path) -> None:
    source = write(tmp_path, "x,z,y\n1,,1\n,2,2\n")
    [problem] = problems(whole(source, missing="drop"))
    assert (problem.code, problem.file) == ("no_rows", str(source.inputs))
    assert "each lacks a value in some column whose data.missing is drop" in problem.message
    # One whole row is enough.
    assert prepared(whole(write(tmp_path, "x,z,y\n1,,1\n3,2,2\n"), missing="drop")).splits[
        "train"
    ].X.tolist() == [[3, 2]]


@pytest.mark.parametrize(
    ("reach", "low", "high"),
    [((0, math.inf), 0, 1), ((0, 1), 0.1, 0.9), ((-1, 1), -0.9, 0.9)],
)
def test_automatic_target_scale(tmp_path: Path, reach: Any, low: float, high: float) -> None:
    p = prepared(whole(write(tmp_path, MIXED), scale=standard()), SQUARED._replace(output_range=reach))
    middle = low + (high - low) * 0.2  # 20 between 10 and 60
    np.testing.assert_allclose(p.splits["train"].T, [[low], [middle], [high]], rtol=1e-14, atol=1e-15)
    assert p.notes[-1].startswith("scale_target: minmax")


@pytest.mark.parametrize(
    "facts",
    [
        SQUARED._replace(scale_is_none=True),
        NetworkFacts("a loss of rates", "positive"),
    ],
)
def test_targets_left_as_they_are(tmp_path: Path, facts: NetworkFacts) -> None:
    assert prepared(whole(write(tmp_path, MIXED)), facts).splits["train"].T.tolist() == [[10], [20], [60]]


def test_labels_are_not_scaled(tmp_path: Path) -> None:
    source = write(tmp_path, "x,y\n1,a\n2,b\n")
    assert problems(whole(source, scale_target=standard()), CROSS)[0].path == "data.scale_target"
    p = prepared(whole(source, scale_target=none()), BINARY)
    assert p.splits["train"].T.tolist() == [[0], [1]]
    assert p.schema.decode(np.array([[0.5], [0.4]])).tolist() == ["b", "a"]


def test_unknown_label(tmp_path: Path) -> None:
    source = write(tmp_path, "x,y\n1,adelie\n2,gentoo\n")
    later = write(tmp_path, "x,y\n1,gentoo\n2,gento\n", "test.csv")
    [problem] = problems(whole(source, test=later), CROSS)
    assert (problem.code, problem.file, problem.line) == ("unknown_label", str(later.inputs), 3)
    assert problem.suggestion == "gentoo"


def test_a_later_file(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, MIXED)))
    later = write(tmp_path, "siz,color,y\n1,red,1\n", "later.csv")
    with pytest.raises(DataError) as caught:
        encode_file(later, p.schema, np.float64)
    assert [(q.code, q.line, q.suggestion) for q in caught.value.problems] == [
        ("missing_column", 1, "siz"),
        ("missing_column", 1, None),
    ]
    later = write(tmp_path, "y,same,size,color\n1,7,big,red\n", "later.csv")
    with pytest.raises(DataError, match=r"later.csv:2: error: column size is numeric, but here it is 'big'"):
        encode_file(later, p.schema, np.float64)
    later = write(tmp_path, "y,same,size,color\n1,8,2,5\n", "later.csv")
    rows, warnings = encode_file(later, p.schema, np.float64)
    assert rows.X.tolist() == [[2, 0, 0, 8]]  # unscaled; 5 is a color that was never seen
    assert [name for name, _ in warnings] == ["unseen_category"]


def test_boolean_and_whole_labels_in_a_later_file(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,y\n1,true\n2,false\n")), CROSS)
    rows, _ = encode_file(write(tmp_path, "x,y\n1,TRUE\n", "l.csv"), p.schema, np.float64)
    assert rows.y_true.tolist() == [1]
    with pytest.raises(DataError, match=r"l.csv:2: error: column y is true or false"):
        encode_file(write(tmp_path, "x,y\n1,maybe\n", "l.csv"), p.schema, np.float64)
    p = prepared(whole(write(tmp_path, "x,y\n1,3\n2,7\n")), CROSS)
    rows, _ = encode_file(write(tmp_path, "x,y\n1,7.0\n", "l.csv"), p.schema, np.float64)
    assert rows.y_true.tolist() == [1]


def test_too_large(tmp_path: Path) -> None:
    source = write(tmp_path, "x,y\n1,1\n1e300,2\n")
    with pytest.raises(DataError) as caught:
        prepare(whole(source), SQUARED, 0, np.float32)
    assert [(q.code, q.line) for q in caught.value.problems] == [("too_large", 3)]
    assert problems(whole(source, scale=standard()))[0].code == "too_large"


def test_float32_is_rounded_once(tmp_path: Path) -> None:
    text = "x,y\n" + "".join(f"{16777217 + k},{k}\n" for k in range(5))  # float32 cannot count these
    source = write(tmp_path, text)
    low = prepare(whole(source, scale=standard()), SQUARED, 0, np.float32).splits["train"].X
    high = prepared(whole(source, scale=standard())).splits["train"].X
    assert low.dtype == np.float32
    np.testing.assert_array_equal(low, high.astype(np.float32))


def test_chunks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a,c,b,y\n" + "".join(f"{k},{k % 3}x,{k * k},{k}\n" for k in range(50))
    settings = whole(write(tmp_path, text), scale=standard(), test_share=0.3)
    once = prepared(settings)
    monkeypatch.setattr(table, "CHUNK", 7)
    monkeypatch.setattr("bptrain.data.scaling.AT_ONCE", 7)
    monkeypatch.setattr("bptrain.data.fitting.FIT_CHUNK", 1)
    again = prepared(settings)
    assert again.schema == once.schema
    np.testing.assert_array_equal(again.splits["test"].X, once.splits["test"].X)
    source = np.array([(k, k * k) for k in range(50)])[once.splits["test"].row_index]
    np.testing.assert_allclose(
        once.splits["test"].X[:, [0, 4]] * [once.schema.features[0].spread, once.schema.features[2].spread]
        + [once.schema.features[0].center, once.schema.features[2].center],
        source,
        atol=1e-9,
    )


def test_a_number_that_does_not_fit_in_a_later_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a split are shuffled; the message names the line that the number stands in."""
    monkeypatch.setattr(table, "CHUNK", 7)
    monkeypatch.setattr("bptrain.data.scaling.AT_ONCE", 7)
    cells = [f"{k},{k % 3}x,{k}\n" for k in range(50)]
    source = whole(write(tmp_path, "a,c,y\n" + "".join(cells)), test_share=0.3)
    row = int(prepared(source).splits["test"].row_index[-1])
    cells[row] = f"1e39,0x,{row}\n"
    source = whole(write(tmp_path, "a,c,y\n" + "".join(cells)), test_share=0.3)
    with pytest.raises(DataError, match=rf":{row + 2}.*does not fit into float32"):
        prepare(source, SQUARED, 0, np.float32)


def test_limit_and_digest(tmp_path: Path) -> None:
    source = write(tmp_path, MIXED)
    p = prepared(whole(source, scale=standard()), limit=2)
    assert p.splits["train"].X.shape == (2, 4)
    assert p.schema == prepared(whole(source, scale=standard())).schema
    assert p.digest == {"train": hashlib.sha256(MIXED.encode()).hexdigest()}


names = st.text(min_size=1, max_size=5)
finite = st.floats(allow_nan=False, allow_infinity=False)
numeric = st.builds(Feature, names, st.just("numeric"), st.just(()), st.none() | finite, finite, finite)
categories = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
categorical = st.builds(
    lambda *of: Feature(of[0], "categorical", *of[1:]), names, categories, st.none() | names
)
labels = st.one_of(
    st.just((False, True)),
    st.lists(names, max_size=3).map(tuple),
    st.lists(st.integers(), max_size=3).map(tuple),
)
values = st.lists(finite, max_size=2).map(tuple)
targets = st.builds(
    Target,
    st.lists(names, max_size=3).map(tuple),
    st.just("classes"),
    labels,
    values,
    values,
    st.floats(0.0, 0.9),
    finite,
    st.booleans(),
    bounds=st.lists(st.tuples(finite, finite), max_size=2).map(tuple),
)


@given(st.lists(numeric | categorical, max_size=6, unique_by=lambda f: f.name), targets, st.frozensets(names))
def test_json_round_trip(chosen: list[Feature], target: Target, drop: frozenset[str]) -> None:
    schema = Schema("classification", tuple(chosen), target, drop)
    again = Schema.from_json(json.loads(json.dumps(schema.to_json())))
    assert again == schema
    assert repr(again[:3]) == repr(schema[:3])  # 1, 1.0 and True are equal, but not the same label


def test_a_broken_schema_is_refused() -> None:
    good = Schema(
        "regression", (Feature("a", "numeric"),), Target(("y",), "values", (), (0.0,), (1.0,))
    ).to_json()
    good["features"]["center"] = []
    good["features"]["spread"] = []
    with pytest.raises(ValueError, match="column a"):
        Schema.from_json(good)


RAW = [[1.0, "red", 7], [4, "blue", None], [2, "green", 8]]


def test_raw_columns(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, MIXED), missing="median"))
    expected = [[1, 0, 1, 7], [4, 1, 0, 7], [2, 0, 0, 8]]
    np.testing.assert_array_equal(encode_columns(RAW, p.schema, np.float64), expected)
    np.testing.assert_array_equal(encode_columns(np.array(RAW, object), p.schema, np.float32), expected)
    columns: dict[str, Any] = {
        "same": ["7", "", "8.0"],
        "color": ["red", " blue", "green"],
        "size": [1, 4, 2],
    }
    np.testing.assert_array_equal(encode_columns(columns | {"more": [1]}, p.schema, np.float64), expected)

    class Frame(SimpleNamespace):  # as much of a data frame as is asked for
        columns = ("same", "size", "color")

        def __getitem__(self, name: str) -> object:
            return columns[name]

    np.testing.assert_array_equal(encode_columns(Frame(), p.schema, np.float64), expected)


@pytest.mark.parametrize(
    ("X", "word"),
    [
        ([[1, "red"]], "3 columns"),
        ([1, "red", 7], "3 columns"),
        ([[1, "red", 7], [1]], "3 columns"),
        ([["big", "red", 7]], "row 1: column size"),
        ([[1, "red", 7], [math.inf, "red", 7]], "row 2: column size"),
        ([[None, "red", 7]], "no value"),
        ({"size": [1], "colour": ["red"], "same": [7]}, "color"),
        ({"size": [1, 2], "color": ["red"], "same": [7]}, "one length"),
    ],
)
def test_raw_columns_that_do_not_fit(tmp_path: Path, X: Any, word: str) -> None:
    p = prepared(whole(write(tmp_path, MIXED)))
    with pytest.raises(DataError, match=word):
        encode_columns(X, p.schema, np.float64)


def test_raw_matrix(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "a,b,y\n1,2,1\n3,6,2\n"), scale=minmax()))
    X = np.array([[2, 4], [1, 6]], np.int32)
    np.testing.assert_array_equal(encode_columns(X, p.schema, np.float64), [[0.5, 0.5], [0, 1]])
    np.testing.assert_array_equal(encode_columns(X.tolist(), p.schema, np.float64), [[0.5, 0.5], [0, 1]])
    with pytest.raises(DataError, match="row 2: column b"):
        encode_columns(np.array([[1, 2], [1, np.inf]]), p.schema, np.float64)
    with pytest.raises(DataError, match="row 1: column a has no value"):
        encode_columns(np.array([[np.nan, 2]]), p.schema, np.float64)


def test_categories_that_are_numbers(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,y\n1,1\n2.0,2\n"), columns={"x": "categorical"}))
    assert p.schema.features[0].categories == ("1", "2.0")
    X = encode_columns({"x": [1, 1.0, 2.0, "2.0", 3]}, p.schema, np.float64)
    np.testing.assert_array_equal(X, [[1, 0], [1, 0], [0, 1], [0, 1], [0, 0]])


def test_defaults_are_those_of_the_config() -> None:
    assert (
        DataSettings._field_defaults["validation_share"] == DataSettings._field_defaults["test_share"] == 0.15
    )
    assert features.width(()) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, bool])
def test_parts_of_a_matrix_are_encoded_as_all_of_it(
    tmp_path: Path, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """b was constant in the training rows; a missing c is filled."""
    monkeypatch.setattr("bptrain.data.scaling.AT_ONCE", 7)
    text = "a,b,c,y\n1,2,5,1\n3,2,6,2\n4,2,,3\n"
    p = prepared(whole(write(tmp_path, text), scale=minmax(), missing="median"))
    numbers = np.random.default_rng(0).uniform(-9, 9, (23, 3))
    X: np.ndarray[Any, Any] = numbers > 0 if dtype is bool else numbers.astype(dtype)
    if np.dtype(dtype).kind == "f":
        X[13, 2] = np.nan
    encode = Encoder(p.schema, np.float32, 10)
    found = np.concatenate([encode(X[a : a + 10]).copy() for a in (0, 10, 20)])
    assert found.dtype == np.float32
    assert len(np.unique(found[:, 0])) > 1
    np.testing.assert_array_equal(found, encode_columns(X, p.schema, np.float32))
    np.testing.assert_array_equal(found[:, 1], 0)
    expected = (X[:, 0].astype(np.float64) - 1) / 3
    np.testing.assert_array_equal(found[:, 0], expected.astype(np.float32))


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ((1, 0, np.nan), "row 2: column a has no value"),
        ((1, 1, np.nan), "row 2: column b has no value"),  # which would become 0
        ((1, 1, np.inf), "row 2: column b is inf"),
        ((1, 0, 1e300), "row 2: column a: the scaled value .* does not fit into float32"),
    ],
)
def test_a_part_that_does_not_fit(tmp_path: Path, cell: tuple[int, int, float], word: str) -> None:
    p = prepared(whole(write(tmp_path, "a,b,y\n1,2,1\n3,2,2\n"), scale=minmax()))
    X = np.ones((3, 2))
    X[cell[:2]] = cell[2]
    encode = Encoder(p.schema, np.float32, 10)
    with pytest.raises(DataError, match=word):
        encode(X)
    with pytest.raises(DataError, match="2 columns"):
        encode(np.ones((3, 1)))


def test_parts_with_categories(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, MIXED), missing="median"))
    X = np.array(RAW, object)
    found = Encoder(p.schema, np.float64, 10)(X)
    np.testing.assert_array_equal(found, encode_columns(X, p.schema, np.float64))
