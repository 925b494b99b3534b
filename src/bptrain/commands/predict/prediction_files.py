"""Formats that predictions are written in, by the suffix of a file: CSV, JSON lines, NPY and Parquet.

A writer gets columns of some rows at a time, always the same ones, and writes them to an open file.
"""

import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from bptrain.commands.predict.cell_texts import cell_texts, lines_of_numbers
from bptrain.commands.predict.prediction_columns import OutColumn
from bptrain.errors import DataError, Problem, UsageError
from bptrain.extras import TABLES
from bptrain.formats.coded_texts import CodedTexts
from bptrain.formats.number_columns import numbers_of_texts
from bptrain.parts.types import Array
from bptrain.registry import Registry


class Writer(Protocol):
    """Writes rows to an open file."""

    def write(self, columns: Sequence[OutColumn]) -> None:
        """The next rows. Raises DataError for cells that the format cannot hold."""
        ...

    def close(self) -> None:
        """What stands behind the last row, or in front and was not known before."""
        ...

    def abandon(self) -> None:
        """Nothing more is written; called in place of `close`, where the file is thrown away."""


class PredictionFormat(NamedTuple):
    """How files of a format are named, and who writes them."""

    suffixes: tuple[str, ...]
    make: Callable[[BinaryIO, bool], Writer]  # of a file, and of whether cells of predictions may be empty
    numbers_alone: bool = False


NEEDS_QUOTES = re.compile(r'[,"\n\r]')

prediction_formats: Registry[PredictionFormat] = Registry("format of predictions")


def format_of_name(path: Path) -> str | None:
    """The format of a file of predictions, by its suffix."""
    for name in prediction_formats:
        if path.name.lower().endswith(prediction_formats.get(name)().suffixes):
            return name
    return None


# --- CSV ------------------------------------------------------------------------------------------------------


class CsvWriter(Writer):
    """Cells between commas, in quotes where they need them (RFC 4180); UTF-8, and lines end as on Unix."""

    def __init__(self, file: BinaryIO, gaps: bool) -> None:
        self._file = file
        self._begun = False

    def write(self, columns: Sequence[OutColumn]) -> None:
        """The next rows, below the names where they are the first."""
        if not self._begun:
            self._file.write(csv_text([[column.name] for column in columns]).encode())
            self._begun = True
        lines = lines_of_numbers(columns[0]) if len(columns) == 1 else None
        self._file.write((lines or csv_text([*map(cell_texts, columns)])).encode())

    def close(self) -> None:
        """Nothing is left to write."""


def csv_text(columns: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines of CSV.

    Where lines end as on Unix, the csv module leaves a carriage return without quotes; its reader takes it for an end.
    """
    alone = len(columns) == 1  # then an empty cell is quoted, since readers leave out an empty line
    quoted = [[*map(csv_cell, cells)] if NEEDS_QUOTES.search(" ".join(cells)) else cells for cells in columns]
    if alone:
        return "\n".join([*(cell or '""' for cell in quoted[0]), ""])
    return "\n".join([*map(",".join, zip(*quoted, strict=True)), ""])


def csv_cell(text: str) -> str:
    """A cell, in quotes where it needs them."""
    return '"' + text.replace('"', '""') + '"' if NEEDS_QUOTES.search(text) else text


@prediction_formats.add("csv")
def csv_predictions() -> PredictionFormat:
    """A line per row, behind a line of names."""
    return PredictionFormat((".csv",), CsvWriter)


# --- JSON lines -----------------------------------------------------------------------------------------------


class JsonLinesWriter(Writer):
    """An object per row; a cell that is empty or no finite number is null."""

    def __init__(self, file: BinaryIO, gaps: bool) -> None:
        self._file = file

    def write(self, columns: Sequence[OutColumn]) -> None:
        """The next rows."""
        names = [json.dumps(column.name, ensure_ascii=False).replace("%", "%%") for column in columns]
        row = "{" + ", ".join(f"{name}: %s" for name in names) + "}\n"
        lines = [row % cells for cells in zip(*map(json_cells, columns), strict=True)]
        self._file.write("".join(lines).encode())

    def close(self) -> None:
        """Nothing is left to write."""


def json_cells(column: OutColumn) -> list[str]:
    """The cells of a column as JSON."""
    values = column.values
    if isinstance(values, CodedTexts):
        quoted = [json.dumps(text, ensure_ascii=False) for text in values.texts]
        cells = [*map(quoted.__getitem__, values.codes.tolist())]
    elif isinstance(values, np.ndarray):
        cells = cell_texts(column)
        if values.dtype.kind == "f":
            for row in np.flatnonzero(~np.isfinite(values)).tolist():
                cells[row] = "null"
    else:
        texts = cell_texts(column)
        written = (lambda text: text) if column.typed else (lambda text: json.dumps(text, ensure_ascii=False))
        cells = [written(text) if text else "null" for text in texts]
    if column.missing is not None:
        for row in np.flatnonzero(column.missing).tolist():
            cells[row] = "null"
    return cells


@prediction_formats.add("jsonl")
def json_lines() -> PredictionFormat:
    """A JSON object on each line."""
    return PredictionFormat((".jsonl", ".ndjson"), JsonLinesWriter)


# --- NPY ------------------------------------------------------------------------------------------------------


class NpyWriter(Writer):
    """One array of numbers: N, or N × columns; NaN where a cell is empty.

    Its type is that of all columns where they have one, and else float64, as where a later cell may be empty.
    Its header says how many rows there are, and is written once more when they are known.
    """

    HEADER = 256  # bytes; there is room for 20 digits more than any array has

    def __init__(self, file: BinaryIO, gaps: bool) -> None:
        self._file, self._gaps, self._rows, self._width = file, gaps, 0, 0
        self._dtype: np.dtype[Any] | None = None
        file.write(bytes(self.HEADER))

    def write(self, columns: Sequence[OutColumn]) -> None:
        """The next rows. Raises DataError for a column that is to be copied and holds texts."""
        found = [numbers_of(column) for column in columns]
        if self._dtype is None:
            kinds = {values.dtype for values in found}
            floats = self._gaps or len(kinds) > 1 or any(column.copied for column in columns)
            self._dtype, self._width = np.dtype(np.float64) if floats else kinds.pop(), len(found)
        block = np.empty((len(found[0]), len(found)), self._dtype)
        for k, numbers in enumerate(found):
            block[:, k] = numbers
        self._rows += len(block)
        self._file.write(block.data)

    def close(self) -> None:
        """Writes the header: magic string, version 1.0, its length, and the type, order and shape of the array."""
        shape = (self._rows,) if self._width == 1 else (self._rows, self._width)
        kind = np.lib.format.dtype_to_descr(self._dtype or np.dtype(np.float64))
        text = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode()
        begin = np.lib.format.magic(1, 0) + (self.HEADER - 10).to_bytes(2, "little")
        self._file.seek(0)
        self._file.write(begin + text.ljust(self.HEADER - 11) + b"\n")
        self._file.seek(0, io.SEEK_END)


def numbers_of(column: OutColumn) -> Array:
    """A column as numbers, NaN where a cell is empty. Raises DataError for texts, and for what float64 would round."""
    values = cells = column.values
    if not isinstance(values, np.ndarray | CodedTexts):
        cells = [*values]
        found = numbers_of_texts(cells)
        values = CodedTexts([], np.empty(0, int)) if found is None else found.values
    if isinstance(values, CodedTexts):
        message = (
            f"column {column.name} holds texts, and an npy file numbers alone: write csv, jsonl or parquet"
        )
        raise DataError(Problem("not_a_number", message))
    if column.copied and any(map(is_rounded, cells_from(cells, values, 2.0**53))):
        message = (
            f"column {column.name} holds whole numbers that the float64 of an npy file would round: write csv, jsonl "
            "or parquet"
        )
        raise DataError(Problem("not_a_number", message))
    return values if column.missing is None else np.where(column.missing, np.nan, values)


def cells_from(cells: Any, numbers: Array, size: float) -> list[str]:
    """The cells, as texts, whose numbers have this size or more."""
    return [str(cells[row]).strip() for row in np.flatnonzero(np.abs(numbers.astype(np.float64)) >= size)]


def is_rounded(text: str) -> bool:
    """Whether a text is a whole number that no float64 is; of finite numbers."""
    digits = text.lstrip("+-")
    return digits.isdecimal() and int(digits) != int(float(digits))


@prediction_formats.add("npy")
def npy_predictions() -> PredictionFormat:
    """One NumPy array."""
    return PredictionFormat((".npy",), NpyWriter, numbers_alone=True)


# --- Parquet --------------------------------------------------------------------------------------------------


class ParquetWriter(Writer):
    """Columns with types, which those of the first rows decide; needs pyarrow."""

    GROUP = 1 << 16  # rows of a row group, or a few more

    def __init__(self, file: BinaryIO, gaps: bool) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise UsageError(
                Problem("extra_not_installed", f"writing Parquet needs pyarrow: {TABLES.install}")
            ) from None
        self._pa, self._pq, self._file = pa, pq, file
        self._writer: Any = None
        self._waiting: list[Any] = []
        self._rows = 0

    def write(self, columns: Sequence[OutColumn]) -> None:
        """The next rows."""
        arrays = [self._array(column) for column in columns]
        if self._writer is None:
            fields = [(column.name, array.type) for column, array in zip(columns, arrays, strict=True)]
            self._schema = self._pa.schema(fields)
            self._writer = self._pq.ParquetWriter(self._file, self._schema)
        cast = [self._as_before(array, field) for array, field in zip(arrays, self._schema, strict=True)]
        self._waiting.append(self._pa.Table.from_arrays(cast, schema=self._schema))
        self._rows += len(cast[0])
        if self._rows >= self.GROUP:
            self._write_group()

    def _as_before(self, array: Any, field: Any) -> Any:
        """An array of the type that the first rows decided. Raises DataError where that would change its values."""
        pa = self._pa
        try:
            cast = array.cast(field.type)
            sound = pa.types.is_string(field.type) or not pa.types.is_string(array.type)
            if sound or cast.cast(pa.string()).equals(array):
                return cast
        except pa.ArrowInvalid:
            pass
        message = (
            f"column {field.name} is of type {field.type} by its first rows, and later ones hold values that are not, "
            "such as larger numbers: write csv or jsonl"
        )
        raise DataError(Problem("other_type", message))

    def _array(self, column: OutColumn) -> Any:
        pa, values = self._pa, column.values
        if isinstance(values, np.ndarray):
            gaps = np.isnan(values) if column.copied and values.dtype.kind == "f" else column.missing
            return pa.array(np.ascontiguousarray(values), mask=gaps)
        texts = cell_texts(column)
        return pa.array([text or None for text in texts], pa.string())

    def _write_group(self) -> None:
        if self._waiting:
            self._writer.write_table(self._pa.concat_tables(self._waiting))
        self._waiting, self._rows = [], 0

    def close(self) -> None:
        """Writes what is waiting, and the footer."""
        self._write_group()
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        """Else pyarrow would write the footer when it lets go of the file, which is closed by then."""
        if self._writer is not None:
            self._writer.is_open = False


@prediction_formats.add("parquet")
def parquet_predictions() -> PredictionFormat:
    """A table of typed columns; needs pyarrow."""
    return PredictionFormat((".parquet", ".pq"), ParquetWriter)
