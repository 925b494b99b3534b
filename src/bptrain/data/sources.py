"""Where rows come from: what a source is, and files as one."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from bptrain.data.spooled_table import spooled
from bptrain.data.spooled_texts import end_to_end
from bptrain.data.storage import IN_MEMORY, Memory, Storage
from bptrain.errors import DataError, Problem
from bptrain.formats import Format, NamedArrays, Sheet, listed
from bptrain.formats.base import RoomForBytes
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.files import digest
from bptrain.formats.packing import without_packing
from bptrain.formats.problems import nearest, some_of
from bptrain.formats.recognition import known_format
from bptrain.formats.streams import pieces, settled
from bptrain.parts.types import Array


class ArrayNames(NamedTuple):
    """Which arrays are meant, where they have names; of a column by itself, its name."""

    features: str = "X"
    target: str = "y"
    weight: str | None = None


class Arrays(NamedTuple):
    """Features, targets and weights in separate arrays, N rows each."""

    X: Array
    y: Array
    weight: Array | None
    names: ArrayNames
    places: tuple[str, str]  # what messages call the place of X, and that of y


class DataSource(Protocol):
    """A set of rows to train on, or to evaluate: a file, say, or a table in memory."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def read(
        self,
        key: str,
        features: str | Sequence[str] = "all",
        target: str | Sequence[str] | None = None,
        weight: str | None = None,
        storage: Storage = IN_MEMORY,
    ) -> Sheet | Arrays:
        """A table with named columns, or arrays of these names; what is read of files in `storage`. Raises DataError.

        `key` is the config key that named the source; without one it is for a trained model, and need not say what its
        rows weigh.
        """
        ...

    def digests(self, role: str) -> dict[str, str]:
        """SHA-256 by role, such as "train", in hex. Raises DataError."""
        ...


class FileSource(NamedTuple):
    """A file; or two, one of inputs and one of targets."""

    inputs: Path
    target: Path | None = None  # where `inputs` holds one array, which is that of the inputs
    conventions: Conventions = RECOGNIZED

    @property
    def name(self) -> str:
        """The path of the inputs."""
        return str(self.inputs)

    def read(
        self,
        key: str,
        features: str | Sequence[str] = "all",
        target: str | Sequence[str] | None = None,
        weight: str | None = None,
        storage: Storage = IN_MEMORY,
    ) -> Sheet | Arrays:
        """What the file, or the two files, hold. Raises DataError."""
        form = known_format(self.inputs, key, self.conventions)
        target_key = f"{key}.target" if key else ""
        if form.holds != "array":
            if self.target is not None:
                message = f"{self.inputs} contains its target, so it takes no separate file of targets"
                raise DataError(Problem("two_targets", message, path=target_key))
            names = None if form.holds == "table" else array_names(features, target, weight)
            if names is None:
                return read_table(form, self.inputs, key, self.conventions, storage)
            contents = form.read(self.inputs, key, self.conventions)
            assert isinstance(contents, NamedArrays)
            if contents.get_in is not None and not isinstance(storage, Memory):
                contents = contents._replace(get=partial(_got_in, contents.get_in, storage))
            return _pick(contents, names, self.name, key)
        if self.target is None:
            message = f"{self.inputs} holds only features; name the file with its targets"
            raise DataError(
                Problem("no_target", message, path="data.target" if key == "data.train" else target_key)
            )
        target_form = known_format(self.target, target_key, self.conventions)
        if target_form.holds != "array":
            message = f"the targets of {self.inputs} must be an {listed('array')} file, not {self.target}"
            raise DataError(Problem("target_format", message, path=target_key))
        if key and isinstance(features, str) and features != "all":
            message = (
                f"{self.inputs} is a single array without a name, so there is none named {features}; use all"
            )
            raise DataError(Problem("unknown_array", message, path="data.features", suggestion="all"))
        X = read_array(form, self.inputs, key, self.conventions, storage)
        y = read_array(target_form, self.target, target_key, self.conventions, storage)
        return Arrays(X, y, None, ArrayNames("x1", "y"), (self.name, str(self.target)))

    def for_columns(self, needed: tuple[str, ...]) -> "FileSource":
        """The same for a trained model that reads these columns."""
        return self._replace(conventions=self.conventions._replace(needed=needed))

    def digests(self, role: str) -> dict[str, str]:
        """The digest of each file as it lies on the disk."""
        digests = {role: digest(self.inputs, f"data.{role}")}
        if self.target is not None:
            digests[f"{role}_target"] = digest(self.target, f"data.{role}.target")
        return digests


def read_table(
    form: Format, path: Path, key: str, conventions: Conventions, storage: Storage = IN_MEMORY
) -> Sheet:
    """A table, with what was declared about its cells; in files, where `storage` has such. Raises DataError."""
    if not isinstance(storage, Memory):
        found = pieces(path, key, conventions)
        return spooled((piece for piece in found if isinstance(piece, Sheet)), storage)
    contents = form.read(path, key, conventions)
    assert isinstance(contents, Sheet)
    return settled(contents, path, key, conventions)


def read_array(form: Format, path: Path, key: str, conventions: Conventions, storage: Storage) -> Array:
    """An array; that of a packed file lies in files, where `storage` has such. Raises DataError."""
    if isinstance(storage, Memory) or without_packing(path.name) == path.name.lower():
        contents = form.read(path, key, conventions)
        assert isinstance(contents, np.ndarray)
        return contents
    found = (storage.kept(piece) for piece in pieces(path, key, conventions) if isinstance(piece, np.ndarray))
    return end_to_end([*found], storage)


def _got_in(get: Callable[[str, RoomForBytes], Array], storage: Storage, name: str) -> Array:
    """An array of several, in storage where it does not lie in its file as it is."""
    return get(name, lambda size: storage.empty((size,), np.uint8))


def array_names(
    features: str | Sequence[str], target: str | Sequence[str] | None, weight: str | None
) -> ArrayNames:
    """The arrays of a file of named arrays that the keys of `data` mean. Raises DataError for several targets."""
    if target is not None and not isinstance(target, str):
        if len(target) != 1:
            what = f"in an {listed('arrays')} file the target is one array"
            message = f"{what}; several columns are one array of two axes"
            raise DataError(Problem("several_arrays", message, path="data.target"))
        target = target[0]
    name = features if isinstance(features, str) and features != "all" else "X"
    return ArrayNames(name, target or "y", weight)


def _pick(arrays: NamedArrays, names: ArrayNames, file: str, key: str) -> Arrays:
    """The features, the target and the weights. Raises DataError where one is not there."""
    if not key and names.weight not in arrays.names:
        names = names._replace(weight=None)
    if names.features == names.target:
        message = f"{names.target} is both the features array and the target array"
        raise DataError(Problem("target_in_features", message, path="data.features"))
    unknown = [
        Problem(
            "unknown_array",
            f"{file} has no array named {name}; it has {some_of(arrays.names) or 'none'}",
            path=f"data.{role}",
            suggestion=nearest(name, arrays.names),
        )
        for role, name in names._asdict().items()
        if name is not None and name not in arrays.names
    ]
    if unknown:
        raise DataError(unknown)
    weight = None if names.weight is None else arrays.get(names.weight)
    return Arrays(arrays.get(names.features), arrays.get(names.target), weight, names, (file, file))
