"""NPY: one array, as np.save writes it."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from bptrain.formats.array_header import mapped, of_bytes, read_header, refuse_other_size
from bptrain.formats.array_pieces import rows_of_array
from bptrain.formats.base import Format, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import packed_content, reading
from bptrain.formats.foreign import HEAD_OF_FILE, refuse_foreign
from bptrain.formats.incoming import Incoming

if TYPE_CHECKING:
    from bptrain.parts.types import Array


@formats.add("npy")
def npy() -> Format:
    """One NumPy array."""
    return Format("array", (".npy",), read_npy, gz=True, pieces=npy_pieces)


def read_npy(path: Path, key: str, conventions: Conventions) -> "Array":
    """The array; of a file that is not packed, mapped. Raises DataError where the file is damaged or holds objects."""
    with reading(path, key), path.open("rb") as file:
        data = packed_content(file, path)
        if data is not None:
            header = read_header(io.BytesIO(data), path)
            refuse_other_size(header, len(data) - header.length, path)
            return of_bytes(data, header, path)
        refuse_foreign(file.read(HEAD_OF_FILE), b"", path, arrays=True)
        file.seek(0)
        header = read_header(file, path)
        refuse_other_size(header, file.seek(0, io.SEEK_END) - header.length, path)
        return mapped(path, header)


def npy_pieces(coming: Incoming, key: str, conventions: Conventions, rows: int) -> "Iterator[Array]":
    """The same, so many rows at a time."""
    if not coming.is_packed:
        coming.refuse_foreign(arrays=True)
    header = read_header(cast(BinaryIO, coming.content), coming.path)
    if coming.is_mapped:
        size = os.fstat(coming.file.fileno()).st_size
        refuse_other_size(header, size - header.length, coming.path)
    yield from rows_of_array(coming, header, rows)
