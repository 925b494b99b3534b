"""Arrays to one block of columns, in their own type."""

from collections import Counter

import numpy as np

from bptrain.data.cells import CellRules
from bptrain.data.levels import one_spelling
from bptrain.data.table import ColumnBlock, chunks, text_of
from bptrain.data.text_cells import TextCells
from bptrain.errors import DataError, Problem
from bptrain.formats.markers import MissingMarkers
from bptrain.formats.problems import ErrorList, Origin
from bptrain.formats.text_columns import is_whole
from bptrain.parts.types import Array


def feature_block(array: Array, file: str, name: str = "x1", begin: int = 0) -> ColumnBlock:
    """The columns x1 … xn, or `name` where there is one; further axes are flattened row by row.

    `begin` is the number of the first row in the file, counted from 0. Raises DataError for what is not numbers.
    """
    if array.dtype.kind not in "biuf":
        message = f"features must be numbers, but the array is of type {array.dtype}"
        raise DataError(Problem("array_type", message, file=file))
    matrix = _columns(array, file)
    names = tuple(f"x{k + 1}" for k in range(matrix.shape[1])) if matrix.shape[1] != 1 else (name,)
    return _number_block(matrix, names, Origin(file, begin=begin))


def target_block(array: Array, file: str, name: str = "y") -> ColumnBlock:
    """The column `name`, or name1 … namem; numbers, true and false, or text labels."""
    matrix = _columns(array, file)
    m = matrix.shape[1]
    names = tuple(f"{name}{k + 1}" for k in range(m)) if m != 1 else (name,)
    if array.dtype.kind in "biuf":
        return _number_block(matrix, names, Origin(file))
    if array.dtype.kind == "S":
        try:
            matrix = np.char.decode(matrix, "utf-8")
        except UnicodeDecodeError:
            raise DataError(Problem("not_utf8", "the target labels are not UTF-8", file=file)) from None
    elif array.dtype.kind != "U":
        message = f"targets must be numbers or strings, but the array is of type {array.dtype}"
        raise DataError(Problem("array_type", message, file=file))
    texts = {}
    for k, column in enumerate(names):
        labels = TextCells.of(str(label).strip() for label in matrix[:, k])
        spelling = one_spelling({label: n for label, n in labels.counts().items() if label})
        texts[column] = TextCells.meaning((spelling.get(str(label)) for label in labels.texts), labels.codes)
    return ColumnBlock(Origin(file), names, np.empty((len(matrix), 0)), (), texts)


def block_without_markers(block: ColumnBlock, rules: CellRules) -> ColumnBlock:
    """A block of an array in which the numbers and labels that mark a missing value are missing."""
    markers, marked = rules.markers, dict[str, dict[str, int]]()
    numbers, texts = block.numbers, dict(block.texts)
    if markers.numbers and numbers.size:
        marked = _marked(block, markers)
        numbers = _with_gaps(block, markers) if marked else numbers
    for name, labels in block.texts.items():
        found_texts = {
            text: n for text, n in labels.counts().items() if text is not None and text in markers.anywhere
        }
        if found_texts:
            marked[name] = found_texts
            texts[name] = labels.without(labels.are(found_texts))
    if not marked:
        return block
    return block._replace(numbers=numbers, texts=texts, reading=block.reading._replace(marked=marked))


def _marked(block: ColumnBlock, markers: MissingMarkers) -> dict[str, dict[str, int]]:
    """Of each column, the numbers that mark a missing value, and how often they are there."""
    counts: dict[int, Counter[float]] = {}
    for part in chunks(*block.numbers.shape):
        numbers = block.numbers[part]
        where = np.isin(numbers, sorted(markers.numbers))
        for k in np.flatnonzero(where.any(axis=0)).tolist():
            found, cells = np.unique(numbers[where[:, k], k], return_counts=True)
            counts.setdefault(k, Counter()).update(dict(zip(found.tolist(), cells.tolist(), strict=True)))
    return {
        block.number_names[k]: {text_of(number): counts[k][number] for number in sorted(counts[k])}
        for k in sorted(counts)
    }


def _with_gaps(block: ColumnBlock, markers: MissingMarkers) -> Array:
    """The numbers, NaN where they mark a missing value."""
    made = block.storage.empty(block.numbers.shape, np.result_type(block.numbers, np.nan))
    for part in chunks(*made.shape):
        numbers = block.numbers[part]
        made[part] = np.where(np.isin(numbers, sorted(markers.numbers)), np.nan, numbers)
    return made


def _columns(array: Array, file: str) -> Array:
    """N × everything else."""
    if array.ndim == 0 or array.size == 0:
        raise DataError(Problem("no_rows", f"the array of shape {array.shape} has no rows", file=file))
    matrix: Array = array.reshape(len(array), -1)
    return matrix


def _number_block(matrix: Array, names: tuple[str, ...], origin: Origin) -> ColumnBlock:
    """A block of numbers alone. Raises DataError for infinite ones."""
    if matrix.dtype.kind == "b":
        return ColumnBlock(
            origin, names, matrix.view(np.uint8), names, {}, frozenset(names), frozenset(names)
        )
    if matrix.dtype.kind in "iu":
        return ColumnBlock(origin, names, matrix, names, {}, frozenset(names))
    errors = ErrorList()
    for part in chunks(*matrix.shape):
        infinite = np.isinf(matrix[part])
        for row, column in np.argwhere(infinite) if infinite.any() else ():
            at = part.start + int(row)
            message = f"column {names[column]} is {matrix[at, column]}; numbers must be finite"
            errors.add(origin.problem("infinite", at, message), at)
    errors.raise_if_any()
    whole = len(names) == 1 and is_whole(matrix)  # asked of a target, so of one column alone
    return ColumnBlock(origin, names, matrix, names, {}, frozenset(names if whole else ()))
