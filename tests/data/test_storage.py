"""Arrays in memory and in files without names."""

import errno
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from bptrain.data import storage
from bptrain.data.storage import IN_MEMORY, MappedFiles, Storage
from bptrain.errors import StorageError


@pytest.mark.parametrize("where", ["memory", "files"])
def test_what_is_written_is_there(where: str, tmp_path: Path) -> None:
    storage: Storage = IN_MEMORY if where == "memory" else MappedFiles(tmp_path)
    array = storage.empty((3, 4), np.float32)
    array[:] = np.arange(12).reshape(3, 4)
    assert array.dtype == np.float32
    assert array.tolist() == np.arange(12.0).reshape(3, 4).tolist()
    assert storage.empty((0, 4), np.float64).shape == (0, 4)


def test_the_files_have_no_names_and_no_anonymous_memory(tmp_path: Path) -> None:
    before = anonymous()
    array = MappedFiles(tmp_path).empty((40 << 20,), np.uint8)
    array[:] = 1
    assert not [*tmp_path.iterdir()]
    assert anonymous() - before < 8 << 20


def anonymous() -> int:
    """Bytes of this process that lie in no file."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("RssAnon:")[1].split()[0]) << 10


def test_no_room_is_said_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match=r"nothing: No such file .*; data\.cache names another directory"):
        MappedFiles(tmp_path / "nothing").empty((3,), np.float64)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(storage, "reserve", Mock(side_effect=full))
    with pytest.raises(StorageError, match="No space left on device"):
        MappedFiles(tmp_path).empty((3,), np.float64)
    assert not [*tmp_path.iterdir()]
