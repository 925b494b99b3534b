"""What a row weighs: a column or an array, times what its class weighs."""

from pathlib import Path

import numpy as np
import pytest

from bptrain.data.prepare import encode_file, prepare
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings
from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from data.helpers import CROSS, prepared, problems, whole, write

TABLE = "x,w,y\n1,0.5,a\n2,2,b\n3,0,a\n4,1,a\n"


def test_a_column_of_weights_is_no_feature(tmp_path: Path) -> None:
    data = prepared(whole(write(tmp_path, TABLE), weight="w"), CROSS)
    rows = data.splits["train"]
    assert rows.sample_weight is not None
    assert [feature.name for feature in data.schema.features] == ["x"]
    assert sorted(zip(rows.X[:, 0], rows.sample_weight, strict=True)) == [(1, 0.5), (2, 2), (3, 0), (4, 1)]
    assert rows.sample_weight.dtype == rows.X.dtype
    assert prepared(whole(write(tmp_path, TABLE)), CROSS).splits["train"].sample_weight is None


def test_balanced_classes_weigh_alike(tmp_path: Path) -> None:
    """N / (K N_k), as scikit-learn's compute_class_weight("balanced") gives for 3 and 1 of 4: 2/3 and 2."""
    data = prepared(whole(write(tmp_path, TABLE), exclude=("w",), class_weight="balanced"), CROSS)
    assert data.schema.class_weights == pytest.approx((4 / 6, 4 / 2))
    rows = data.splits["train"]
    assert rows.sample_weight is not None
    for k in (0, 1):
        assert rows.sample_weight[rows.y_true == k].sum() == pytest.approx(2)


def test_both_weights_multiply(tmp_path: Path) -> None:
    settings = whole(write(tmp_path, TABLE), weight="w", class_weight={"b": 3})
    rows = prepared(settings, CROSS).splits["train"]
    assert rows.sample_weight is not None
    assert sorted(zip(rows.X[:, 0], rows.sample_weight, strict=True)) == [(1, 0.5), (2, 6), (3, 0), (4, 1)]


def test_labels_that_are_numbers(tmp_path: Path) -> None:
    table = write(tmp_path, TABLE.replace("a", "0").replace("b", "1"))
    settings = whole(table, exclude=("w",), class_weight={1: 5.0}, task="classification")
    assert prepared(settings, CROSS).schema.class_weights == (1.0, 5.0)


def test_a_model_weighs_other_files_likewise(tmp_path: Path) -> None:
    settings = whole(write(tmp_path, TABLE), weight="w", class_weight={"b": 3})
    schema = Schema.from_json(prepared(settings, CROSS).schema.to_json())
    rows, _ = encode_file(write(tmp_path, TABLE, "other.csv"), schema, np.float64)
    assert rows.sample_weight is not None
    assert rows.sample_weight.tolist() == [0.5, 6, 0, 1]
    without = "x,y\n1,a\n2,b\n"
    rows, odd = encode_file(write(tmp_path, without, "without.csv"), schema, np.float64)
    assert [name for name, _ in odd] == ["no_weights"]
    assert rows.sample_weight is not None
    assert rows.sample_weight.tolist() == [1, 3]


def test_an_array_of_weights(tmp_path: Path) -> None:
    X, y, w = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1]), np.array([1.0, 2, 3, 4])
    np.savez(tmp_path / "d.npz", X=X, y=y, w=w)
    settings = DataSettings(FileSource(tmp_path / "d.npz"), validation_share=0.0, test_share=0.0, weight="w")
    rows = prepared(settings, CROSS).splits["train"]
    assert rows.sample_weight is not None
    assert sorted(rows.sample_weight) == [1, 2, 3, 4]
    np.savez(tmp_path / "d.npz", X=X, y=y, w=w[:3])
    (problem,) = problems(settings, CROSS)
    assert problem.path == "data.weight"
    np.savez(tmp_path / "d.npz", X=X, y=y)
    (problem,) = problems(settings, CROSS)
    assert "no array named w" in problem.message


@pytest.mark.parametrize(
    ("cell", "said"), [("-1", "negative"), ("", "weight w has no value"), ("heavy", "numeric")]
)
def test_a_bad_weight_is_an_error_at_its_line(cell: str, said: str, tmp_path: Path) -> None:
    (problem,) = problems(whole(write(tmp_path, TABLE.replace("2,2,b", f"2,{cell},b")), weight="w"), CROSS)
    assert problem.line == 3
    assert said in problem.message


def test_some_rows_must_count(tmp_path: Path) -> None:
    (problem,) = problems(whole(write(tmp_path, "x,w,y\n1,0,a\n2,0,b\n"), weight="w"), CROSS)
    assert "every train row has weight 0" in problem.message
    (problem,) = problems(whole(write(tmp_path, TABLE), exclude=("w",), class_weight={"a": 0, "b": 0}), CROSS)
    assert "every train row has weight 0" in problem.message


def test_the_first_rows_may_weigh_nothing(tmp_path: Path) -> None:
    """A check of the gradient encodes the first rows alone."""
    table = "x,w,y\n" + "1,0,a\n2,0,b\n" * 3 + "1,1,a\n2,1,b\n"
    rows = prepared(whole(write(tmp_path, table), weight="w", shuffle=False), CROSS, limit=4).splits["train"]
    assert rows.sample_weight is not None
    assert not rows.sample_weight.any()


def test_a_row_without_weight_may_be_dropped(tmp_path: Path) -> None:
    table = TABLE.replace("2,2,b", "2,,b") + "5,1,b\n"
    for missing in ("drop", {"w": "drop"}):
        rows = prepared(whole(write(tmp_path, table), weight="w", missing=missing), CROSS).splits["train"]
        assert sorted(rows.X[:, 0]) == [1, 3, 4, 5]


def test_weights_too_large_for_the_numbers(tmp_path: Path) -> None:
    source = write(tmp_path, TABLE.replace("2,2,b", "2,1e300,b"))
    with pytest.raises(DataError, match="too large for float32"):
        prepare(whole(source, weight="w"), CROSS, 0, np.float32)


def test_a_schema_without_weights_reads_as_it_always_did(tmp_path: Path) -> None:
    schema = prepared(whole(write(tmp_path, TABLE)), CROSS).schema
    assert not {"weight", "class_weights"} & schema.to_json().keys()
    assert Schema.from_json(schema.to_json()) == schema


def test_labels_that_are_true_and_false(tmp_path: Path) -> None:
    table = write(tmp_path, TABLE.replace("a", "true").replace("b", "false"))
    settings = whole(table, exclude=("w",), class_weight={"true": 5.0}, task="classification")
    assert prepared(settings, CROSS).schema.class_weights == (1.0, 5.0)


def test_unknown_names(tmp_path: Path) -> None:
    (problem,) = problems(whole(write(tmp_path, TABLE), weight="v"), CROSS)
    assert problem.path == "data.weight"
    (problem,) = problems(whole(write(tmp_path, TABLE), exclude=("w",), class_weight={"c": 1}), CROSS)
    assert problem.path == "loss.class_weight.c"
    (problem,) = problems(whole(write(tmp_path, "x,y\n1,2\n2,3\n"), class_weight="balanced"))
    assert problem.path == "loss.class_weight"
