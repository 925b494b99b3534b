"""Cells from Python as they would be in a file: numbers, texts, and "" for what is missing.

True and False are the texts of these names, a date is its ISO text, and None, NaN and a frame's NA are missing.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from bptrain.data.levels import moment
from bptrain.data.table import EXACT, text_of
from bptrain.formats.base import Cells
from bptrain.formats.problems import ErrorList, Origin
from bptrain.parts.types import Array

TEXTS = (str, np.str_, time)  # of which str() is what a file would say
MOMENTS = (date, datetime, np.datetime64)


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
    if (
        callable(getattr(cells, "null_count", None)) and cells.null_count()
    ):  # polars makes floats of whole numbers then
        return array_of(cells.to_list())
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
        long = any(type(value) is int and abs(value) >= EXACT for value in found)
        if kinds == {int} and None not in found and all(-(2**63) <= value < 2**63 for value in found):
            return np.array(found, np.int64)
        if not long:
            return np.array([np.nan if value is None else float(value) for value in found], np.float64)
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
    if isinstance(cell, MOMENTS):
        return moment(str(cell))
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


def cells_of(array: Array, column: str, origin: Origin, errors: ErrorList) -> Cells:
    """The same as a table has them: true and false are texts."""
    values = values_of(array, column, origin, errors)
    if isinstance(values, np.ndarray) and values.dtype.kind == "b":
        return [str(value) for value in values.tolist()]
    return values
