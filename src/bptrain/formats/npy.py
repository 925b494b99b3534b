"""NPY: one array, as np.save writes it."""

from pathlib import Path
from typing import TYPE_CHECKING

from bptrain.formats.base import Format, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import reading_arrays

if TYPE_CHECKING:
    from bptrain.parts.types import Array


@formats.add("npy")
def npy() -> Format:
    """One NumPy array."""
    return Format("array", (".npy",), read_npy, gz=True)


def read_npy(path: Path, key: str, conventions: Conventions) -> "Array":
    """The array. Raises DataError where the file is damaged or holds objects."""
    import numpy as np

    with reading_arrays(path, key, packed=True) as file:
        array: Array = np.load(file, allow_pickle=False)
    return array
