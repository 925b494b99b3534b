"""Parquet, Arrow and Feather files: a cell means what it means in a CSV file of the same table."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from bptrain.data.sources import FileSource
from bptrain.errors import UsageError
from bptrain.formats import Sheet, arrow_cells, limits, parquet
from command import bptrain
from data.helpers import prepared, problems, whole

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")


def put_stream(table: Any, file: str) -> None:
    with pa.OSFile(file, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def put_file(table: Any, file: str) -> None:
    with pa.OSFile(file, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


WRITE: dict[str, Callable[[Any, str], None]] = {
    "t.parquet": pq.write_table, "t.pq": pq.write_table, "t.feather": feather.write_feather, "t.arrow": put_file,
    "t.arrows": put_stream, "stream.arrow": put_stream,
}  # fmt: skip
FEW = {"x": [1.5, 2.0, None], "s": ["a", "b", None], "y": [1, 2, 3]}


def put(folder: Path, name: str, table: Any) -> FileSource:
    WRITE[name](table, str(folder / name))
    return FileSource(folder / name)


def sheet(folder: Path, table: Any, name: str = "t.parquet") -> Sheet:
    found = put(folder, name, table).read("data.train")
    assert isinstance(found, Sheet)
    return found


def cells(folder: Path, column: Any, name: str = "t.parquet") -> Any:
    found = sheet(folder, pa.table({"c": column}), name).cells["c"]
    return (found.dtype.str, found.tolist()) if isinstance(found, np.ndarray) else found


@pytest.mark.parametrize("name", WRITE)
def test_a_table_in_every_form(tmp_path: Path, name: str) -> None:
    found = sheet(tmp_path, pa.table(FEW), name)
    assert found.names == ("x", "s", "y")
    np.testing.assert_array_equal(found.cells["x"], [1.5, 2.0, np.nan])
    assert found.cells["s"] == ["a", "b", ""]
    assert np.asarray(found.cells["y"]).tolist() == [1, 2, 3]
    assert found.origin.file == str(tmp_path / name)


NOON = dt.datetime(2020, 2, 29, 12, 30)
# a column, its cells
COLUMNS = [
    (pa.array([1, 2], pa.int8()), ("<i8", [1, 2])),
    (pa.array([2**60 + 1, 2]), ("<i8", [2**60 + 1, 2])),
    (pa.array([2**60 + 1, None]), [str(2**60 + 1), ""]),
    (pa.array([2**64 - 1, 2], pa.uint64()), ("<u8", [2**64 - 1, 2])),
    (pa.array([1 - 10**15, None, 10**15 - 1]), ("<f8", [1 - 1e15, np.nan, 1e15 - 1])),
    (pa.array([1, None, 10**15]), ["1", "", "1000000000000000"]),
    (pa.array([0.5, None, 2], pa.float32()), ("<f8", [0.5, np.nan, 2.0])),
    (pa.array([np.float16(0.5), None], pa.float16()), ("<f8", [0.5, np.nan])),
    (pa.array([True, None, False]), ["True", "", "False"]),
    (pa.array(["NA", "", None, " é"]), ["NA", "", "", " é"]),
    (pa.array(["a", None], pa.large_string()), ["a", ""]),
    (pa.array(["a", None, "a"]).dictionary_encode(), ["a", "", "a"]),
    (pa.array([3, None, 3]).dictionary_encode(), ("<f8", [3.0, np.nan, 3.0])),
    (pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", None])), ["a", ""]),
    (pa.nulls(2), ["", ""]),
    (pa.array([Decimal("1.50"), None]), ["1.50", ""]),
    (pa.array([dt.date(2020, 2, 29), None]), ["2020-02-29", ""]),
    (pa.array([NOON, None]), ["2020-02-29T12:30:00", ""]),
    (pa.array([NOON.replace(microsecond=250_000)], pa.timestamp("ns")), ["2020-02-29T12:30:00.25"]),
    (pa.array([NOON], pa.timestamp("ms", "UTC")), ["2020-02-29T12:30:00Z"]),
    (pa.array([dt.time(1, 2, 3), None]), ["01:02:03", ""]),
    (pa.array([b"a", None, "é".encode()]), ["a", "", "é"]),
]  # fmt: skip


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
@pytest.mark.parametrize(("column", "expected"), COLUMNS, ids=[str(column.type) for column, _ in COLUMNS])
def test_cells(tmp_path: Path, column: Any, expected: Any, name: str) -> None:
    if name == "t.parquet" and isinstance(column, pa.DictionaryArray) and column.dictionary.null_count:
        column = column.dictionary.take(column.indices)  # Parquet has no such dictionary
    np.testing.assert_equal(cells(tmp_path, column, name), expected)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1], [2]]),
        pa.array([{"a": 1}]),
        pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        pa.array([b"\xff\xfe"]),
        pa.array([dt.timedelta(seconds=5)]),
    ],
    ids=lambda column: str(column.type),
)
def test_what_is_no_cell_is_refused_with_the_name_of_its_column(tmp_path: Path, column: Any) -> None:
    [problem] = problems(
        whole(put(tmp_path, "t.arrow", pa.table({"odd one": column, "y": [1] * len(column)})))
    )
    assert problem.code == "nested_value"
    assert problem.message.startswith("column odd one is of type")


def test_names(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert [p.code for p in problems(whole(put(tmp_path, "t.arrow", twice)))] == ["duplicate_column"]
    unnamed = pa.table({"": [1], "y": [2]})
    assert [p.code for p in problems(whole(put(tmp_path, "t.parquet", unnamed)))] == ["unnamed_column"]
    assert [p.code for p in problems(whole(put(tmp_path, "t.parquet", pa.table({}))))] == ["no_columns"]
    assert [p.code for p in problems(whole(put(tmp_path, "t.parquet", pa.table(FEW).slice(0, 0))))] == [
        "no_rows"
    ]
    of_pandas = sheet(tmp_path, pa.table({"a": [5, 7], "__index_level_0__": ["q", "r"]}))
    assert of_pandas.names == ("a",)


def test_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS_AT_A_TIME", 7)
    table = pa.table({"n": [None, *range(99)], "s": [f"s{i % 13}" for i in range(100)]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=30)
    found = FileSource(tmp_path / "t.parquet").read("")
    assert isinstance(found, Sheet)
    np.testing.assert_array_equal(found.cells["n"], [np.nan, *range(99)])
    assert found.cells["s"] == table.column("s").to_pylist()


def test_a_long_text_that_is_there_often_is_in_memory_once(tmp_path: Path) -> None:
    found = cells(tmp_path, pa.array(["x" * 100_000] * 50))
    assert len({id(cell) for cell in found}) == 1


def test_a_file_that_announces_more_than_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = put(tmp_path, "t.parquet", pa.table({"x": [0.0] * 100_000, "y": [1] * 100_000}))
    assert source.inputs.stat().st_size < 10_000
    monkeypatch.setattr(limits, "memory", lambda: 1_000_000)
    [problem] = problems(whole(source))
    assert problem.code == "too_large"
    assert "100,000 rows of 2 columns" in problem.message


@pytest.mark.parametrize("name", WRITE)
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_truncated_file(tmp_path: Path, name: str, kept: float) -> None:
    source = put(tmp_path, name, pa.table({"x": list(range(1000)), "y": [f"{i}" for i in range(1000)]}))
    content = source.inputs.read_bytes()
    source.inputs.write_bytes(content[: int(kept * len(content))])
    assert [p.code for p in problems(whole(source))] == ["damaged_file"]


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_a_web_page_under_the_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<!doctype html><html>")
    [problem] = problems(whole(FileSource(tmp_path / name)))
    assert "a web page (HTML)" in problem.message


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workplace: Path) -> None:
    source = put(tmp_path, "t.parquet", pa.table(FEW))

    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(arrow_cells, "import_module", absent)
    with pytest.raises(UsageError, match=r"reading \.parquet needs pyarrow: pip install 'bptrain\[tables\]'"):
        source.read("")
    outcome = bptrain("init", "--data", source.inputs, "--target", "y")
    assert (outcome.code, outcome.err.count("error:")) == (2, 1)


CSV_OF = st.one_of(
    st.lists(st.integers(-(2**62), 2**62) | st.none(), min_size=6, max_size=6),
    st.lists(st.floats(-1e100, 1e100) | st.none(), min_size=6, max_size=6),
    st.lists(st.sampled_from(["red", "green", "", "01", "1"]) | st.none(), min_size=6, max_size=6),
    st.lists(st.booleans() | st.none(), min_size=6, max_size=6),
    st.lists(st.dates() | st.none(), min_size=6, max_size=6),
)


@settings(max_examples=60, deadline=None)
@example([[0, 0, 0, None, None, 10**15]], "t.parquet")  # more digits than a float keeps, beside missing cells
@given(st.lists(CSV_OF, min_size=1, max_size=3), st.sampled_from(["t.parquet", "t.arrow"]))
def test_the_encoded_matrix_is_that_of_the_csv_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, columns: list[list[Any]], name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    table = {f"c{k}": column for k, column in enumerate(columns)} | {"y": [0.5, 1, 2, 3, 4, 5]}
    lines = [
        ",".join("" if cell is None else str(cell) for cell in row)
        for row in zip(*table.values(), strict=True)
    ]
    (folder / "t.csv").write_text("\n".join([",".join(table), *lines, ""]))
    source = FileSource(folder / "t.csv")
    if any(all(cell is None or cell == "" for cell in column) for column in columns):
        for each in (source, put(folder, name, pa.table(table))):
            assert problems(whole(each, "y", missing="mean"))[0].code == "empty_column"
        return
    expected = prepared(whole(source, "y", missing="mean"))
    found = prepared(whole(put(folder, name, pa.table(table)), "y", missing="mean"))
    assert found.splits["train"].X.tobytes() == expected.splits["train"].X.tobytes()
    assert [f.name for f in found.schema.features] == [f.name for f in expected.schema.features]


def test_the_weights_after_training_are_those_of_the_csv(workplace: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)).round(4)
    kind = ["a", "b", "c"] * 20
    lines = [f"{a},{b},{k},{a + 2 * b > 0}" for (a, b), k in zip(X.tolist(), kind, strict=True)]
    Path("t.csv").write_text("\n".join(["a,b,k,y", *lines, ""]))
    table = {"a": X[:, 0], "b": X[:, 1], "k": kind, "y": X[:, 0] + 2 * X[:, 1] > 0}
    pq.write_table(pa.table(table), "t.parquet")
    feather.write_feather(pa.table(table), "t.feather")
    weights = []
    for name in ("t.csv", "t.parquet", "t.feather"):
        assert bptrain("init", "--data", name, "--target", "y", "--force").code == 0
        fit = bptrain(
            "fit", "config.yaml", "--set", "training.epochs=3", "--set", "training.engine=numpy", "--json"
        )
        assert fit.code == 0, fit.err
        assert bptrain("eval", fit.json["run"], "--data", name).code == 0
        tensors = load_file(Path(fit.json["run"], "best.safetensors"))
        weights.append({name: tensor.tobytes() for name, tensor in tensors.items()})
    assert weights[1:] == weights[:1] * 2
