"""NPZ, NPY and IDX, bytes written by hand."""

import gzip
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data.prepare import encode_file
from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats.conventions import RECOGNIZED
from bptrain.formats.idx import read_idx
from bptrain.parts.scalers import minmax
from data.helpers import CROSS, prepared, problems, whole

# three images of 2 × 2 bytes, and their labels
IMAGES = bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 255, 254, 253, 252])
LABELS = bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 9, 7])


def images(folder: Path, content: bytes = IMAGES, labels: bytes = LABELS) -> FileSource:
    (folder / "images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    (folder / "labels.idx1-ubyte").write_bytes(labels)
    return FileSource(folder / "images-idx3-ubyte.gz", folder / "labels.idx1-ubyte")


def test_idx(tmp_path: Path) -> None:
    p = prepared(whole(images(tmp_path), None, scale=minmax(low=0, high=255)), CROSS)
    rows = p.splits["train"]
    np.testing.assert_array_equal(rows.X * 255, [[0, 1, 2, 3], [4, 5, 6, 7], [255, 254, 253, 252]])
    np.testing.assert_array_equal(rows.T, [[1, 0], [0, 1], [1, 0]])
    assert p.schema.labels == (7, 9)
    assert [f.name for f in p.schema.features] == ["x1", "x2", "x3", "x4"]
    assert p.schema.decode(np.array([[0.2, 0.8]])).tolist() == [9]
    assert sorted(p.digest) == ["train", "train_target"]


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (0x09, b"\xff\x02", [-1, 2]),
        (0x0B, b"\xff\xfe\x01\x00", [-2, 256]),
        (0x0C, b"\x00\x01\x00\x00\xff\xff\xff\xff", [65536, -1]),
        (0x0D, b"\x3f\x80\x00\x00\xc0\x00\x00\x00", [1.0, -2.0]),
        (0x0E, b"\x3f\xf0\x00\x00\x00\x00\x00\x00" + b"\xbf\xf0\x00\x00\x00\x00\x00\x00", [1.0, -1.0]),
    ],
)
def test_idx_types(tmp_path: Path, head: int, body: bytes, expected: list[float]) -> None:
    path = tmp_path / "a.idx"
    path.write_bytes(bytes([0, 0, head, 1, 0, 0, 0, 2]) + body)
    array = read_idx(path, "", RECOGNIZED)
    assert array.tolist() == expected
    assert array.dtype.isnative


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_idx"),
        (b"PK\x03\x04", "not_idx"),
        (b"\0\0\x07\x01\0\0\0\x01\0", "not_idx"),
        (b"\0\0\x08\x00", "not_idx"),
        (IMAGES[:-1], "damaged_file"),
        (IMAGES + b"\0", "damaged_file"),
        (IMAGES[:9], "damaged_file"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "damaged_file"),  # a size beyond all memory
        (bytes([0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2]), "no_rows"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]), "row_count"),
    ],
)
def test_malformed_idx(tmp_path: Path, content: bytes, code: str) -> None:
    assert problems(whole(images(tmp_path, content), None), CROSS)[0].code == code


def save(folder: Path, name: str = "data.npz", **arrays: Any) -> FileSource:
    np.savez(folder / name, **arrays)
    return FileSource(folder / name)


def test_npz(tmp_path: Path) -> None:
    source = save(tmp_path, X=np.array([[1, 2], [3, 4], [5, 6]]), y=np.array(["b", "a", "b"]))
    p = prepared(whole(source, None), CROSS)
    assert p.schema.labels == ("a", "b")
    np.testing.assert_array_equal(p.splits["train"].X, [[1, 2], [3, 4], [5, 6]])
    assert p.splits["train"].y_true.tolist() == [1, 0, 1]
    again, warnings = encode_file(source, p.schema, np.float64)
    np.testing.assert_array_equal(again.X, p.splits["train"].X)
    assert warnings == ()


def test_npz_names(tmp_path: Path) -> None:
    source = save(tmp_path, images=np.ones((2, 3, 2), bool), hit=np.array([True, False]))
    p = prepared(whole(source, "hit", features="images"), CROSS)
    assert p.schema.n_inputs == 6
    assert p.schema.labels == (False, True)
    found = problems(whole(source, "hits", features="image"), CROSS)
    assert [(q.path, q.suggestion) for q in found] == [("data.features", "images"), ("data.target", "hit")]
    one = save(tmp_path, t=np.array([1.0, 2.0]), v=np.array([[1.0, 2.0], [3.0, 4.0]]))
    p = prepared(whole(one, "v", features="t"))
    assert [f.name for f in p.schema.features] == ["t"]
    assert p.schema.target.names == ("v1", "v2")


def test_columns_of_an_array(tmp_path: Path) -> None:
    source = save(tmp_path, X=np.array([[1.0, 5, 2], [2, 6, 1], [3, 7, 2]]), y=np.array([1.5, 2, 3]))
    p = prepared(whole(source, None, exclude=("x2",), columns={"x3": "categorical"}))
    np.testing.assert_array_equal(p.splits["train"].X, [[1, 0, 1], [2, 1, 0], [3, 0, 1]])
    assert p.schema.features[1].categories == ("1", "2")
    p = prepared(whole(source, None, features=("x3", "x1")))
    np.testing.assert_array_equal(p.splits["train"].X, [[2, 1], [1, 2], [2, 3]])


@pytest.mark.parametrize(
    ("X", "y", "code"),
    [
        (np.array([["a"], ["b"]]), np.array([1, 2]), "array_type"),
        (np.array([[1j], [2]]), np.array([1, 2]), "array_type"),
        (np.array([[None], [2]]), np.array([1, 2]), "object_array"),
        (np.array([[1], [2]]), np.array([1, "x"], object), "object_array"),
        (np.array([[1], [2]]), np.array(["2020-01-01", "2021-01-01"], "M8[D]"), "array_type"),
        (np.array([[1], [2]]), np.array([1, 2, 3]), "row_count"),
        (np.array(3.0), np.array([1]), "no_rows"),
        (np.array([[1.0], [np.inf]]), np.array([1, 2]), "infinite"),
        (np.array([[1.0], [np.nan]]), np.array([1, 2]), "missing_cell"),
        (np.array([[1.0, np.nan], [2.0, np.nan]]), np.array([1, 2]), "empty_column"),
    ],
)
def test_refused_arrays(tmp_path: Path, X: Any, y: Any, code: str) -> None:
    assert problems(whole(save(tmp_path, X=X, y=y), None))[0].code == code


def test_the_row_of_a_bad_number_is_named(tmp_path: Path) -> None:
    X = np.ones((9, 2), np.float32)
    X[6, 1] = -np.inf
    [problem] = problems(whole(save(tmp_path, X=X, y=np.arange(9)), None))
    assert problem.message == "row 7: column x2 is -inf; numbers must be finite"


def test_npy_needs_a_target(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3))
    np.save(tmp_path / "t.npy", np.arange(3.0))
    assert problems(whole(FileSource(tmp_path / "x.npy"), None))[0].path == "data.target"
    p = prepared(whole(FileSource(tmp_path / "x.npy", tmp_path / "t.npy"), None))
    np.testing.assert_array_equal(p.splits["train"].y_true, [[0], [1], [2]])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_to_an_npz_is_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    source = save(folder, X=np.arange(6.0).reshape(3, 2), y=np.arange(3))
    content = bytearray(source.inputs.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    source.inputs.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(DataError):  # anything else fails the test
        prepared(whole(source, None))
