"""Frames of pandas, polars and Arrow mean what the same table means in a file."""

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.memory import in_memory
from bptrain.data.prepare import encode_columns
from data.doors import Columns, as_csv, check_doors
from data.helpers import BINARY, prepared, whole, write

COLUMNS: Columns = {
    "f": [0.5, None, 2.0, 1e-7, 1e22, 3.0],
    "i": [1, 2, 3, 4, 5, 6],
    "gap": [1, None, 3, 4, 5, 6],
    "long": [2**53 + k % 3 for k in range(6)],
    "id": [2**53, None, 2**53 + 1, 2**53, 2**53 + 1, 2**53],
    "flag": [True, False, True, True, False, True],
    "maybe": [True, False, None, True, False, True],
    "text": ["caf\u00e9", "cafe\u0301", "NA", None, "b", "é"],
    "word": ["TRUE", "false", "True", "FALSE", "true", "x"],
    "code": ["01", "1", "02", "01", "1", "1"],
    "day": [date(2021, 1, k + 1) for k in range(6)],
    "seldom": [date(2021, 1, 1), None, None, date(2021, 1, 1), date(2021, 1, 2), None],
    "time": [datetime(2021, 1, 1, k, 30) for k in range(6)],
    "midnight": [datetime(2021, 1, k + 1) for k in range(6)],
    "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
}


def frames_of(library: str) -> dict[str, Any]:
    """Ways to put columns into frames of a library, which is imported here."""
    module = pytest.importorskip(library)
    if library == "polars":
        return {"polars": lambda columns: module.DataFrame(columns, strict=False)}
    if library == "pyarrow":
        return {
            "Arrow": module.table,
            "chunks": lambda columns: module.concat_tables(
                [module.table(columns).slice(0, 2), module.table(columns).slice(2)]
            ),
        }

    def nullable(columns: Columns) -> Any:
        types = {"i": "Int64", "gap": "Int64", "flag": "boolean", "maybe": "boolean", "text": "string"}
        frame = module.DataFrame(columns)
        return frame.astype({name: kind for name, kind in types.items() if name in frame})

    def days(columns: Columns) -> Any:
        frame = module.DataFrame(columns)
        for name in ("day", "seldom"):
            if name in frame:
                frame[name] = module.to_datetime(frame[name])
        return frame

    return {
        "pandas": module.DataFrame,
        "objects": lambda columns: module.DataFrame(columns, dtype=object),
        "NA": nullable,
        "datetime64 and NaT": days,
        "categorical": lambda columns: module.DataFrame(columns).astype({"code": "category"}),
    }


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_frame_is_what_its_file_is(library: str, tmp_path: Path) -> None:
    frames = frames_of(library)
    for kept in (COLUMNS, {name: COLUMNS[name] for name in ("code", "text", "y")}):
        columns = dict(kept)
        if library == "pandas":  # which makes floats of whole numbers where one is missing
            columns.pop("id", None)
        check_doors(columns, tmp_path, frames)


@pytest.mark.parametrize("words", [("TRUE", "FALSE"), ("True", "False"), ("true", "false")])
def test_a_training_file_that_pandas_reads(words: tuple[str, str], tmp_path: Path) -> None:
    """pandas makes booleans of TRUE and FALSE, floats of whole numbers beside an empty cell, and NaN of NA."""
    pandas = pytest.importorskip("pandas")
    rows = "".join(f"{words[k % 2]},{k % 3},{'NA' if k % 5 == 0 else 'b'},{k % 2}\n" for k in range(30))
    text = "flag,code,c,y\n" + rows + f"{words[0]},,b,1\n"
    options: dict[str, Any] = {"columns": {"code": "categorical"}, "missing": "most_frequent"}
    p = prepared(whole(write(tmp_path, text), **options), BINARY)
    frame = pandas.read_csv(io.StringIO(text))
    assert (frame["flag"].dtype, frame["code"].dtype) == (np.dtype(bool), np.dtype(np.float64))
    X = encode_columns(frame, p.schema, np.float64)
    np.testing.assert_array_equal(X, p.splits["train"].X)
    again = prepared(whole(in_memory(frame, "data"), **options), BINARY)
    np.testing.assert_array_equal(again.splits["train"].X, X)


def test_a_frame_and_a_series(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({name: COLUMNS[name] for name in ("i", "code", "flag")})
    y = pandas.Series(COLUMNS["y"], name="price", index=range(10, 16))
    p = prepared(whole(in_memory((frame, y), "data"), None))
    assert [feature.name for feature in p.schema.features] == ["i", "code", "flag"]
    np.testing.assert_array_equal(encode_columns(frame, p.schema, np.float64), p.splits["train"].X)
    same = write(
        tmp_path, as_csv({**{name: COLUMNS[name] for name in ("i", "code", "flag")}, "y": COLUMNS["y"]})
    )
    np.testing.assert_array_equal(prepared(whole(same)).splits["train"].X, p.splits["train"].X)
    several = prepared(whole(in_memory((frame, pandas.DataFrame({"a": y, "b": y})), "data"), None))
    assert several.schema.target.names == ("a", "b")
