"""CSV, TSV and their kin: cells with line numbers, separated by one character or by blanks."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.csv_rows import Records, records_of
from bptrain.formats.delimited_pieces import delimited_pieces
from bptrain.formats.delimited_table import (
    PlainTable,
    columns_of,
    no_rows,
    notes_of,
    plain_table,
    plain_table_of,
    separated,
)
from bptrain.formats.files import read_text, read_text_bytes
from bptrain.formats.foreign import is_json
from bptrain.formats.header_row import NUMBER as NUMBER
from bptrain.formats.markers import markers_of
from bptrain.formats.problems import Origin
from bptrain.formats.quoting import with_quoted_texts
from bptrain.formats.separators import Separation, first_rows
from bptrain.formats.text_columns import ColumnTexts


@formats.add("csv")
def comma_separated() -> Format:
    """Comma-separated values; with other separators, too, where they are declared or certain."""
    return Format(
        "table",
        (".csv",),
        partial(read_delimited, delimiter=","),
        gz=True,
        looks=partial(separates, ","),
        pieces=partial(delimited_pieces, delimiter=","),
    )


@formats.add("tsv")
def tab_separated() -> Format:
    """Tab-separated values."""
    return Format(
        "table",
        (".tsv",),
        partial(read_delimited, delimiter="\t"),
        gz=True,
        looks=partial(separates, "\t"),
        pieces=partial(delimited_pieces, delimiter="\t"),
    )


def separates(delimiter: str, lines: str) -> bool:
    """Whether a character separates these first lines of a file into rows of one width, at least 2."""
    if is_json(lines):
        return False
    rows = first_rows(lines, delimiter, RECOGNIZED)
    widths = {len(row) for row in (rows[:-1] if rows[2:] else rows)}  # the last may be cut within quotes
    return len(widths) == 1 and widths != {1}


def read_delimited(path: Path, key: str, conventions: Conventions, delimiter: str) -> Sheet:
    """Reads a table; `delimiter` is what the name says. Raises DataError with line numbers for all that is none."""
    import numpy as np

    file = str(path)
    plain = None
    if conventions.encoding is None:
        plain = plain_table_of(read_text_bytes(path, key), conventions, delimiter, file)
    if plain is None:
        found = separated(read_text(path, key, conventions.encoding), conventions, delimiter, file)
        table = plain_table(found, conventions)
    else:
        found, table = plain
    records = table or records_of(found.text, found.delimiter, found.extra, conventions, file)
    if not len(records.lines):
        raise no_rows(file)
    by_place: Sequence[list[str] | ColumnTexts] = (
        table.columns() if table else _with_quoted_texts(found, records, conventions)
    )
    columns = columns_of(records, by_place, conventions, file, key)
    places = dict(zip(columns.names, columns.places, strict=True))
    cells = {name: by_place[k] for name, k in places.items()}
    origin = Origin(file, np.asarray(records.lines), notes=notes_of(found, columns, conventions, file))
    return Sheet(origin, columns.names, cells, conventions)


def _with_quoted_texts(
    found: Separation, records: "Records | PlainTable", conventions: Conventions
) -> list[list[str]]:
    """The cells by columns; markers of missing values that are quoted are texts."""
    assert isinstance(records, Records)
    return with_quoted_texts(
        [records.cells[k :: records.width] for k in range(records.width)],
        found.text,
        records.lines,
        markers_of(conventions.missing_markers).anywhere,
        found.delimiter,
        conventions.quote,
    )
