"""Columns of every kind, and their preprocessing: worked out by hand, refused with line and reason, and kept."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.cells import RULES
from bptrain.data.features import Feature, bucket_of
from bptrain.data.prepare import encode_columns, encode_file, prepare
from bptrain.data.prepared import KeptSchema
from bptrain.data.raw_columns import Encoder
from bptrain.data.schema import Schema
from bptrain.data.settings import ColumnOptions, Fill
from bptrain.data.sources import FileSource
from bptrain.data.targets import Target
from bptrain.errors import DataError
from bptrain.parts.scalers import log, log1p, minmax, none, robust, robust_clip, standard
from data.helpers import CROSS, SQUARED, prepared, problems, whole, write


def table(**columns: Sequence[object]) -> str:
    """A CSV file of these columns and a target that counts."""
    n = len(next(iter(columns.values())))
    rows = zip(*columns.values(), range(n), strict=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\n".join([",".join([*columns, "y"]), *lines]) + "\n"


def encoded(place: Path, text: str, **settings: Any) -> np.ndarray[Any, Any]:
    return prepared(whole(write(place, text), **settings)).splits["train"].X


def test_a_boolean_is_one_input(tmp_path: Path) -> None:
    text = table(flag=["TRUE", "false", "True", None], x=[1, 2, 3, 4])
    settings: dict[str, Any] = {"columns": {"flag": "boolean"}, "missing": {"flag": "mean"}}
    assert encoded(tmp_path, text, scale=standard(), **settings)[:, 0].tolist() == [1, 0, 1, 1]
    assert encoded(tmp_path, text, **settings)[:, 1].tolist() == [1, 2, 3, 4]
    numbers = table(flag=["1", "0", "1.0"])
    assert encoded(tmp_path, numbers, columns={"flag": "boolean"}).ravel().tolist() == [1, 0, 1]
    [problem] = problems(whole(write(tmp_path, table(flag=["true", "maybe"])), columns={"flag": "boolean"}))
    assert (problem.code, problem.line) == ("not_boolean", 3)


def test_an_ordinal_is_its_place_in_the_order(tmp_path: Path) -> None:
    text = table(size=["mid", "low", "high", "low"])
    options: dict[str, Any] = {
        "columns": {"size": "ordinal"},
        "column_options": {"size": ColumnOptions(order=("low", "mid", "high"))},
    }
    assert encoded(tmp_path, text, **options).ravel().tolist() == [1, 0, 2, 0]
    assert encoded(tmp_path, text, scale=minmax(), **options).ravel().tolist() == [0.5, 0, 1, 0]
    [problem] = problems(whole(write(tmp_path, table(size=["low", "hihg"])), **options))
    assert (problem.code, problem.line, problem.suggestion) == ("unknown_level", 3, "high")
    numbers: dict[str, Any] = {
        "columns": {"size": "ordinal"},
        "column_options": {"size": ColumnOptions(order=("10", "5", "1"))},
    }
    assert encoded(tmp_path, table(size=[5, 1, 10.0]), **numbers).ravel().tolist() == [1, 2, 0]


def test_dates_are_days_and_circles(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, table(day=["1970-01-01", "1970-01-03", "1970-01-02"]))))
    X, [feature] = p.splits["train"].X, p.schema.features
    assert (feature.kind, feature.form, feature.cycles) == ("datetime", "ymd", ("year", "week"))
    year, week = 2 * math.pi / 365, 2 * math.pi / 7
    days, weekdays = np.array([0, 2, 1]), np.array([3, 5, 4])
    expected = [
        days,
        np.sin(year * days),
        np.cos(year * days),
        np.sin(week * weekdays),
        np.cos(week * weekdays),
    ]
    np.testing.assert_allclose(X, np.column_stack(expected), atol=1e-15)
    assert p.notes[1] == "dates: day (year, month, day); to read one otherwise, declare it in data.columns"
    scaled = encoded(tmp_path, table(day=["1970-01-01", "1970-01-03", "1970-01-02"]), scale=minmax())
    np.testing.assert_allclose(scaled[:, 0], [0, 1, 0.5])
    np.testing.assert_array_equal(scaled[:, 1:], X[:, 1:])


@pytest.mark.parametrize(
    "days",
    [
        [20210115 + k for k in range(6)],
        [f"2021-01-{15 + k}" for k in range(6)],
        [f"{15 + k}.01.2021" for k in range(6)],
        [f"1/{15 + k}/2021" for k in range(6)],
        [f"{15 + k}012021" for k in range(6)],
    ],
)
def test_one_column_of_days_however_it_is_written(days: list[object], tmp_path: Path) -> None:
    """C35 and its siblings: whole numbers that are dates are dates."""
    base = encoded(tmp_path, table(d=[f"2021-01-{15 + k}" for k in range(6)]))
    np.testing.assert_array_equal(encoded(tmp_path, table(d=days)), base)
    assert base.shape == (6, 5)


def test_numbers_that_are_no_dates_stay_numbers(tmp_path: Path) -> None:
    text = table(d=[20210101 + 100 * k for k in range(15)])  # a 13th month
    assert encoded(tmp_path, text).shape == (15, 1)
    text = table(d=[20210115 + k for k in range(9)])
    assert encoded(tmp_path, text, columns={"d": "numeric"}).shape == (9, 1)
    assert encoded(tmp_path, text, columns={"d": "categorical"}).shape == (9, 9)


def test_dates_that_can_be_read_in_two_ways(tmp_path: Path) -> None:
    source = write(tmp_path, table(d=["01/02/2021", "03/04/2021", "05/06/2021"]))
    [problem] = problems(whole(source))
    assert (problem.code, problem.path) == ("ambiguous_dates", "data.columns.d")
    assert "{kind: datetime, format: dmy} or {kind: datetime, format: mdy}" in problem.message
    for form, day in (("dmy", 18659), ("mdy", 18629)):
        options = {"d": ColumnOptions(form=form)}
        X = prepared(whole(source, columns={"d": "datetime"}, column_options=options)).splits["train"].X
        assert X[0, 0] == day


def test_a_cell_that_is_no_date(tmp_path: Path) -> None:
    days = [f"2021-01-{10 + k}" for k in range(9)]
    [problem] = problems(whole(write(tmp_path, table(d=[*days, "soon"]))))
    assert (problem.code, problem.line) == ("not_a_date", 11)
    assert "declare data.columns: {d: categorical}" in problem.message
    declared = problems(whole(write(tmp_path, table(d=["2021-01-01", "x", "y"])), columns={"d": "datetime"}))
    assert [(one.code, one.line) for one in declared] == [("not_a_date", 3), ("not_a_date", 4)]
    p = prepared(whole(write(tmp_path, table(d=days))))
    later = write(tmp_path, "d,y\n2021-02-30,1\n", "later.csv")
    with pytest.raises(
        DataError, match=r"later.csv:2: error: column d has dates .* but here it is '2021-02-30'"
    ):
        encode_file(later, p.schema, np.float64)


def test_text_is_left_out(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, table(note=["a", "b"], x=[1, 2])), columns={"note": "text"}))
    assert [feature.name for feature in p.schema.features] == ["x"]
    assert p.notes[1] == "text: note left out, since texts are no inputs"


def smooth(x: Any) -> Any:
    """RealMLP's clip, as it is published."""
    return x / np.sqrt(1 + (x / 3) ** 2)


SCALED = [
    (robust(), [1, 2, 3, 4, 100], lambda v: (v - 3) / 2),
    (robust(), [0, 0, 0, 0, 5], lambda v: v / 2),  # no difference between the quartiles: the deviation, 2
    (robust(), [7, 7], lambda v: 0 * v),
    (robust_clip(), [1, 2, 3, 4, 100], lambda v: smooth((v - 3) / 2)),
    (robust_clip(), [0, 0, 0, 0, 5], lambda v: smooth(v / 2.5)),  # no difference: half of the range
    (robust_clip(), [7, 7], lambda v: 0 * v),
    (robust_clip(), [1, 2, 3, 4, 1e300], lambda v: [*smooth((v[:4] - 3) / 2), 3.0]),  # whose square overflows
    (log(), [1, math.e, math.e**2], lambda v: (np.log(v) - 1) / math.sqrt(2 / 3)),
    (log1p(), [0, math.e - 1], lambda v: (np.log1p(v) - 0.5) / 0.5),
    (log(), [5, 5], lambda v: 0 * v),
    (standard(), [0, 2e-170], lambda v: (v - 1e-170) / 1e-170),  # whose squares are 0
]


@pytest.mark.parametrize(("scaler", "values", "expected"), SCALED)
def test_scaling(scaler: Any, values: list[float], expected: Any, tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, table(x=values)), scale=scaler))
    np.testing.assert_allclose(p.splits["train"].X[:, 0], expected(np.array(values, float)), rtol=1e-12)
    raw = np.array(values, np.float64)[:, None]
    np.testing.assert_array_equal(encode_columns(raw, p.schema, np.float64), p.splits["train"].X)
    np.testing.assert_array_equal(Encoder(p.schema, np.float64, 9)(raw), p.splits["train"].X)


def test_each_column_has_its_own_scaling(tmp_path: Path) -> None:
    text = table(a=[1, 10, 100], b=[1, 2, 3], c=[4, 5, 9])
    options = {"a": ColumnOptions(scale=log()), "c": ColumnOptions(scale=none())}
    p = prepared(whole(write(tmp_path, text), scale=minmax(), column_options=options))
    X = p.splits["train"].X
    np.testing.assert_allclose(X[:, 0], [-math.sqrt(1.5), 0, math.sqrt(1.5)], atol=1e-15)
    np.testing.assert_array_equal(X[:, 1:], [[0, 4], [0.5, 5], [1, 9]])
    assert [feature.function for feature in p.schema.features] == ["log", "identity", "identity"]
    names = {"a": "categorical"}
    wrong = problems(whole(write(tmp_path, text), columns=names, column_options=options))
    assert [one.path for one in wrong] == ["data.columns.a.scale"]


@pytest.mark.parametrize(("scaler", "bad"), [(log(), [0, -1]), (log1p(), [-0.5])])
def test_a_value_that_has_no_logarithm(scaler: Any, bad: list[float], tmp_path: Path) -> None:
    options: dict[str, Any] = {"column_options": {"x": ColumnOptions(scale=scaler)}}
    text = table(x=[2, *bad, 3])
    found = problems(whole(write(tmp_path, text), **options))
    assert [(one.code, one.line) for one in found] == [("outside_scale", 3 + k) for k in range(len(bad))]
    p = prepared(whole(write(tmp_path, table(x=[2, 3])), **options))
    for X in (np.array([[2.0], [bad[0]]]), np.array([[2], [-5]])):
        for encode in (lambda X: encode_columns(X, p.schema, np.float64), Encoder(p.schema, np.float64, 4)):
            with pytest.raises(DataError, match=r"row 2: column x is -?[\d.]+, and the scaling"):
                encode(X)
    later = write(tmp_path, table(x=[4, bad[0]]), "later.csv")
    with pytest.raises(DataError, match=r"later.csv:3: error: column x"):
        encode_file(later, p.schema, np.float64)


COLORS = ["red", "blue", "red", "green", "blue", "red"]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (ColumnOptions(), {"red": [0, 0, 1], "green": [0, 1, 0], "pink": [0, 0, 0]}),
        (ColumnOptions(unknown="bucket"), {"red": [0, 0, 1, 0], "pink": [0, 0, 0, 1]}),
        (ColumnOptions(min_count=2), {"red": [0, 1, 0], "green": [0, 0, 1], "pink": [0, 0, 0]}),
        (ColumnOptions(min_count=2, unknown="bucket"), {"green": [0, 0, 1], "pink": [0, 0, 1]}),
        (ColumnOptions(min_count=9), {"red": [1], "green": [1], "pink": [0]}),
    ],
)
def test_categories(options: ColumnOptions, rows: dict[str, list[int]], tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, table(c=COLORS)), column_options={"c": options}))
    for cell, row in rows.items():
        assert encode_columns({"c": [cell]}, p.schema, np.float64).tolist() == [row]
    later = write(tmp_path, table(c=["red", "pink"]), "later.csv")
    X, warnings = encode_file(later, p.schema, np.float64)
    assert X.X[1].tolist() == rows["pink"]
    [(name, message)] = warnings
    assert name == "unseen_category"
    assert message.endswith(
        "they share one input" if options.unknown == "bucket" else "they are encoded as zeros"
    )


def test_unknown_categories_may_be_an_error(tmp_path: Path) -> None:
    options = {"c": ColumnOptions(unknown="error", min_count=2)}
    p = prepared(whole(write(tmp_path, table(c=COLORS)), column_options=options))
    with pytest.raises(DataError, match="row 2: column c is 'pink' here, which no training row has"):
        encode_columns({"c": ["green", "pink"]}, p.schema, np.float64)
    later = write(tmp_path, table(c=["red", "pink"]), "later.csv")
    with pytest.raises(DataError, match=r"later.csv:3: error: column c is 'pink'"):
        encode_file(later, p.schema, np.float64)


def test_hashed_categories(tmp_path: Path) -> None:
    """The bucket is CRC-32 of the text, composed (NFC), modulo the number of buckets."""
    p = prepared(whole(write(tmp_path, table(c=COLORS)), column_options={"c": ColumnOptions(buckets=5)}))
    assert p.schema.features[0].categories == ()
    X = encode_columns({"c": ["red", "pink", "cafe\u0301"]}, p.schema, np.float64)
    assert X.argmax(axis=1).tolist() == [crc32(text.encode()) % 5 for text in ("red", "pink", "café")]
    assert X.sum(axis=1).tolist() == [1, 1, 1]
    assert bucket_of("red", 64) == 0x1E84AE97 % 64 or bucket_of("red", 64) == crc32(b"red") % 64
    assert (
        prepared(
            whole(write(tmp_path, table(c=COLORS)), column_options={"c": ColumnOptions(buckets=5)})
        ).warnings
        == ()
    )


def test_fills_with_an_indicator(tmp_path: Path) -> None:
    text = table(x=[1, None, 3], c=["a", "a", None], day=["1970-01-01", None, "1970-01-03"])
    missing = {
        "x": Fill("constant", "7", True),
        "c": Fill("constant", "none", True),
        "day": Fill("constant", "1970-01-08", True),
    }
    p = prepared(whole(write(tmp_path, text), missing=missing))
    X = p.splits["train"].X
    np.testing.assert_array_equal(X[:, :2], [[1, 0], [7, 1], [3, 0]])
    np.testing.assert_array_equal(X[:, 2:5], [[1, 0, 0], [1, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(X[:, 5], [0, 7, 2])
    np.testing.assert_array_equal(X[:, -1], [0, 1, 0])
    raw = encode_columns({"x": [None], "c": [None], "day": [None]}, p.schema, np.float64)
    np.testing.assert_array_equal(raw[0, [0, 1, 3, 4, 5, -1]], [7, 1, 1, 1, 7, 1])
    for policy, value in (("mean", 2), ("median", 2), ("most_frequent", 1)):
        X = encoded(tmp_path, table(x=[1, None, 3]), missing={"x": Fill(policy, None, True)})
        np.testing.assert_array_equal(X, [[1, 0], [value, 1], [3, 0]])


def test_a_constant_that_does_not_suit_the_column(tmp_path: Path) -> None:
    text = table(x=[1, None, 3], flag=["true", None, "false"])
    found = problems(whole(write(tmp_path, text), missing={"x": Fill("constant", "none"), "flag": "median"}))
    assert [(one.code, one.path) for one in found] == [("fill_value", "data.missing.x.value")]
    settings: dict[str, Any] = {
        "columns": {"flag": "boolean"},
        "missing": {"x": "mean", "flag": Fill("constant", "true")},
    }
    np.testing.assert_array_equal(encoded(tmp_path, text, **settings)[:, 1], [1, 1, 0])


@pytest.mark.parametrize(("scaler", "to"), [(log(), np.log), (log1p(), np.log1p)])
def test_targets_are_scaled_and_predictions_in_their_own_units(scaler: Any, to: Any, tmp_path: Path) -> None:
    text = "x,y,z\n1,1,10\n2,10,20\n3,100,40\n"
    p = prepared(whole(write(tmp_path, text), ("y", "z"), scale_target=scaler))
    values = np.array([[1, 10], [10, 20], [100, 40]], float)
    changed = to(values)
    np.testing.assert_allclose(p.splits["train"].T, (changed - changed.mean(0)) / changed.std(0), atol=1e-14)
    np.testing.assert_array_equal(p.splits["train"].y_true, values)
    np.testing.assert_allclose(p.schema.decode(p.splits["train"].T), values, rtol=1e-13)
    again = Schema.from_json(json.loads(json.dumps(p.schema.to_json())))
    assert again.target.function == p.schema.target.function != "identity"
    bad = write(tmp_path, "x,y,z\n1,1,1\n2,-1,2\n", "bad.csv")
    assert [(one.code, one.line) for one in problems(whole(bad, ("y", "z"), scale_target=scaler))] == [
        ("outside_scale", 3)
    ]
    with pytest.raises(DataError, match=r"bad.csv:3: error: column y is -1"):
        encode_file(bad, p.schema, np.float64)


def test_a_robust_target(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,y\n1,1\n2,2\n3,3\n4,4\n5,100\n"), scale_target=robust()))
    assert p.splits["train"].T.ravel().tolist() == [-1, -0.5, 0, 0.5, 48.5]
    assert p.schema.decode(p.splits["train"].T).ravel().tolist() == [1, 2, 3, 4, 100]


def test_a_target_is_not_clipped(tmp_path: Path) -> None:
    """Beyond ±3 an output would stand for no value."""
    source = write(tmp_path, "x,y\n1,1\n2,2\n3,3\n4,4\n5,100\n")
    [problem] = problems(whole(source, scale_target=robust_clip()))
    assert (problem.code, problem.path) == ("clipped_target", "data.scale_target")


def test_each_kind_of_column_is_clipped(tmp_path: Path) -> None:
    """Levels and dates as numbers are; truth stays 0 and 1."""
    text = "born,size,flag,p,y\n" + "".join(
        f"19{58 + 3 * k}-05-11,{('low', 'high')[k % 2]},{'true' if k % 3 else 'false'},{k * k},{k}\n"
        for k in range(9)
    )
    columns, order = {"size": "ordinal", "flag": "boolean"}, {"size": ColumnOptions(order=("low", "high"))}
    source = write(tmp_path, text)
    p = prepared(whole(source, scale=robust_clip(), columns=columns, column_options=order))
    clipped = {feature.name: feature.clip for feature in p.schema.features}
    assert clipped == {"born": "smooth", "size": "smooth", "flag": "none", "p": "smooth"}
    again = Schema.from_json(json.loads(json.dumps(p.schema.to_json())))
    assert again == p.schema
    later = write(tmp_path, text.replace("64,8", "1e12,8"), "later.csv")
    X = encode_file(later, again, np.float32)[0].X
    assert X[8, 3 + 2 * len(p.schema.features[0].cycles)] == np.float32(3)
    np.testing.assert_array_equal(X[:8], p.splits["train"].X[:8].astype(np.float32))
    own = order | {"p": ColumnOptions(scale=robust_clip())}
    p = prepared(whole(source, scale=standard(), columns=columns, column_options=own))
    assert [feature.clip for feature in p.schema.features] == ["none", "none", "none", "smooth"]


def test_an_unknown_clip_is_refused(tmp_path: Path) -> None:
    kept = prepared(whole(write(tmp_path, table(x=[1, 2, 3])), scale=robust_clip())).schema.to_json()
    kept["features"]["columns"]["x"]["clip"] = "hard"
    with pytest.raises(ValueError, match="column x is clipped in an unknown way, hard"):
        Schema.from_json(kept)


EVERY_KIND: dict[str, list[Any]] = {
    "n": [1.5, None, 3.25, 100.0, 0.125, 7],
    "big": [1, 10, 100, 1000, 10000, 3],
    "c": ["a", "b", "a", "c", None, "a"],
    "h": ["u", "v", "w", "x", "y", "z"],
    "o": ["lo", "hi", "lo", "lo", "hi", None],
    "f": ["TRUE", "FALSE", "TRUE", None, "TRUE", "FALSE"],
    "d": ["2021-01-15", "2021-02-01 12:00", None, "2021-03-01", "2020-02-29", "2021-12-31"],
}
SETTINGS: dict[str, Any] = {
    "scale": standard(),
    "columns": {"o": "ordinal", "f": "boolean"},
    "column_options": {
        "big": ColumnOptions(scale=log()),
        "c": ColumnOptions(min_count=2, unknown="bucket"),
        "h": ColumnOptions(buckets=4),
        "n": ColumnOptions(scale=robust_clip()),
        "o": ColumnOptions(order=("lo", "mid", "hi")),
    },
    "missing": {
        "n": Fill("median", None, True),
        "c": "most_frequent",
        "o": "median",
        "f": "mean",
        "d": Fill("mean", None, True),
    },
}


def test_every_kind_through_the_stored_schema(tmp_path: Path) -> None:
    """JSON and back: the same matrix, bit for bit, of the training file, a later file and columns from Python."""
    source = write(tmp_path, table(**EVERY_KIND))
    p = prepared(whole(source, **SETTINGS))
    X = p.splits["train"].X
    assert np.isfinite(X).all()
    schema = Schema.from_json(json.loads(json.dumps(p.schema.to_json())))
    assert schema == p.schema
    np.testing.assert_array_equal(encode_file(source, schema, np.float64)[0].X, X)
    np.testing.assert_array_equal(encode_columns(EVERY_KIND, schema, np.float64), X)
    kept = KeptSchema(schema, p.digest)
    again = prepare(whole(source), SQUARED, 0, np.float64, kept_schema=kept)  # whose settings are others
    np.testing.assert_array_equal(again.splits["train"].X, X)


@given(st.permutations(list(EVERY_KIND)))
def test_columns_go_by_their_names(tmp_path_factory: pytest.TempPathFactory, order: list[str]) -> None:
    place = tmp_path_factory.mktemp("order")
    p = prepared(whole(write(place, table(**EVERY_KIND)), **SETTINGS))
    other = write(place, table(**{name: EVERY_KIND[name] for name in order}), "other.csv")
    np.testing.assert_array_equal(encode_file(other, p.schema, np.float64)[0].X, p.splits["train"].X)


names = st.text(min_size=1, max_size=5)
finite = st.floats(allow_nan=False, allow_infinity=False)
levels = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
some_levels = st.lists(names, max_size=3, unique=True).map(tuple)
functions = st.sampled_from(["identity", "log", "log1p"])
clips = st.sampled_from(["none", "smooth"])


def features(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Feature]:
    """Features of a kind with some fields."""
    return st.fixed_dictionaries({"name": names, "kind": st.just(kind), **fields}).map(
        lambda of: Feature(**of)
    )


SCALING = {"fill": st.none() | finite, "center": finite, "spread": finite}
FEATURES = st.one_of(
    features("numeric", function=functions, clip=clips, indicator=st.booleans(), **SCALING),
    features("boolean", **SCALING),
    features("ordinal", categories=levels, **SCALING),
    features(
        "datetime",
        form=st.sampled_from(["ymd", "dmy", "mdy", "time"]),
        cycles=st.lists(st.sampled_from(["year", "week", "day"]), unique=True).map(tuple),
        indicator=st.booleans(),
        **SCALING,
    ),
    features(
        "categorical",
        categories=some_levels,
        fill=st.none() | names,
        unknown=st.sampled_from(["ignore", "error", "bucket"]),
        rare=some_levels,
        buckets=st.integers(0, 9),
        indicator=st.booleans(),
    ),
)


@given(st.lists(FEATURES, max_size=6, unique_by=lambda f: f.name), functions, st.none() | some_levels)
def test_the_schema_in_json_and_back(chosen: list[Feature], function: Any, booleans: Any) -> None:
    target = Target(("y",), "values", (), (0.5,), (2.0,), function=function, booleans=booleans)
    schema = Schema("regression", tuple(chosen), target)
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_a_schema_of_an_unknown_function_is_refused() -> None:
    schema = Schema(
        "regression", (Feature("a", "numeric", function="log"),), Target(("y",), "values", (), (0.0,), (1.0,))
    )
    kept = schema.to_json()
    kept["features"]["columns"]["a"]["function"] = "sqrt"
    with pytest.raises(ValueError, match="column a is scaled by an unknown function, sqrt"):
        Schema.from_json(kept)


def test_plain_columns_are_written_as_they_were(tmp_path: Path) -> None:
    """A schema without anything new has the keys that version 1 had, its version, and what a cell means."""
    p = prepared(whole(write(tmp_path, table(x=[1, 2], c=["a", "b"])), scale=standard()))
    kept = p.schema.to_json()
    assert set(kept.pop("statistics")["levels"]) == {"c"}  # which stand beside them
    assert kept == {
        "version": 2,
        "task": "regression",
        "features": {
            "names": ["x", "c"],
            "categories": {"c": ["a", "b"]},
            "fill": {},
            "center": [1.5],
            "spread": [0.5],
        },
        "target": {"names": ["y"], "kind": "values", "labels": [], "center": [0.5], "spread": [0.5]},
        "drop": [],
        "cells": RULES.to_json(),
    }


@pytest.mark.parametrize("factor", [1e-170, 1e-160, 1e-300])
def test_a_target_whose_squares_are_0_is_refused(factor: float, tmp_path: Path) -> None:
    """C21: it was taken for constant."""
    text = "x,y\n" + "".join(f"{k},{k * factor}\n" for k in range(9))
    for scaler in (None, none(), standard()):
        [problem] = problems(whole(write(tmp_path, text), scale_target=scaler))
        assert (problem.code, problem.path) == ("too_small", "data.target")


def test_a_small_target_is_right(tmp_path: Path) -> None:
    text = "x,y\n" + "".join(f"{k},{k}e-12\n" for k in range(3))
    T = prepared(whole(write(tmp_path, text))).splits["train"].T
    np.testing.assert_allclose(T.ravel(), [-math.sqrt(1.5), 0, math.sqrt(1.5)], atol=1e-12)


@pytest.mark.parametrize("cell", ["5", "0", "-2.5"])
def test_a_constant_target_is_refused(cell: str, tmp_path: Path) -> None:
    """C29: in fit and validate as in init; and one of several targets likewise."""
    [problem] = problems(whole(write(tmp_path, "x,y\n" + f"1,{cell}\n2,{cell}\n")))
    assert (problem.code, problem.path) == ("constant_target", "data.target")
    assert f"always {cell}" in problem.message
    [problem] = problems(whole(write(tmp_path, f"x,y,z\n1,1,{cell}\n2,2,{cell}\n"), ("y", "z")))
    assert "the target z is always" in problem.message


def test_one_hot_columns_are_classes_where_the_loss_is_for_them(tmp_path: Path) -> None:
    text = "x,a,b,c\n1,1,0,0\n2,0,1,0\n3,0,0,1\n4,1,0,0\n"
    source = write(tmp_path, text)
    p = prepared(whole(source, ("a", "b", "c")), CROSS)
    assert (p.schema.task, p.schema.labels) == ("classification", ("a", "b", "c"))
    assert p.splits["train"].y_true.tolist() == [0, 1, 2, 0]
    weighed = prepared(whole(source, ("a", "b", "c"), class_weight="balanced"), CROSS)
    assert weighed.splits["train"].sample_weight is not None
    assert weighed.splits["train"].sample_weight.tolist() == [2 / 3, 4 / 3, 4 / 3, 2 / 3]
    more = "x,a,b\n" + "".join(f"{k},{int(k % 4 > 0)},{int(k % 4 == 0)}\n" for k in range(40))
    drawn = whole(write(tmp_path, more), ("a", "b"), stratify=True, test_share=0.25)
    assert prepared(drawn, CROSS).splits["test"].y_true.sum() in (2, 3)  # of 10, a quarter of which are b
    soft = write(tmp_path, "x,a,b\n1,0.5,0.5\n2,1,0\n", "soft.csv")
    for options, path in (
        ({"class_weight": "balanced"}, "loss.class_weight"),
        ({"stratify": True}, "data.split.stratify"),
    ):
        assert [one.path for one in problems(whole(soft, ("a", "b"), **options), CROSS)] == [path]


def test_several_targets_of_true_and_false_in_a_later_file(tmp_path: Path) -> None:
    text = "x,a,b\n1,true,false\n2,false,FALSE\n3,True,true\n"
    source = write(tmp_path, text)
    p = prepared(whole(source, ("a", "b")))
    assert p.schema.target.booleans == ("a", "b")
    rows, _ = encode_file(source, p.schema, np.float64)
    np.testing.assert_array_equal(rows.T, p.splits["train"].T)
    older = p.schema._replace(target=p.schema.target._replace(booleans=None))
    np.testing.assert_array_equal(encode_file(source, older, np.float64)[0].T, rows.T)
    with pytest.raises(DataError, match="the target a must be numbers"):
        encode_file(write(tmp_path, "x,a,b\n1,often,true\n", "l.csv"), older, np.float64)


def test_columns_that_the_training_file_did_not_have_are_listed(tmp_path: Path) -> None:
    """Those that it had, and which were left out, are not."""
    p = prepared(
        whole(write(tmp_path, "x,id,note,y\n1,7,a,1\n2,8,b,2\n"), exclude=("id",), columns={"note": "text"})
    )
    assert p.schema.left_out == ("id", "note")
    assert Schema.from_json(json.loads(json.dumps(p.schema.to_json()))) == p.schema
    same = write(tmp_path, "note,id,y,x\nc,9,3,3\n", "same.csv")
    assert encode_file(same, p.schema, np.float64)[1] == ()
    more = write(tmp_path, "x,y,age,id,size\n3,3,1,1,1\n", "more.csv")
    [(name, message)] = encode_file(more, p.schema, np.float64)[1]
    assert name == "extra_columns"
    assert message.endswith("not in the training file, and are not read: age, size")


def test_columns_of_arrays_have_kinds_too(tmp_path: Path) -> None:
    X = np.array([[20210115, 1, 0, 3], [20210116, 0, 1, 1], [20210117, 1, 0, 2]])
    np.savez(tmp_path / "d.npz", X=X, y=np.arange(3.0))
    settings = whole(
        FileSource(tmp_path / "d.npz"),
        None,
        columns={"x1": "datetime", "x2": "boolean", "x3": "categorical", "x4": "ordinal"},
        column_options={"x1": ColumnOptions(form="ymd"), "x4": ColumnOptions(order=("1", "2", "3"))},
    )
    p = prepared(settings)
    assert p.splits["train"].X[:, -4:].tolist() == [[1, 1, 0, 2], [0, 0, 1, 0], [1, 1, 0, 1]]
    assert p.splits["train"].X[:, 0].tolist() == [18642, 18643, 18644]
    np.testing.assert_array_equal(encode_columns(X, p.schema, np.float64), p.splits["train"].X)
    np.testing.assert_array_equal(encode_file(settings.train, p.schema, np.float64)[0].X, p.splits["train"].X)
