"""A source piece by piece: a cell means in a piece what it means in the whole, and places are those of the source."""

import bz2
import gzip
import io
import json
import lzma
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data.memory import TableInMemory
from bptrain.data.prepare import encode_file
from bptrain.data.schema import Schema
from bptrain.data.settings import ColumnOptions, Fill
from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats import NamedArrays, Sheet, delimited_pieces, jsonl, limits, packing, plain_rows
from bptrain.formats.base import Contents
from bptrain.formats.conventions import Conventions
from bptrain.formats.streams import pieces
from bptrain.formats.text_columns import ColumnTexts
from bptrain.parts.scalers import standard
from bptrain.parts.types import Array
from data.helpers import CROSS, prepared, whole, write

SIZES = [1, 2, 7, 8192]
TRAINING = """comma;money;share;level;answer;day;number;code;key;y
1,5;$1;50%;low;true;2021-01-05;1;a;k1;yes
1.000,25;$2,5;25%;mid;false;2021-06-01;-;b;k2;no
2;$3;1%;high;true;2022-12-31;3;NA;k3;yes
-7,5;$40;2,5%;low;false;2020-02-29;4.25;c;k4;no
""".replace("$2,5", "$2.5").replace("2,5%", "2.5%")
NEEDED = ("comma", "money", "share", "level", "answer", "day", "number", "code", "key", "y")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    """Of columns of every kind, with numbers in several notations."""
    folder = tmp_path_factory.mktemp("training")
    kinds = {"level": "ordinal", "answer": "boolean", "day": "datetime", "key": "categorical"}
    options = {
        "level": ColumnOptions(order=("low", "mid", "high")),
        "day": ColumnOptions(form="ymd"),
        "key": ColumnOptions(buckets=16),
        "code": ColumnOptions(unknown="bucket"),
    }
    missing = {name: Fill("most_frequent", indicator=True) for name in NEEDED[:-1]}
    given = whole(
        write(folder, TRAINING), columns=kinds, column_options=options, missing=missing, scale=standard()
    )
    return prepared(given, CROSS).schema


CELLS: dict[str, st.SearchStrategy[str]] = {
    "comma": st.sampled_from(["1,5", "2", "-3,25", "1.000", "1.234,5", "", "NA", "-", "1e3"]),
    "money": st.sampled_from(["$1", "$2.5", "3", "", "$-1", "--"]),
    "share": st.sampled_from(["1%", "2.5%", "", "?", "100 %"]),
    "level": st.sampled_from(["low", "mid", "high", "", " low"]),
    "answer": st.sampled_from(["true", "False", "1", "0", "", "NULL"]),
    "day": st.sampled_from(["2021-01-05", "2022-12-31", "2021-1-5", "", "-", "2020-02-29T00:00"]),
    "number": st.sampled_from(["1", "2.5", "-3e2", ".5", "01", "", "-", "NaN", "true", "false", "+1", "1_000"]),
    "code": st.one_of(st.sampled_from(["a", "b", "c", "", "NA", '"', "d\ne", "f\r\ng", "h;i", "é"])),
    "key": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=4),
    "y": st.sampled_from(["yes", "no"]),
}  # fmt: skip
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=30)


def in_csv(rows: list[dict[str, str]], end: str = "\n", quoted: bool = False) -> str:
    """The rows as a table with semicolons; quotes where they must be, or around all cells."""

    def cell(text: str) -> str:
        must = quoted or any(sign in text for sign in ';"\n\r') or text != text.strip()
        return '"' + text.replace('"', '""') + '"' if must else text

    lines = [";".join(NEEDED), *(";".join(cell(row[name]) for name in NEEDED) for row in rows)]
    return end.join(lines) + end


def encoded(path: Path, schema: Schema, **declared: Any) -> Array:
    """The matrix of a file that is read as a whole."""
    source = FileSource(path, None, Conventions(**declared)).for_columns(NEEDED)
    return encode_file(source, schema, np.float64)[0].X


def encoded_in_pieces(source: Path | BinaryIO, schema: Schema, rows: int, **declared: Any) -> Array:
    """The same of a source that is read piece by piece."""
    found = []
    for piece in pieces(source, "", Conventions(**declared, needed=NEEDED), rows):
        assert isinstance(piece, Sheet)
        assert len(next(iter(piece.cells.values()))) <= rows
        found.append(encode_file(TableInMemory("t", piece), schema, np.float64)[0].X)
    return np.concatenate(found)


def assert_same(path: Path, schema: Schema, rows: int, **declared: Any) -> None:
    """Pieces say what the whole does, or neither says anything."""
    expected: Array | None
    try:
        expected = encoded(path, schema, **declared)
    except DataError:
        expected = None
    if expected is None:
        with pytest.raises(DataError):
            encoded_in_pieces(path, schema, rows, **declared)
    else:
        found = encoded_in_pieces(path, schema, rows, **declared)
        assert found.tobytes() == expected.tobytes()


@settings(max_examples=40, deadline=None)
@given(
    ROWS, st.sampled_from(SIZES), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.integers(0, 400)
)
def test_a_cell_of_a_table_means_the_same_in_a_piece(
    schema: Schema,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, str]],
    size: int,
    end: str,
    quoted: bool,
    block: int,
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(in_csv(rows, end, quoted), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited_pieces, "BLOCK", max(block, 1))
        patch.setattr(delimited_pieces, "LEAST_ROWS", 0)
        patch.setattr(plain_rows, "PIECE", max(8, block // 3))
        assert_same(path, schema, size, delimiter=";")


def in_json(rows: list[dict[str, str]]) -> str:
    """The rows as objects; numbers as numbers, but for those of the column `comma`, which has texts, too."""

    def cell(name: str, text: str) -> Any:
        if text in ("true", "false", ""):
            return {"true": True, "false": False, "": None}[text]
        is_number = name in ("number", "comma") and text.replace(".", "", 1).replace("-", "", 1).isdigit()
        return float(text) if is_number else text

    return "".join(json.dumps({name: cell(name, text) for name, text in row.items()}) + "\n" for row in rows)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.sampled_from(SIZES), st.integers(1, 400))
def test_a_cell_of_json_lines_means_the_same_in_a_piece(
    schema: Schema,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, str]],
    size: int,
    block: int,
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.jsonl"
    path.write_text(in_json(rows), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "BLOCK", block)
        assert_same(path, schema, size)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.sampled_from(SIZES), st.sampled_from(["parquet", "arrow", "arrows", "xlsx"]))
def test_a_cell_of_a_typed_table_means_the_same_in_a_piece(
    schema: Schema,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, str]],
    size: int,
    suffix: str,
) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path_factory.mktemp("t") / f"t.{suffix}"
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in NEEDED}
    columns["key"] = [len(text) or None for text in columns["key"]]  # whole numbers, some missing
    if all(text.replace(".", "", 1).isdigit() for text in columns["number"]):
        columns["number"] = [float(text) for text in columns["number"]]
    if suffix == "xlsx":
        page = pytest.importorskip("openpyxl").Workbook()
        for row in [NEEDED, *zip(*columns.values(), strict=True)]:
            page.active.append([cell if cell != "" else None for cell in row])
        page.save(path)
    else:
        table = pa.table(columns)
        if suffix == "parquet":
            pq.write_table(table, path, row_group_size=3)
        else:
            kind = pa.ipc.new_file if suffix == "arrow" else pa.ipc.new_stream
            with kind(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=3)
    assert_same(path, schema, size)


ARRAYS: list[Array] = [
    np.arange(60, dtype=np.float64).reshape(20, 3),
    np.asfortranarray(np.arange(60, dtype=np.float32).reshape(20, 3)),
    np.arange(240, dtype=">i2").reshape(20, 3, 2, 2),
    np.asfortranarray(np.arange(240, dtype="<i8").reshape(20, 3, 2, 2)),
    np.arange(20) % 3 == 0,
    np.array(["a", "bc", "def"] * 7),
    np.ones((1, 5), np.uint8),
]


def joined(found: Iterator[Contents], rows: int) -> Array:
    """Pieces of an array, one after the other."""
    parts = [*found]
    assert all(isinstance(part, np.ndarray) and len(part) <= rows for part in parts)
    return np.concatenate([np.asarray(part) for part in parts])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_an_array_in_pieces_is_the_array(tmp_path: Path, array: Array, size: int) -> None:
    np.save(tmp_path / "X.npy", array)
    (tmp_path / "P.npy.gz").write_bytes(gzip.compress((tmp_path / "X.npy").read_bytes()))
    np.savez(tmp_path / "s.npz", X=array, y=array[:5])
    np.savez_compressed(tmp_path / "p.npz", X=array)
    expected = array.astype(array.dtype.newbyteorder("="))
    sources: list[Path | BinaryIO] = [tmp_path / "X.npy", tmp_path / "P.npy.gz"]
    for source in [*sources, io.BytesIO((tmp_path / "X.npy").read_bytes())]:
        found = joined(pieces(source, rows=size), size)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    for name in ("s", "p"):
        parts = []
        for piece in pieces(tmp_path / f"{name}.npz", rows=size):
            assert isinstance(piece, NamedArrays)
            parts.append(piece.get("X"))
        np.testing.assert_array_equal(joined(iter(parts), size), expected)


@pytest.mark.parametrize("size", SIZES)
def test_an_idx_file_in_pieces_is_the_file(tmp_path: Path, size: int) -> None:
    array = np.arange(60, dtype=np.uint8).reshape(10, 3, 2)
    data = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()
    (tmp_path / "x.idx3").write_bytes(data)
    (tmp_path / "x.idx3.gz").write_bytes(gzip.compress(data))
    (tmp_path / "long.idx.gz").write_bytes(gzip.compress(data + b"1"))
    (tmp_path / "short.idx.gz").write_bytes(gzip.compress(data[:-1]))
    for name in ("x.idx3", "x.idx3.gz"):
        np.testing.assert_array_equal(joined(pieces(tmp_path / name, rows=size), size), array)
    for name in ("long.idx.gz", "short.idx.gz"):
        with pytest.raises(DataError, match="damaged"):
            [*pieces(tmp_path / name, rows=size)]


def texts(source: Path | BinaryIO, rows: int = 2, **declared: Any) -> dict[str, list[str]]:
    """The cells of a table in pieces, and the lines of its rows as `line`."""
    found: dict[str, list[str]] = {}
    for piece in pieces(source, "", Conventions(**declared), rows):
        assert isinstance(piece, Sheet)
        for name in piece.names:
            column = piece.cells[name]
            found.setdefault(name, []).extend(column.tolist() if isinstance(column, ColumnTexts) else column)
        assert piece.origin.lines is not None
        found.setdefault("line", []).extend(piece.origin.lines.tolist())
    return found


TABLE = '# about\n\na,b\n1,x\n\n2,"y\nz"\n3,é\n'
CELLS_OF_TABLE = {"a": ["1", "2", "3"], "b": ["x", "y\nz", "é"], "line": [4, 6, 8]}


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", data)
    return made.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": lambda data: bz2.compress(data[:9]) + bz2.compress(data[9:]),
    ".xz": lzma.compress,
    ".zip": zipped,
}


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_packed_files_and_encodings(tmp_path: Path, suffix: str, encoding: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(PACKED[suffix](TABLE.encode(encoding)))
    assert texts(path) == CELLS_OF_TABLE


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_a_stream_is_told_by_its_content(suffix: str) -> None:
    class Pipe(io.RawIOBase):
        """A stream that has no place but the one where it is read."""

        def __init__(self, data: bytes) -> None:
            self.inner = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, into: Any) -> int:
            return self.inner.readinto(into)

    def piped(data: bytes) -> BinaryIO:
        return io.BufferedReader(Pipe(PACKED[suffix](data)))

    assert texts(piped(TABLE.encode())) == CELLS_OF_TABLE
    assert texts(piped(b"a\tb\n1\t2\n")) == {"a": ["1"], "b": ["2"], "line": [2]}
    assert texts(piped(b'{"a": 1, "b": "x"}\n')) == {"a": ["1"], "b": ["x"], "line": [1]}
    assert texts(piped(b"a;b\n1;2\n"), delimiter=";") == {"a": ["1"], "b": ["2"], "line": [2]}


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(TABLE,), kwargs={"encoding": "utf-8"})
    writer.start()
    assert texts(path) == CELLS_OF_TABLE
    writer.join()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PAR1" + b"\0" * 80, "Parquet"),
        (zipped(b"a,b\n1,2\n"), "a zip archive"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"", "empty"),
        (b"\x00\x01\x02", ""),
    ],
    ids=["parquet", "zip", "pdf", "empty", "unknown"],  # packed bytes hold the time
)
def test_what_a_pipe_cannot_bring(data: bytes, words: str) -> None:
    with pytest.raises(DataError) as caught:
        [*pieces(io.BytesIO(data))]
    assert words in str(caught.value)
    assert "standard input" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a,b\n" + "1,2\n" * 50 + "1\n", 52, "the row has 1 cell"),
        ("a,b\n" + "1,2\n" * 50 + '1,"2\n', 52, "quoting"),
        ("a,b\n" + "1,2\n" * 50 + '1,"2"3\n' + "1,2\n" * 50, 52, "quoting"),
        ("a,b\n" + "1,2\n" * 50 + "a,b\n" + "1,2\n" * 50, 52, "repeats the header"),
        ("a,b,\n" + "1,2,\n" * 50 + "1,2,3\n", 1, "column 3 has no name"),
        ("a,b\n" + "1,2\n" * 50 + "1,\xff\n", 52, "0xff"),
        ("a,b\n" + "1,2\n" * 50 + "1,\0\n", 52, "NUL"),
        ("a,b\n", None, "no rows"),
        ("", None, "empty"),
        (" \n\n", None, "empty"),
        ('{"a": 1}\n', 1, "this is JSON"),
        (
            "a,b\n" + '"NA",2\n' * 9 + '"x",2\n' * 50 + "y,2\n" * 50,
            None,
            "marker of a missing value on line 2",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int | None, words: str
) -> None:
    monkeypatch.setattr(delimited_pieces, "BLOCK", 100)
    monkeypatch.setattr(delimited_pieces, "LEAST_ROWS", 0)
    (tmp_path / "t.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as caught:
        texts(tmp_path / "t.csv", delimiter=",", needed=("a", "b"))
    (problem,) = caught.value.problems
    assert words in problem.message
    assert line is None or problem.line == line


def test_a_quoted_marker_is_a_text_where_the_file_began_without_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited_pieces, "BLOCK", 100)
    monkeypatch.setattr(delimited_pieces, "LEAST_ROWS", 0)
    (tmp_path / "t.csv").write_text("a,b\n" + "x,2\n" * 50 + '"NA",2\n' * 50)
    found = texts(tmp_path / "t.csv", delimiter=",")["a"]
    assert [type(cell).__name__ for cell in found[-50:]] == ["QuotedText"] * 50
    (tmp_path / "q.csv").write_text("a,b\n" + '"x",2\n' * 50 + '"NA",2\n' * 50)
    assert texts(tmp_path / "q.csv", delimiter=",")["a"][-50:] == ["NA"] * 50


def test_columns_of_json_lines_that_come_later(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"b": 3, "c": "x"}\n{}\n')
    parts = [
        piece for piece in pieces(path, "", Conventions(needed=("c", "a")), 2) if isinstance(piece, Sheet)
    ]
    assert [part.names for part in parts] == [("a", "c"), ("a", "b", "c")]
    assert [dict(part.cells) for part in parts] == [
        {"a": ["1", "2"], "c": ["", ""]},
        {"a": ["", ""], "b": ["3", ""], "c": ["x", ""]},
    ]
    with pytest.raises(DataError, match="the column 'd' is missing"):
        [*pieces(path, "", Conventions(needed=("d",)), 2)]


def test_rows_without_lines_are_counted_from_the_first(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"a": [1, 2, 3, 4, 5]}), tmp_path / "t.parquet", row_group_size=2)
    parts = [piece for piece in pieces(tmp_path / "t.parquet", rows=3) if isinstance(piece, Sheet)]
    places = [part.origin.place(k) for part in parts for k in range(len(part.cells["a"]))]
    assert places == ["row 1", "row 2", "row 3", "row 4", "row 5"]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_pieces_of_texts_have_fewer_rows(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(limits, "OF_A_PIECE", 18)
    for names, rows in (("ab", [9, 3]), ("as", [2] * 6)):
        whole = pa.table({"a": range(12), "b": range(12), "s": [*"abcabcabcabc"]}).select([*names])
        path = tmp_path / f"{names}.{suffix}"
        if suffix == "parquet":
            pq.write_table(whole, path)
        else:
            with pa.ipc.new_file(str(path), whole.schema) as file:
                file.write_table(whole)
        found = [len(piece.cells["a"]) for piece in pieces(path) if isinstance(piece, Sheet)]
        assert found == rows


def test_a_bomb_is_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MOST_UNPACKED", 1 << 22)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * (1 << 21)))
    with pytest.raises(DataError, match="more than"):
        [*pieces(tmp_path / "t.csv.gz")]
    (tmp_path / "one_line.csv").write_bytes(b"a,b\n" + b"1" * (1 << 20))
    monkeypatch.setattr(delimited_pieces, "MOST_OF_A_ROW", 1 << 18)
    monkeypatch.setattr(delimited_pieces, "BLOCK", 1 << 10)
    monkeypatch.setattr(delimited_pieces, "LEAST_ROWS", 0)
    with pytest.raises(DataError, match="more than"):
        [*pieces(tmp_path / "one_line.csv")]


def test_devices_and_folders_are_refused(tmp_path: Path) -> None:
    for path, words in (
        (Path("/dev/zero"), "a device"),
        (tmp_path, "a directory"),
        (tmp_path / "n.csv", "no such"),
    ):
        with pytest.raises(DataError, match=words):
            [*pieces(path)]


def test_how_a_table_is_written_is_settled_by_the_rows_above(tmp_path: Path) -> None:
    """What a whole file settles, its first rows do, too."""
    for text in ("x;y\n1,5;2\n2,5;3\n" * 1, "sep=|\na|b\n1|2\n", "a b\n 1   2\n3 4\n", "n\na\tb\n1\t2\n"):
        declared: dict[str, Any] = {"header": 2} if text.startswith("n") else {}
        path = tmp_path / "t.txt"
        path.write_text(text)
        sheet = FileSource(path, None, Conventions(**declared)).read("")
        assert isinstance(sheet, Sheet)
        found = texts(path, **declared)
        assert sheet.origin.lines is not None
        assert found.pop("line") == sheet.origin.lines.tolist()
        assert found == {name: [*sheet.cells[name]] for name in sheet.names}
