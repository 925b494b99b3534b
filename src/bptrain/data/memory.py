"""Sources in memory: arrays (X, y), a dict of columns, or a frame of pandas, polars or Arrow, by what they can do.

A cell means here what it means in a CSV file: a number is a number, True and False are the texts of these names (as a
target, true and false), a text is read as it would be in a file, and None, NaN and a frame's NA are missing.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.sheet_columns import value_of
from bptrain.data.sources import ArrayNames, Arrays
from bptrain.data.table import text_of
from bptrain.errors import DataError, Problem
from bptrain.formats import Sheet
from bptrain.formats.base import Cells
from bptrain.formats.problems import ErrorList, Origin
from bptrain.parts.types import Array

TEXTS = (str, np.str_, date, datetime, time, np.datetime64)  # of which str() is what a file would say


class TableInMemory(NamedTuple):
    """Named columns."""

    name: str
    sheet: Sheet

    @property
    def shape(self) -> str:
        """Rows and columns, as the config of a run has them."""
        return f"{len(self.sheet.cells[self.sheet.names[0]])} x {len(self.sheet.names)}"

    def read(
        self,
        key: str,
        features: str | Sequence[str] = "all",
        target: str | Sequence[str] | None = None,
        weight: str | None = None,
    ) -> Sheet | Arrays:
        """The columns."""
        return self.sheet

    def digests(self, role: str) -> dict[str, str]:
        """The digest of names and cells."""
        return {role: digest((name, self.sheet.cells[name]) for name in self.sheet.names)}


class ArraysInMemory(NamedTuple):
    """Features X and targets y."""

    name: str
    X: Array
    y: Array

    @property
    def shape(self) -> str:
        """Rows and columns, targets included, as the config of a run has them."""
        columns = sum(array.size // len(array) for array in (self.X, self.y))
        return f"{len(self.X)} x {columns}"

    def read(
        self,
        key: str,
        features: str | Sequence[str] = "all",
        target: str | Sequence[str] | None = None,
        weight: str | None = None,
    ) -> Sheet | Arrays:
        """The arrays: columns x1 … xn, and y, or what `data.target` calls it. Raises DataError."""
        names = (target,) if isinstance(target, str) else tuple(target or ("y",))
        if key and len(names) != 1:
            message = (
                "y is one array; several targets are one array of two axes, or columns of a dict or frame"
            )
            raise DataError(Problem("several_arrays", message, path="data.target"))
        if key and isinstance(features, str) and features != "all":
            message = f"X is a single array, so there is none named {features}; use all"
            raise DataError(Problem("unknown_array", message, path="data.features", suggestion="all"))
        if key and weight is not None:
            message = f"X and y come without {weight}: give a dict of columns or a frame that has it"
            raise DataError(Problem("unknown_array", message, path="data.weight"))
        place = self.name
        return Arrays(self.X, self.y, None, ArrayNames("x1", names[0]), (place, place))

    def digests(self, role: str) -> dict[str, str]:
        """The digest of both arrays."""
        return {role: digest([("X", self.X), ("y", self.y)])}


InMemory = TableInMemory | ArraysInMemory


def in_memory(given: Any, name: str) -> InMemory:
    """What was handed over in Python as a source; `name` is what messages call it. Raises DataError."""
    if isinstance(given, tuple):
        return arrays_in_memory(given, name)
    if is_named(given):
        return table_in_memory(given, name)
    message = (
        f"{name} is of type {type(given).__name__}: give (X, y), a dict of columns, or a frame of pandas, polars or "
        f"Arrow{'; collect() a lazy one first' if is_lazy(given) else ''}"
    )
    raise DataError(Problem("no_table", message))


def sources_in_memory(*, data: Any, validation: Any, test: Any) -> dict[str, InMemory]:
    """The arguments of `fit` as sources, by role; None where there is none. Raises DataError."""
    given = {"train": (data, "data"), "validation": (validation, "validation"), "test": (test, "test")}
    return {role: in_memory(rows, name) for role, (rows, name) in given.items() if rows is not None}


# --- a table --------------------------------------------------------------------------------------------------


def is_named(given: Any) -> bool:
    """Whether something has columns with names, and cells in them."""
    if isinstance(given, type) or is_lazy(given):
        return False
    if hasattr(given, "column_names") or hasattr(given, "columns"):
        return True
    # the keys of a series name its cells, and those of groups are no method
    return callable(getattr(given, "keys", None)) and not hasattr(given, "__array__")


def is_lazy(given: Any) -> bool:
    """Whether something is a query whose rows are not there yet; a column may be called `collect`."""
    return hasattr(type(given), "collect")


def named_columns(frame: Any) -> Iterator[tuple[str, Any]]:
    """The columns of a mapping or a frame, each with its name as text."""
    if hasattr(frame, "column_names"):  # Arrow, whose `columns` are without names
        for place, name in enumerate(frame.column_names):
            yield str(name), frame.column(place)
    else:
        for name in frame.columns if hasattr(frame, "columns") else frame.keys():
            yield str(name), frame[name]


def table_in_memory(frame: Any, name: str) -> TableInMemory:
    """A mapping or a frame as a table. Raises DataError for columns that do not make one, and cells that are none."""
    origin, errors = Origin(name), ErrorList()
    raw: dict[str, Array] = {}
    for column, cells in named_columns(frame):
        if not column or not is_utf8(column):
            errors.add(Problem("unnamed_column", f"a column is named {column!r}", file=name))
        elif column in raw:
            message = f"two columns are named {column}; rename one"
            errors.add(Problem("duplicate_column", message, file=name))
        else:
            raw[column] = array_of(cells)
    errors.raise_if_any()
    shapes = {array.shape for array in raw.values()}
    if len(shapes) != 1 or any(len(shape) != 1 for shape in shapes):
        found = ", ".join(f"{column}: {array.shape}" for column, array in [*raw.items()][:12])
        message = f"the columns must be of one length and one axis (lists or arrays), but there are {found or 'none'}"
        raise DataError(Problem("row_count", message, file=name))
    if (0,) in shapes:
        raise DataError(Problem("no_rows", "the columns have no rows", file=name))
    made: dict[str, Cells] = {}
    for column, array in raw.items():
        values = values_of(array, column, origin, errors)
        if isinstance(values, np.ndarray) and values.dtype.kind == "b":
            values = [str(value) for value in values.tolist()]
        made[column] = values
    errors.raise_if_any()
    return TableInMemory(name, Sheet(origin, tuple(raw), made))


def array_of(cells: Any) -> Array:
    """A column as an array, without an axis if it is none. A list is taken cell by cell: NumPy would turn numbers among
    texts into texts.
    """
    if isinstance(cells, str | bytes | Mapping | set | frozenset):  # iterable, but no column
        return np.asarray(None)
    if isinstance(cells, list | tuple):
        return np.fromiter(cells, object, len(cells))
    if hasattr(cells, "to_pylist"):  # Arrow, whose arrays of NumPy give any category for one that is missing
        array = np.asarray(cells) if cells.null_count == 0 else np.empty(0, object)
        return array if array.dtype.kind in "biuf" else array_of(cells.to_pylist())
    if hasattr(cells, "__array__"):
        return without_mask(cells)
    if hasattr(cells, "to_numpy"):
        return np.asarray(cells.to_numpy())
    return array_of(list(cells)) if isinstance(cells, Iterable) else np.asarray(cells)


def without_mask(given: Any) -> Array:
    """An array in which None stands for what a mask hides: NumPy would hand on what lies under it."""
    array: Array = np.asarray(given)
    if isinstance(given, np.ma.MaskedArray) and np.any(given.mask):
        array = array.astype(object)
        array[given.mask] = None
    return array


def values_of(array: Array, column: str, origin: Origin, errors: ErrorList) -> Cells:
    """N cells: numbers (or true and false) where all that are there are such, else texts, "" where one is missing.

    What is neither is noted as a problem of its row.
    """
    kind = array.dtype.kind
    if kind == "b":
        return array
    if kind in "iu":
        return array if array.dtype == np.uint64 else array.astype(np.int64, copy=False)
    if kind == "f":
        return array.astype(np.float64, copy=False)
    cells = array.tolist() if kind in "OUS" else list(array)
    found = []
    for row, cell in enumerate(cells):
        value = plain_cell(cell)
        if value is NotImplemented:
            message = f"column {column} holds a {type(cell).__name__}, which is neither a number nor a text"
            errors.add(origin.problem("no_cell", row, message))
            value = None
        found.append(value)
    kinds = {type(value) for value in found if value is not None}
    if kinds == {bool} and None not in found:
        return np.array(found)
    if kinds and kinds <= {int, float}:
        whole = kinds == {int} and None not in found and all(-(2**63) <= value < 2**63 for value in found)
        return np.array(
            found if whole else [np.nan if value is None else as_float(value) for value in found],
            np.int64 if whole else np.float64,
        )
    return ["" if value is None else text_of(value) for value in found]


def plain_cell(cell: Any) -> Any:
    """A cell as a bool, int, float, text, or None where it is missing; NotImplemented for what is no cell."""
    if type(cell) is str and cell.isascii():  # most cells that are not numbers
        return cell
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):  # NA answers no question, not even ==
        return None
    if isinstance(cell, np.datetime64) and np.isnat(cell):
        return None
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    if isinstance(cell, np.timedelta64):  # an Integral to Python
        return NotImplemented
    if isinstance(cell, Integral):
        return int(cell)
    if isinstance(cell, Real | Decimal):
        number = as_float(cell)
        return None if number != number else number
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "surrogateescape")
    if isinstance(cell, TEXTS):
        text = str(cell)
        return text if is_utf8(text) else NotImplemented
    return NotImplemented


def as_float(number: Any) -> float:
    """A number as a float; infinite where it is beyond all floats."""
    try:
        return float(number)
    except (OverflowError, ValueError):  # of a signaling NaN
        return math.inf


def is_utf8(text: str) -> bool:
    """Whether a text can be written to a file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- two arrays -----------------------------------------------------------------------------------------------


def arrays_in_memory(pair: tuple[Any, ...], name: str) -> ArraysInMemory:
    """(X, y) as a source. Raises DataError for what is not a matrix of numbers, or not targets."""
    if len(pair) != 2:
        message = f"{name} is a tuple of {len(pair)}: give (X, y), features and targets"
        raise DataError(Problem("no_table", message))
    X, y = (matrix_of(given, what, name) for given, what in zip(pair, ("X", "y"), strict=True))
    origin, errors = Origin(name), ErrorList()
    if X.dtype.kind not in "biuf":
        X = numbers_of(X.reshape(len(X), -1), origin, errors)
    if y.dtype.kind not in "biufUS":
        columns = y.reshape(len(y), -1).T
        y = np.array([values_of(column, "y", origin, errors) for column in columns]).T.reshape(y.shape)
    errors.raise_if_any()
    return ArraysInMemory(name, X, y)


def matrix_of(given: Any, what: str, name: str) -> Array:
    """An array with rows. Raises DataError for what is none."""
    try:
        array = without_mask(given)
        if isinstance(given, list | tuple) and array.dtype.kind not in "biuf":
            array = np.asarray(given, dtype=object)  # in which numbers among texts stay numbers
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if array.ndim == 0 or array.size == 0:
        message = f"{what} must be an array with rows, all of one length"
        raise DataError(Problem("no_rows", message, file=name))
    return array


def numbers_of(X: Array, origin: Origin, errors: ErrorList) -> Array:
    """A matrix of cells as numbers, NaN where one is missing; what is no number is noted."""
    matrix = np.full(X.shape, np.nan)
    for k in range(X.shape[1]):
        for row, cell in enumerate(X[:, k].tolist()):
            value = plain_cell(cell)
            value = value_of(value) if isinstance(value, str) else value
            if isinstance(value, str) or value is NotImplemented:
                message = (
                    f"column x{k + 1} is numeric, but here it is {cell!r}: correct it, or give a dict of columns or "
                    "a frame, which may hold texts"
                )
                errors.add(origin.problem("not_a_number", row, message))
            elif value is not None:
                matrix[row, k] = as_float(value)
    return matrix


def digest(columns: Iterable[tuple[str, Cells]]) -> str:
    """SHA-256 over names and cells, in hex: the same for equal columns, whatever held them."""
    import hashlib

    found = hashlib.sha256()
    for name, cells in columns:
        if isinstance(cells, np.ndarray) and cells.dtype.kind != "U":
            little = cells.astype(cells.dtype.newbyteorder("<"), copy=False)
            found.update(json.dumps([name, little.dtype.str, little.shape]).encode())
            found.update(np.ascontiguousarray(little).data)
        else:
            texts = cells.tolist() if isinstance(cells, np.ndarray) else cells
            found.update(json.dumps([name, "text", texts]).encode())
    return found.hexdigest()
