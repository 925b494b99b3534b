"""What goes between this process and a child that runs somebody's functions: records with arrays, none of it code.

    message    its length in 8 bytes, then an npz: the record as JSON text, the arrays by their place in a list

Nothing is unpickled, so what a child sends is numbers and text, whatever ran in it.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import IO, Any

import numpy as np

from bptrain.commands.check_backward.user_functions import Fault
from bptrain.gradient_check.submission import ExpectedQuantity, Key, SubmittedValues
from bptrain.parts.types import Array

LENGTH = 8  # bytes
NUMBERS = "fiub"  # kinds of dtype that a quantity may have
Read = tuple[SubmittedValues, Fault | None]  # of one function: its quantities, and a fault of the whole


def packed(record: Mapping[str, Any], arrays: Sequence[Array] = ()) -> bytes:
    """A message."""
    buffer = BytesIO()
    named: dict[str, Any] = {f"a{place}": array for place, array in enumerate(arrays)}
    np.savez(buffer, **named, record=np.array(json.dumps(record)))
    content = buffer.getvalue()
    return len(content).to_bytes(LENGTH) + content


def unpacked(content: bytes) -> tuple[dict[str, Any], list[Array]]:
    """The record and the arrays of a message without its length. Raises ValueError for what is none."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            record = json.loads(str(file["record"]))
            return dict(record), [file[f"a{place}"] for place in range(len(file.files) - 1)]
    except (OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"not a message: {error}") from error


def read_message(stream: IO[bytes], most: int) -> bytes | None:
    """The next message without its length; None at the end, or where that cuts it.

    Raises ValueError for one that is longer than `most` bytes, and where no length is given.
    """
    head = exactly(stream, LENGTH)
    if len(head) < LENGTH:
        return None
    length = int.from_bytes(head)
    if length == 0:
        raise ValueError("a message with no length")
    if length > most:
        raise ValueError(f"a message longer than {most:,} bytes")
    content = exactly(stream, length)
    return content if len(content) == length else None


def exactly(stream: IO[bytes], length: int) -> bytes:
    """That many bytes of a pipe, or fewer at its end."""
    parts: list[bytes] = []
    while length and (part := stream.read(min(length, 2**20))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def told(read: Mapping[str, Read], arrays: list[Array]) -> dict[str, Any]:
    """What was read of each function, as plain JSON types; arrays are added to the list."""

    def place(value: Array | str | None) -> int | str | None:
        if not isinstance(value, np.ndarray):
            return value
        arrays.append(value)
        return len(arrays) - 1

    return {
        name: {
            "values": [[*key, place(value)] for key, value in values.items()],
            "fault": None if fault is None else fault._asdict(),
        }
        for name, (values, fault) in read.items()
    }


def heard(
    record: Mapping[str, Any], arrays: Sequence[Array], expected: Mapping[str, Sequence[ExpectedQuantity]]
) -> dict[str, Read]:
    """What `told` was given. Raises ValueError where it is not complete, or no such record."""
    try:
        return {name: _read(entry, arrays, expected[name]) for name, entry in record.items()}
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not what functions returned: {error}") from error


def _read(entry: Mapping[str, Any], arrays: Sequence[Array], expected: Sequence[ExpectedQuantity]) -> Read:
    values: dict[Key, Array | str | None] = {}
    for name, layer, value in entry["values"]:
        values[name, layer] = arrays[value] if isinstance(value, int) else value
    if values.keys() != {one.key for one in expected}:
        raise ValueError("other quantities than those asked for")
    for one in expected:
        array = values[one.key]
        if isinstance(array, np.ndarray) and (
            array.shape != one.right.shape or array.dtype.kind not in NUMBERS
        ):
            raise ValueError(f"{one.name}[{one.layer}] is no array of its shape")
    if entry["fault"] is None:
        return values, None
    told_fault = dict(entry["fault"])
    computing = told_fault.pop("computing")
    return values, Fault(**told_fault, computing=None if computing is None else (computing[0], computing[1]))
