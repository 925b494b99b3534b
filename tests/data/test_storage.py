"""Arrays in memory and in files without names."""

import errno
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import DTypeLike

from bptrain.data import storage
from bptrain.data.storage import ALIGNED, IN_MEMORY, MappedFiles, Memory, Pool, Storage
from bptrain.errors import StorageError
from bptrain.mapped_rows import Mapping, mapping
from bptrain.parts.types import Array


@pytest.mark.parametrize("where", ["memory", "files"])
def test_what_is_written_is_there(where: str, tmp_path: Path) -> None:
    storage: Storage = IN_MEMORY if where == "memory" else MappedFiles(tmp_path)
    array = storage.empty((3, 4), np.float32)
    array[:] = np.arange(12).reshape(3, 4)
    assert array.dtype == np.float32
    assert array.tolist() == np.arange(12.0).reshape(3, 4).tolist()
    assert storage.empty((0, 4), np.float64).shape == (0, 4)


def test_the_files_are_mapped_and_have_no_names(tmp_path: Path) -> None:
    array = MappedFiles(tmp_path).empty((5, 7), np.uint8)
    assert isinstance(mapping(array), Mapping)
    assert not [*tmp_path.iterdir()]


def test_no_room_is_said_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match=r"nothing: No such file .*; data\.cache names another directory"):
        MappedFiles(tmp_path / "nothing").empty((3,), np.float64)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(storage, "reserve", Mock(side_effect=full))
    with pytest.raises(StorageError, match="No space left on device"):
        MappedFiles(tmp_path).empty((3,), np.float64)
    assert not [*tmp_path.iterdir()]


class Counted(Memory):
    """Memory; notes the bytes that are asked for."""

    taken: ClassVar[list[int]] = []

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        self.taken.append(int(np.prod(shape)))
        return np.zeros(shape, dtype)


def test_many_arrays_lie_in_few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have 256 files open on some systems, and tables may be of any size."""
    monkeypatch.setattr(storage, "SEGMENT", 8 * ALIGNED)
    monkeypatch.setattr(Counted, "taken", [])
    pool, asked = Pool(Counted()), 0
    for k in range(20_000):
        size = ALIGNED * (1 + k % 3) - k % 5
        array = pool.empty((size,), np.uint8)
        assert not array.any()
        array[:] = 1
        asked += size
    assert len(Counted.taken) < 120
    assert asked < sum(Counted.taken) < 1.4 * asked
