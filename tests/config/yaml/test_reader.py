"""YAML 1.2, strictly: values, positions, refusals, caps."""

import math
import time
from pathlib import Path

import pytest
import yaml

from bptrain.config.document import load, load_text
from bptrain.config.yaml import reader
from bptrain.config.yaml.reader import parse
from bptrain.errors import UsageError

SCALARS = [
    ("1", 1), ("-7", -7), ("+7", 7), ("010", 10), ("0o10", 8), ("0x1F", 31),
    ("1e-3", 1e-3), ("1E5", 1e5), (".5", 0.5), ("1.", 1.0), ("-.5e1", -5.0), ("6.02e+23", 6.02e23),
    (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf),
    ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("NULL", None),
    ("no", "no"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"),
    ("2024-01-02", "2024-01-02"), ("1:30", "1:30"), ("1_000", "1_000"), ("0b11", "0b11"), ("-0x1", "-0x1"),
    ("nan", "nan"), ("inf", "inf"), ("1e", "1e"), (".", "."), ("+", "+"), ("e5", "e5"), ("=", "="),
    ("'1'", "1"), ('"true"', "true"), ("''", ""), ("tRue", "tRue"), ("1.2.3", "1.2.3"), ("٣", "٣"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = load_text(f"a: {text}", "f").value["a"]
    assert read == value
    assert type(read) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(load_text("a: .NaN", "f").value["a"])


REFUSED = [
    ("a: 1\nb: 2\na: 3\n", "duplicate_key", 3, "on lines 1 and 3"),
    ("a: &x 1\n", "anchor", 1, "&x"),
    ("a: &x 1\nb: *x\n", "anchor", 1, "&x"),
    ("a:\n  <<: {b: 1}\n", "merge_key", 2, "write the keys"),
    ("a: !!int 3\n", "tag", 1, "tags"),
    ("a: !x y\n", "tag", 1, "tags"),
    ("a: ! y\n", "tag", 1, "tags"),
    ("a: 1\n---\nb: 2\n", "documents", 2, "a second document"),
    ("# a comment\n\n%YAML 1.1\n---\na: no\n", "directive", 3, "directives"),
    ("%TAG ! x\n---\na: 1\n", "directive", 1, "directives"),
    ("a: {b: 1, b: 2}\n", "duplicate_key", 1, "column 5 and here"),
    ("a:\n  b 1\n  c: 2\n", "syntax", 2, "without its colon"),
    ("a: x\u2028y\n", "syntax", 1, "character"),
    ("a: 1\n1: 2\n", "key_not_text", 2, "quotes"),
    ("true: 2\n", "key_not_text", 1, "quotes"),
    ("? [a]\n: 1\n", "key_not_text", 1, "list"),
    ("a:\n\tb: 1\n", "syntax", 2, "tab"),
    ("a:\n  b: [1, 2\nc: 3\n", "syntax", 2, "not closed"),
    ("a: {b: 1\nc: 2\n", "syntax", 1, "not closed"),
    ("a: 'x\nb: 2\n", "syntax", 1, "not closed"),
    ("a: b: c\n", "syntax", 1, "colon"),
    ("a: 1\n  b: 2\n", "syntax", 2, "colon"),
    ("a: @x\n", "syntax", 1, "quotes"),
    ("a: *\n", "syntax", 1, "quotes"),
    ("a: %x\n", "syntax", 1, "quotes"),
    ("a: !h!x y\n", "syntax", 1, "tags"),
    ("a: ]\n", "syntax", 1, "missing"),
    ("a:\n  - 1\n b: 2\n", "syntax", 3, "indentation"),
    ("a: - b\n", "syntax", 1, "line of its own"),
    ('a: "\\q"\n', "syntax", 1, "escape"),
    ("a: 1\nb: \x01\n", "syntax", 2, "character"),
    ("", "not_a_mapping", 1, "empty"),
    ("# nothing\n", "not_a_mapping", 1, "empty"),
    ("- a\n", "not_a_mapping", 1, "sections"),
    ("a: " + "9" * 401 + "\n", "out_of_range", 1, "400"),
]


@pytest.mark.parametrize("implementation", ["C", "Python"])
@pytest.mark.parametrize(("text", "code", "line", "words"), REFUSED)
def test_what_a_config_does_not_need_is_refused(
    text: str, code: str, line: int, words: str, implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if implementation == "Python":
        monkeypatch.setattr(reader, "_LOADER", yaml.SafeLoader)
    with pytest.raises(UsageError) as caught:
        load_text(text, "f.yaml")
    problem = caught.value.problems[0]
    assert (problem.code, problem.line, problem.file) == (code, line, "f.yaml")
    assert words in problem.message
    assert problem.column is not None


def test_several_refusals_are_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        load_text("a: &x 1\nb: *x\nb: !t 3\n", "f")
    assert [problem.code for problem in caught.value.problems] == ["anchor", "alias", "duplicate_key", "tag"]


def test_keys_may_be_numbers_where_the_caller_says_so() -> None:
    value, positions = parse("a:\n  1: x\n  true: y\n", "f", [("a",)])
    assert value == {"a": {"1": "x", "true": "y"}}
    assert positions["a", "1"].value[1:] == (2, 6)
    with pytest.raises(UsageError, match="not text"):
        parse("a:\n  1: x\n", "f")


@pytest.mark.parametrize("file", ["iris.csv", "a/B.TSV"])
def test_a_data_file_is_no_config(file: str) -> None:
    with pytest.raises(UsageError, match=f"run `bptrain init --data {file} --target COLUMN` first"):
        load_text("a,b\n1,2\n", file)
    with pytest.raises(UsageError, match="no sections such as `network:`"):
        load_text("a,b\n1,2\n", "c.yaml")


def test_every_node_has_a_position() -> None:
    document = load_text("a:\n  b: [1, {c: 2}]\n  d:\n  - x\n", "f.yaml")
    places = {path: (mark.key[1:], mark.value[1:]) for path, mark in document.positions.items()}
    assert places == {
        (): ((1, 1), (1, 1)),
        ("a",): ((1, 1), (1, 1)),
        ("a", "b"): ((2, 3), (2, 6)),
        ("a", "b", 0): ((2, 7), (2, 7)),
        ("a", "b", 1): ((2, 10), (2, 10)),
        ("a", "b", 1, "c"): ((2, 11), (2, 14)),
        ("a", "d"): ((3, 3), (3, 3)),
        ("a", "d", 0): ((4, 5), (4, 5)),
    }


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff\xfea\x00", "not_utf8"), (b"a: \xe9\n", "not_utf8"), (b"a: 1\n" * 20_000, "too_large")],
)
def test_a_file_that_is_no_config(content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "c.yaml")
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(str(tmp_path / "none.yaml"))
    assert caught.value.problems[0].code == "file_not_found"
    assert caught.value.problems[0].file == str(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path)


def test_byte_order_marks_and_other_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    document = load(tmp_path / "c.yaml")
    assert document.value == {"a": 1, "b": 2}
    assert document.lines[:2] == ["a: 1", "b: 2"]


BOMBS = {
    "billion laughs": "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(500)),
    "deep flow lists": "a: " + "[" * 60_000,
    "deep flow mappings": "{a: " * 15_000,
    "deep block lists": "a: " + "\n" + "- " * 30_000,
    "deep keys": "? " * 30_000,
    "many nodes": "a: [" + "1," * 30_000 + "]",
    "many keys": "\n".join(f"k{i}: 1" for i in range(6_000)),
    "long number": "a: " + "9" * 60_000,
    "long exponent": "a: 1e" + "9" * 60_000,
    "open quotes": 'a: "' + "x\n" * 30_000,
    "many colons": ":" * 60_000,
    "many question marks": "? a\n" * 15_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_fast(name: str) -> None:
    start = time.process_time()
    with pytest.raises(UsageError):
        parse(BOMBS[name], "f")
    assert time.process_time() - start < 2
