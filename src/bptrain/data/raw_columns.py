"""Raw columns from Python, an array or a data frame, as a trained model sees them."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.column_kinds import read_as
from bptrain.data.features import scaling_of
from bptrain.data.memory import is_named, named_columns
from bptrain.data.python_cells import array_of, cells_of
from bptrain.data.schema import Schema
from bptrain.data.sheet_columns import block_of
from bptrain.data.table import ColumnBlock, Table
from bptrain.data.training_range import OutsideRange, outside_range
from bptrain.data.unknown_cells import refuse_all_unseen, unseen
from bptrain.errors import DataError, Problem, Warned
from bptrain.formats import Sheet
from bptrain.formats.names import own_spelling
from bptrain.formats.problems import ErrorList, Origin, nearest, some_of
from bptrain.parts.types import Array

PYTHON = Origin("")


def encode_columns(X: Any, schema: Schema, dtype: DTypeLike) -> Array:
    """X_0, N × n_0, of raw feature columns. Raises DataError.

    X is an N × n array-like with the columns in the schema's order, whose further axes are flattened, one row of n
    cells as a tuple, or anything with named columns (a mapping, a data frame), of which those that the schema does not
    know are ignored.
    """
    return encode_rows(X, schema, dtype)[0]


def encode_rows(X: Any, schema: Schema, dtype: DTypeLike) -> tuple[Array, list[Warned]]:
    """The same, and what is odd about the rows. Raises DataError."""
    block = block_of_columns(X, schema)
    filled = {feature.name for feature in schema.features if feature.fill is not None}
    errors = ErrorList()
    for name, mask in block.missing():
        if name not in filled:  # "drop" too: a prediction is asked for every row
            message = f"column {name} has no value here; the model has nothing to fill in for it"
            errors.add_rows("missing_cell", PYTHON, np.flatnonzero(mask), message)
    errors.raise_if_any()
    rows = np.arange(block.rows)
    refuse_all_unseen(schema.features, block, rows)
    odd = outside_range(schema.statistics, schema.numeric, block, rows, "X")
    odd += unseen(schema.features, block, rows, "these rows")
    return schema.encode_features(Table(block), dtype), odd


def outside_range_of_columns(X: Array, schema: Schema) -> list[Warned]:
    """What `encode_rows` says of N × n finite numbers, which may be outside the range of the training rows."""
    names = tuple(feature.name for feature in schema.features)
    found = OutsideRange(schema.statistics, schema.numeric)
    found.add(ColumnBlock(PYTHON, names, X, names, {}))
    return found.warnings("X")


class Encoder:
    """`encode_columns` for one part of an array after the other, of up to `rows` rows, in room that it keeps."""

    def __init__(self, schema: Schema, dtype: DTypeLike, rows: int) -> None:
        self.schema = schema
        self._scaling = scaling_of(schema.features, rows)
        self._X = np.empty((rows, len(schema.features)), dtype)

    def __call__(self, raw: Array) -> Array:
        """X_0 of these rows, until the next ones come. Raises DataError."""
        plain = is_plain(raw, self.schema) and raw.shape[1] == self._X.shape[1]
        X = self.plain(raw) if plain else None
        return encode_columns(raw, self.schema, self._X.dtype) if X is None else X

    def plain(self, raw: Array) -> Array | None:
        """The same of numbers alone; None where one of X_0 is not finite."""
        assert len(raw) <= len(self._X), "more rows than there is room for"
        X = self._X[: len(raw)]
        for part in self._scaling.parts(len(raw)):
            with np.errstate(over="ignore"):
                X[part] = self._scaling.of(raw[part])
        return X if np.isfinite(X).all() else None


def is_plain(array: Array, schema: Schema) -> bool:
    """Whether an N × n array holds only numbers, as the model needs them."""
    plain = array.dtype.kind in "iufb" and not schema.cells.markers.numbers
    return plain and all(feature.is_plain for feature in schema.features)


def block_of_columns(X: Any, schema: Schema) -> ColumnBlock:
    """Raw feature columns as a file would have them. Raises DataError for columns that are missing or do not fit."""
    names = tuple(feature.name for feature in schema.features)
    if is_named(X):
        columns = _named(X, names)
    else:
        array = _array(X, names)
        if is_plain(array, schema):
            _refuse_infinite(array, names)
            return ColumnBlock(PYTHON, names, array, names, {})
        columns = [array[:, k] for k in range(len(names))]
    errors = ErrorList()
    cells = {
        name: cells_of(column, name, PYTHON, errors) for name, column in zip(names, columns, strict=True)
    }
    errors.raise_if_any()
    kinds = {feature.name: read_as(feature.kind) for feature in schema.features}
    block = block_of(Sheet(PYTHON, names, cells), names, kinds, infer=False, rules=schema.cells)
    return schema.with_kinds(Table(block)).features


def columns_of(X: Any, schema: Schema) -> Any:
    """X, if it has named columns or is an array of plain numbers, else its cells by column. Raises DataError."""
    if is_named(X):
        return X
    names = tuple(feature.name for feature in schema.features)
    array = _array(X, names)
    return array if is_plain(array, schema) else {name: array[:, k] for k, name in enumerate(names)}


def _named(X: Any, names: tuple[str, ...]) -> list[Array]:
    present = dict(named_columns(X))
    own = own_spelling(present)
    errors = ErrorList()

    def problem(name: str) -> Problem:
        message = f"the column {name!r} is missing; there are {some_of(present)}"
        return Problem("missing_column", message, suggestion=nearest(name, set(present) - set(names)))

    for name in names:
        if own(name) not in present:
            errors.add(partial(problem, name))
    errors.raise_if_any()
    columns = [array_of(present[own(name)]) for name in names]
    if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
        shapes = some_of(f"{name} {column.shape}" for name, column in zip(names, columns, strict=True))
        raise DataError(
            Problem("row_count", f"the columns must be lists of one length, but they are: {shapes}")
        )
    return columns


def _array(X: Any, names: tuple[str, ...]) -> Array:
    """N × n, a list cell by cell likewise; a tuple of cells is one row, and further axes are flattened row by row."""
    try:
        array = X if isinstance(X, np.ndarray) else np.asarray(X, dtype=object)
    except ValueError:
        array = np.empty(0, object)
    if array.ndim == 1 and isinstance(X, tuple):
        array = array[None, :]
    elif array.ndim > 2 or (array.ndim == 1 and len(names) == 1):
        array = array.reshape(len(array), -1)
    if array.ndim != 2 or array.shape[1] != len(names):
        message = f"X must have {len(names)} columns ({some_of(names)}), but its shape is {array.shape}"
        raise DataError(Problem("column_count", message))
    return array


def _refuse_infinite(array: Array, names: tuple[str, ...]) -> None:
    errors = ErrorList()
    if array.dtype.kind == "f" and np.isinf(array).any():
        for row, k in np.argwhere(np.isinf(array)):
            message = f"column {names[k]} is {array[row, k]}; numbers must be finite"
            errors.add(PYTHON.problem("infinite", int(row), message))
    errors.raise_if_any()
