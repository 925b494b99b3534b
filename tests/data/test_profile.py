"""What the columns of a file are taken for."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from bptrain.data.profile import Column, profile
from bptrain.data.sources import FileSource
from bptrain.formats import Sheet


def columns(place: Path, text: str) -> dict[str, Column]:
    file = place / "t.csv"
    file.write_text(text)
    return {column.name: column for column in profile(FileSource(file)).columns}


def test_kinds(tmp_path: Path) -> None:
    rows = "\n".join(
        f"{k},{k / 2},{'xy'[k % 2]},{'true' if k % 2 else 'False'},,2024-01-0{k}" for k in range(1, 8)
    )
    found = columns(tmp_path, f"n,half,text,flag,nothing,day\n{rows}\n")
    assert {name: column.kind for name, column in found.items()} == {
        "n": "numbers", "half": "numbers", "text": "texts", "flag": "booleans", "nothing": "empty", "day": "texts",
    }  # fmt: skip
    assert [name for name, column in found.items() if column.whole] == ["n"]
    assert [name for name, column in found.items() if column.serial] == ["n"]
    assert [name for name, column in found.items() if column.dates] == ["day"]
    assert (found["half"].low, found["half"].high, found["half"].distinct) == (0.5, 3.5, 7)
    assert found["text"].counts == (("y", 4), ("x", 3))


def test_missing_cells_are_counted(tmp_path: Path) -> None:
    found = columns(tmp_path, "a,b\n1,?\n,x\nNA, \n4,x\n")
    assert (found["a"].missing, found["a"].present, found["a"].distinct) == (2, 2, 2)
    assert (found["b"].missing, found["b"].distinct) == (2, 1)
    assert not found["a"].serial


def test_a_number_that_is_none_is_found_in_its_line(tmp_path: Path) -> None:
    rows = "\n".join("12" if k != 13 else "about 12" for k in range(20))
    column = columns(tmp_path, f"a\n{rows}\n")["a"]
    assert (column.kind, column.odd) == ("mixed", "line 15 says 'about 12'")
    assert columns(tmp_path, "a\n1\n2\n3\n4\n5\ninf\n")["a"].kind == "mixed"


@pytest.mark.parametrize(
    "day", ["2024-03-01", "1.3.2024", "03/01/24", "2024-03-01 12:00", "2024-03-01T12:00:05Z", "12:30"]
)
def test_dates(day: str, tmp_path: Path) -> None:
    assert columns(tmp_path, f"a\n{day}\n{day}\n")["a"].dates


@pytest.mark.parametrize("text", ["A-1-2", "10.0.0.1.2", "12-34", "v1.2.3"])
def test_no_dates(text: str, tmp_path: Path) -> None:
    assert not columns(tmp_path, f"a\n{text}\nb\n")["a"].dates


def test_numbers_that_only_count_the_rows(tmp_path: Path) -> None:
    shuffled = "\n".join(str(5 + (k * 7) % 20) for k in range(20))
    assert columns(tmp_path, f"a\n{shuffled}\n")["a"].serial
    assert not columns(tmp_path, "a\n1\n2\n4\n")["a"].serial
    assert not columns(tmp_path, "a\n1\n2\n2\n")["a"].serial


def test_arrays(tmp_path: Path) -> None:
    X, y = np.ones((6, 3)), np.array([0, 1, 1, 2, 1, 0])
    X[2, 1] = np.nan
    np.savez(tmp_path / "a.npz", X=X, y=y)
    seen = profile(FileSource(tmp_path / "a.npz"))
    assert (seen.rows, seen.width, seen.missing, seen.is_table, seen.is_bytes) == (6, 3, 1, False, False)
    assert seen.columns[0].counts == (("1", 3), ("0", 2), ("2", 1))
    np.save(tmp_path / "x.npy", np.ones((6, 3), np.uint8))
    np.save(tmp_path / "t.npy", np.array(["a", "b", "a", "a", "b", "c"]))
    seen = profile(FileSource(tmp_path / "x.npy", tmp_path / "t.npy"))
    assert seen.is_bytes
    assert (seen.columns[0].kind, seen.columns[0].distinct) == ("texts", 3)


def test_a_packed_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n"))
    assert [column.name for column in profile(FileSource(tmp_path / "t.csv.gz")).columns] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.csv", "a;b\n1;2\n", "semicolons"),
        ("t.csv", "a\tb\n1\t2\n", "tabs"),
        ("t.csv", "a|b\n1|2\n", "bars"),
        ("t.tsv", "a,b\n1,2\n", "commas"),
    ],
)
def test_another_separator_is_told(name: str, text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    sheet = FileSource(tmp_path / name).read("")
    assert isinstance(sheet, Sheet)
    assert sheet.cells == {"a": ["1"], "b": ["2"]}
    (note,) = sheet.origin.notes
    assert f"{name} are separated by {words} (data.delimiter: " in note
