"""An array some rows at a time, as they come in: read one after the other, so that no more of it is in memory."""

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from bptrain.errors import DataError, Problem
from bptrain.formats.array_header import ArrayHeader, native, of_bytes, refuse_empty, refuse_other_size
from bptrain.formats.incoming import Incoming
from bptrain.formats.limits import refuse_too_large, rows_of_piece

if TYPE_CHECKING:
    from bptrain.parts.types import Array


def rows_of_array(coming: Incoming, header: ArrayHeader, rows: int) -> Iterator["Array"]:
    """The array that follows a header, so many rows at a time. Raises DataError where it ends early."""
    refuse_empty(header, coming.path)
    rows = rows_of_piece(prod(header.shape[1:]), rows)
    if not header.shape or (header.order == "F" and header.shape[1:] and not coming.is_mapped):
        # as a whole: of an array in columns the first row is known when its last column has come
        refuse_too_large(header.size, coming.path)
        data = coming.content.read(header.size)
        refuse_other_size(header, len(data), coming.path)
        whole = of_bytes(data, header._replace(length=0), coming.path)
        yield from pieces_of_array(whole, rows)
    elif header.order == "F" and header.shape[1:]:
        yield from _of_columns(coming, header, rows)
    else:
        yield from _of_rows(coming, header, rows)


def pieces_of_array(array: "Array", rows: int) -> Iterator["Array"]:
    """An array that is there, so many rows at a time."""
    if array.ndim == 0:
        yield array
        return
    for begin in range(0, len(array), rows):
        yield array[begin : begin + rows]


def _of_rows(coming: Incoming, header: ArrayHeader, rows: int) -> Iterator["Array"]:
    """Of an array whose rows lie one behind the other."""
    import numpy as np

    n, *axes = header.shape
    size = prod(axes) * int(header.dtype.itemsize)  # bytes of a row
    for begin in range(0, n, rows):
        there = min(rows, n - begin)
        data = coming.content.read(there * size)
        if len(data) < there * size:
            refuse_other_size(header, begin * size + len(data), coming.path)
        yield native(np.frombuffer(data, header.dtype).reshape(there, *axes))


def _of_columns(coming: Incoming, header: ArrayHeader, rows: int) -> Iterator["Array"]:
    """Of a file in which the columns lie one behind the other."""
    import numpy as np

    n, *axes = header.shape
    width, item = prod(axes), int(header.dtype.itemsize)
    for begin in range(0, n, rows):
        there = min(rows, n - begin)
        made = np.empty((there, *axes), header.dtype, order="F")
        columns = made.reshape(there, width, order="F")
        for k in range(width):
            coming.file.seek(header.length + (k * n + begin) * item)
            data = coming.file.read(there * item)
            if len(data) < there * item:
                refuse_other_size(header, (k * n + begin) * item + len(data), coming.path)
            columns[:, k] = np.frombuffer(data, header.dtype)
        yield native(made)


def refuse_rest(coming: Incoming) -> None:
    """Raises DataError where something follows the values."""
    if coming.content.read(1):
        message = "the file is damaged: it goes on behind the values that its header announces"
        raise DataError(Problem("damaged_file", message, file=str(coming.path)))
