"""The keys that say how tables are written, and several files as one."""

from pathlib import Path
from typing import Any

import pytest

from bptrain.build.data import conventions_for, conventions_of, data_settings
from bptrain.config import from_plain, to_plain
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.sources import FileSource
from bptrain.formats.conventions import RECOGNIZED, Conventions
from config.helpers import load, problems

HEAD = "network: {sizes: [auto, auto]}\nloss: cross_entropy\n"


def data(more: str, train: str = "a.csv", target: str = "y") -> str:
    return f"{HEAD}data:\n  train: {train}\n  target: {target}\n{more}"


def test_nothing_is_declared_by_default(tmp_path: Path) -> None:
    assert conventions_of(load(tmp_path, data("")).config.data) == RECOGNIZED


def test_everything_can_be_declared(tmp_path: Path) -> None:
    more = """\
  format: tsv
  delimiter: ";"
  encoding: latin-1
  header: 3
  comment: "%"
  quote: "'"
  decimal: ","
  thousands: "."
  missing_markers: [default, "-9999"]
  index: id
"""
    loaded = load(tmp_path, data(more))
    expected = Conventions("tsv", ";", "latin-1", 3, "%", "'", ",", ".", ("default", "-9999"), "id")
    assert conventions_of(loaded.config.data) == expected
    source = data_settings(loaded).train
    assert isinstance(source, FileSource)
    assert source.conventions == expected
    again = from_plain(to_plain(loaded.config), "run")
    assert again == loaded.config


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("delimiter: tab", "delimiter", "\t"),
        ("delimiter: '\\t'", "delimiter", "\t"),
        ('delimiter: "\\t"', "delimiter", "\t"),
        ("delimiter: semicolon", "delimiter", ";"),
        ("delimiter: ;", "delimiter", ";"),
        ("delimiter: whitespace", "delimiter", "whitespace"),
        ("delimiter: space", "delimiter", " "),
        ("encoding: utf-16", "encoding", "utf-16"),
        ("encoding: cp1252", "encoding", "cp1252"),
        ("encoding: shift_jis", "encoding", "shift_jis"),
        ("header: true", "header", True),
        ("header: false", "header", False),
        ("header: 1", "header", 1),
        ("quote: ''", "quote", ""),
        ("missing_markers: NA", "missing_markers", ("NA",)),
        ("missing_markers: []", "missing_markers", ()),
        ("index: false", "index_column", False),
        ("thousands: ' '", "thousands", " "),
    ],
)
def test_what_a_key_takes(tmp_path: Path, written: str, field: str, value: Any) -> None:
    found = getattr(conventions_of(load(tmp_path, data(f"  {written}\n", target="x1")).config.data), field)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("format: excel", "wrong_choice", "is not a format: csv, tsv"),
        ("format: 1", "wrong_type", "must be the name of a format"),
        ("delimiter: x", "wrong_type", "must be one character that is no letter or digit, or one of comma"),
        ("delimiter: ';;'", "wrong_type", "must be one character"),
        ("delimiter: ''", "wrong_type", "must be one character"),
        ('delimiter: "\\n"', "wrong_type", "must be one character"),
        ("encoding: hex", "wrong_type", "must be the name of a text encoding"),
        ("encoding: nonsense", "wrong_type", "must be the name of a text encoding"),
        ("encoding: undefined", "wrong_type", "must be the name of a text encoding"),
        ("header: 0", "wrong_type", "must be true, false or the number of its lines, from 1 to 100"),
        ("header: none", "wrong_type", "must be true, false or the number of its lines"),
        ("header: 1000", "wrong_type", "must be true, false or the number of its lines"),
        ("comment: ''", "wrong_type", "must be what lines of comments begin with"),
        ("quote: ab", "wrong_type", "must be one character"),
        ("decimal: '5'", "wrong_type", "must be one character"),
        ("thousands: ''", "wrong_type", "must be one character"),
        ("missing_markers: {a: b}", "wrong_type", "must be a list of texts"),
        ("missing_markers: [-9999]", "wrong_type", "must be text, but is -9999"),
        ("index: 3", "wrong_type", "must be true, false or the name of a column"),
        ("{decimal: ',', thousands: ','}", "contradiction", "decimal is ',' too"),
        ("{quote: ';', delimiter: semicolon}", "contradiction", "delimiter is 'semicolon' too"),
        ("{comment: '|', delimiter: '|'}", "contradiction", "delimiter is '|' too"),
    ],
)
def test_what_a_key_refuses(tmp_path: Path, written: str, code: str, words: str) -> None:
    pairs = written.strip("{}") if written.startswith("{") else written
    lines = (
        "".join(f"  {pair}\n" for pair in pairs.split(", ")) if written.startswith("{") else f"  {pairs}\n"
    )
    (problem,) = problems(tmp_path, data(lines))
    assert problem.code == code
    assert words in problem.message
    assert problem.line is not None


def test_markers_that_are_numbers(tmp_path: Path) -> None:
    for written in ("[-9999]", "-9999"):
        (problem,) = problems(tmp_path, data(f"  missing_markers: {written}\n"))
        assert problem.suggestion in ('"-9999"', '["-9999"]')


def test_columns_without_a_header_go_by_their_places(tmp_path: Path) -> None:
    text = data("  header: false\n  features: [1, 2]\n  weight: 3\n", target="4")
    config = load(tmp_path, text).config
    assert (config.data.target, config.data.features, config.data.weight) == (("x4",), ("x1", "x2"), "x3")
    (problem,) = problems(tmp_path, data("", target="4"))
    assert problem.suggestion == '"4"'


def test_several_files(tmp_path: Path) -> None:
    loaded = load(tmp_path, data("  test: [c.csv, 'd*.csv']\n", train="[a.csv, b.csv]"))
    settings = data_settings(loaded)
    assert isinstance(settings.train, JoinedFiles)
    assert settings.train.patterns == (tmp_path / "a.csv", tmp_path / "b.csv")
    assert isinstance(settings.test, JoinedFiles)
    assert settings.test.patterns == (tmp_path / "c.csv", tmp_path / "d*.csv")
    plain = to_plain(loaded.config)
    assert plain["data"]["train"] == ["a.csv", "b.csv"]
    assert from_plain(plain, "run") == loaded.config


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ("[]", "must have at least 1 entry"),
        ("[a.csv, a.csv]", "a.csv is listed twice"),
        ("[a.csv, b.npz]", "can be several, and b.npz is none"),
        ("{inputs: [a.csv, b.csv], target: c.npy}", "files can be several"),
    ],
)
def test_several_files_that_cannot_be_one(tmp_path: Path, train: str, words: str) -> None:
    found = problems(tmp_path, f"{HEAD}data:\n  train: {train}\n  target: y\n")
    assert words in " ".join(problem.message for problem in found)


def test_a_declared_format_decides_what_the_keys_mean(tmp_path: Path) -> None:
    """A target is a column, and no path, whatever the name of the file of a table."""
    loaded = load(tmp_path, data("  format: csv\n", train="a.npy"))
    assert loaded.absolute().data.target == ("y",)


def test_another_file_of_another_format(tmp_path: Path) -> None:
    settings = load(
        tmp_path, data("  format: csv\n  delimiter: ;\n  decimal: ','\n", train="a.data")
    ).config.data
    declared = conventions_of(settings)
    assert conventions_for(settings, Path("b.data")) == declared
    assert conventions_for(settings, Path("b.csv")) == declared
    assert conventions_for(settings, Path("b.jsonl")) == declared._replace(format=None, delimiter=None)


@pytest.mark.parametrize("written", ["1e5", "0.50", "0x10", "+7", "1E5"])
def test_a_column_whose_name_reads_as_a_number(tmp_path: Path, written: str) -> None:
    """C20: the suggestion is the name as it was written."""
    (found,) = problems(tmp_path, data(f"  features: [{written}]\n"))
    assert found.suggestion == f'"{written}"'
    assert problems(tmp_path, data(f'  features: ["{written}"]\n')) == []
