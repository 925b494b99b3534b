"""What the tests of converted data share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bptrain.data.converted.changes import kept_under, new_entry, storing
from bptrain.data.converted.entries import KeptData
from bptrain.data.prepare import prepare
from bptrain.data.prepared import Prepared, Rows
from bptrain.data.settings import DataSettings, RowSplit
from bptrain.data.storage import MappedFiles
from data.helpers import CROSS, write

ROWS = 60


def mixed(folder: Path) -> DataSettings:
    """A table with everything that a split can have: groups, weights, dates, missing cells, a file of its own."""
    lines = ["day,size,color,who,w,y"]
    for row in range(ROWS):
        size = "" if row % 7 == 0 else str(row * 1.5)
        color, y = "blue" if row % 3 else "red", "abc"[row % 3]
        lines.append(f"2024-{row % 12 + 1:02}-{row % 28 + 1:02},{size},{color},{row % 9},{1 + row % 2},{y}")
    test = [*lines[:8], "2024-05-05,900,green,3,1,a"]
    return DataSettings(
        write(folder, "\n".join(lines)),
        test=write(folder, "\n".join(test), "test.csv"),
        target="y",
        missing={"size": "mean"},
        weight="w",
        class_weight="balanced",
        split=RowSplit("group", "who"),
    )


def made(settings: DataSettings, directory: Path | None = None) -> Prepared:
    """The data set, in memory or in mapped files."""
    storage: dict[str, Any] = {} if directory is None else {"storage": MappedFiles(directory)}
    return prepare(settings, CROSS, 0, np.float32, **storage)


def added(
    cache: Path, make: Callable[[Path], Prepared], key: str, asked: str | None, name: str = ""
) -> KeptData:
    """Makes a data set in a directory, and keeps it, as `converting_data` does."""
    with storing(cache):
        cache.mkdir(exist_ok=True)
        with new_entry(cache) as room:
            return kept_under(cache, key, room, make(room.directory), name, asked)


def same(one: Prepared, other: Prepared) -> None:
    """Asserts that two data sets are the same, bit for bit."""
    assert one._replace(splits={}) == other._replace(splits={})
    assert [*one.splits] == [*other.splits]
    for name, rows in one.splits.items():
        same_rows(rows, other.splits[name])


def same_rows(one: Rows, other: Rows) -> None:
    """Asserts that two splits are the same, bit for bit."""
    for field in Rows._fields:
        a, b = getattr(one, field), getattr(other, field)
        assert (a is None) == (b is None), field
        if isinstance(a, np.ndarray):
            assert (a.dtype, a.shape) == (b.dtype, b.shape), field
            assert np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes(), field
        else:
            assert a == b
