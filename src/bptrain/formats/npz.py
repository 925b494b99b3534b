"""NPZ: named arrays, as np.savez writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bptrain.formats.base import Format, NamedArrays, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import reading_arrays

if TYPE_CHECKING:
    from bptrain.parts.types import Array


@formats.add("npz")
def npz() -> Format:
    """Several NumPy arrays, each with a name."""
    return Format("arrays", (".npz",), read_npz)


def read_npz(path: Path, key: str, conventions: Conventions) -> NamedArrays:
    """The names of the arrays, each of which is read when it is asked for. Raises DataError, then too."""

    def get(name: str) -> "Array":
        with opened(path, key) as archive:
            array: Array = archive[name]
        return array

    with opened(path, key) as archive:
        return NamedArrays(tuple(archive.files), get)


@contextmanager
def opened(path: Path, key: str) -> Iterator[Any]:
    """The archive. Raises DataError where it is damaged, is none, or holds objects."""
    import zipfile

    import numpy as np

    with reading_arrays(path, key) as file, np.load(file, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise zipfile.BadZipFile("it is not a zip archive of arrays")
        yield archive
