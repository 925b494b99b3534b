"""Raw columns from Python, an array or a data frame, as a trained model sees them."""

import math
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.features import Feature, scaling_of, unseen
from bptrain.data.memory import array_of, is_named, named_columns
from bptrain.data.schema import Schema
from bptrain.data.sheet_columns import MISSING, value_of
from bptrain.data.table import ColumnBlock, Table, text_of
from bptrain.errors import DataError, Problem
from bptrain.formats.problems import ErrorList, Origin, nearest, some_of
from bptrain.parts.types import Array


def encode_columns(X: Any, schema: Schema, dtype: DTypeLike) -> Array:
    """X_0, N × n_0, of raw feature columns. Raises DataError.

    X is an N × n array-like with the columns in the schema's order, or anything with named columns (a
    mapping, a data frame), of which those that the schema does not know are ignored.
    """
    table = table_of_columns(X, schema)
    filled = {feature.name for feature in schema.features if feature.fill is not None}
    errors = ErrorList()
    for name, mask in table.features.missing().items():
        if name not in filled:  # "drop" too: a prediction is asked for every row
            message = f"column {name} has no value here; the model has nothing to fill in for it"
            errors.add_rows("missing_cell", table.features.origin, np.flatnonzero(mask), message)
    errors.raise_if_any()
    unseen(schema.features, table.features, np.arange(table.features.rows), "the rows given")
    return schema.encode_features(table, dtype)


class Encoder:
    """`encode_columns` for one part of an array after the other, of up to `rows` rows, in room that it keeps."""

    def __init__(self, schema: Schema, dtype: DTypeLike, rows: int) -> None:
        self.schema = schema
        self._scaling = scaling_of(schema.features, rows)
        self._X = np.empty((rows, len(schema.features)), dtype)

    def __call__(self, raw: Array) -> Array:
        """X_0 of these rows, until the next ones come. Raises DataError."""
        if not _plain(raw, self.schema) or raw.shape[1] != self._X.shape[1]:
            return encode_columns(raw, self.schema, self._X.dtype)
        assert len(raw) <= len(self._X), "more rows than there is room for"
        X = self._X[: len(raw)]
        for part in self._scaling.parts(len(raw)):
            with np.errstate(over="ignore"):
                X[part] = self._scaling.of(raw[part])
        return X if np.isfinite(X).all() else encode_columns(raw, self.schema, X.dtype)


def _plain(array: Array, schema: Schema) -> bool:
    """Whether an N × n array holds only numbers, as the model needs them."""
    return array.dtype.kind in "iufb" and all(feature.is_plain for feature in schema.features)


def table_of_columns(X: Any, schema: Schema) -> Table:
    """Raw feature columns as a table. Raises DataError for columns that are missing or do not fit."""
    names = tuple(feature.name for feature in schema.features)
    if is_named(X):
        columns = _named(X, names)
    else:
        array = _array(X, names)
        if _plain(array, schema):
            _refuse_infinite(array, names)
            return Table(ColumnBlock(Origin(""), names, array, names, {}))
        columns = [array[:, k] for k in range(len(names))]
    return schema.with_kinds(Table(_block(columns, schema.features)))


def _named(X: Any, names: tuple[str, ...]) -> list[Array]:
    present = dict(named_columns(X))
    errors = ErrorList()

    def problem(name: str) -> Problem:
        message = f"the column {name!r} is missing; there are {some_of(present)}"
        return Problem("missing_column", message, suggestion=nearest(name, set(present) - set(names)))

    for name in names:
        if name not in present:
            errors.add(partial(problem, name))
    errors.raise_if_any()
    columns = [array_of(present[name]) for name in names]
    if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
        shapes = some_of(f"{name} {column.shape}" for name, column in zip(names, columns, strict=True))
        raise DataError(
            Problem("row_count", f"the columns must be lists of one length, but they are: {shapes}")
        )
    return columns


def _array(X: Any, names: tuple[str, ...]) -> Array:
    """N × n, a list cell by cell likewise."""
    try:
        array = X if isinstance(X, np.ndarray) else np.asarray(X, dtype=object)
    except ValueError:
        array = np.empty(0, object)
    if array.ndim != 2 or array.shape[1] != len(names):
        message = f"X must have {len(names)} columns ({some_of(names)}), but its shape is {array.shape}"
        raise DataError(Problem("column_count", message))
    return array


def _block(columns: Iterable[Array], features: tuple[Feature, ...]) -> ColumnBlock:
    origin = Origin("")
    errors = ErrorList()
    numbers: dict[str, Array] = {}
    texts: dict[str, Array] = {}
    rows = 0
    for feature, column in zip(features, columns, strict=True):
        rows = len(column)
        if feature.kind != "numeric":
            known = frozenset((*feature.categories, *feature.rare))
            texts[feature.name] = np.empty(rows, object)
            texts[feature.name][:] = [_text(cell, known) for cell in column.tolist()]
        elif column.dtype.kind in "iufb":
            numbers[feature.name] = column.astype(np.float64)
        else:
            numbers[feature.name] = np.array([_number(cell) for cell in column.tolist()], np.float64)
        if feature.name in numbers:
            bad = np.flatnonzero(np.isinf(numbers[feature.name]))
            message = f"column {feature.name} must be finite numbers, but here it is "
            for row in bad:
                errors.add(origin.problem("not_a_number", int(row), f"{message}{column[row]!r}"))
    errors.raise_if_any()
    names = tuple(feature.name for feature in features)
    matrix = np.column_stack(list(numbers.values())) if numbers else np.empty((rows, 0))
    return ColumnBlock(origin, names, matrix, tuple(numbers), texts)


def _refuse_infinite(array: Array, names: tuple[str, ...]) -> None:
    errors = ErrorList()
    if array.dtype.kind == "f" and np.isinf(array).any():
        for row, k in np.argwhere(np.isinf(array)):
            message = f"column {names[k]} is {array[row, k]}; numbers must be finite"
            errors.add(Origin("").problem("infinite", int(row), message))
    errors.raise_if_any()


def _is_missing(cell: object) -> bool:
    if isinstance(cell, str):
        return cell.strip() in MISSING
    # pandas' NA answers no question, not even whether it equals itself
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or bool(cell != cell)


def _number(cell: object) -> float:
    """A cell as a number: NaN if it is missing, infinite if it is none."""
    if _is_missing(cell):
        return math.nan
    value = value_of(cell) if isinstance(cell, str) else cell
    return float(value) if isinstance(value, (Real, Decimal)) else math.inf


def _text(cell: object, categories: frozenset[str]) -> str | None:
    """A cell as a category: as it is written where the model knows that, else a whole number plainly."""
    if _is_missing(cell):
        return None
    written = str(cell).strip()
    return written if written in categories else text_of(cell).strip()
