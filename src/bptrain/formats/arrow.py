"""Arrow IPC files and streams, and Feather: columns with types, as they are in memory; read through pyarrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bptrain.extras import TABLES
from bptrain.formats.arrow_cells import reading_arrow, sheet_of
from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import Conventions

FILE = b"ARROW1"  # how an IPC file begins, which a stream does not


@formats.add("arrow")
def arrow() -> Format:
    """A table of typed columns as Arrow or Feather writes it; needs pyarrow."""
    return Format("table", (".arrow", ".feather"), read_arrow, variants=(".arrows", ".ipc"), extra=TABLES)


def read_arrow(path: Path, key: str, conventions: Conventions) -> Sheet:
    """The table. Raises DataError, and UsageError without pyarrow."""
    with reading_arrow(path, key, FILE) as pa:
        with path.open("rb") as opened:
            head = opened.read(len(FILE))
        with pa.OSFile(str(path)) as source:
            if head == FILE:
                reader = pa.ipc.open_file(source)
                return sheet_of(pa, reader.schema, _batches(reader), None, path)
            stream = pa.ipc.open_stream(source)
            return sheet_of(pa, stream.schema, stream, None, path)


def _batches(reader: Any) -> Iterator[Any]:
    for place in range(reader.num_record_batches):
        yield reader.get_batch(place)
