"""Excel workbooks: sheets, headers, cells, and what is refused with its address."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.sources import FileSource
from bptrain.errors import DataError, Problem
from bptrain.formats import Sheet, excel, excel_cells
from bptrain.formats.conventions import Conventions
from command import bptrain
from data.helpers import problems, whole

openpyxl = pytest.importorskip("openpyxl")
ROWS = [["x", "s", "y"], [1.5, "a", 1], [2, None, 2], [None, "b", 3]]


def workbook(folder: Path, rows: Any = ROWS, change: Callable[[Any], object] | None = None) -> Path:
    """A workbook of one sheet, to which something is done before it is saved."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change is not None:
        change(book)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def sheet(path: Path, **conventions: Any) -> Sheet:
    found = FileSource(path, None, Conventions(**conventions)).read("data.train")
    assert isinstance(found, Sheet)
    return found


def refused(path: Path, **conventions: Any) -> Problem:
    with pytest.raises(DataError) as caught:
        sheet(path, **conventions)
    return caught.value.problems[0]


def plain(found: Sheet) -> dict[str, Any]:
    return {name: cells if isinstance(cells, list) else cells.tolist() for name, cells in found.cells.items()}


def test_a_sheet(tmp_path: Path) -> None:
    found = sheet(workbook(tmp_path))
    np.testing.assert_equal(plain(found), {"x": [1.5, 2.0, np.nan], "s": ["a", "", "b"], "y": [1, 2, 3]})
    assert found.origin.lines is not None
    assert found.origin.lines.tolist() == [2, 3, 4]


def test_cells(tmp_path: Path) -> None:
    day, noon = dt.date(2020, 2, 29), dt.datetime(2020, 2, 29, 12, 30)
    values = [day, noon, dt.time(1, 2, 3), dt.timedelta(hours=36), True, "01", 1, 0.1, 1e300, "#N/A", "1,5"]
    rows = [[f"c{k}" for k in range(len(values))], values]
    expected = [
        "2020-02-29",
        "2020-02-29T12:30:00",
        "01:02:03",
        "36:00:00",
        "True",
        "01",
        1,
        0.1,
        1e300,
        "",
        "1,5",
    ]
    found = sheet(workbook(tmp_path, rows))
    assert [cells[0] for cells in plain(found).values()] == expected


def test_rows_and_columns_that_are_empty_are_none(tmp_path: Path) -> None:
    rows = [[], ["x", None, "y"], [1, None, 2], [], [], [3, None, 4]]
    found = sheet(workbook(tmp_path, rows))
    assert plain(found) == {"x": [1, 3], "y": [2, 4]}
    assert found.origin.lines is not None
    assert found.origin.lines.tolist() == [3, 6]


def test_merged_cells_have_one_value(tmp_path: Path) -> None:
    found = sheet(workbook(tmp_path, change=lambda book: book.active.merge_cells("B2:B3")))
    assert plain(found)["s"] == ["a", "", "b"]
    problem = refused(workbook(tmp_path, change=lambda book: book.active.merge_cells("A1:B1")))
    assert (problem.code, problem.line) == ("unnamed_column", 1)
    assert "column B has no name" in problem.message


def test_an_index_that_pandas_wrote(tmp_path: Path) -> None:
    rows = [[None, "x", "y"], [0, 5.5, 1], [1, 6.5, 2]]
    assert sheet(workbook(tmp_path, rows)).names == ("x", "y")
    assert refused(workbook(tmp_path, rows), index_column=False).code == "unnamed_column"


@pytest.mark.parametrize(
    ("header", "names", "first"), [(None, ("a", "b"), "u"), (2, ("u", "1"), 2), (False, ("x1", "x2"), "a")]
)
def test_the_header_that_is_declared(tmp_path: Path, header: Any, names: tuple[str, ...], first: Any) -> None:
    found = sheet(workbook(tmp_path, [["a", "b"], ["u", 1], [2, 3], [4, 5]]), header=header)
    assert found.names == names
    assert plain(found)[names[0]][0] == first


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("#DIV/0!", "error_cell", "cell A3 is the error #DIV/0!"),
        ("=1+1", "no_stored_value", "cell A3 has a formula"),
    ],
)
def test_a_cell_that_says_nothing_is_refused_with_its_address(
    tmp_path: Path, value: str, code: str, words: str
) -> None:
    problem = refused(workbook(tmp_path, change=lambda book: book.active.cell(3, 1, value)))
    assert (problem.code, problem.line, problem.column) == (code, 3, 1)
    assert words in problem.message


def with_part(path: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """A workbook one of whose parts is another."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in (parts | {name: change(parts.get(name, b""))}).items():
            archive.writestr(part, content)
    return path


PAGE = "xl/worksheets/sheet1.xml"


def test_a_formula_has_its_stored_value(tmp_path: Path) -> None:
    path = workbook(tmp_path, change=lambda book: book.active.cell(3, 1, "=1+1"))
    with_part(
        path, PAGE, lambda xml: xml.replace(b"<v></v>", b"<v>2.25</v>").replace(b"<v />", b"<v>2.25</v>")
    )
    np.testing.assert_equal(plain(sheet(path))["x"], [1.5, 2.25, np.nan])


def test_a_dimension_that_is_wrong_cuts_nothing_off(tmp_path: Path) -> None:
    path = with_part(workbook(tmp_path), PAGE, lambda xml: xml.replace(b'ref="A1:C4"', b'ref="A1"'))
    assert plain(sheet(path))["y"] == [1, 2, 3]


def two(book: Any) -> None:
    book.create_sheet("empty")
    for row in ROWS:
        book.create_sheet("second" if "second" not in book.sheetnames else "third").append(row)
        if "third" in book.sheetnames:
            break


def test_which_sheet(workplace: Path) -> None:
    path = workbook(workplace, [["x", "y"], [1, 2]], two)
    problem = refused(path)
    assert problem.code == "several_sheets"
    assert "3 sheets (Sheet, second, third): name the one that is meant in data.sheet" in problem.message
    assert plain(sheet(path, sheet="Sheet")) == plain(sheet(path, sheet=1)) == {"x": [1], "y": [2]}
    assert refused(path, sheet="Shet").suggestion == "Sheet"
    assert refused(path, sheet=9).path == "data.sheet"
    assert refused(path, sheet="second").code == "no_rows"
    outcome = bptrain("init", "--data", path, "--target", "y")
    assert (outcome.code, outcome.err.count("error:")) == (3, 1)


def test_a_hidden_sheet_is_not_the_one_that_is_meant(tmp_path: Path) -> None:
    def hide(book: Any) -> None:
        book.create_sheet("notes").append(["note"])
        book["notes"].sheet_state = "hidden"

    assert sheet(workbook(tmp_path, change=hide)).names == ("x", "s", "y")


def test_commands(workplace: Path) -> None:
    rows: list[list[Any]] = [
        ["a", "k", "y"],
        *[[i % 7, "uvw"[i % 3], "no" if i % 2 else "yes"] for i in range(60)],
    ]
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("other").append(["z"])
    book.save("t.xlsx")
    Path("t.csv").write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    assert bptrain("init", "--data", "t.csv", "--target", "y").code == 0
    refused = bptrain("init", "--data", "t.xlsx", "--target", "y", "--force")
    assert (refused.code, "data.sheet=NAME" in refused.err) == (3, True)
    of_sheet = (
        "init",
        "--data",
        "t.xlsx",
        "--target",
        "y",
        "--set",
        "data.sheet=Sheet",
        "--output",
        "s.yaml",
    )
    assert bptrain(*of_sheet).code == 0
    assert "\n  sheet: Sheet " in Path("s.yaml").read_text()
    assert bptrain("validate", "s.yaml").code == 0
    change = ("--set", "training.epochs=2", "--set", "training.engine=numpy", "--json")
    of_csv = bptrain("fit", "config.yaml", *change)
    fit = bptrain("fit", "config.yaml", "--set", "data.train=t.xlsx", "--set", "data.sheet=1", *change)
    assert fit.code == 0, fit.err
    assert fit.json["final"] == of_csv.json["final"]
    wrong = bptrain("fit", "config.yaml", "--set", "data.train=t.xlsx", "--set", "data.sheet=0")
    assert (wrong.code, "must be the name of a sheet, or its number from 1" in wrong.err) == (2, True)


def bomb(path: Path) -> Path:
    return with_part(path, "xl/media/zeros.bin", lambda _: bytes(3 << 20))


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "MOST_UNPACKED", 2 << 20)
    assert refused(bomb(workbook(tmp_path))).code == "too_large"
    monkeypatch.undo()
    monkeypatch.setattr(excel_cells, "MOST_CELLS", 1000)
    far = workbook(tmp_path, change=lambda book: [book.active.cell(row, 16_384, 1) for row in (5, 6, 7)])
    assert refused(far).code == "sparse_table"


def test_entities_are_refused(tmp_path: Path) -> None:
    text = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'
    path = with_part(workbook(tmp_path), PAGE, lambda xml: text + xml[xml.index(b"<worksheet") :])
    assert "XML entities" in refused(path).message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "damaged or not what its name says"),
        (b"<html>", "a web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "with a password"),
        (b"", "damaged"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "t.xlsx").write_bytes(content)
    [problem] = problems(whole(FileSource(tmp_path / "t.xlsx")))
    assert words in problem.message


def test_another_archive_under_the_name(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("notes.txt", "x")
    (tmp_path / "t.xlsx").write_bytes(made.getvalue())
    assert "but no Excel workbook" in refused(tmp_path / "t.xlsx").message
