"""Data that lies in mapped files is, bit for bit, what it is in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.prepare import prepare
from bptrain.data.prepared import Prepared
from bptrain.data.settings import ColumnOptions, DataSettings, Fill, NetworkFacts
from bptrain.data.sources import DataSource
from bptrain.data.storage import IN_MEMORY, MappedFiles, Storage, pooled
from bptrain.errors import DataError
from bptrain.parts.scalers import standard
from bptrain.parts.types import Array
from data.helpers import CROSS, SQUARED, write


def both(
    folder: Path, source: DataSource, facts: NetworkFacts = SQUARED, dtype: Any = np.float32, **options: Any
) -> Prepared | list[str]:
    """The data set, or what is wrong with it, which must be the same in memory and in mapped files."""
    settings = DataSettings(source, **({"target": "y"} | options))
    found = [made(settings, facts, dtype, where) for where in (IN_MEMORY, MappedFiles(folder))]
    if isinstance(found[0], list) or isinstance(found[1], list):
        assert found[0] == found[1]
    else:
        assert_equal(found[0], found[1])
        assert all(is_mapped(rows.X) and is_mapped(rows.T) for rows in found[1].splits.values())
    return found[1]


def made(settings: DataSettings, facts: NetworkFacts, dtype: Any, storage: Storage) -> Prepared | list[str]:
    try:
        return prepare(settings, facts, 3, dtype, storage=storage)
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
    both(tmp_path, source, target=("a", "y"), missing="drop", scale=standard())
    both(tmp_path, source, validation=write(tmp_path, TABLE, "more.csv"), **KINDS)


def test_small_arrays_share_a_file_and_no_bytes(tmp_path: Path) -> None:
    room = pooled(MappedFiles(tmp_path))
    arrays = [room.kept(np.full(shape, k)) for k, shape in enumerate([(3,), (2, 5), (0,), (7,)])]
    for k, array in enumerate(arrays):
        assert (array == k).all()
        assert is_mapped(array)
    assert pooled(room) is room
    assert pooled(IN_MEMORY) is IN_MEMORY
