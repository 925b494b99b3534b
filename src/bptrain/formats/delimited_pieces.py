"""A delimited table piece by piece: what its first rows say of how it is written holds to its end."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Cells, Sheet
from bptrain.formats.conventions import Conventions
from bptrain.formats.csv_rows import Records, line_ends, records_of
from bptrain.formats.delimited_table import PlainTable, columns_of, no_rows, notes_of, plain_table, separated
from bptrain.formats.header_row import ROWS_LOOKED_AT, counts, refuse_names, refuse_repeated, rows_that_are
from bptrain.formats.incoming import Incoming, byte_blocks, text_of
from bptrain.formats.markers import markers_of
from bptrain.formats.number_columns import NumberColumns
from bptrain.formats.plain_rows import NotATable, can_be_plain, plain_rows
from bptrain.formats.problems import Origin
from bptrain.formats.quoting import QuotesSoFar
from bptrain.formats.separators import LINES, QUOTE, with_single_blanks
from bptrain.formats.text_bytes import text_bytes_of
from bptrain.formats.text_columns import ColumnTexts, PlainRows

if TYPE_CHECKING:
    from bptrain.parts.types import Array

BLOCK = 1 << 21  # bytes that are cut into rows at a time
LEAST_ROWS = 200  # of a block, since each column is taken out of each block by itself
MOST_OF_A_BLOCK = 1 << 23  # bytes, of so many rows
MOST_OF_A_ROW = 1 << 26  # bytes
LINE_END = re.compile(rb"\r\n|\r|\n")


class RestOfLines:
    """What is still to be cut of a text in UTF-8 that comes in blocks."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.data, self.has_ended = b"", False
        self.line = 1  # on which it begins

    def fill(self, size: int) -> None:
        """Takes blocks until so many bytes are there, or no more come."""
        parts, there = [self.data], len(self.data)
        while there < size and not self.has_ended:
            block = next(self._blocks, b"")
            parts.append(block)
            there += len(block)
            self.has_ended = not block
        self.data = b"".join(parts)

    def whole_lines(self) -> bytes:
        """The lines that are there; the last may go on within quotes."""
        if self.has_ended:
            return self.data
        end = self.data.rfind(b"\n") + 1 or self.data.rfind(b"\r", 0, len(self.data) - 1) + 1
        return self.data[:end]

    def leave(self, line: int, size: int) -> None:
        """Forgets what is above a line, which is so many bytes; 0: as its number says."""
        if not size:
            there = self.whole_lines()
            n, size = line - self.line, len(there)
            if n < line_ends(there):
                size = next(islice(LINE_END.finditer(there), n - 1, None)).end()
        self.data, self.line = self.data[size:], line


class TextBlock(NamedTuple):
    """Some rows of a table."""

    rows: PlainRows | None  # where they are plain
    columns: list[list[str]]  # by place, where they are not
    lines: "Array"  # where each row begins
    end: int  # the line behind the last one
    size: int  # the bytes up to it; 0 where they were not counted

    def column(self, place: int) -> Sequence[str]:
        """All cells of the column at a place."""
        return self.columns[place] if self.rows is None else ColumnTexts(self.rows, place)

    def part(self, rows: slice, names: Mapping[str, int]) -> dict[str, Cells]:
        """Some rows of the columns with these names and places."""
        if self.rows is None:
            return {name: self.columns[place][rows] for name, place in names.items()}
        some = self.rows.part(rows)
        return {name: ColumnTexts(some, place) for name, place in names.items()}


class DelimitedTable:
    """How a table is written, by its first block, and what is known of it so far."""

    def __init__(self, file: str, key: str, conventions: Conventions, delimiter: str) -> None:
        self.file, self.key, self.conventions, self.usual = file, key, conventions, delimiter
        self.markers = markers_of(conventions.missing_markers).anywhere
        self.rows = 0
        self.numbers = NumberColumns()

    def first(self, text: str, goes_on: bool) -> TextBlock | None:
        """The block that settles how the table is written; None where it has no row yet, and there is more."""
        file, conventions = self.file, self.conventions
        found = separated(text, conventions, self.usual, file)
        table = plain_table(found, conventions, goes_on)
        records: Records | PlainTable = table or records_of(
            found.text, found.delimiter, found.extra, conventions, file, goes_on=goes_on
        )
        if not len(records.lines):
            if goes_on:
                return None
            raise no_rows(file)
        self.separation = found._replace(text="")
        self.quotes = QuotesSoFar(file, self.markers, found.delimiter, conventions.quote)
        self.quotes.settle(found.text, records.lines, records.width)
        block = self._block(records if isinstance(records, Records) else records.rows, found.text, 1)
        columns = [block.column(place) for place in range(records.width)]
        chosen = columns_of(records, columns, conventions, file, self.key)
        self.names = dict(zip(chosen.names, chosen.places, strict=True))
        self.header = Records(records.header, records.head, [], [], records.width, 1)
        self.notes = notes_of(found, chosen, conventions, file)
        named = [cell.strip() for cell in records.header] + [""] * len(columns)
        self.blank = [  # columns without a name or a cell so far
            k
            for k, column in enumerate(columns)
            if k and conventions.header is not False and not named[k] and not any(map(str.strip, column))
        ]
        self.counts_rows = (  # whether the first column was left out since it has no name and counts the rows
            not (named[0] or conventions.needed or 0 in chosen.places)
            and conventions.index_column is None
            and counts(columns[0])
        )
        self.rows = len(block.lines)
        self.begin = int(columns[0][0]) if self.counts_rows else 0
        return block

    def next(
        self, data: bytes, line: int, goes_on: bool, made_text: Callable[[bytes, int], str]
    ) -> TextBlock:
        """A further block, whose first line has this number. Raises DataError where it belies the first one."""
        found, conventions = self.separation, self.conventions
        block = self._plain_block(data, line, goes_on)
        if block is None:
            text = made_text(data, line)
            if found.blanks:
                quote = QUOTE if conventions.quote is None else conventions.quote
                text = with_single_blanks(text, quote)
            block = self._block(self._read(text, line, goes_on), text, line)
        if not len(block.lines):
            return block
        for place in self.blank:
            if any(map(str.strip, block.column(place))):
                refuse_names([""], [place], self.file, self.header.head)
        if self.counts_rows and not counts(block.column(0), self.begin + self.rows):
            refuse_names([""], [0], self.file, self.header.head)
        if conventions.header is None and self.rows < ROWS_LOOKED_AT:
            columns = [block.column(place) for place in self.names.values()]
            refuse_repeated(rows_that_are([*self.names], columns), self.file, block.lines)
        self.rows += len(block.lines)
        return block

    @property
    def _is_changed(self) -> bool:
        """Whether the text must be looked at before its rows can be cut."""
        return self.separation.blanks or self.conventions.comment is not None

    def _plain_block(self, data: bytes, line: int, goes_on: bool) -> TextBlock | None:
        """The rows of some lines that are cut as they lie in the file; None where they must be made a text."""
        found, conventions = self.separation, self.conventions
        if self._is_changed or not can_be_plain("\n", found.delimiter, conventions):
            return None
        with suppress(NotATable):
            rows = self._plain_rows(data, line, goes_on)
            self.quotes.see(self.quotes.has_quotes(data), line, rows.width)
            return TextBlock(rows, [], rows.lines(), rows.end, rows.size)
        return None

    def _plain_rows(self, data: bytes, line: int, goes_on: bool) -> PlainRows:
        """The rows of some lines. Raises NotATable."""
        delimiter, width = self.separation.delimiter, self.header.width
        content = text_bytes_of(data)
        return plain_rows(content, line, width, delimiter, self.conventions, goes_on, self.numbers)

    def _read(self, text: str, line: int, goes_on: bool) -> Records | PlainRows:
        found, conventions = self.separation, self.conventions
        if self._is_changed and can_be_plain(text, found.delimiter, conventions):
            with suppress(NotATable):  # for which there is an explanation
                return self._plain_rows(text.encode(), line, goes_on)
        before = self.header._replace(end=line)
        return records_of(
            text, found.delimiter, found.extra, conventions, self.file, before=before, goes_on=goes_on
        )

    def _block(self, found: Records | PlainRows, text: str, line: int) -> TextBlock:
        """The rows of a text that begins on a line; markers of missing values that are quoted are texts."""
        import numpy as np

        if isinstance(found, PlainRows):
            self.quotes.see(self.quotes.has_quotes(text), line, found.width)
            return TextBlock(found, [], found.lines(), found.end, 0)
        columns = [found.cells[k :: found.width] for k in range(found.width)]
        if found.lines:
            columns = self.quotes.columns(columns, text, found.lines, line)
        return TextBlock(None, columns, np.array(found.lines, np.int64), found.end, 0)


def delimited_pieces(
    coming: Incoming, key: str, conventions: Conventions, rows: int, delimiter: str
) -> Iterator[Sheet]:
    """The table, so many rows at a time; `delimiter` is what the name says. Raises DataError as `read_delimited`.

    What that reader decides by all rows, the first block decides here; where a later one belies it, that is an error.
    """
    file = str(coming.path)
    rest = RestOfLines(byte_blocks(coming, conventions.encoding, BLOCK))

    def made_text(data: bytes, line: int) -> str:
        return text_of(data, coming, conventions.encoding, line)

    table = DelimitedTable(file, key, conventions, delimiter)
    rest.fill(BLOCK)
    while line_ends(rest.data) <= LINES and not rest.has_ended:
        _fill_more(rest, file)
    size = max(BLOCK, min(LEAST_ROWS * (rest.data.find(b"\n") + 1), MOST_OF_A_BLOCK))
    rest.fill(size)
    while rest.data or not table.rows:
        data, goes_on = rest.whole_lines(), not rest.has_ended
        block = (
            table.next(data, rest.line, goes_on, made_text)
            if table.rows
            else table.first(made_text(data, rest.line), goes_on)
        )
        if block is None or (block.end == rest.line and goes_on):  # no row ends here
            _fill_more(rest, file)
            continue
        for begin in range(0, len(block.lines), rows):
            part = slice(begin, min(begin + rows, len(block.lines)))
            origin = Origin(file, block.lines[part], notes=table.notes)
            yield Sheet(origin, (*table.names,), block.part(part, table.names), conventions)
        if not goes_on:
            return
        rest.leave(block.end, block.size)
        rest.fill(size)


def _fill_more(rest: RestOfLines, file: str) -> None:
    """Takes as much text again. Raises DataError where a row has no end."""
    if len(rest.data) > MOST_OF_A_ROW:
        message = f"the row that begins here has more than {MOST_OF_A_ROW:,} bytes"
        raise DataError(Problem("malformed_row", message, file=file, line=rest.line))
    rest.fill(2 * len(rest.data))
