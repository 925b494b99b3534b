"""CSV and TSV: what is a number, what is missing, and every malformed file with its line."""

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.cells import value_of
from bptrain.data.sheet_columns import block_of
from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats.conventions import RECOGNIZED
from bptrain.formats.delimited import read_delimited
from data.helpers import CROSS, prepared, problems, whole, write


@pytest.mark.parametrize("cell", ["", "  ", "NA", "N/A", "NaN", "nan", "NULL", "null", "?", " ? "])
def test_missing(cell: str) -> None:
    assert value_of(cell) is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1.0),
        (" -2.5 ", -2.5),
        ("+.5", 0.5),
        ("3.", 3.0),
        ("1e-3", 1e-3),
        ("inf", np.inf),
        ("1e999", np.inf),
    ],
)
def test_numbers(cell: str, value: float) -> None:
    assert value_of(cell) == value


@pytest.mark.parametrize("cell", ["1_00", "1,5", "0x10", "٣", "1 000", "e5", ".", "-", "infinite", "12D3"])
def test_what_is_no_number(cell: str) -> None:
    assert value_of(cell) == cell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_back(number: float) -> None:
    assert value_of(repr(number)) == number


# name, bytes, [(code, line)], a word of the message
MALFORMED = [
    ("empty", b"", [("empty_file", None)], "header"),
    ("blank lines alone", b"\n\n", [("empty_file", None)], "header"),
    ("header alone", b"x,y\n", [("no_rows", None)], "no rows"),
    ("not utf-8", b"x,y\n1,2\n\xe9,3\n", [("not_utf8", 3)], "0xe9"),
    ("duplicate name", b"x,y,x\n1,2,3\n", [("duplicate_column", 1)], "columns 1 and 3"),
    ("no name", b"x,,y\n1,2,3\n", [("unnamed_column", 1)], "column 2"),
    ("short row", b"x,y\n1,2\n3\n4,5\n6,7,8\n", [("cell_count", 3)], "2 rows have other numbers"),
    ("short row after a blank line", b"x,y\n\n1,2\n\n3\n", [("cell_count", 5)], "1 cell"),
    ("short row after a break in a cell", b'x,y\n"a\nb",2\n3\n', [("cell_count", 4)], "1 cell"),
    ("open quote", b'x,y\n1,2\n"3,4\n5,6\n', [("malformed_row", 3)], "quoting"),
    ("infinite", b"x,y\n1,2\n3,4\ninf,6\n", [("infinite", 4)], "'inf'"),
    ("overflow", b"x,y\n1,2\n1e999,4\n", [("infinite", 3)], "1e999"),
    ("nearly all numbers", b"x,y\n" + b"1,2\n" * 9 + b"o,2\n", [("not_a_number", 11)], "categorical"),
    ("underscore", b"x,y\n" + b"1,2\n" * 9 + b"1_0,2\n", [("not_a_number", 11)], "'1_0'"),
    ("nothing in a column", b"x,z,y\n1,,2\n2,NA,3\n", [("empty_column", None)], "data.exclude"),
    ("missing cell", b"x,y\n1,2\n,3\n4,?\n", [("missing_cell", 3), ("missing_cell", 4)], "column x"),
]


@pytest.mark.parametrize(
    ("content", "places", "word"), [case[1:] for case in MALFORMED], ids=[c[0] for c in MALFORMED]
)
def test_malformed(tmp_path: Path, content: bytes, places: list[tuple[str, int | None]], word: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    found = problems(whole(FileSource(path)))
    assert [(p.code, p.line) for p in found] == places
    assert {p.file for p in found} == {str(path)}
    assert word in found[0].message


def test_a_flood_is_cut(tmp_path: Path) -> None:
    found = problems(whole(write(tmp_path, "x,y\n" + "1,\n" * 25)))
    assert found[0].code == "empty_column"  # a target without any value
    found = problems(whole(write(tmp_path, "x,y\n1,1\n" + "1,\n" * 25)))
    assert [p.line for p in found] == [*range(3, 13), None]
    assert found[-1].message == "and 15 more like these (in all: y 25)"


def test_files_that_are_none(tmp_path: Path) -> None:
    write(tmp_path, "x,y\n1,2\n", "penguins.csv")
    [missing] = problems(whole(FileSource(tmp_path / "penguin.csv")))
    assert (missing.code, missing.path, missing.suggestion) == (
        "file_not_found",
        "data.train",
        "penguins.csv",
    )
    (tmp_path / "folder.csv").mkdir()
    assert problems(whole(FileSource(tmp_path / "folder.csv")))[0].code == "is_a_directory"
    [unknown] = problems(whole(FileSource(tmp_path / "data.ods")))
    assert unknown.code == "unknown_format"
    assert ".csv" in unknown.message


@pytest.mark.parametrize("cut", [0, 5, 15, -4])
def test_damaged_gzip(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b"x,y\n" + b"1,2\n1,3\n" * 25)
    path = tmp_path / "data.csv.gz"
    path.write_bytes(packed[:cut] if cut else b"x,y\n1,2\n")
    assert problems(whole(FileSource(path)))[0].code == "damaged_file"
    path.write_bytes(packed)
    assert prepared(whole(FileSource(path))).splits["train"].X.shape == (50, 1)


def test_quotes_tabs_bom_and_line_ends(tmp_path: Path) -> None:
    source = write(tmp_path, '\ufeffname\ty\r\n"a ""b""\tc"\t1\r\nd\t2\r\n', "data.tsv")
    sheet = read_delimited(source.inputs, "data.train", RECOGNIZED, "\t")
    assert sheet.names == ("name", "y")
    assert sheet.cells["name"] == ['a "b"\tc', "d"]
    assert sheet.origin.lines is not None
    assert sheet.origin.lines.tolist() == [2, 3]


def test_kinds(tmp_path: Path) -> None:
    text = "whole,real,text,few,flag,y\n1,0.5, a ,1,true,True\n2,,b,2,False,FALSE\n-3.0,1,?,x,true,true\n"
    sheet = read_delimited(write(tmp_path, text).inputs, "", RECOGNIZED, ",")
    block = block_of(sheet, ("whole", "real", "text", "few", "flag"), {"whole": "categorical"}, infer=True)
    assert block.number_names == ("real",)
    np.testing.assert_array_equal(block.numbers, [[0.5], [np.nan], [1.0]])
    assert block.texts["whole"].tolist() == ["1", "2", "-3.0"]  # as written
    assert block.texts["text"].tolist() == ["a", "b", None]
    assert block.texts["few"].tolist() == ["1", "2", "x"]  # too few numbers to call x a mistake
    assert block.texts["flag"].tolist() == ["true", "False", "true"]
    target = block_of(sheet, ("y",), {}, infer=True, target=True)
    assert target.booleans == {"y"}
    np.testing.assert_array_equal(target.numbers, [[1.0], [0.0], [1.0]])


def test_declared_numeric(tmp_path: Path) -> None:
    source = write(tmp_path, "x,y\n1,1\ntwo,2\nthree,3\n")
    found = problems(whole(source, columns={"x": "numeric"}))
    assert [(p.code, p.line) for p in found] == [("not_a_number", 3), ("not_a_number", 4)]
    assert "declare" not in found[0].message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "data.csv"
    path.write_bytes(b"x,y\n1,a\n2,b\n" + content)
    with suppress(DataError):  # anything else fails the test
        assert prepared(whole(FileSource(path)), CROSS).splits["train"].X.shape[0] >= 2
