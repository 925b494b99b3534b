"""IDX, MNIST's format: two zero bytes, type, number of axes n, n sizes in big-endian, then the values."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bptrain.errors import DataError, Problem
from bptrain.formats.array_header import AXES, ArrayHeader, mapped, of_bytes
from bptrain.formats.array_pieces import refuse_rest, rows_of_array
from bptrain.formats.base import Format, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import packed_content, reading
from bptrain.formats.foreign import refuse_foreign
from bptrain.formats.incoming import Incoming

if TYPE_CHECKING:
    from bptrain.parts.types import Array

LONGEST_HEADER = 4 + 4 * 255  # bytes
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@formats.add("idx")
def idx() -> Format:
    """One array, of bytes as a rule; MNIST's format."""
    numbered = tuple(f".idx{axes}" for axes in range(10))
    return Format("array", (".idx", "-ubyte"), read_idx, gz=True, variants=numbered, pieces=idx_pieces)


def read_idx(path: Path, key: str, conventions: Conventions) -> "Array":
    """The array; of a file that is not packed, mapped.

    Raises DataError where the file is damaged or its header does not agree with its size.
    """
    with reading(path, key), path.open("rb") as file:
        data = packed_content(file, path)
        head = file.read(LONGEST_HEADER) if data is None else data[:LONGEST_HEADER]
        refuse_foreign(head, b"", path)
        size = file.seek(0, io.SEEK_END) if data is None else len(data)
        header = _header(head, size, path)
        return mapped(path, header) if data is None else of_bytes(data, header, path)


def idx_pieces(coming: Incoming, key: str, conventions: Conventions, rows: int) -> "Iterator[Array]":
    """The same, so many rows at a time."""
    coming.refuse_foreign()
    size = os.fstat(coming.file.fileno()).st_size if coming.is_mapped else None
    header = _header(coming.content.peek(LONGEST_HEADER), size, coming.path)
    coming.content.read(header.length)
    yield from rows_of_array(coming, header, rows)
    refuse_rest(coming)


def _header(head: bytes, size: int | None, path: Path) -> ArrayHeader:
    """What the first bytes of a file of this size say; None where that is not known yet."""
    import numpy as np

    file = str(path)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in IDX_TYPES or head[3] == 0:
        message = (
            f"not an IDX file: it begins with {head[:4].hex(' ') or 'nothing'}, not with 00 00 and a type"
        )
        raise DataError(Problem("not_idx", message, file=file))
    begin = 4 + 4 * head[3]
    shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, begin, 4))
    header = ArrayHeader(shape, np.dtype(IDX_TYPES[head[2]]), "C", begin)
    if size not in (None, begin + header.size):
        sizes = " × ".join(str(n) for n in shape)
        message = f"the file is damaged: {sizes} values make {begin + header.size} bytes, but it has {size}"
        raise DataError(Problem("damaged_file", message, file=file))
    if len(shape) > AXES:
        raise DataError(Problem("damaged_file", f"the array has {len(shape)} axes", file=file))
    return header
