"""NPZ, NPY and IDX: arrays to one block of columns, in the file's own type."""

import zipfile
from math import prod
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from bptrain.data.files import read_bytes, reading
from bptrain.data.table import Block, ErrorList, Origin, chunks, nearest, some_of
from bptrain.data.text_files import MISSING, is_whole
from bptrain.errors import DataError, Problem
from bptrain.parts.types import Array

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class ArrayNames(NamedTuple):
    """Which arrays of an npz file are meant."""

    features: str = "X"
    target: str = "y"
    weight: str | None = None


def read_array(path: Path, kind: str, key: str) -> Array:
    """The array of an npy or idx file. Raises DataError where it is damaged or holds objects."""
    if kind == "idx":
        return _idx(read_bytes(path, key), str(path))
    try:
        with reading(path, key), path.open("rb") as file:  # np.load leaves a file that it cannot read open
            array: Array = np.load(file, allow_pickle=False)
            return array
    except DataError:
        raise
    except Exception as error:  # what NumPy raises for a malformed file is not documented
        _damaged(path, error)


def read_arrays(path: Path, names: ArrayNames, key: str) -> tuple[Array, Array, Array | None]:
    """The features, the target and the weights of an npz file. Raises DataError where one is not there.

    A file for a trained model (`key` is empty) need not say what its rows weigh.
    """
    try:
        with reading(path, key), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise zipfile.BadZipFile("it is not a zip archive of arrays")
            if not key and names.weight not in archive.files:
                names = names._replace(weight=None)
            _check_names(archive.files, names, path)
            weight = None if names.weight is None else archive[names.weight]
            return archive[names.features], archive[names.target], weight
    except DataError:
        raise
    except Exception as error:  # likewise
        _damaged(path, error)


def _damaged(path: Path, error: Exception) -> NoReturn:
    if "pickle" in str(error):
        message = "the file holds Python objects, which are never loaded; save plain numbers or strings"
        raise DataError(Problem("object_array", message, file=str(path))) from None
    message = f"the file is damaged or not what its name says ({error})"
    raise DataError(Problem("damaged_file", message, file=str(path))) from None


def _check_names(files: list[str], names: ArrayNames, path: Path) -> None:
    if names.features == names.target:
        message = f"{names.target} is both the features array and the target array"
        raise DataError(Problem("target_in_features", message, path="data.features"))
    complaints = ErrorList()
    for role, name in names._asdict().items():
        if name is not None and name not in files:
            message = f"{path} has no array named {name}; it has {some_of(files) or 'none'}"
            complaints.add(
                Problem("unknown_array", message, path=f"data.{role}", suggestion=nearest(name, files))
            )
    complaints.raise_if_any()


def _idx(data: bytes, file: str) -> Array:
    """An IDX array: two zero bytes, type, number of axes n, n sizes in big-endian, then the values."""
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES or data[3] == 0:
        message = (
            f"not an IDX file: it begins with {data[:4].hex(' ') or 'nothing'}, not with 00 00 and a type"
        )
        raise DataError(Problem("not_idx", message, file=file))
    dtype = np.dtype(IDX_TYPES[data[2]])
    begin = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, begin, 4))
    expected = begin + prod(shape) * dtype.itemsize
    if len(data) != expected:
        size = " × ".join(str(n) for n in shape)
        message = f"the file is damaged: {size} values make {expected} bytes, but it has {len(data)}"
        raise DataError(Problem("damaged_file", message, file=file))
    array: Array = np.frombuffer(data, dtype, offset=begin).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def feature_block(array: Array, file: str, name: str = "x1") -> Block:
    """The columns x1 … xn, or `name` where there is one; further axes are flattened row by row.

    Raises DataError for what is not numbers.
    """
    if array.dtype.kind not in "biuf":
        message = f"features must be numbers, but the array is of type {array.dtype}"
        raise DataError(Problem("array_type", message, file=file))
    matrix = _columns(array, file)
    names = tuple(f"x{k + 1}" for k in range(matrix.shape[1])) if matrix.shape[1] != 1 else (name,)
    return _number_block(matrix, names, file)


def target_block(array: Array, file: str, name: str = "y") -> Block:
    """The column `name`, or name1 … namem; numbers, true and false, or text labels."""
    matrix = _columns(array, file)
    m = matrix.shape[1]
    names = tuple(f"{name}{k + 1}" for k in range(m)) if m != 1 else (name,)
    if array.dtype.kind in "biuf":
        return _number_block(matrix, names, file)
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
        labels = [str(label).strip() for label in matrix[:, k]]
        texts[column] = np.empty(len(labels), object)
        texts[column][:] = [None if label in MISSING else label for label in labels]
    return Block(Origin(file), names, np.empty((len(matrix), 0)), (), texts)


def _columns(array: Array, file: str) -> Array:
    """N × everything else."""
    if array.ndim == 0 or array.size == 0:
        raise DataError(Problem("no_rows", f"the array of shape {array.shape} has no rows", file=file))
    matrix: Array = array.reshape(len(array), -1)
    return matrix


def _number_block(matrix: Array, names: tuple[str, ...], file: str) -> Block:
    """A block of numbers alone. Raises DataError for infinite ones."""
    origin = Origin(file)
    if matrix.dtype.kind == "b":
        return Block(origin, names, matrix.view(np.uint8), names, {}, frozenset(names), frozenset(names))
    if matrix.dtype.kind in "iu":
        return Block(origin, names, matrix, names, {}, frozenset(names))
    complaints = ErrorList()
    for part in chunks(*matrix.shape):
        for row, column in np.argwhere(np.isinf(matrix[part])):
            at = part.start + int(row)
            message = f"column {names[column]} is {matrix[at, column]}; numbers must be finite"
            complaints.add(origin.problem("infinite", at, message))
    complaints.raise_if_any()
    whole = len(names) == 1 and is_whole(matrix)  # asked of a target, so of one column alone
    return Block(origin, names, matrix, names, {}, frozenset(names if whole else ()))
