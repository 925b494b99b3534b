"""Parquet: columns with types; read through pyarrow, some thousand rows at a time."""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from bptrain.extras import TABLES
from bptrain.formats.arrow_cells import needed, reading_arrow, sheet_of, sheets_of, width_of
from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.incoming import Incoming
from bptrain.formats.limits import rows_of_piece

ROWS_AT_A_TIME = 1 << 16
BUFFER = 1 << 16  # bytes of a column that are read at a time


@formats.add("parquet")
def parquet() -> Format:
    """A table of typed columns; needs pyarrow."""
    return Format(
        "table", (".parquet",), read_parquet, variants=(".pq",), extra=TABLES, pieces=parquet_pieces
    )


def read_parquet(path: Path, key: str, conventions: Conventions) -> Sheet:
    """The table. Raises DataError, and UsageError without pyarrow."""
    with reading_arrow(path, key, b"PAR1") as pa, _opened(pa, path, key) as file:
        return sheet_of(pa, file.schema_arrow, _batches(file), file.metadata.num_rows, path)


def parquet_pieces(coming: Incoming, key: str, conventions: Conventions, rows: int) -> Iterator[Sheet]:
    """The same, so many rows at a time."""
    if coming.is_pipe:
        raise coming.needs_its_end("Parquet")
    yield from sheets_of_groups(coming.path, key, None, rows)


def sheets_of_groups(path: Path, key: str, groups: range | None, rows: int) -> Iterator[Sheet]:
    """The rows of some row groups (None: all), so many at a time and of no two groups, which some may read elsewhere.

    Raises DataError, and UsageError without pyarrow.
    """
    with reading_arrow(path, key, b"PAR1") as pa, _opened(pa, path, key) as file:
        size = rows_of_piece(width_of(pa, file.schema_arrow), ROWS_AT_A_TIME)
        sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
        begins = [0, *accumulate(sizes)]
        there = [k for k in (range(len(sizes)) if groups is None else groups) if sizes[k]]
        for k in there:
            batches = file.iter_batches(size, row_groups=[k], use_threads=False)
            for sheet in sheets_of(pa, file.schema_arrow, batches, rows, path):
                origin = sheet.origin
                yield sheet._replace(origin=origin._replace(begin=begins[k] + origin.begin))
        if not there:
            yield from sheets_of(pa, file.schema_arrow, (), rows, path)


def _opened(pa: Any, path: Path, key: str) -> Any:
    """The file. Texts stay dictionaries: one that is there a million times must not be in memory as often."""
    pq = needed("pyarrow.parquet", path, key)
    first = pq.read_schema(str(path))
    texts = [field.name for field in first if pa.types.is_string(field.type)]
    # A buffer per column, since a row group that is read ahead as a whole is in memory as a whole.
    return pq.ParquetFile(str(path), read_dictionary=texts, pre_buffer=False, buffer_size=BUFFER)


def _batches(file: Any) -> Iterator[Any]:
    yield from file.iter_batches(ROWS_AT_A_TIME, use_threads=False)


def row_groups(path: Path, key: str) -> int:
    """How many row groups a file has. Raises DataError, and UsageError without pyarrow."""
    with reading_arrow(path, key, b"PAR1"):
        return int(needed("pyarrow.parquet", path, key).read_metadata(str(path)).num_row_groups)
