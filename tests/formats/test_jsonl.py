"""JSON lines: a cell means what it means in a CSV file, and every malformed line is named."""

import csv
import gzip
import io
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats import jsonl
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.jsonl import read_json_lines
from command import bptrain
from data.helpers import CROSS, prepared, problems, whole, write


def sheet_of(folder: Path, text: str) -> tuple[tuple[str, ...], dict[str, Any], list[int]]:
    sheet = read_json_lines(write(folder, text, "t.jsonl").inputs, "", RECOGNIZED)
    assert sheet.origin.lines is not None
    return (
        sheet.names,
        {name: [*map(str, cells)] for name, cells in sheet.cells.items()},
        sheet.origin.lines.tolist(),
    )


def test_names_by_first_appearance(tmp_path: Path) -> None:
    text = '\ufeff{"b": 1, " a ": "x"}\r\n\n{"a": null, "c": 1.50}\n{}\n{"c": true, "b": "é\u2028"}'
    names, cells, lines = sheet_of(tmp_path, text)
    assert names == ("b", "a", "c")
    assert cells == {"b": ["1", "", "", "é\u2028"], "a": ["x", "", "", ""], "c": ["", "1.50", "", "true"]}
    assert lines == [1, 3, 4, 5]


# text, [(code, line, column)], words
MALFORMED: list[tuple[str, list[tuple[str, int | None, int | None]], str]] = [
    ("", [("empty_file", None, None)], "object on each line"),
    ("\n \n", [("empty_file", None, None)], "object on each line"),
    ("{}\n{}\n", [("no_columns", 1, None)], "no keys"),
    ('{"x": 1, "y": 2}\n{"x": 3, "y": }\n{"x": 5, "y"\n', [("malformed_row", 2, 15), ("malformed_row", 3, 13)], "JSON"),
    ('[{"x": 1}]\n', [("malformed_row", 1, None)], "a list, not an object"),
    ('{"x": 1}\n7\n', [("malformed_row", 2, None)], "a single value"),
    ('{"x": 1} {"x": 2}\n', [("malformed_row", 1, 10)], "one object on each line"),
    ('{"x": 1, "y": {"z": 2}}\n', [("nested_value", 1, None)], "y is an object"),
    ('{"x": 1, "y": [1, 2]}\n', [("nested_value", 1, None)], "y is a list"),
    ("[" * 100_000 + "\n", [("malformed_row", 1, None)], ""),
    ('{"x": 1, "x": 2}\n', [("duplicate_column", 1, None)], "x is there twice"),
    ('{"x": 1, " x": 2}\n', [("duplicate_column", 1, None)], "x is there twice"),
    ('{"": 1}\n', [("unnamed_column", 1, None)], "name it"),
    ('{"x": "\\ud800"}\n', [("not_utf8", 1, None)], "surrogate"),
    ('{"y": 1, "x": 1}\n{"y": 2, "x": Infinity}\n', [("infinite", 2, None)], "x"),
    ('{"y": 1, "x": 1}\n{"y": 2}\n', [("missing_cell", 2, None)], "column x"),
    ('{"y": 1, "x": 2}\n' * 9 + '{"y": 1, "x": "o"}', [("not_a_number", 10, None)], "'o'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "places", "words"), MALFORMED, ids=[f"{m[1][0][0]} {m[2]}" for m in MALFORMED]
)
def test_malformed(
    tmp_path: Path, text: str, places: list[tuple[str, int | None, int | None]], words: str
) -> None:
    found = problems(whole(write(tmp_path, text, "t.jsonl")))
    assert [(p.code, p.line, p.column) for p in found] == places
    assert words in found[0].message


def test_rows_with_keys_of_their_own_are_not_a_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MOST_CELLS", 10_000)
    text = "\n".join(json.dumps({f"key {k}": k}) for k in range(1000))
    [problem] = problems(whole(write(tmp_path, text, "t.jsonl")))
    assert (problem.code, problem.line) == ("sparse_table", 101)


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.JSONL", "t.jsonl.gz", "t.txt", "t"])
def test_through_the_commands(workplace: Path, name: str) -> None:
    rows = [{"size": k % 7, "color": "rg"[k % 2], "kind": "ab"[k % 2]} for k in range(60)]
    content = "\n".join(map(json.dumps, rows)).encode()
    (workplace / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert bptrain("init", "--data", name, "--target", "kind").code == 0
    fit = bptrain("fit", "config.yaml", "--set", "training.epochs=2", "--json")
    assert fit.code == 0, fit.err
    assert bptrain("eval", fit.json["run"], "--data", name, "--json").json["rows"] == 60


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["NA", "", "1", "1.0", "01", "true", "x y", "a,b", 'a"b', "a\nb", " pad ", "é", "1e5", "?"]
    ),
)


def as_written(cell: Any) -> str:
    """A JSON value as the same table in CSV has it."""
    return "" if cell is None else cell if isinstance(cell, str) else json.dumps(cell)


def encoded(source: FileSource) -> tuple[Any, ...]:
    """Everything that a source becomes; or what is wrong with it, but for the file's name and lines."""
    options = {"missing": dict.fromkeys("abc", "most_frequent")}
    try:
        p = prepared(whole(source, **options), CROSS)
    except DataError as error:
        return tuple((problem.code, problem.message) for problem in error.problems)
    rows = p.splits["train"]
    warnings = tuple(re.sub(r"line \d+", "a line", warning.message) for warning in p.warnings)
    notes = tuple(note.replace(source.name, "the file") for note in p.notes)
    return p.schema.to_json(), rows.X.tobytes(), rows.T.tobytes(), notes, warnings


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=2, max_size=12))
def test_the_same_table_as_csv_and_as_json_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, Any, Any]]
) -> None:
    """Bit for bit; a missing key is a missing cell, wherever it is."""
    folder = tmp_path_factory.mktemp("same")
    table, lines = io.StringIO(), []
    writer = csv.writer(table)
    writer.writerow(["a", "b", "c", "y"])
    for k, row in enumerate(rows):
        writer.writerow([*map(as_written, row), "no" if k % 2 else "yes"])
        full = dict(zip("abcy", (*row, "no" if k % 2 else "yes"), strict=True))
        lines.append(json.dumps({key: value for key, value in full.items() if k == 0 or value is not None}))
    as_csv = write(folder, table.getvalue(), "t.csv")
    as_lines = write(folder, "\n".join(lines), "t.jsonl")
    assert encoded(as_csv) == encoded(as_lines)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\u0d8 1eaN-\n', max_size=80).map(str.encode))
def test_any_bytes_are_a_table_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "t.jsonl"
    path.write_bytes(b'{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}\n' + content)
    with suppress(DataError):  # anything else fails the test
        assert np.isfinite(prepared(whole(FileSource(path)), CROSS).splits["train"].X).all()


@pytest.mark.parametrize("keys", [{}, {"decimal": ","}, {"thousands": "."}])
def test_numbers_have_a_decimal_point_whatever_texts_have(tmp_path: Path, keys: dict[str, Any]) -> None:
    """1.234 is no 1234 beside "12,5", nor under a declared mark; in quotes it is a text like those of a CSV file."""
    rows = [f'{{"a": {k}.234, "b": "{k},5", "c": "{k}.234", "y": {k}}}' for k in range(1, 9)]
    source = FileSource(write(tmp_path, "\n".join(rows), "t.jsonl").inputs, None, Conventions(**keys))
    k = np.arange(1, 9)
    assert np.allclose(
        prepared(whole(source)).splits["train"].X,
        np.column_stack([k + 0.234, k + 0.5, 1000 * k + 234]),
        rtol=1e-6,
    )
