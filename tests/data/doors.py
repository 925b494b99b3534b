"""One table through every door: files, containers of Python, and frames."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bptrain.data.memory import in_memory
from bptrain.data.prepare import encode_columns, encode_file
from bptrain.data.schema import Schema
from bptrain.errors import DataError
from data.helpers import prepared, whole, write

Columns = dict[str, list[Any]]
Door = Callable[[Columns], Any]


def as_written(cell: Any) -> str:
    """A cell as a CSV file has it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat()
    return repr(cell) if isinstance(cell, float) else str(cell)


def as_csv(columns: Columns) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([as_written(cell) for cell in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def as_json_lines(columns: Columns) -> str:
    def cell(value: Any) -> Any:
        return as_written(value) if isinstance(value, date) else value

    rows = zip(*columns.values(), strict=True)
    return "".join(
        json.dumps({name: cell(value) for name, value in zip(columns, row, strict=True)}) + "\n"
        for row in rows
    )


def as_array(cells: list[Any]) -> Any:
    """In the type that NumPy has for such cells."""
    there = [cell for cell in cells if cell is not None]
    if there and all(isinstance(cell, float) for cell in there):
        return np.array([np.nan if cell is None else cell for cell in cells])
    if there and all(type(cell) is date for cell in there):
        return np.array(cells, "datetime64[D]")
    if there and all(isinstance(cell, datetime) for cell in there):
        return np.array(cells, "datetime64[us]")
    if len(there) == len(cells) and len({type(cell) for cell in there}) == 1:
        return np.array(cells)
    return np.array(cells, object)


NAMED: dict[str, Door] = {
    "dict of lists": dict,
    "dict of tuples": lambda columns: {name: tuple(cells) for name, cells in columns.items()},
    "dict of arrays": lambda columns: {name: as_array(cells) for name, cells in columns.items()},
    "texts": lambda columns: {name: list(map(as_written, cells)) for name, cells in columns.items()},
    "masked arrays": lambda columns: {
        name: np.ma.masked_array(np.array(cells, object), [cell is None for cell in cells])
        for name, cells in columns.items()
    },
}


def outcome(act: Callable[[], Any]) -> Any:
    """What came out, or that it was refused and why."""
    try:
        return act()
    except DataError as error:
        return {problem.code for problem in error.problems}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, set) or isinstance(other, set):
        return bool(isinstance(one, set) and isinstance(other, set))
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def check_doors(columns: Columns, folder: Path, frames: Mapping[str, Door] = NAMED) -> None:
    """The table trains and predicts with the same X, bit for bit, through every door."""
    settings: dict[str, Any] = {"missing": "most_frequent"}
    source = write(folder, as_csv(columns))
    trained = outcome(lambda: prepared(whole(source, **settings)))
    if isinstance(trained, set):
        for name, door in frames.items():
            found = outcome(lambda door=door: prepared(whole(in_memory(door(columns), "data"), **settings)))  # type: ignore[misc]
            assert isinstance(found, set), (name, trained)
        return
    schema: Schema = trained.schema
    X = trained.splits["train"].X
    for name, door in frames.items():
        again = prepared(whole(in_memory(door(columns), "data"), **settings))
        assert same(again.splits["train"].X, X), name
        assert same(again.splits["train"].y_true, trained.splits["train"].y_true), name
    lines = write(folder, as_json_lines(columns), "d.jsonl")
    assert same(prepared(whole(lines, **settings)).splits["train"].X, X)
    assert same(encode_file(lines, schema, np.float64)[0].X, X)
    features = {name: columns[name] for name in columns if name != "y"}
    rows = list(zip(*features.values(), strict=True))
    doors = {name: door(features) for name, door in frames.items()}
    doors["rows as tuples"] = rows
    for name, given in doors.items():
        assert same(encode_columns(given, schema, np.float64), X), name
    for k, row in enumerate(rows[:3]):
        alone = outcome(lambda row=row: encode_columns(row, schema, np.float64))  # type: ignore[misc]
        assert same(alone, X[k : k + 1]), row
