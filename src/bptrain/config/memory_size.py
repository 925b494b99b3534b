"""How much memory: the type of `data.memory`, a number of bytes or a text with a unit."""

import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

LEAST = 1_000_000  # bytes; less is a number whose unit was forgotten
UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
OF_UNIT = {unit.lower(): size for unit, size in UNITS.items()}
SIZE = r"^[0-9]{1,15}(\.[0-9]{1,9})? ?[mMgGtT][iI]?[bB]$"  # in the words that JSON Schema and Python share
EXPECTED = "a size such as 200MB or 1.5GB (MB is 10^6 bytes, MiB is 2^20), or a number of bytes, from 1MB up"


def bytes_of(size: int | str) -> int:
    """The bytes of a size that `MemorySize` takes, such as 200MB or 1.5 GiB."""
    if isinstance(size, int):
        return size
    number, unit = size.rstrip("iIbBmMgGtT "), size.lstrip("0123456789. ")
    return int(float(number) * OF_UNIT[unit.lower()])


def _size(value: Any) -> int | str:
    """A size as it was written."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if (whole or (isinstance(value, str) and re.search(SIZE, value))) and bytes_of(value) >= LEAST:
        return value if isinstance(value, str) else int(value)
    raise PydanticCustomError("wrong_type", "wrong_type", {"expected": EXPECTED})


MemorySize = Annotated[
    int | str,
    PlainValidator(_size),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": LEAST}, {"type": "string", "pattern": SIZE}]}),
]
