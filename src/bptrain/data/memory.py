"""Sources in memory: arrays (X, y), a dict of columns, or a frame of pandas, polars or Arrow, by what they can do.

A cell means here what it means in a CSV file: a number is a number, True and False are the texts of these names (as a
target, true and false), a text is read as it would be in a file, and None, NaN and a frame's NA are missing.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from bptrain.data.cells import value_of
from bptrain.data.python_cells import (
    array_of,
    as_float,
    cells_of,
    is_utf8,
    plain_cell,
    values_of,
    without_mask,
)
from bptrain.data.sources import ArrayNames, Arrays
from bptrain.data.storage import IN_MEMORY, Storage
from bptrain.errors import DataError, Problem
from bptrain.formats import Sheet
from bptrain.formats.base import Cells
from bptrain.formats.names import name_key
from bptrain.formats.problems import ErrorList, Origin
from bptrain.parts.types import Array


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
        storage: Storage = IN_MEMORY,
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
        storage: Storage = IN_MEMORY,
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


class FrameAndTargets(NamedTuple):
    """Named features, and targets that came beside them."""

    name: str
    features: Sheet
    targets: Sheet

    @property
    def shape(self) -> str:
        """Rows and columns, targets included, as the config of a run has them."""
        columns = len(self.features.names) + len(self.targets.names)
        return f"{len(self.features.cells[self.features.names[0]])} x {columns}"

    def read(
        self,
        key: str,
        features: str | Sequence[str] = "all",
        target: str | Sequence[str] | None = None,
        weight: str | None = None,
        storage: Storage = IN_MEMORY,
    ) -> Sheet | Arrays:
        """All columns; a single target is called y, or what `data.target` calls it. Raises DataError."""
        if key and weight is not None:
            message = (
                f"X and y come without {weight}: give a dict of columns or a frame that has it and the target"
            )
            raise DataError(Problem("unknown_array", message, path="data.weight"))
        names = self.targets.names
        if len(names) == 1 and target is not None:
            names = (target,) if isinstance(target, str) else tuple(target)
        if len(names) != len(self.targets.names):
            m = len(self.targets.names)
            message = f"y is {m} column{'' if m == 1 else 's'}, but data.target has {len(names)} names"
            raise DataError(Problem("several_arrays", message, path="data.target"))
        both = sorted({*map(name_key, names)} & {*map(name_key, self.features.names)})
        if both:
            message = f"X has a column {both[0]}, which is the name of a target: leave it out of X, or set data.target"
            raise DataError(Problem("target_in_features", message, file=self.name))
        y = dict(zip(names, self.targets.cells.values(), strict=True))
        n, m = (len(sheet.cells[sheet.names[0]]) for sheet in (self.features, self.targets))
        if n != m:
            message = f"{m} targets, but {n} rows of features"
            raise DataError(Problem("row_count", message, file=self.name))
        return self.features._replace(
            names=(*self.features.names, *names), cells={**self.features.cells, **y}, targets=names
        )

    def digests(self, role: str) -> dict[str, str]:
        """The digest of names and cells."""
        sheets = (self.features, self.targets)
        return {role: digest((name, sheet.cells[name]) for sheet in sheets for name in sheet.names)}


InMemory = TableInMemory | ArraysInMemory | FrameAndTargets


def in_memory(given: Any, name: str) -> InMemory:
    """What was handed over in Python as a source; `name` is what messages call it. Raises DataError."""
    if isinstance(given, tuple):
        return (
            frame_and_targets(*given, name)
            if len(given) == 2 and is_named(given[0])
            else arrays_in_memory(given, name)
        )
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
    keys: set[str] = set()
    for column, cells in named_columns(frame):
        if not column.strip() or not is_utf8(column):
            errors.add(Problem("unnamed_column", f"a column is named {column!r}", file=name))
        elif name_key(column) in keys:
            message = f"two columns are named {column}; rename one"
            errors.add(Problem("duplicate_column", message, file=name))
        else:
            keys.add(name_key(column))
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
        made[column] = cells_of(array, column, origin, errors)
    errors.raise_if_any()
    return TableInMemory(name, Sheet(origin, tuple(raw), made))


def frame_and_targets(X: Any, y: Any, name: str) -> FrameAndTargets:
    """(X, y), of which X has named columns. Raises DataError."""
    features = table_in_memory(X, name).sheet
    if is_named(y):
        return FrameAndTargets(name, features, table_in_memory(y, name).sheet)
    array = matrix_of(y if hasattr(y, "__array__") or isinstance(y, list | tuple) else array_of(y), "y", name)
    columns = array.reshape(len(array), -1).T
    names = [f"y{k + 1}" for k in range(len(columns))] if len(columns) > 1 else ["y"]
    return FrameAndTargets(
        name, features, table_in_memory(dict(zip(names, columns, strict=True)), name).sheet
    )


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
