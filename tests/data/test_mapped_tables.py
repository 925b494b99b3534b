"""Data that lies in mapped files is, bit for bit, what it is in memory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data import spooled_texts
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.least_memory import OF_A_ROW, least_bound
from bptrain.data.prepare import encode_file, prepare
from bptrain.data.prepared import KeptSchema, Prepared
from bptrain.data.settings import ColumnOptions, DataSettings, Fill, NetworkFacts
from bptrain.data.sources import DataSource
from bptrain.data.storage import IN_MEMORY, MappedFiles, Storage, pooled
from bptrain.errors import DataError
from bptrain.formats import delimited_pieces, jsonl, plain_rows
from bptrain.formats.conventions import Conventions
from bptrain.parts.scalers import robust_clip, standard
from bptrain.parts.types import Array
from data.helpers import CROSS, SQUARED, write


def both(
    folder: Path, source: DataSource, facts: NetworkFacts = SQUARED, dtype: Any = np.float32, **options: Any
) -> Prepared | list[str]:
    """The data set, or what is wrong with it, which must be the same in memory and in mapped files."""
    asked = DataSettings(source, **({"target": "y"} | options))
    found = [made(asked, facts, dtype, where) for where in (IN_MEMORY, MappedFiles(folder))]
    if isinstance(found[0], list) or isinstance(found[1], list):
        assert found[0] == found[1]
    else:
        assert_equal(found[0], found[1])
        assert all(is_mapped(rows.X) and is_mapped(rows.T) for rows in found[1].splits.values())
    return found[1]


def made(asked: DataSettings, facts: NetworkFacts, dtype: Any, storage: Storage) -> Prepared | list[str]:
    try:
        return prepare(asked, facts, 3, dtype, storage=storage)
    except DataError as error:
        return [str(problem) for problem in error.problems]


def assert_equal(one: Prepared, other: Prepared) -> None:
    """That two data sets are the same in every bit."""
    assert one.schema.to_json() == other.schema.to_json()
    assert (one.notes, one.warnings, one.digest) == (other.notes, other.warnings, other.digest)
    assert one.how_split == other.how_split
    assert one.splits.keys() == other.splits.keys()
    for name, rows in one.splits.items():
        for mine, yours in zip(rows, other.splits[name], strict=True):
            if isinstance(mine, np.ndarray):
                assert isinstance(yours, np.ndarray)
                assert (mine.dtype, mine.shape) == (yours.dtype, yours.shape)
                assert mine.tobytes() == yours.tobytes()
            else:
                assert mine == yours


def is_mapped(array: Array) -> bool:
    """Whether an array lies in a file, or has nothing in it."""
    base: Any = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    return not isinstance(base, np.ndarray) or not array.size


TABLE = "a,b,day,size,answer,y\n" + "".join(
    f"{k % 7 or ''},{'red' if k % 3 else 'blue'},2021-{1 + k % 12:02}-03,{('low', 'mid', 'high')[k % 3]},"
    f"{'true' if k % 4 else 'false'},{{}}\n".format(k * k % 11 + 0.5)
    for k in range(60)
)
KINDS: dict[str, Any] = {
    "columns": {"size": "ordinal", "answer": "boolean"},
    "column_options": {"size": ColumnOptions(order=("low", "mid", "high"))},
    "missing": {"a": Fill("median", indicator=True)},
    "scale": standard(),
}


def test_columns_of_every_kind(tmp_path: Path) -> None:
    found = both(tmp_path, write(tmp_path, TABLE), **KINDS)
    assert isinstance(found, Prepared)
    assert {feature.kind for feature in found.schema.features} == {
        "numeric", "categorical", "datetime", "ordinal", "boolean",
    }  # fmt: skip


@pytest.mark.parametrize("target", ["b", "answer", "size"])
def test_classes(tmp_path: Path, target: str) -> None:
    both(tmp_path, write(tmp_path, TABLE), CROSS, target=target, missing="mean")


def test_several_targets_and_files_for_validation(tmp_path: Path) -> None:
    source = write(tmp_path, TABLE)
    for scaler in (standard(), robust_clip()):
        both(tmp_path, source, target=("a", "y"), missing="drop", scale=scaler)
    both(tmp_path, source, validation=write(tmp_path, TABLE, "more.csv"), **KINDS)


CELLS: dict[str, st.SearchStrategy[str]] = {
    "plain": st.sampled_from(["1", "2.5", "-3e2", "", "7", ".5", "+1"]),
    "gaps": st.sampled_from(["1", "2.5", "4", "NA", "-", "", " 3 ", "NULL", "1.000", "2.125"]),
    "grouped": st.sampled_from(["1.000", "2.500", "3", "-4.125", "NA"]),
    "comma": st.sampled_from(["1,5", "2", "-3,25", "4,75", "NA"]),
    "code": st.sampled_from(["a", "B", "b", "é", "NA", "", " c", "d;e", "f\ng", '"']),
    "whole": st.sampled_from(["1", "2", "3", "01"]),
    "flag": st.sampled_from(["true", "False", "TRUE"]),
    "day": st.sampled_from(["2021-01-05", "2022-12-31", "2021-03-05T00:00", "2020-02-29"]),
    "odd": st.sampled_from(["1", "2", "3", "1_0", "x", "inf", "1e400", "٣"]),
    "y": st.sampled_from(["1", "2.5", "3", "4"]),
}  # fmt: skip
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=8, max_size=40)


@contextmanager
def small_pieces(rows: int) -> Iterator[None]:
    """Files are read few rows at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited_pieces, "BLOCK", rows * 20)
        patch.setattr(delimited_pieces, "LEAST_ROWS", 0)
        patch.setattr(jsonl, "OF_A_PIECE", rows * len(CELLS))
        patch.setattr(jsonl, "BLOCK", 100)
        patch.setattr(plain_rows, "PIECE", 64)
        patch.setattr(spooled_texts, "MOST_OTHERS", 3)
        yield


def in_csv(rows: list[dict[str, str]], quoted: bool) -> str:
    """The rows as a table with semicolons; quotes where they must be, or around all cells."""

    def cell(text: str) -> str:
        must = quoted or any(sign in text for sign in ';"\n') or text != text.strip()
        return '"' + text.replace('"', '""') + '"' if must else text

    lines = [";".join(CELLS), *(";".join(cell(row[name]) for name in CELLS) for row in rows)]
    return "\n".join(lines) + "\n"


@settings(max_examples=60, deadline=None)
@given(
    ROWS,
    st.integers(2, 9),
    st.booleans(),
    st.sampled_from(["odd", "comma", "grouped", "gaps"]),
    st.booleans(),
)
def test_a_table_that_is_read_piece_by_piece(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, str]],
    size: int,
    quoted: bool,
    last: str,
    fill: bool,
) -> None:
    """Cells that are no numbers may first come in the last piece; a doubt is the same, and so is a mistake."""
    folder = tmp_path_factory.mktemp("t")
    chosen = ["plain", "code", "whole", "flag", "day", last]
    with small_pieces(size):
        options: dict[str, Any] = {"missing": "most_frequent" if fill else "error", "scale": standard()}
        conventions = Conventions(delimiter=";", header=True)
        source = write(folder, in_csv(rows, quoted))._replace(conventions=conventions)
        both(folder, source, features=tuple(chosen), **options)


def in_json(rows: list[dict[str, str]], size: int) -> str:
    """The rows as objects, some numbers as numbers; the first rows lack a column."""

    def value(name: str, text: str) -> Any:
        if name in ("plain", "y", "gaps") and text.strip().replace(".", "", 1).isdigit():
            return float(text)
        return {"": None, "true": True}.get(text, text)

    made = [{name: value(name, text) for name, text in row.items()} for row in rows]
    for row in made[:size]:
        del row["gaps"]
    return "".join(json.dumps(row) + "\n" for row in made)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(2, 9))
def test_json_lines(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], size: int) -> None:
    folder = tmp_path_factory.mktemp("t")
    with small_pieces(size):
        source = write(folder, in_json(rows, size), "t.jsonl")
        both(folder, source, features=("plain", "gaps", "code", "whole", "flag"), missing="most_frequent")


@settings(max_examples=20, deadline=None)
@given(ROWS, ROWS, st.integers(2, 9), st.booleans())
def test_several_files(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, str]],
    more: list[dict[str, str]],
    size: int,
    json_too: bool,
) -> None:
    folder = tmp_path_factory.mktemp("t")
    (folder / "1.csv").write_text(in_csv(rows, False), encoding="utf-8", newline="")
    other = folder / ("2.jsonl" if json_too else "2.csv")
    other.write_text(in_json(more, 0) if json_too else in_csv(more, True), encoding="utf-8", newline="")
    with small_pieces(size):
        source = JoinedFiles((folder / "1.csv", other), Conventions(delimiter=";", header=True))
        both(folder, source, features=("plain", "gaps", "code", "whole", "flag"), missing="most_frequent")


@pytest.mark.parametrize("restarts", [False, True])
def test_an_index_without_a_name_counts_all_rows(tmp_path: Path, restarts: bool) -> None:
    """Two tables with an index each, one below the other, are no table with an index."""
    rows = "".join(f"{k % (30 if restarts else 60)},{k % 7},{k % 5}\n" for k in range(60))
    with small_pieces(8):
        found = both(tmp_path, write(tmp_path, ",a,y\n" + rows))
    assert isinstance(found, list) == restarts


def test_a_run_reads_its_data_again(tmp_path: Path) -> None:
    """By the schema of a run, whose notations are known."""
    text = "comma;gap;code;y\n" + "".join(
        f"{k},5;{k if k % 5 else '-'};{k % 3 or 'NA'};{k}\n" for k in range(40)
    )
    source = write(tmp_path, text)._replace(conventions=Conventions(delimiter=";"))
    asked = DataSettings(source, target="y", missing="mean")
    first = prepare(asked, SQUARED, 3, np.float64)
    kept = KeptSchema(first.schema, first.digest)
    with small_pieces(3):
        places = (IN_MEMORY, MappedFiles(tmp_path))
        again = [prepare(asked, SQUARED, 3, np.float64, None, kept, where) for where in places]
        parts = [encode_file(source, first.schema, np.float64, storage=where) for where in places]
    assert_equal(*again)
    assert parts[0][0].X.tobytes() == parts[1][0].X.tobytes()
    assert parts[0][1] == parts[1][1]


def test_small_arrays_share_a_file_and_no_bytes(tmp_path: Path) -> None:
    room = pooled(MappedFiles(tmp_path))
    arrays = [room.kept(np.full(shape, k)) for k, shape in enumerate([(3,), (2, 5), (0,), (7,)])]
    for k, array in enumerate(arrays):
        assert (array == k).all()
        assert is_mapped(array)
    assert pooled(room) is room
    assert pooled(IN_MEMORY) is IN_MEMORY


def test_a_bound_that_numbers_per_row_exceed(tmp_path: Path) -> None:
    source = write(tmp_path, TABLE)
    asked = DataSettings(source, target="y", missing="mean")
    refused = made(asked, SQUARED, np.float32, MappedFiles(tmp_path, 60 * OF_A_ROW - 1))
    assert isinstance(refused, list)
    assert "the 60 rows of" in refused[0]
    assert "data.memory: 50MB is the least that holds" in refused[0]
    assert isinstance(made(asked, SQUARED, np.float32, MappedFiles(tmp_path, 60 * OF_A_ROW)), Prepared)
    assert least_bound(10_000_000) == 360_000_000
