"""Columns of Arrow and Parquet as cells, which mean what they would in a CSV file of the same table."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bptrain.errors import DataError, Problem, UsageError
from bptrain.extras import TABLES
from bptrain.formats.base import Cells, Sheet
from bptrain.formats.files import reading, system_errors
from bptrain.formats.foreign import HEAD_OF_FILE, refuse_foreign
from bptrain.formats.incoming import Incoming
from bptrain.formats.limits import refuse_large_table, rows_of_piece
from bptrain.formats.packing import of_the_system
from bptrain.formats.problems import ErrorList, Origin

if TYPE_CHECKING:
    from bptrain.parts.types import Array

FRACTION = re.compile(r"\.(?:0+|(\d*[1-9])0*)(?=[Z+-]|$)")  # of a second
OF_A_TEXT = 8  # numbers that take as much memory as a text
LONG = 10**15  # whole numbers from here on may be names (data/cells.py), so that every digit counts
INDEX_OF_PANDAS = "__index_level_"  # how pandas names an index without a name in a Parquet file


def needed(module: str, path: Path, key: str) -> Any:
    """A module of the extra `tables`. Raises UsageError where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        absent = isinstance(error, ModuleNotFoundError) and error.name == package
        why = "" if absent else f" (which is there, but cannot be loaded: {error})"
        message = f"reading {path.suffix} needs {package}{why}: {TABLES.install}"
        raise UsageError(
            Problem("extra_not_installed", message, path=key, file="" if key else str(path))
        ) from None


@contextmanager
def reading_arrow(path: Path, key: str, magic: bytes, coming: Incoming | None = None) -> Iterator[Any]:
    """pyarrow; whatever it or the system says about a file becomes a DataError. Files begin with `magic`, as a rule.

    `coming` is what comes in, where that may be a pipe.
    """
    pa = needed("pyarrow", path, key)
    with reading(path, key) if coming is None else system_errors(path, key):
        if coming is not None:
            head = coming.content.peek(HEAD_OF_FILE)
        else:
            with path.open("rb") as file:
                head = file.read(HEAD_OF_FILE)
        if not head.startswith(magic):
            refuse_foreign(head, b"", path)
        try:
            yield pa
        except (DataError, MemoryError):
            raise
        except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
            if of_the_system(error):
                raise
            why = " ".join(str(error).split())[:200]
            message = f"the file is damaged or not what its name says ({why})"
            raise DataError(Problem("damaged_file", message, file=str(path))) from None


def sheet_of(pa: Any, schema: Any, batches: Iterable[Any], rows: int | None, path: Path) -> Sheet:
    """A table of record batches, each of which is let go when its cells are taken. Raises DataError.

    `rows` is how many the file announces, where it does. An index of pandas that has no name is left out.
    """
    columns = _columns(pa, schema, path)
    refuse_large_table(rows or 0, len(columns), path)
    read = 0
    for batch in batches:
        read += batch.num_rows
        refuse_large_table(read, len(columns), path)
        batch.validate(full=True)  # a damaged file may say of a buffer what it does not hold
        for k, column in columns.items():
            column.add(batch.column(k))
    if not read:
        raise _no_rows(path)
    return _sheet(columns, 0, path)


def sheets_of(pa: Any, schema: Any, batches: Iterable[Any], rows: int, path: Path) -> Iterator[Sheet]:
    """The same so many rows at a time."""
    read = 0
    rows = rows_of_piece(width_of(pa, schema), rows)
    for batch in batches:
        batch.validate(full=True)
        for begin in range(0, batch.num_rows, rows):
            columns = _columns(pa, schema, path)
            some = batch.slice(begin, rows)
            for k, column in columns.items():
                column.add(some.column(k))
            yield _sheet(columns, read + begin, path)
        read += batch.num_rows
    if not read:
        raise _no_rows(path)


def width_of(pa: Any, schema: Any) -> int:
    """How many numbers take as much memory as a row."""
    types = pa.types
    return sum(
        1 if types.is_integer(field.type) or types.is_floating(field.type) else OF_A_TEXT for field in schema
    )


def _columns(pa: Any, schema: Any, path: Path) -> "dict[int, ArrowColumn]":
    """The columns by their places, without cells. Raises DataError for names, and types, that are none."""
    names = [field.name for field in schema]
    kept = [k for k, name in enumerate(names) if not name.startswith(INDEX_OF_PANDAS)]
    _refuse_names([names[k] for k in kept], str(path))
    return {k: ArrowColumn(pa, names[k], schema.field(k).type, str(path)) for k in kept}


def _sheet(columns: "dict[int, ArrowColumn]", begin: int, path: Path) -> Sheet:
    names = tuple(column.name for column in columns.values())
    return Sheet(Origin(str(path), begin=begin), names, {c.name: c.cells() for c in columns.values()})


def _no_rows(path: Path) -> DataError:
    return DataError(Problem("no_rows", "the file has columns but no rows", file=str(path)))


def _refuse_names(names: list[str], file: str) -> None:
    errors = ErrorList()
    if not names:
        errors.add(Problem("no_columns", "the file has no columns", file=file))
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if not name.strip():
            errors.add(Problem("unnamed_column", f"column {place} has no name; name it", file=file))
        elif name in seen:
            errors.add(Problem("duplicate_column", f"two columns are named {name}; rename one", file=file))
        seen.add(name)
    errors.raise_if_any()


class ArrowColumn:
    """One column of a table, batch after batch. Raises DataError for a type that is no cell."""

    def __init__(self, pa: Any, name: str, kind: Any, file: str) -> None:
        self.pa, self.name, self.file = pa, name, file
        self.types = pa.types
        self.compute = import_module("pyarrow.compute")
        kind = self._inner(kind)
        self.is_whole = self.types.is_integer(kind)
        self.is_float = self.types.is_floating(kind)
        if not (self.is_whole or self.is_float or self._is_written_as_text(kind)):
            raise self._refused(kind)
        self.numbers: list[Array] = []
        self.missing: list[Array] = []  # of whole numbers
        self.texts: list[str] = []

    def _inner(self, kind: Any) -> Any:
        """The type of what a dictionary, an extension or runs of equal values hold."""
        while True:
            if isinstance(kind, self.pa.BaseExtensionType):
                kind = kind.storage_type
            elif self.types.is_dictionary(kind) or self.types.is_run_end_encoded(kind):
                kind = kind.value_type
            else:
                return kind

    def _is_written_as_text(self, kind: Any) -> bool:
        t = self.types
        tests = (
            t.is_boolean, t.is_null, t.is_string, t.is_large_string, t.is_string_view, t.is_decimal, t.is_date,
            t.is_time, t.is_timestamp, t.is_binary, t.is_large_binary, t.is_binary_view,
        )  # fmt: skip
        return any(test(kind) for test in tests)

    def _refused(self, kind: Any) -> DataError:
        message = (
            f"column {self.name} is of type {kind}; a cell is a number, a text, true or false, or a date"
        )
        return DataError(Problem("nested_value", message, file=self.file))

    def add(self, array: Any) -> None:
        """The cells of one more batch."""
        array = self._plain(array)
        if self.is_float:
            self.numbers.append(self._float64(array))
        elif self.is_whole:
            missing = array.is_null().to_numpy(zero_copy_only=False)
            filled = self.compute.fill_null(array, 0) if array.null_count else array
            self.numbers.append(filled.to_numpy(zero_copy_only=False))
            self.missing.append(missing)
        else:
            self.texts += self._texts(array)

    def _plain(self, array: Any) -> Any:
        """An array without extension and runs; a dictionary stays where it is one of texts."""
        while True:
            if isinstance(array.type, self.pa.BaseExtensionType):
                array = array.storage
            elif self.types.is_run_end_encoded(array.type):
                array = self.compute.run_end_decode(array)
            elif self.types.is_dictionary(array.type):
                simple = self.types.is_string(array.type.value_type) and array.dictionary.null_count == 0
                if simple:
                    return array
                array = array.dictionary.take(array.indices)
            else:
                return array

    def _float64(self, array: Any) -> "Array":
        import numpy as np

        numbers: Array = array.to_numpy(zero_copy_only=False).astype(np.float64)
        if array.null_count:
            numbers[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return numbers

    def _texts(self, array: Any) -> list[str]:
        """What a CSV file would say, "" where a cell is missing. Equal texts are one object, however often they are."""
        pa, types, kind = self.pa, self.types, array.type
        if types.is_null(kind):
            return [""] * len(array)
        if types.is_boolean(kind):
            return ["" if value is None else str(value) for value in array.to_pylist()]
        if not types.is_dictionary(kind):
            array = self.compute.dictionary_encode(array)
        values = array.dictionary
        inner = values.type
        if types.is_binary(inner) or types.is_large_binary(inner) or types.is_binary_view(inner):
            try:
                values = values.cast(pa.large_string())
            except pa.ArrowInvalid:
                raise self._refused("bytes that are not UTF-8") from None
        elif not (types.is_string(inner) or types.is_large_string(inner) or types.is_string_view(inner)):
            values = values.cast(pa.string())
        texts = values.to_pylist()
        if types.is_timestamp(inner) or types.is_time(inner):
            texts = [_moment(text) for text in texts]
        places = self.compute.fill_null(array.indices, len(texts)).to_numpy(zero_copy_only=False)
        return list(map([*texts, ""].__getitem__, places.tolist()))

    def cells(self) -> Cells:
        """All cells: numbers, or texts where numbers would not say the same."""
        import numpy as np

        if not (self.is_whole or self.is_float):
            return self.texts
        numbers: Array = np.concatenate(self.numbers)
        if self.is_float:
            return numbers
        missing: Array = np.concatenate(self.missing)
        if not missing.any():
            return numbers if numbers.dtype == np.uint64 else numbers.astype(np.int64, copy=False)
        if numbers.max() >= LONG or numbers.min() <= -LONG:
            return ["" if gap else str(n) for gap, n in zip(missing.tolist(), numbers.tolist(), strict=True)]
        found = numbers.astype(np.float64)
        found[missing] = np.nan
        return found


def _moment(text: str) -> str:
    """A date with a time, or a time, in ISO 8601 without a fraction of zeros."""
    return FRACTION.sub(lambda found: f".{found[1]}" if found[1] else "", text).replace(" ", "T", 1)
