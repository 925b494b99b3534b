"""Arrow IPC files and streams, and Feather: columns with types, as they are in memory; read through pyarrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bptrain.extras import TABLES
from bptrain.formats.arrow_cells import reading_arrow, sheet_of, sheets_of
from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.incoming import Incoming

FILE = b"ARROW1"  # how an IPC file begins, which a stream does not


@formats.add("arrow")
def arrow() -> Format:
    """A table of typed columns as Arrow or Feather writes it; needs pyarrow."""
    return Format(
        "table",
        (".arrow", ".feather"),
        read_arrow,
        variants=(".arrows", ".ipc"),
        extra=TABLES,
        pieces=arrow_pieces,
    )


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


def arrow_pieces(coming: Incoming, key: str, conventions: Conventions, rows: int) -> Iterator[Sheet]:
    """The same, so many rows at a time; of a pipe, what comes as a stream."""
    head = coming.content.peek(len(FILE))
    if coming.is_pipe and head == FILE:
        raise coming.needs_its_end("the file format of Arrow")
    with reading_arrow(coming.path, key, FILE, coming) as pa:
        if head == FILE:
            with pa.OSFile(str(coming.path)) as source:
                reader = pa.ipc.open_file(source)
                yield from sheets_of(pa, reader.schema, _batches(reader), rows, coming.path)
        else:
            stream = pa.ipc.open_stream(pa.PythonFile(coming.content, mode="r"))
            yield from sheets_of(pa, stream.schema, stream, rows, coming.path)


def _batches(reader: Any) -> Iterator[Any]:
    for place in range(reader.num_record_batches):
        yield reader.get_batch(place)
