"""Tables that are cut by array operations: the same cells, lines and numbers as the csv module and float() give."""

import csv
import io
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats import Sheet, delimited, delimited_table, plain_rows, separators, text_columns
from bptrain.formats.coded_texts import CodedTexts, coded
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.json_numbers import json_numbers
from bptrain.formats.markers import markers_of
from bptrain.formats.number_columns import numbers_of_texts
from bptrain.formats.quoting import quotes_some
from bptrain.formats.separators import Separation
from bptrain.formats.text_columns import ColumnTexts

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=8).map(lambda d: f"{d:f}"),
    st.from_regex(r"[+-]?[0-9]{0,24}\.?[0-9]{0,24}", fullmatch=True),
)
CELLS = st.one_of(
    NUMBERS,
    st.sampled_from(["", " ", "NA", "nan", "inf", "-inf", "1e5", "1E-5", "01", "1_0", "1,5", "é", "日本", "😀", "- 1"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
)  # fmt: skip

IN_JSON = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?<!^-0)|")


def read(text: str, piece: int, conventions: Conventions = RECOGNIZED) -> Any:
    """What is cut from a table with commas, piece by piece; None where it is left to the csv module as a whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_rows, "PIECE", piece)
        return delimited_table.plain_table(Separation(text, ",", ""), conventions)


def as_csv_does(text: str) -> tuple[list[str], list[list[str]], list[int]]:
    """The header, the rows and the lines on which they begin."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    rows, lines, begin = [], [], 1
    for row in reader:
        if len(row) > 1 or (row and row[0].strip()):
            rows.append(row)
            lines.append(begin)
        begin = reader.line_num + 1
    return rows[0], rows[1:], lines[1:]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_the_cells_are_those_of_the_csv_module(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12))
    made = io.StringIO()
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    quoting: Any = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    writer = csv.writer(made, lineterminator=end, quoting=quoting)
    writer.writerow([f"n{k}" for k in range(width)])
    for row in rows:
        writer.writerow(row)
        if data.draw(st.integers(0, 9)) == 0:
            made.write(data.draw(st.sampled_from([end, f"  {end}"])))
    text = made.getvalue()
    if data.draw(st.booleans()):
        text = text.removesuffix(end)
    found = read(text, data.draw(st.integers(1, 60)))
    header, expected, lines = as_csv_does(text)
    if found is None:
        # a line break of its own kind in a cell; no row; or a marker in quotes, for which the text is read once more
        assert "\r" in text or not expected or quotes_some(markers_of(None).anywhere, text)
        return
    assert (found.header, found.rows.rows) == (header, len(expected))
    assert found.lines.tolist() == lines
    for k, column in enumerate(found.columns()):
        cells = [row[k] for row in expected]
        assert [*column] == found.rows.texts(k) == cells
        assert (len(column), column[0], column[-1], column[:3]) == (
            len(cells),
            cells[0],
            cells[-1],
            cells[:3],
        )
        numbers, plain = found.rows.numbers(k), numbers_of_texts(cells)
        assert (numbers is None) == (plain is None), cells
        if numbers is not None and plain is not None:
            assert numbers.values.tobytes() == plain.values.tobytes()
            assert numbers.has_leading_zero == plain.has_leading_zero
        for _ in range(2):  # the first time together with columns behind it
            texts, codes = found.rows.coded(k)
            assert texts == [*dict.fromkeys(cells)]
            assert [texts[code] for code in codes] == cells
        for name in ["a", "1", *filter(None, cells)]:
            assert not (column.has_no(name) and name in cells)


@pytest.mark.parametrize(("different", "by_texts"), [(100, False), (180, True), (300, True)])
def test_many_different_texts_are_numbered_one_by_one(
    different: int, by_texts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[int] = []

    def counted(cells: list[str]) -> CodedTexts:
        whole.append(len(cells))
        return coded(cells)

    monkeypatch.setattr(text_columns, "MANY_TEXTS", 20)
    monkeypatch.setattr(text_columns, "coded", counted)
    cells = [f"k{row % different}" for row in range(300)]
    texts, codes = read("\n".join(["n,m", *(f"{cell},1" for cell in cells)]), 50).rows.coded(0)
    assert texts == [*dict.fromkeys(cells)]
    assert [texts[code] for code in codes] == cells
    assert whole == ([300] if by_texts else [])


@settings(max_examples=300, deadline=None)
@given(st.lists(NUMBERS | st.just(""), min_size=1, max_size=30))
def test_every_number_is_what_float_reads(cells: list[str]) -> None:
    found = json_numbers("".join(f"{cell}," for cell in cells).encode(), len(cells))
    if found is None:
        assert any(not IN_JSON.fullmatch(cell) for cell in cells)
        return
    for cell, value in zip(cells, found.tolist(), strict=True):
        assert struct.pack("d", value) == struct.pack("d", float(cell or "nan")), cell


@pytest.mark.parametrize(
    "cell",
    ["-", ".", "+1", "01", ".5", "5.", "1..2", "--1", "1e400", "-1e999", "nan", "NaN", "inf", "Infinity", "-Infinity",
     "1_0", "1/2", "a", "é", "true", "false", "null", '"1"', "[1]", "[", "{}", "1,2", ",", "-0", "1 2", " ",
     "1" * 400, "1" * 5000],
)  # fmt: skip
def test_what_json_does_not_read_as_a_number(cell: str) -> None:
    assert json_numbers(f"7,{cell},8,".encode(), 3) is None
    assert json_numbers(f"{cell},".encode(), 1) is None


def test_empty_cells_are_missing() -> None:
    for cells in ["1,,,2,", ",1,", ",,1,,,,", "1,", ","]:
        found = json_numbers(cells.encode(), cells.count(","))
        assert found is not None
        assert [*map(str, found)] == [str(float(cell or "nan")) for cell in cells.split(",")[:-1]]


@pytest.mark.parametrize("piece", [5, 60, 100_000])
def test_columns_that_json_does_not_read_alone(piece: int) -> None:
    """A column that float() reads, one that stops being numbers, and texts between them, from some row on."""
    columns = {
        "plain": ["1", "-2.5", "", "4e3", "5"] * 20,
        "text": ["a", "1", "b", "", "2"] * 20,
        "point": ["1", "2", ".5", "", "+3."] * 20,
        "late": ["1"] * 99 + ["x"],
        "zip": ["10001"] * 50 + ["01001"] * 50,
        "empty": [""] * 100,
    }
    rows = zip(*columns.values(), strict=True)
    found = read(",".join(columns) + "\n" + "".join(",".join(row) + "\n" for row in rows), piece)
    for k, (name, cells) in enumerate(columns.items()):
        assert found.rows.texts(k) == cells
        numbers, plain = found.rows.numbers(k), numbers_of_texts(cells)
        assert (numbers is None) == (plain is None) == (name in ("text", "late"))
        if numbers is not None and plain is not None:
            assert numbers.values.tobytes() == plain.values.tobytes()
            assert numbers.has_leading_zero == plain.has_leading_zero == (name == "zip")


@pytest.mark.parametrize(
    "tie", [9007199254740993, 9007199254740995, 18014398509481986, 2**63 + 1024, 2**63 + 3072]
)
@pytest.mark.parametrize("about", [-1, 0, 1])
def test_halves_are_rounded_to_even(tie: int, about: int) -> None:
    text = f"a\n{tie + about}\n{tie + about}.0\n0.{tie + about}\n"
    found = read(text, 1000).rows.numbers(0)
    assert found.values.tolist() == [float(line) for line in text.split()[1:]]


def sheet(folder: Path, text: str) -> Sheet:
    (folder / "t.csv").write_bytes(text.encode())
    found = FileSource(folder / "t.csv").read("data.train")
    assert isinstance(found, Sheet)
    return found


def test_a_table_is_read_so(tmp_path: Path) -> None:
    found = sheet(tmp_path, 'a,b\n1,"x,y"\n-2.5,z\n')
    a, b = found.cells.values()
    assert isinstance(a, ColumnTexts)
    assert isinstance(b, ColumnTexts)
    assert ([*a], [*b]) == (["1", "-2.5"], ["x,y", "z"])
    assert a.numbers is not None
    assert a.numbers.values.tolist() == [1.0, -2.5]
    assert b.numbers is None


@pytest.mark.parametrize(
    ("text", "conventions"),
    [
        ("a;b\n1;2\n", Conventions(delimiter=";")),
        ("a\tb\n1\t2\n", Conventions(delimiter="\t")),
        ("1,2\n3,4\n", Conventions(header=False)),
        ("t\na,b\n1,2\n", Conventions(header=2)),
        ("a,b\n'1','2'\n", Conventions(quote="'")),
        ('a,b\n"1,2\n', Conventions(quote="")),
        ("a b\n1 2\n", Conventions(delimiter=" ")),
    ],
)
def test_conventions(tmp_path: Path, text: str, conventions: Conventions) -> None:
    (tmp_path / "t.csv").write_text(text)
    plain = FileSource(tmp_path / "t.csv", None, conventions).read("data.train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "plain_table", lambda found, conventions: None)
        patch.setattr(delimited, "plain_table_of", lambda *given: None)
        other = FileSource(tmp_path / "t.csv", None, conventions).read("data.train")
    assert isinstance(plain, Sheet)
    assert isinstance(other, Sheet)
    assert all(isinstance(cells, ColumnTexts) for cells in plain.cells.values())
    assert {name: [*cells] for name, cells in plain.cells.items()} == other.cells
    assert plain.origin.lines is not None
    assert other.origin.lines is not None
    assert plain.origin.lines.tolist() == other.origin.lines.tolist()


HEADS = [
    b"", b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"sep=;\n", b"# by hand\n", b"\n\n", b"A title\n", b'{"a": 1}\n',
]  # fmt: skip
PARTS = [
    b"a,b\n", b"x;y\n", b"1,2\n", b"0.5,\n", b"3,4\r\n", b"\r", b"\n", b"5,6,7\n", b'"p","q"\n', b'"NA",1\n', b'"',
    b"1e5,-0\n", "é,日本\n".encode(), b"\xe9,1\n", b"\xc3\n,1\n", b"\x80,1\n", b"u,\0\n", b"'v',w\n", b" 1, 2\n",
    b"a b\n", b"01,+5\n", b"8;9\n",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(HEADS), st.lists(st.sampled_from(PARTS), max_size=12), st.booleans(), st.integers(1, 40)
)
def test_bytes_say_what_their_text_says(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, parts: list[bytes], is_long: bool, piece: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "said.csv"
    rows = [b"1.5,2\n"] * (3000 if is_long else 0)
    path.write_bytes(b"".join([head, *parts[: len(parts) // 2], *rows, *parts[len(parts) // 2 :]]))

    def said() -> object:
        try:
            found = FileSource(path).read("data.train")
        except DataError as error:
            return error.problems
        assert isinstance(found, Sheet)
        assert found.origin.lines is not None
        cells = {name: [*column] for name, column in found.cells.items()}
        return cells, found.origin.lines.tolist(), found.origin.notes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited_table, "LONG_HEADER", 64)
        patch.setattr(delimited_table, "LEAST_HEAD", 16)
        patch.setattr(separators, "LEAST_HEAD", 64)
        patch.setattr(plain_rows, "PIECE", piece if not is_long else 4000)
        by_bytes = said()
        patch.setattr(delimited, "plain_table_of", lambda *given: None)
        assert by_bytes == said()


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n3", 'a,b\n"1,2\n3', 'a,b\n1,2\n"3,4', 'a,b\n1,"2\n', "a,b\n1\n2,3", "a,b\n1,2\n\r3,4"]
)
@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_what_is_no_table_is_left_to_those_who_explain_it(text: str, piece: int) -> None:
    assert read(text, piece) is None


@pytest.mark.parametrize("cell", ["NA", " NA", "NaN ", "-1.#IND", "1.#QNAN", "#N/A N/A", "?", "null"])
def test_a_marker_in_quotes_is_left_to_those_who_know_quotes(cell: str) -> None:
    assert read(f'a,b\n1,"{cell}"\n2,NA\n', 1000) is None


def test_other_texts_in_quotes_are_not(tmp_path: Path) -> None:
    cells = ["N", "NAN1", "", "xNA", "a long text with NA in it", "NA,NA"]
    text = "a,b\n" + "".join(f'1,"{cell}"\n' for cell in cells)
    assert read(text, 1000).rows.texts(1) == cells
