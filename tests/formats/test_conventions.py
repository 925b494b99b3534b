"""How a table is written: what is declared, what is recognized, what is told, and what stops."""

import csv
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data.joined_files import source_of_paths
from bptrain.errors import DataError
from bptrain.formats import Sheet
from bptrain.formats.conventions import Conventions
from bptrain.formats.problems import UndeclaredConvention


def sheet_of(folder: Path, content: str | bytes, name: str = "d.csv", **declared: Any) -> Sheet:
    """The table that a file holds."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = source_of_paths([path], conventions=Conventions(**declared)).read("data.train")
    assert isinstance(found, Sheet)
    return found


def doubt(folder: Path, content: str | bytes, name: str = "d.csv", **declared: Any) -> UndeclaredConvention:
    """What cannot be told."""
    with pytest.raises(UndeclaredConvention) as raised:
        sheet_of(folder, content, name, **declared)
    return raised.value


def problem(
    folder: Path, content: str | bytes, name: str = "d.csv", **declared: Any
) -> tuple[str, str, int | None]:
    """Code, message and line of the one problem."""
    with pytest.raises(DataError) as raised:
        sheet_of(folder, content, name, **declared)
    (one,) = raised.value.problems
    return one.code, one.message, one.line


def rows(n: int, line: Any) -> str:
    return "".join(f"{line(i)}\n" for i in range(n))


TABLE = {"a": ["1.5", "2", "x y"], "b": ["u", "v", 'w"z'], "y": ["no", "yes", "no"]}


def written(delimiter: str = ",", end: str = "\n", quote: str = '"') -> str:
    """TABLE as text, quoted where it must be."""

    def cell(text: str) -> str:
        signs = (delimiter, quote, " ")
        return quote + text.replace(quote, quote * 2) + quote if any(sign in text for sign in signs) else text

    lines = [[*TABLE], *zip(*TABLE.values(), strict=True)]
    return "".join(delimiter.join(map(cell, line)) + end for line in lines)


# name, content, declared, whether it is told
SAME = [
    ("d.csv", written(), {}, 0),
    ("d.csv", written(end="\r\n"), {}, 0),
    ("d.csv", written(end="\r"), {}, 0),
    ("d.csv", "\ufeff" + written(), {}, 0),
    ("d.csv", written().encode("utf-16"), {}, 0),
    ("d.csv", ("\ufeff" + written()).encode("utf-16-be"), {}, 0),
    ("d.csv", written().encode("utf-32"), {}, 0),
    ("d.csv", written().encode("utf-16-le"), {"encoding": "utf-16-le"}, 0),
    ("d.csv", written().encode("cp037"), {"encoding": "cp037"}, 0),
    ("d.csv", ("\ufeff" + written()).encode("utf-16"), {"encoding": "utf-16"}, 0),
    ("d.csv", ("\ufeff" + written()), {"encoding": "utf-8"}, 0),
    ("d.csv", written(";"), {}, 1),
    ("d.csv", written("\t"), {}, 1),
    ("d.csv", written("|"), {}, 1),
    ("d.csv", written(" "), {}, 1),
    ("d.tsv", written(), {}, 1),
    ("d.tsv", written("\t"), {}, 0),
    ("d.data", written(), {}, 0),
    ("d.txt", written(";"), {}, 1),
    ("d.dat", written("|"), {}, 1),
    ("d", written(" "), {}, 1),
    ("d", written("   "), {}, 1),
    ("d.csv", written(";"), {"delimiter": ";"}, 0),
    ("d.data", written(":"), {"delimiter": ":"}, 0),
    ("d.csv", written("  \t"), {"delimiter": "whitespace"}, 0),
    ("d.csv", "sep=;\n" + written(";"), {}, 0),
    ("d.csv", '"sep=|"\r\n' + written("|", "\r\n"), {}, 0),
    ("d.txt", "SEP=~\n" + written("~"), {}, 0),
    ("d.csv", "sep=,\n" + written(";"), {"delimiter": ";"}, 0),
    ("d.csv", written(quote="'"), {"quote": "'"}, 0),
    ("d.csv", written().replace('"w""z"', 'w"z').replace('"', "").replace("wz", 'w"z'), {"quote": ""}, 0),
    ("d.bin", written(), {"format": "csv"}, 0),
    ("d.csv", written("\t"), {"format": "tsv"}, 0),
    ("d.csv", "# one\n# two, three\n" + written(), {}, 0),
    ("d.data", "# one\n\n  # two, three, four, five\n" + written(), {}, 0),
    ("d.txt", "#\n" + written(";"), {}, 1),
    ("d.csv", "# " + "long, " * 30_000 + "\n" + written(), {}, 0),
    ("d.csv", written().replace("2,v", "# a comment, \"\n2,v") + "#end", {"comment": "#"}, 0),
    ("d.csv", "% x, y, z\n" + written(), {"comment": "%"}, 0),
    ("d.csv", "title\nx,y,\n" + written(), {"header": 3}, 0),
    ("d.csv", ",index,\n" + written(), {"header": 2}, 0),
    ("d.csv", written(), {"header": True}, 0),
    ("d.csv", written(), {"header": 1}, 0),
    ("d.csv", written().replace("\n", ",,\n"), {}, 1),
    ("d.csv", written().replace("no\n", "no,\n").replace("yes\n", "yes,\n"), {}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "declared", "told"), SAME)
def test_the_same_table(
    tmp_path: Path, name: str, content: str | bytes, declared: dict[str, Any], told: int
) -> None:
    sheet = sheet_of(tmp_path, content, name, **declared)
    assert sheet.cells == TABLE
    assert len(sheet.origin.notes) == told, sheet.origin.notes
    assert all(
        note.startswith("reading: ") and f" of {tmp_path / name} " in note for note in sheet.origin.notes
    )


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """Whatever stands above, and in spite of comments and line breaks in cells."""
    text = 'sep=;\n# one\n\n"a";y\n1;"x\n# no comment"\n# two; "\n2;z\n'
    sheet = sheet_of(tmp_path, text, comment="#")
    assert sheet.cells == {"a": ["1", "2"], "y": ["x\n# no comment", "z"]}
    assert sheet.origin.lines is not None
    assert sheet.origin.lines.tolist() == [5, 8]
    assert sheet_of(tmp_path, "# 1\r\n# 2\r\na,b\r\n1,2\r\n").origin.lines.tolist() == [4]  # type: ignore[union-attr]


@pytest.mark.parametrize("line", ["\n", "\r\n", "   \n", "#\r\n", "  # x\n", "%\n", "%\n\n"])
def test_many_lines_above(tmp_path: Path, line: str) -> None:
    """A pattern that reads them in several ways would take for ever."""
    content = line * 300 + "a,y\n1,2\n"
    if "%" in line:
        assert problem(tmp_path, content)[0] == "cell_count"
    else:
        assert sheet_of(tmp_path, content).cells == {"a": ["1"], "y": ["2"]}


# --- the header ---

C1 = rows(46, lambda i: f"{5 + i / 10},{3 + i % 5 / 10},{'ab'[i % 2]}")
C2 = rows(46, lambda i: f"{i % 3},{i % 3},{'ab'[i % 2]}")
WITHOUT_HEADER = [
    C1,
    C2,
    rows(30, lambda i: f"{i * 1.7 + 3},{i * 2.3 + 1},{i * i}"),
    rows(30, lambda i: f"{i * 1.7 + 3},a{i % 2}"),
    rows(30, lambda i: f"{'xyz'[i % 3]},{'ab'[i % 2]}"),
    rows(30, lambda i: f"0,1,{'ab'[i % 2]}"),
    rows(30, lambda i: f"{i * 1.7 + 3},NA,{i * i}"),
    rows(30, lambda i: f'"{i},5","{i * 3},25",{i * i}'),
    rows(30, lambda i: f"2021-01-{i + 1:02d},{i * 1.7 + 1.344},{i * 0.9 + 0.847}"),
    rows(30, lambda i: f"{i + 1:02d}/02/2021 10:30,a{i},b{i}"),
    rows(30, lambda i: f"{i + 1} Jan 2021,{i}"),
    rows(24, lambda i: f"{i:02d}:00,{i + 0.5},k{i * 7 % 24}"),
    rows(30, lambda i: f"{i * 7 + 1}.5%,n{i}"),
    rows(30, lambda i: f"${i * 7 + 1}.60,n{i},m{i}"),
    rows(30, lambda i: f"n{i},{i * 7 + 1} €"),
    rows(30, lambda i: f'n{i},"{i * 7 + 1},234,567"'),
    rows(30, lambda i: f"{i + 1},N{i},{i * 1.7 + 0.956},{'pq'[i % 2]},{i * 0.3 + 0.092}"),
    rows(30, lambda i: f"N{i},{i * 1.7 + 0.956}"),
    rows(30, lambda i: f"N{i},{'pq'[i % 2]},{i * 7 + 40}"),
    rows(30, lambda i: f"N{i},{i * 7 + 40},{i * 3 + 2},{i * i + 17}"),
    rows(30, lambda i: f"{i + 1},N{i},M{i}"),
    rows(30, lambda i: f",{i * 1.3 + 2},{i * i + 7}" if i == 0 else f"{i * 3},{i * 1.3},{i * i}"),
]


@pytest.mark.parametrize("content", WITHOUT_HEADER)
@pytest.mark.parametrize("name", ["d.csv", "d.data", "d.txt", "d"])
def test_a_first_line_that_may_be_a_row(tmp_path: Path, content: str, name: str) -> None:
    """C1, C2."""
    found = doubt(tmp_path, content, name)
    (one,) = found.problems
    assert (one.code, one.line, found.field, found.value) == ("no_header", 1, "header", False)
    assert "data.header: false if this is a row; data.header: true if these are names" in one.message
    sheet = sheet_of(tmp_path, content, name, header=False)
    assert sheet.names == tuple(f"x{k + 1}" for k in range(len(sheet.names)))
    assert len(sheet.cells["x1"]) == content.count("\n")


def test_it_can_be_the_header(tmp_path: Path) -> None:
    assert sheet_of(tmp_path, C1, header=True).names == ("5.0", "3.0", "a")
    assert problem(tmp_path, C2, header=True)[1] == "columns 1 and 2 are both named 0; rename one"


@pytest.mark.parametrize(
    "content",
    [
        "0,1,2\n" + rows(30, lambda i: f"{i % 2},{i % 3},{i % 5}"),
        "1,2,3\n" + rows(30, lambda i: f"{i % 2},{i % 3},{i % 5}"),
        "0,1,label\n" + rows(30, lambda i: f"{i % 2},{i % 3},{'ab'[i % 2]}"),
        ",0,1,2\n" + rows(30, lambda i: f"{i},{i % 2},{i % 3},{i % 5}"),
        "country,2019,2020\n" + rows(30, lambda i: f"c{i},{i % 3},{i % 5}"),
        "a,b\n" + rows(30, lambda i: f"{'ab'[i % 2]},{i}"),
        "country,code,2021,2020,2019,y\n" + rows(30, lambda i: f"c{i},d{i},{i / 7},{i / 3},{i / 2},{i}"),
        "country,2021-01-01,2021-01-02\n" + rows(30, lambda i: f"c{i},{i % 3},{i % 5}"),
        "who,00:00,01:00\n" + rows(30, lambda i: f"c{i},{i % 3},{i % 5}"),
        "what,count,25%,50%,75%\n" + rows(30, lambda i: f"c{i},{i},{i / 7},{i / 3},{i / 2}"),
        "what,0.25,0.5,0.75\n" + rows(30, lambda i: f"c{i},{i / 7},{i / 3},{i / 2}"),
        "label,1100.5,1102.5,1104.5,1106.5\n" + rows(30, lambda i: f"c{i},{i / 7},{i / 3},{i / 2},{i}"),
        "what,1st,Q1 2020,24h\n" + rows(30, lambda i: f"c{i},{i + 30}th,Q{i + 30} 2020,{i + 30}h"),
        "0,1,2\n" + rows(30, lambda i: f"{i + 1},a{i},{i % 5}"),
        "x1,x2,y\n" + rows(30, lambda i: f"{i % 3},{i % 5},{'no' if i % 2 else 'yes'}"),
    ],
)
def test_what_is_certainly_a_header(tmp_path: Path, content: str) -> None:
    sheet = sheet_of(tmp_path, content)
    assert len(sheet.cells[sheet.names[-1]]) == 30


def test_a_header_that_is_repeated(tmp_path: Path) -> None:
    """As files that were put together have it."""
    part = "a,b,y\n" + rows(30, lambda i: f"{i % 7},{'uv'[i % 2]},{i % 3}")
    code, message, line = problem(tmp_path, part + part + part)
    assert (code, line) == ("repeated_header", 32)
    assert message.startswith("this line repeats the header, and 1 more do: remove it")
    assert len(sheet_of(tmp_path, part + part, header=True).cells["a"]) == 61
    texts = "cap,odor\n" + rows(30, lambda i: f"{'xyz'[i % 3]},{'uv'[i % 2]}") + "cap,odor\n"
    assert problem(tmp_path, texts)[0] == "repeated_header"
    assert doubt(tmp_path, part[6:] + part[6:]).field == "header"


def test_lines_above_the_names(tmp_path: Path) -> None:
    for above in ("Sales of 2020\n", "Sales of 2020\n\nin, thousands\nof\n"):
        n = above.replace("\n\n", "\n").count("\n")
        content = above + written()
        found = doubt(tmp_path, content)
        assert (found.field, found.value, found.problems[0].line) == ("header", n + 1, 1)
        assert f"data.header: {n + 1}" in found.problems[0].message
        assert sheet_of(tmp_path, content, header=n + 1).cells == TABLE
        for declared in ({}, {"delimiter": ";"}):
            content = above + written(";")
            assert doubt(tmp_path, content, **declared).value == n + 1
            assert sheet_of(tmp_path, content, header=n + 1, **declared).cells == TABLE


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("#a,b,c\n1,2,3\n4,5,6\n", ("#a", "b", "c")),
        ("# made by hand\n#a,b,c\n1,2,3\n4,5,6\n", ("#a", "b", "c")),
        ("# a b c\n1 2 3\n4 5 6\n", ("a", "b", "c")),
        ("#a\tb\tc\n1\t2\tk\n4\t5\tl\n", ("#a", "b", "c")),
    ],
)
def test_names_behind_a_number_sign(tmp_path: Path, content: str, names: tuple[str, ...]) -> None:
    sheet = sheet_of(tmp_path, content, "d.txt")
    assert sheet.names == names
    assert len(sheet.cells[names[0]]) == 2


@pytest.mark.parametrize(
    "content",
    [
        "# date, site\nx1,y2\n" + rows(9, lambda i: f"{i / 7},{i * i}"),
        "# from the lab, 2020\nheight2,kind1\n" + rows(9, lambda i: f"a{i},b{i % 2}"),
        "# one; two\n4th;5th\n" + rows(9, lambda i: f"{i / 7};{i * i}"),
    ],
)
def test_names_that_end_in_a_digit_below_a_comment(tmp_path: Path, content: str) -> None:
    """They are no numbers, so the comment does not take their place."""
    assert doubt(tmp_path, content).field == "comment"
    names = content.splitlines()[1].replace(";", ",").split(",")
    assert [*sheet_of(tmp_path, content, comment="#").names] == names


def test_names_or_a_comment(tmp_path: Path) -> None:
    content = "# source, John, 2020\na,b,y\n" + rows(9, lambda i: f"{i},{i * i},{'no' if i % 2 else 'yes'}")
    found = doubt(tmp_path, content)
    assert (found.field, found.value, found.problems[0].line) == ("comment", "#", 1)
    assert "data.comment: '#'" in found.problems[0].message
    assert "data.header: true" in found.problems[0].message
    assert sheet_of(tmp_path, content, comment="#").names == ("a", "b", "y")
    assert sheet_of(tmp_path, content, header=True).names == ("# source", "John", "2020")


# --- columns that count the rows ---


@pytest.mark.parametrize(
    "content",
    [
        ",a,b,y\n" + rows(100, lambda i: f"{i},{i % 7},{i % 5},{'no' if i % 2 else 'yes'}"),  # C23
        '"","a","b","y"\n' + rows(100, lambda i: f'"{i + 1}",{i % 7},{i % 5},"{"no" if i % 2 else "yes"}"'),
        '"a","b","y"\n' + rows(100, lambda i: f'"{i + 1}",{i % 7},{i % 5},"{"no" if i % 2 else "yes"}"'),
        '"a" "b" "y"\n' + rows(100, lambda i: f'"{i + 1}" {i % 7} {i % 5} "{"no" if i % 2 else "yes"}"'),
    ],
)
def test_an_index_is_left_out(tmp_path: Path, content: str) -> None:
    """C23: to_csv of pandas, write.csv and write.table of R."""
    sheet = sheet_of(tmp_path, content)
    assert sheet.names == ("a", "b", "y")
    assert sheet.cells["b"][:6] == ["0", "1", "2", "3", "4", "0"]
    assert "no name and counts the rows: it is left out" in sheet.origin.notes[-1]


@pytest.mark.parametrize("first", ["", "name-less"])
def test_a_first_column_that_may_be_an_index(tmp_path: Path, first: str) -> None:
    """Rows that were shuffled, or have names."""
    content = ",a,y\n" + rows(50, lambda i: f"{f'Mazda {i}' if first else i * 37 % 101},{i % 7},{i % 2}")
    found = doubt(tmp_path, content)
    assert (found.field, found.value, found.problems[0].code) == ("index_column", True, "unnamed_column")
    assert "data.index: true" in found.problems[0].message
    assert sheet_of(tmp_path, content, index_column=True).names == ("a", "y")
    assert problem(tmp_path, content, index_column=False)[1] == "column 1 has no name; name it in the header"


@pytest.mark.parametrize("sign", [",", " ", "\t"])
def test_row_names_that_the_header_lacks(tmp_path: Path, sign: str) -> None:
    """write.table of R: texts, each once, below a header that is one name shorter than each row."""
    content = "a,b,y\n" + rows(30, lambda i: f'"Mazda{i}",{i % 7},{i % 5},{i % 2}')
    sheet = sheet_of(tmp_path, content.replace(",", sign))
    assert sheet.names == ("a", "b", "y")
    assert "no name and a text of its own in each row: it is left out" in sheet.origin.notes[-1]
    for first in ("p", "37", "37.5"):
        other = content.replace("Mazda", first).replace('"p29"', '"p28"')
        assert problem(tmp_path, other)[0] == "unnamed_column"
    assert problem(tmp_path, content, index_column=False)[0] == "unnamed_column"
    assert problem(tmp_path, "3,2,1\n" + content[6:])[0] == "no_header"


def test_a_declared_index(tmp_path: Path) -> None:
    content = "id,a,y\n" + rows(9, lambda i: f"k{i},{i % 7},{i % 2}")
    assert sheet_of(tmp_path, content, index_column=True).names == ("a", "y")
    assert sheet_of(tmp_path, content, index_column="id").names == ("a", "y")
    assert sheet_of(tmp_path, content, index_column="a").names == ("id", "y")
    assert sheet_of(tmp_path, content, index_column=False).names == ("id", "a", "y")
    assert sheet_of(tmp_path, content, header=False, index_column="x1").names == ("x2", "x3")
    code, message, _ = problem(tmp_path, content, index_column="nr")
    assert (code, message) == ("unknown_column", "there is no column 'nr'; the data has id, a, y")


def test_a_declared_index_of_another_format(tmp_path: Path) -> None:
    content = rows(3, lambda i: f'{{"id": "k{i}", "a": {i}, "y": {i % 2}}}')
    for index, names in (
        (True, ("a", "y")),
        ("y", ("id", "a")),
        (False, ("id", "a", "y")),
        (None, ("id", "a", "y")),
    ):
        assert sheet_of(tmp_path, content, "d.jsonl", index_column=index).names == names


def test_an_unnamed_column_that_is_no_index(tmp_path: Path) -> None:
    content = ",a,y\n" + rows(50, lambda i: f"{i % 3},{i % 7},{i}")
    assert problem(tmp_path, content)[0] == "unnamed_column"


# --- delimiters ---


@pytest.mark.parametrize("name", ["d.csv", "d.txt"])
def test_decimal_commas_between_semicolons(tmp_path: Path, name: str) -> None:
    sheet = sheet_of(tmp_path, "a;b;y\n1,5;2,25;u\n3,5;4;v\n", name)
    assert sheet.cells == {"a": ["1,5", "3,5"], "b": ["2,25", "4"], "y": ["u", "v"]}


def test_two_separators(tmp_path: Path) -> None:
    content = rows(30, lambda i: f"{i},5;{i * i},25;{'ab'[i % 2]}")
    found = doubt(tmp_path, content)
    assert (found.field, found.problems[0].code) == ("delimiter", "delimiter")
    assert 'data.delimiter: "," or data.delimiter: ";"' in found.problems[0].message
    assert sheet_of(tmp_path, content, delimiter=";", header=False).names == ("x1", "x2", "x3")


def test_a_tab_among_blanks(tmp_path: Path) -> None:
    """As auto-mpg.data has one in each line."""
    content = rows(30, lambda i: f'{i * 1.5}   {i % 5}  {i % 7}.\t"car {i % 3}"')
    found = doubt(tmp_path, content, "d.data")
    assert (found.field, found.value) == ("delimiter", "whitespace")
    assert "data.delimiter: tab or data.delimiter: whitespace" in found.problems[0].message
    sheet = sheet_of(tmp_path, content, "d.data", delimiter="whitespace", header=False)
    assert sheet.cells["x4"][:3] == ["car 0", "car 1", "car 2"]
    table = "name\ty\n" + rows(30, lambda i: f"John Doe {i}\t{i % 2}")
    assert sheet_of(tmp_path, table, "d.txt").names == ("name", "y")
    assert sheet_of(tmp_path, content, "d.tsv", header=False).names == ("x1", "x2")


def test_signs_within_cells_separate_nothing(tmp_path: Path) -> None:
    content = "tags,y\n" + rows(30, lambda i: f"a{i};b,{i % 2}")
    assert sheet_of(tmp_path, content).names == ("tags", "y")
    content = "full name,y\n" + rows(30, lambda i: f"John Doe{i},{i % 2}")
    assert sheet_of(tmp_path, content).names == ("full name", "y")


def test_blanks(tmp_path: Path) -> None:
    """As the sets of UCI have them: blanks in front, tabs, quoted texts."""
    content = '  18.0   8\t"chevrolet chevelle malibu"  \n  15.5  8   "buick ""skylark"" 320"\n\n 9. 6 ford\n'
    sheet = sheet_of(tmp_path, content, "auto-mpg.data", header=False)
    assert sheet.cells == {
        "x1": ["18.0", "15.5", "9."], "x2": ["8", "8", "6"],
        "x3": ["chevrolet chevelle malibu", 'buick "skylark" 320', "ford"],
    }  # fmt: skip
    assert sheet.origin.lines is not None
    assert sheet.origin.lines.tolist() == [1, 2, 4]


# --- encodings ---


@pytest.mark.parametrize(
    ("content", "line", "byte", "likely"),
    [
        ("a,y\n1,caf\xe9\n".encode("latin-1"), 2, "0xe9", "latin-1"),
        ("a,y\n1,2\n\u20ac,3\n".encode("cp1252"), 3, "0x80", "cp1252"),
        (b"a,y\n\x81,1\n", 2, "0x81", "latin-1"),
    ],
)
def test_what_is_not_utf8(tmp_path: Path, content: bytes, line: int, byte: str, likely: str) -> None:
    found = doubt(tmp_path, content)
    (one,) = found.problems
    assert (one.code, one.line, found.field, found.value) == ("not_utf8", line, "encoding", likely)
    assert (
        f"byte {byte} is not UTF-8; save the file as UTF-8, or declare data.encoding: {likely}" in one.message
    )
    assert sheet_of(tmp_path, content, encoding=likely).names == ("a", "y")


def test_utf16_without_a_mark(tmp_path: Path) -> None:
    found = doubt(tmp_path, "a,y\n1,\xe9\n".encode("utf-16-le"))
    assert found.value == "utf-16-le"


def test_another_encoding_than_declared(tmp_path: Path) -> None:
    code, message, line = problem(tmp_path, b"a,y\n1,2\n\xff,3\n", encoding="ascii")
    assert (code, line) == ("not_utf8", 3)
    assert "byte 0xff is not ASCII, which data.encoding declares" in message


def test_utf8_read_as_something_else(tmp_path: Path) -> None:
    content = "a,y\n1,caf\xe9\n2,th\xe9\n"
    for encoding, told in (("latin-1", 1), ("cp1252", 1), ("utf-8", 0), ("utf-8-sig", 0)):
        notes = sheet_of(tmp_path, content.encode(), encoding=encoding).origin.notes
        assert len(notes) == told
        assert all("looks like UTF-8" in note and encoding in note for note in notes)
    for encoding in ("latin-1", "cp1252", "utf-16", "cp037"):
        assert sheet_of(tmp_path, content.encode(encoding), encoding=encoding).origin.notes == ()


# --- rows of other widths (F1) ---

LONG = rows(12, lambda i: f"{i},{i},{i}")


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        ("a,b,c\n" + LONG + "1,2,3,4\n" * 12, "12 rows have 4 cells, but the header has 3 (the first on line 14)", 14),
        ("a,b,c\n" + LONG + "1,2\n", "the row has 2 cells, but the header has 3", 14),
        ("a,b,c\n" + LONG + "1,2\n3\n", "2 rows have other numbers of cells than 3, which the header has "
         "(the first has 2, on line 14)", 14),
        ("a,b,c\n" + LONG + "1,2,3,\n" * 5, "5 rows have 4 cells, but the header has 3 (the first on line 14): "
         "they end with a delimiter; remove it", 14),
        ("a,b,c\n" + LONG + "# end\n# really, it is\n", "2 rows have other numbers of cells than 3, which the header "
         "has (the first has 1, on line 14): they begin with #; if such lines are no rows, declare data.comment: '#'",
         14),
        ("% made by hand\n" * 11 + "a,b,c\n" + LONG, "13 rows have 3 cells, but the header has 1 (the first on line "
         "12): the header begins with %; if such lines are no rows, declare data.comment: '%'", 12),
        ("a,b,c,\n" + LONG, "12 rows have 3 cells, but the header has 4 (the first on line 2): the header ends with a "
         "delimiter; remove it", 2),
        ("a;b;c\n" + LONG, "12 rows have 3 cells, but the header has 1 (the first on line 2): the header is separated "
         "by semicolons, and the rows by commas", 2),
    ],
)  # fmt: skip
def test_one_sentence_for_ragged_rows(tmp_path: Path, content: str, message: str, line: int) -> None:
    assert problem(tmp_path, content) == ("cell_count", message, line)


def test_blanks_within_cells_make_no_title(tmp_path: Path) -> None:
    content = "name,y\n" + rows(12, lambda i: f"John Doe,{i}" + ",more" * (i == 5))
    assert problem(tmp_path, content) == ("cell_count", "the row has 3 cells, but the header has 2", 7)


def test_ragged_rows_without_a_header(tmp_path: Path) -> None:
    found = problem(tmp_path, LONG + "1,2\n", header=False)
    assert found == ("cell_count", "the row has 2 cells, but the first row has 3", 13)


def test_broken_quotes(tmp_path: Path) -> None:
    code, message, line = problem(tmp_path, 'a,b\n1,2\n"3,4\n')
    assert (code, line) == ("malformed_row", 3)
    assert "declare data.quote: ''" in message
    assert sheet_of(tmp_path, 'a,b\n1,2\n"3,4\n', quote="").cells["a"] == ["1", '"3']


def test_a_sign_for_two_things(tmp_path: Path) -> None:
    assert "data.quote is ','" in problem(tmp_path, "a,b\n1,2\n", quote=",")[1]
    assert "data.comment is ','" in problem(tmp_path, "a,b\n1,2\n", comment=",")[1]


def test_only_a_header_or_less(tmp_path: Path) -> None:
    assert problem(tmp_path, "a,b\n", header=2)[0] == "empty_file"
    assert problem(tmp_path, "# a\n")[0] == "empty_file"
    assert problem(tmp_path, "\n", header=False)[1] == "the file is empty; it needs a row"
    assert sheet_of(tmp_path, "1,2\n", header=False).names == ("x1", "x2")


# --- any table, any convention ---

SIGNS = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\x85\ufeff"
)
TEXTS = st.text(SIGNS | st.sampled_from("\n\r"))


@given(
    table=st.integers(2, 4).flatmap(
        lambda n: st.lists(st.lists(TEXTS, min_size=n, max_size=n), min_size=1, max_size=5)
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|", ":", " ", "~"]),
    quote=st.sampled_from(['"', "'"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-7"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    header=st.sampled_from([False, True, 3]),
    above=st.sampled_from(["", "sep=!\n"]),
)
def test_any_table_as_declared(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[list[str]],
    delimiter: str,
    quote: str,
    encoding: str,
    end: str,
    header: bool | int,
    above: str,
) -> None:
    """What the csv module writes in some way is read back, if that way is declared."""
    names = [f"c{k}" for k in range(len(table[0]))]
    lines = [names] * (1 if header is True else int(header)) + table
    made = io.StringIO(newline="")
    style = {"delimiter": delimiter, "quotechar": quote, "lineterminator": end, "quoting": csv.QUOTE_ALL}
    csv.writer(made, **style).writerows(lines)  # type: ignore[arg-type]
    folder = tmp_path_factory.mktemp("any")
    declared = {
        "delimiter": delimiter,
        "quote": quote,
        "encoding": encoding,
        "header": header,
        "index_column": False,
    }
    sheet = sheet_of(folder, (above + made.getvalue()).encode(encoding), "d.bin", format="csv", **declared)
    assert [list(row) for row in zip(*sheet.cells.values(), strict=True)] == table
    assert sheet.names == (tuple(names) if header else tuple(f"x{k + 1}" for k in range(len(names))))


PIECES = st.sampled_from(
    [b"a", b"1", b"1.5", b",", b";", b"\t", b" ", b"|", b'"', b"'", b"#", b"\n", b"\n", b"\r\n", b"\r", b"sep=;\n",
     b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b"\0", b"0,1\n", b"x,y\n", b"-", b"NA", b"\xc3\xa9", b"{", b"#a,b\n"]
)  # fmt: skip


@given(
    content=st.lists(PIECES, max_size=40).map(b"".join),
    name=st.sampled_from(["d.csv", "d.tsv", "d.data", "d"]),
    declared=st.fixed_dictionaries(
        {},
        optional={
            "delimiter": st.sampled_from([",", ";", " ", "whitespace", "'"]),
            "encoding": st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-16-le", "utf-7", "shift_jis"]),
            "header": st.sampled_from([True, False, 1, 2, 5]),
            "comment": st.sampled_from(["#", "//", "a"]),
            "quote": st.sampled_from(["", '"', "'", ","]),
            "index_column": st.sampled_from([True, False, "x", "x1"]),
            "format": st.sampled_from(["csv", "tsv"]),
        },
    ),
)
@settings(max_examples=300)
def test_any_bytes_are_a_table_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, declared: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with suppress(DataError):  # anything else fails the test
        sheet = sheet_of(folder, content, name, **declared)
        assert sheet.origin.lines is not None
        assert {len(cells) for cells in sheet.cells.values()} == {len(sheet.origin.lines)}
        assert len(set(sheet.names)) == len(sheet.names)
        assert sheet.origin.lines.tolist() == sorted(set(sheet.origin.lines.tolist()))
